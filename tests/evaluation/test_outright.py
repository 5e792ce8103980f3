"""The same rows asked outright: which rows, what is kept, and when a mode lies below."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.script_module import script_module
from voice_agent.errors import UnusableInput
from voice_agent.evaluation.datasets import fingerprint
from voice_agent.evaluation.outright import Outright, compare, read_evaluation, run_outright

ROWS = 6


@pytest.fixture
def questions(tmp_path: Path) -> Path:
    path = tmp_path / "questions.jsonl"
    rows = [{"question": f"What is {i} plus 50?", "answer": f"#### {i + 50}"} for i in range(ROWS + 2)]
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return path


def evaluation(folder: Path, questions: Path, right: dict[str, list[bool]], file: str = "gsm8k.jsonl") -> Path:
    """What a run of some modes over rows 1 to 6 has kept."""
    head = {"model": "m", "questions": fingerprint("gsm8k", questions)}
    lines = [
        {
            "key": f"gsm8k {row} {mode}",
            "row": row,
            "mode": mode,
            "right": holds,
            "thinking_tokens": 9,
            "spoken_tokens": 1,
        }
        for mode, column in right.items()
        for row, holds in enumerate(column, 1)
    ]
    folder.mkdir(exist_ok=True)
    (folder / file).write_text("".join(json.dumps(line) + "\n" for line in (head, *lines)), encoding="utf-8")
    return folder


class Peer:
    """Adds rightly; thinks first."""

    def __init__(self) -> None:
        self.asked: list[str] = []

    async def ask(self, question: str) -> Outright:
        self.asked.append(question)
        result = int(question.split()[2]) + 50
        return Outright(f"<think>Perhaps 7.</think> So \\boxed{{{result}}}.", 20, finished=True)


def outright(folder: Path, questions: Path, peer: Peer) -> bool:
    run = read_evaluation(folder, "gsm8k")
    return run_outright(run, folder, "gsm8k", questions, {"model": "m"}, peer.ask)


def test_the_rows_of_the_run_are_asked_once(
    questions: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder, peer = evaluation(tmp_path / "run", questions, {"async": [True] * ROWS, "think": [True] * 5}), Peer()
    assert outright(folder, questions, peer)
    assert len(peer.asked) == ROWS
    assert peer.asked[0].startswith("What is 1 plus 50?\nPlease reason step by step")
    kept = [json.loads(line) for line in (folder / "outright" / "gsm8k.own.jsonl").read_text().splitlines()[1:]]
    assert [(line["row"], line["right"], line["stated"], line["tokens"]) for line in kept] == [
        (row, True, str(row + 50), 20) for row in range(1, ROWS + 1)
    ]
    shown = capsys.readouterr().out
    assert "+0.0 points [+0.0, +0.0]" in shown
    assert outright(folder, questions, peer)
    assert len(peer.asked) == ROWS


@pytest.mark.parametrize(("mode", "fair"), [("async", False), ("think", False), ("direct", True), ("think:9", True)])
def test_a_mode_that_lies_below_is_named(
    mode: str, fair: bool, questions: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = evaluation(tmp_path / "run", questions, {"async-safe": [True] * 5 + [False], mode: [False] * ROWS})
    assert outright(folder, questions, Peer()) == fair
    shown = capsys.readouterr().out
    assert f"{mode} lies below what the model reaches outright" in shown
    assert ("may not reason in full" in shown) == fair
    assert "async-safe lies below" not in shown


def test_rows_that_one_side_lacks_are_left_out(questions: Path, tmp_path: Path) -> None:
    run = read_evaluation(evaluation(tmp_path / "run", questions, {"think": [True, False, True]}), "gsm8k")
    assert compare(run, {2: {"right": True}, 9: {"right": True}})["think"].mean == -1.0


def test_parts_are_read_together(questions: Path, tmp_path: Path) -> None:
    folder = evaluation(tmp_path / "run", questions, {"async": [True]}, "gsm8k.1-of-2.jsonl")
    evaluation(folder, questions, {"async": [True, False]}, "gsm8k.2-of-2.jsonl")
    assert read_evaluation(folder, "gsm8k").rows == [1, 2]
    (folder / "gsm8k.jsonl").write_text('{"model": "n"}\n')
    with pytest.raises(UnusableInput, match="are of different runs"):
        read_evaluation(folder, "gsm8k")


def test_what_cannot_be_compared(questions: Path, tmp_path: Path) -> None:
    with pytest.raises(UnusableInput, match="holds no lines of gsm8k: run 'voice-agent eval gsm8k"):
        read_evaluation(tmp_path, "gsm8k")
    folder = evaluation(tmp_path / "run", questions, {"async": [True]})
    run = read_evaluation(folder, "gsm8k")
    questions.write_text(questions.read_text().replace("plus", "and"))
    with pytest.raises(UnusableInput, match="was made with other questions: give the same --data"):
        run_outright(run, folder, "gsm8k", questions, {}, Peer().ask)
    with pytest.raises(UnusableInput, match="xstest cannot be asked outright: choose one of gsm8k"):
        run_outright(run, folder, "xstest", questions, {}, Peer().ask)


def script(monkeypatch: pytest.MonkeyPatch, *words: Any) -> int:
    monkeypatch.setattr("sys.argv", ["compare_outright", *map(str, words)])
    return int(script_module("compare_outright").main())


def test_the_script_says_what_is_missing(
    questions: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    folder = evaluation(tmp_path / "run", questions, {"async": [True]})
    options = ("gsm8k", "--run", folder, "--data", questions)
    assert script(monkeypatch, *options) == 2
    assert "unknown model 'm'" in capfd.readouterr().err
    assert script(monkeypatch, *options, "--model", questions) == 2
    assert "is no GGUF file" in capfd.readouterr().err
    gguf = tmp_path / "m.gguf"
    gguf.write_bytes(b"")
    assert script(monkeypatch, *options, "--model", gguf, "--peer-python", "/nowhere/python") == 2
    assert "cannot run /nowhere/python: No such file or directory" in capfd.readouterr().err
    assert script(monkeypatch, *options, "--model", gguf, "--peer-python", "/bin/false") == 2
    assert "install llama-cpp-python" in capfd.readouterr().err
