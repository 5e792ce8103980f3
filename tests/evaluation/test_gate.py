"""The gate's calibration on a random model: moments, labels, the ROC, and what is kept."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.evaluation.test_answering import answer
from tests.evaluation.tiny_subject import TINY, load_tiny
from voice_agent.evaluation.answering import Piece
from voice_agent.evaluation.gate import MOMENTS, MomentGate, covered, first_sentence, run_calibration
from voice_agent.evaluation.roc import (
    Moment,
    area_interval,
    area_under_curve,
    moments_of,
    proposal,
    thresholds,
)
from voice_agent.evaluation.subject import Subject
from voice_agent.reasoning.speak_gate import GateInputs
from voice_agent.settings import Reasoning

QUIET = GateInputs(
    thinker_done=False, new_thoughts=9, backlog_s=0.0, silence_s=9.0, user_speaking=False, has_spoken=False
)


def test_a_gate_that_asks_once_and_opens() -> None:
    gate = MomentGate(Reasoning(), moment=10)
    assert (gate.wants_probe(QUIET), gate.decide(QUIET)) == (False, "think")
    at = replace(QUIET, new_thoughts=10)
    assert (gate.wants_probe(at), gate.decide(at)) == (True, "think")
    assert gate.decide(replace(at, yes=0.0, no=1.0)) == "speak"
    assert gate.asked == replace(at, yes=0.0, no=1.0)
    assert (gate.wants_probe(at), gate.decide(at)) == (False, "speak")
    gate.close()
    assert (gate.wants_probe(replace(at, new_thoughts=99)), gate.decide(at)) == (False, "think")
    assert gate.decide(replace(at, thinker_done=True)) == "speak"


def test_every_moment_is_asked_and_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Subject, "load", classmethod(load_tiny))
    questions = tmp_path / "rows.jsonl"
    rows = [{"question": f"What is {i} plus 5?", "answer": f"#### {i + 5}"} for i in range(3)]
    questions.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")

    def run(rows: int, out: str) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
        return run_calibration(
            settings=TINY, out=tmp_path / out, data=questions, offset=1, rows=rows, at_once=1, seed=0
        )

    silent, lines = run(2, "whole")
    assert [(line["row"], line["moment"]) for line in lines] == [(r, m) for r in (1, 2) for m in range(1, MOMENTS + 1)]
    for line in lines:
        tokens = next(one["thinking_tokens"] for one in silent if one["row"] == line["row"])
        asked_at = max(1, round(tokens * line["moment"] / (MOMENTS + 1)))
        assert line["thoughts"] - asked_at in (0, 1)  # a thought comes with the probe's answer
        assert line["share"] == pytest.approx(line["yes"] / (line["yes"] + line["no"]))
        assert line["sentence"] == line["spoken"][: len(line["sentence"])]
    run(1, "parts")
    assert run(2, "parts") == (silent, lines)


def pieces(*texts: str) -> list[Piece]:
    return [Piece(text, step) for step, text in enumerate(texts)]


def test_the_first_sentence() -> None:
    assert first_sentence(pieces("It is ", "18. ", "And 20.")) == pieces("It is ", "18. ")
    assert first_sentence(pieces("It is ", "18")) == pieces("It is ", "18")
    assert first_sentence([]) == []


@pytest.mark.parametrize(
    ("sentence", "thoughts", "is_covered"),
    [
        (["I am ", "thinking. "], [], True),
        (["There are ", "7 cats. "], [], True),  # in the question
        (["That is ", "18. "], ["18 ", "cats"], True),
        (["That is ", "18. "], ["So ", "18 "], True),
        (["That is ", "18. "], ["So ", "we ", "18"], False),  # a step too late
        (["That is ", "18 ", "and ", "20. "], ["18 ", "", "", "20 "], True),
        (["That is ", "18 ", "and 20. "], ["18 ", "", "", "20 "], False),
    ],
)
def test_numbers_must_have_been_reached(sentence: list[str], thoughts: list[str], is_covered: bool) -> None:
    answered = replace(answer(), thoughts=tuple(pieces(*thoughts)))
    assert covered(pieces(*sentence), answered, "How many are 7 cats?") is is_covered


MADE = [Moment(0, 0.9, True), Moment(0, 0.6, True), Moment(1, 0.7, False), Moment(1, 0.2, False), Moment(2, 0.5, True)]


def test_the_area_under_a_known_curve() -> None:
    """Of six pairs of a good and a bad moment four are in order."""
    assert area_under_curve(MADE) == pytest.approx(4 / 6)
    assert area_under_curve([moment for moment in MADE if moment.good]) == 0.5
    assert area_under_curve([Moment(0, 0.5, True), Moment(0, 0.5, False)]) == 0.5
    interval = area_interval(MADE)
    assert interval == area_interval(MADE)
    assert interval.low <= interval.mean <= interval.high


def test_what_a_threshold_opens() -> None:
    at = {threshold.value: threshold for threshold in thresholds(MADE)}
    assert (at[0.05].opened, at[0.05].true_positive_rate, at[0.05].false_positive_rate) == (5, 1.0, 1.0)
    assert (at[0.6].opened, at[0.6].precision) == (3, pytest.approx(2 / 3))
    assert (at[0.95].opened, at[0.95].true_positive_rate, at[0.95].precision) == (0, 0.0, 0.0)


@given(st.lists(st.tuples(st.integers(0, 3), st.floats(0, 1), st.booleans()), min_size=1, max_size=20))
def test_a_higher_threshold_opens_less(made: list[tuple[int, float, bool]]) -> None:
    moments = [Moment(*one) for one in made]
    opened = [(t.opened, t.true_positive_rate, t.false_positive_rate) for t in thresholds(moments)]
    assert opened == sorted(opened, reverse=True)
    mirrored = [replace(moment, good=not moment.good) for moment in moments]
    assert area_under_curve(moments) + area_under_curve(mirrored) == pytest.approx(1.0)


def line(row: int, share: float | None, good: bool, **values: Any) -> dict[str, Any]:
    return {"row": row, "share": share, "covered": good, "right": True, "silently_right": True, **values}


NOW = {"gate_open": 0.4, "gate_period": 24}
SILENT = [{"thinking_tokens": tokens, "new_numbers": 5} for tokens in (100, 150, 500)]


def test_moments_that_say_something() -> None:
    lines = [line(0, 0.5, True), line(1, 0.5, False), line(2, None, True), line(3, 0.5, True, silently_right=False)]
    lines.append(line(4, 0.5, True, right=False))
    assert [(moment.row, moment.good) for moment in moments_of(lines)] == [(0, True), (1, False), (4, False)]


def test_what_follows_for_the_gate() -> None:
    lines = [line(0, 0.80, True), line(0, 0.84, True), line(0, 0.3, False), line(1, 0.2, False), line(1, 0.28, False)]
    assert proposal(SILENT, lines, NOW) == {
        "gate_open": 0.325,
        "gate_period": 30,
        "gate_hysteresis": pytest.approx(0.06),
    }


def test_a_probe_that_tells_nothing_changes_no_threshold() -> None:
    lines = [line(0, 0.2, True), line(0, 0.8, False)]
    assert proposal([], lines, NOW) == {"gate_open": 0.4, "gate_period": 24, "gate_hysteresis": 0.0}
