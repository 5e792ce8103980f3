"""`voice-agent eval` on a random model: kept lines, the table, going on where a run was stopped."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.evaluation.tiny_subject import TINY, load_tiny
from voice_agent.errors import UnusableInput
from voice_agent.evaluation.modes import run_eval
from voice_agent.evaluation.subject import Subject
from voice_agent.evaluation.table import comparisons, figures

MODES = ["async", "think", "direct"]


@pytest.fixture
def questions(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(Subject, "load", classmethod(load_tiny))
    path = tmp_path / "questions.jsonl"
    rows = [{"question": f"What is {i} plus 5?", "answer": f"#### {i + 5}"} for i in range(4)]
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return path


def evaluate(questions: Path, out: Path, **options: Any) -> list[dict[str, Any]]:
    """The kept lines behind the head, in the order of their keys."""
    assert run_eval("gsm8k", settings=TINY, modes=MODES, out=out, data=questions, **options) == 0
    lines = (out / "gsm8k.jsonl").read_text(encoding="utf-8").split("\n")[1:-1]
    return sorted((json.loads(line) for line in lines), key=lambda line: line["key"])


def test_a_line_for_every_item_and_mode(questions: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    lines = evaluate(questions, tmp_path / "out", offset=1, limit=2, at_once=3)
    assert [line["key"] for line in lines] == [f"gsm8k {row} {mode}" for row in (1, 2) for mode in sorted(MODES)]
    for line in lines:
        assert line["gold"] == str(line["row"] + 5)
        assert (line["thoughts"] == "") == (line["mode"] == "direct")
        assert line["right"] == (line["stated"] == line["gold"])
    shown = capsys.readouterr().out
    assert "async - think: accuracy" in shown
    assert "first written word, step" in shown
    summary = json.loads((tmp_path / "out" / "gsm8k.summary.json").read_text())
    assert [summary["modes"][mode]["items"] for mode in MODES] == [2, 2, 2]
    assert summary["about"]["questions"] != ""


def test_stopped_and_gone_on_with_it_is_the_unbroken_run(questions: Path, tmp_path: Path) -> None:
    whole = evaluate(questions, tmp_path / "whole", at_once=1)
    evaluate(questions, tmp_path / "parts", limit=2, at_once=1)
    path = tmp_path / "parts" / "gsm8k.jsonl"
    path.write_bytes(path.read_bytes()[:-40])  # killed while it wrote
    assert evaluate(questions, tmp_path / "parts", at_once=1) == whole
    before = path.read_bytes()
    evaluate(questions, tmp_path / "parts", at_once=1)
    assert path.read_bytes() == before


def test_other_questions_are_another_run(questions: Path, tmp_path: Path) -> None:
    evaluate(questions, tmp_path / "out", limit=1)
    questions.write_text(questions.read_text().replace("plus", "and"), encoding="utf-8")
    with pytest.raises(UnusableInput, match="was made with questions"):
        evaluate(questions, tmp_path / "out", limit=1)


def test_measured_seconds_are_those_of_one_conversation(questions: Path, tmp_path: Path) -> None:
    with pytest.raises(UnusableInput, match="add --at-once 1"):
        evaluate(questions, tmp_path / "out", time="real", at_once=2)
    (line, *_) = evaluate(questions, tmp_path / "out", time="real", at_once=1, limit=1)
    assert line["took_s"] > 0


def line(row: int, right: bool, **values: Any) -> dict[str, Any]:
    known = {"first_written_step": 10 * row, "first_written_s": None, "total_delay_s": 1.0, "steps": 5}
    known |= {"thinking_tokens": 3, "spoken_tokens": 2, "spoke_ahead": False, "longest_silence_s": 1.0}
    return {"row": row, "right": right, "reason": "finished", **known, **values}


def test_figures_of_a_mode() -> None:
    lines = [line(1, True), line(2, False, first_written_step=None), line(4, True, spoke_ahead=True, reason="budget")]
    lines.append(line(5, True, longest_silence_s=4.5))
    made = figures(lines, longest_silence_s=4.0)
    assert (made.items, made.accuracy.mean) == (4, 0.75)
    assert (made.first_written_step, made.first_written_s, made.total_delay_s) == (40, None, 1.0)
    assert (made.spoke_ahead, made.too_silent, made.out_of_budget) == (0.25, 0.25, 0.25)


def test_modes_are_compared_on_the_items_that_both_have() -> None:
    by_mode = {"async": [line(1, True), line(2, True)], "think": [line(2, False)], "direct": [line(1, True)]}
    compared = comparisons(by_mode)
    assert {name: interval.mean for name, interval in compared.items()} == {"async - think": 1.0, "async - direct": 0.0}
