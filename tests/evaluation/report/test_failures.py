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
        (kept(thoughts_right=False, spoke_ahead=True), "reasoning"),
        (kept(thoughts_right=None, thoughts=""), "no thoughts"),
        (kept(thoughts_right=None), "unknown"),
        (kept(reason="budget"), "out of tokens"),
        (kept(mc1=False), None),
    ],
)
def test_kinds(line: Kept, kind: str | None) -> None:
    assert kind_of_failure(line) == kind


def test_what_was_asked_outright_reasoned_aloud() -> None:
    line = {key: value for key, value in set_line(1, "outright", right=False).items() if key != "thoughts"}
    assert kind_of_failure(Kept(line, "x.jsonl", 2, "a")) == "reasoning"


def test_they_are_counted_in_one_order() -> None:
    lines = [kept(), kept(thoughts_right=False), kept(thoughts_right=False), kept(right=True)]
    assert {kind: len(found) for kind, found in by_kind(lines).items()} == {"reasoning": 2, "writer": 1}
    assert list(by_kind(lines)) == ["reasoning", "writer"]
