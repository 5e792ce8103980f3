"""Folders and files -> runs, shards and line numbers."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.evaluation.report.lines import HEAD, injection_line, set_line, spoken_line, write
from voice_agent.errors import UnusableInput
from voice_agent.evaluation.report.sources import kind_of, line_ranges, read_sources


@pytest.mark.parametrize(
    ("line", "kind"),
    [
        (set_line(1, "async"), "set"),
        (spoken_line(1, "clean"), "spoken"),
        (injection_line(1, "plain"), "injection"),
        ({"key": "1 0", "row": 1, "moment": 0, "right": True}, "gate"),
        ({"key": "1 0", "row": 1, "pause": 0, "right": True}, "pauses"),
        ({"key": "1 silent", "row": 1, "what": "silent", "withdrawn": False}, "openings"),
        ({"key": "1"}, "other"),
    ],
)
def test_a_line_tells_what_made_it(line: dict[str, object], kind: str) -> None:
    assert kind_of(line) == kind


def test_files_with_equal_heads_are_one_run_and_others_are_not(tmp_path: Path) -> None:
    write(tmp_path / "a" / "0.jsonl", [set_line(1, "async")], HEAD)
    write(tmp_path / "a" / "1.jsonl", [set_line(2, "async")], HEAD)
    write(tmp_path / "b.jsonl", [set_line(1, "async")], {**HEAD, "model": "another"})
    runs = read_sources([tmp_path]).runs
    assert [(run.files, [line["row"] for line in run.lines]) for run in runs] == [
        (["a/0.jsonl", "a/1.jsonl"], [1, 2]),
        (["b.jsonl"], [1]),
    ]
    assert [line.number for line in runs[0].lines] == [2, 2]
    assert len({line.anchor for run in runs for line in run.lines}) == 3


def test_what_was_asked_outright_is_a_mode_of_the_run_that_asked_the_same(tmp_path: Path) -> None:
    write(tmp_path / "gsm8k.jsonl", [set_line(1, "async")])
    own = set_line(1, "outright", right=False)
    write(tmp_path / "outright" / "gsm8k.own.jsonl", [own], {**HEAD, "asked": "step by step"})
    other = set_line(1, "outright-llama.cpp")
    write(tmp_path / "outright" / "math500.jsonl", [other], {**HEAD, "questions": "others", "asked": "step by step"})
    write(tmp_path / "alone" / "gsm8k.jsonl", [set_line(1, "async")], {**HEAD, "time": "real"})
    alone, joined, apart = read_sources([tmp_path]).runs
    assert alone.modes == ["async"]
    assert joined.files == ["gsm8k.jsonl", "outright/gsm8k.own.jsonl"]
    assert joined.modes == ["async", "outright"]
    assert [line.number for line in joined.lines] == [2, 2]
    assert apart.modes == ["outright-llama.cpp"]


def test_two_folders_may_have_asked_the_same_outright(tmp_path: Path) -> None:
    for folder, seed in (("a", 0), ("b", 1)):
        write(tmp_path / folder / "gsm8k.jsonl", [set_line(1, "async")], {**HEAD, "seed": seed})
        write(tmp_path / folder / "outright" / "gsm8k.own.jsonl", [set_line(1, "outright")], {**HEAD, "asked": "so"})
    runs = read_sources([tmp_path]).runs
    assert [run.files for run in runs] == [[f"{f}/gsm8k.jsonl", f"{f}/outright/gsm8k.own.jsonl"] for f in "ab"]
    assert all(run.head["outright"]["asked"] == "so" for run in runs)


def test_what_was_being_written_is_left_out(tmp_path: Path) -> None:
    path = write(tmp_path / "x.jsonl", [set_line(1, "async")], end='{"key": "gsm8k 2 as')
    assert [line["row"] for line in read_sources([path]).runs[0].lines] == [1]


def test_a_run_that_has_only_begun_is_no_run(tmp_path: Path) -> None:
    write(tmp_path / "begun.jsonl", [])
    write(tmp_path / "x.jsonl", [set_line(1, "async")])
    assert [run.files for run in read_sources([tmp_path]).runs] == [["x.jsonl"]]


def test_the_same_item_twice_is_refused(tmp_path: Path) -> None:
    for name in ("a", "b"):
        write(tmp_path / name / "x.jsonl", [set_line(1, "async")])
    with pytest.raises(UnusableInput, match=r"'gsm8k 1 async' stands in a/x.jsonl, line 2, and again in b/x.jsonl"):
        read_sources([tmp_path])


@pytest.mark.parametrize("text", ["{}\nnonsense\n", '{"a": 1}\n[1]\n'])
def test_a_line_that_is_none_is_named(text: str, tmp_path: Path) -> None:
    (tmp_path / "x.jsonl").write_text(text)
    with pytest.raises(UnusableInput, match=r"x\.jsonl, line 2: no JSON object"):
        read_sources([tmp_path])


def test_nothing_to_report_and_no_such_folder(tmp_path: Path) -> None:
    with pytest.raises(UnusableInput, match="no kept lines"):
        read_sources([tmp_path])
    with pytest.raises(UnusableInput, match="no folder or file"):
        read_sources([tmp_path / "nowhere"])


def test_measures_and_traces_are_found(tmp_path: Path) -> None:
    (tmp_path / "measures.json").write_text(json.dumps({"takeover rate": {"value": 1.0, "of": 3}}))
    (tmp_path / "trace.jsonl").write_text('{"t": 0.1, "kind": "turn_ended", "end_s": 0.1}\n')
    (tmp_path / "summary.json").write_text('{"mode": "async"}')
    sources = read_sources([tmp_path])
    assert [suite.values["takeover rate"]["of"] for suite in sources.suites] == [3]
    assert [(trace.file, trace.summary["mode"]) for trace in sources.traces] == [("trace.jsonl", "async")]


def test_lines_are_named_by_file_and_range(tmp_path: Path) -> None:
    write(tmp_path / "x.jsonl", [set_line(row, "async") for row in range(6)])
    lines = read_sources([tmp_path]).runs[0].lines
    assert line_ranges([*lines[:3], lines[5]]) == "x.jsonl:2-4,7"
