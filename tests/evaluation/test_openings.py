"""Results in the writer's mouth: what becomes of them is counted as it happened."""

from __future__ import annotations

import asyncio
import io
from fractions import Fraction
from random import Random

import pytest
import torch
from rich.console import Console

from tests.evaluation.tiny_subject import tiny_subject
from voice_agent.evaluation.datasets import Item
from voice_agent.evaluation.openings import OPENINGS, _altered, _job, table
from voice_agent.evaluation.runs import Line
from voice_agent.reasoning.second_reading import Reading


def run(what: str) -> Line:
    item = Item(dataset="gsm8k", row=3, question="How far?", gold="4711", source={})
    return asyncio.run(_job(tiny_subject(), item, what, seed=0).run())  # type: ignore[arg-type]


@pytest.mark.parametrize("disagrees", [True, False])
def test_each_opening_is_said_and_counted(disagrees: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    found = torch.tensor([[-20.0, 0.0] if disagrees else [0.0, 0.0]])
    monkeypatch.setattr(Reading, "choose", lambda self, logits: found.expand(len(self.looked_at), 2))
    lines = [run(opening) for opening in OPENINGS]
    assert ["4711" in line["said"] for line in lines] == [True, False, True, False]
    assert [line["withdrawn"] for line in lines] == [disagrees] * 4
    assert [line["put_right"] for line in lines] == [disagrees, disagrees, False, False]
    assert [line["heard"] for line in lines] == [True, True, not disagrees, not disagrees]
    shown = io.StringIO()
    Console(file=shown, width=200).print(table(lines))
    assert all(opening in shown.getvalue() for opening in OPENINGS)


def test_nothing_is_said_in_the_silent_run() -> None:
    line = run("silent")
    assert not line["heard"]
    assert not line["withdrawn"]


@pytest.mark.parametrize("gold", [1, 3, 80, 1000])
def test_an_altered_result_is_another_positive_number(gold: int) -> None:
    altered = {_altered(Fraction(gold), Random(seed)) for seed in range(50)}
    assert len(altered) > 2
    assert all(value > 0 and value != gold for value in altered)
