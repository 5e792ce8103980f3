"""Which part of the method lost an answer."""

from __future__ import annotations

from typing import Any

import pytest

from tests.evaluation.report.lines import set_line
from voice_agent.evaluation.report.failures import by_kind, kind_of_failure
from voice_agent.evaluation.report.sources import Kept


def kept(right: bool = False, **values: Any) -> Kept:
    return Kept(set_line(1, "async", right, **values), "x.jsonl", 2, "a")


@pytest.mark.parametrize(
    ("line", "kind"),
    [
        (kept(right=True), None),
        (kept(), "writer"),
        (kept(spoke_ahead=True), "gate"),
        (kept(thoughts="5 + 12 = 17", spoke_ahead=True), "reasoning"),
        (kept(thoughts=""), "reasoning"),
        (kept(reason="budget"), "out of tokens"),
        (kept(gold="B", thoughts="So the answer is B.", stated="C"), "writer"),
        (kept(gold="B", thoughts="So the answer is C.", stated="C"), "reasoning"),
    ],
)
def test_kinds(line: Kept, kind: str | None) -> None:
    assert kind_of_failure(line) == kind


def test_latex_is_scored_as_its_set_scores_it() -> None:
    pytest.importorskip("math_verify", reason="math-verify is not installed (extra 'eval')")
    gold = "\\frac{1}{2}"
    assert kind_of_failure(kept(gold=gold, thoughts="It is \\boxed{0.5}.")) == "writer"
    assert kind_of_failure(kept(gold=gold, thoughts="It is \\boxed{3}.")) == "reasoning"


def test_they_are_counted_in_one_order() -> None:
    lines = [kept(), kept(thoughts="17"), kept(thoughts="17"), kept(right=True)]
    assert {kind: len(found) for kind, found in by_kind(lines).items()} == {"reasoning": 2, "writer": 1}
    assert list(by_kind(lines)) == ["reasoning", "writer"]
