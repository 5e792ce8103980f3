"""Kept lines: every job once, whatever happens to the process."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from voice_agent.errors import UnusableInput
from voice_agent.evaluation.runs import Job, KeptLines, Line, run_jobs

ABOUT = {"model": "m", "seed": 0}


class Work:
    """Jobs that count how often they ran and how many ran at once."""

    def __init__(self, number: int, fails: int | None = None) -> None:
        self.ran: list[int] = []
        self.running = self.most_at_once = 0
        self.jobs = [Job(f"job {i}", lambda i=i: self._run(i, fails)) for i in range(number)]

    async def _run(self, i: int, fails: int | None) -> Line:
        self.running += 1
        self.most_at_once = max(self.most_at_once, self.running)
        await asyncio.sleep(0)
        self.running -= 1
        if i == fails:
            raise RuntimeError("broke")
        self.ran.append(i)
        return {"value": f"{i} \u2028 \u00e9\n"}


def run(path: Path, work: Work, at_once: int = 1) -> dict[str, Line]:
    with KeptLines.open(path, ABOUT) as kept:
        asyncio.run(run_jobs(work.jobs, kept, at_once=at_once, what="test"))
        return kept.lines


def test_lines_are_kept_and_read_again(tmp_path: Path) -> None:
    path = tmp_path / "new" / "lines.jsonl"
    first = run(path, Work(4))
    again = Work(4)
    assert run(path, again) == first
    assert again.ran == []
    assert [line["value"] for line in first.values()] == [f"{i} \u2028 \u00e9\n" for i in range(4)]
    assert len(path.read_text(encoding="utf-8").split("\n")) == 1 + 4 + 1


@pytest.mark.parametrize(("at_once", "most"), [(1, 1), (3, 3), (50, 7)])
def test_so_many_at_once(tmp_path: Path, at_once: int, most: int) -> None:
    work = Work(7)
    run(tmp_path / "lines.jsonl", work, at_once)
    assert sorted(work.ran) == list(range(7))
    assert work.most_at_once == most


@given(kill_at=st.floats(0, 1), at_once=st.integers(1, 4))
def test_killed_anywhere_every_job_is_done_once(
    tmp_path_factory: pytest.TempPathFactory, kill_at: float, at_once: int
) -> None:
    """A killed process leaves the beginning of the file; what it had not written whole is done again."""
    path = tmp_path_factory.mktemp("killed") / "lines.jsonl"
    whole = run(path, Work(6), at_once)
    written = path.read_bytes()
    path.write_bytes(written[: int(kill_at * len(written))])
    resumed = Work(6)
    assert run(path, resumed, at_once) == whole
    keys = [json.loads(line)["key"] for line in path.read_text(encoding="utf-8").split("\n")[1:-1]]
    assert sorted(keys) == [f"job {i}" for i in range(6)]


def test_a_failure_keeps_what_was_done(tmp_path: Path) -> None:
    path = tmp_path / "lines.jsonl"
    with pytest.raises(ExceptionGroup) as failed:
        run(path, Work(5, fails=3))
    assert [str(error) for error in failed.value.exceptions] == ["broke"]
    resumed = Work(5)
    assert len(run(path, resumed)) == 5
    assert resumed.ran == [3, 4]


def test_an_unusable_item_is_one_sentence(tmp_path: Path) -> None:
    async def refused() -> Line:
        raise UnusableInput("the question has 900 tokens")

    async def main() -> None:
        with KeptLines.open(tmp_path / "lines.jsonl", ABOUT) as kept:
            await run_jobs([Job("a", refused), Job("b", refused)], kept, at_once=2, what="jobs")

    with pytest.raises(UnusableInput, match=r"^jobs, [ab]: the question has 900 tokens$"):
        asyncio.run(main())


def test_lines_of_another_run_are_not_gone_on_with(tmp_path: Path) -> None:
    path = tmp_path / "lines.jsonl"
    run(path, Work(1))
    other = KeptLines.open(path, {**ABOUT, "model": "n"})
    with pytest.raises(UnusableInput, match="was made with model 'm', not 'n'; choose another --out"), other:
        pass


def test_two_runs_do_not_write_one_file(tmp_path: Path) -> None:
    path = tmp_path / "lines.jsonl"
    with (
        KeptLines.open(path, ABOUT),
        pytest.raises(UnusableInput, match="another run is writing it"),
        KeptLines.open(path, ABOUT),
    ):
        pass


@pytest.mark.parametrize("damaged", [b'{"key": "jo', b"[1, 2]", b'{"row": 1}', b'{"key": "\xff"}'])
def test_a_damaged_line_is_named(tmp_path: Path, damaged: bytes) -> None:
    path = tmp_path / "lines.jsonl"
    run(path, Work(2))
    lines = path.read_bytes().split(b"\n")
    path.write_bytes(b"\n".join([lines[0], damaged, lines[2], b""]))
    with pytest.raises(UnusableInput, match=r"line 2: no line of a run .* repair it"), KeptLines.open(path, ABOUT):
        pass


def test_a_folder_that_cannot_be_written(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(UnusableInput, match="choose another --out"), KeptLines.open(tmp_path / "file" / "x", ABOUT):
        pass
