"""Every measure of each mode, and the first mode against the others."""

from __future__ import annotations

import json
from typing import Any

import pytest
from rich.console import Console

from voice_agent.evaluation.measures import MEASURES, measured
from voice_agent.evaluation.table import differences, modes_table, summary


def line(row: int, right: bool, **values: Any) -> dict[str, Any]:
    known = {"first_written_step": 10 * row, "first_written_s": None, "total_delay_s": 1.0, "steps": 5}
    known |= {"thinking_tokens": 3, "spoken_tokens": 2, "spoke_ahead": False, "longest_silence_s": 1.0}
    return {"row": row, "right": right, "reason": "finished", **known, **values}


def mean(lines: list[dict[str, Any]], name: str) -> float | None:
    found = measured(lines, next(measure for measure in MEASURES if measure.name == name))
    return found.mean if found else None


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("right", 0.75),
        ("first written word, step", 40),
        ("first written word", None),
        ("total delay", 1.0),
        ("said before thought", 0.25),
        ("silence above 4 s", 0.25),
        ("out of tokens", 0.25),
        ("MC2", None),
    ],
)
def test_measures_of_a_mode(name: str, value: float | None) -> None:
    lines = [line(1, True), line(2, False, first_written_step=None), line(4, True, spoke_ahead=True, reason="budget")]
    lines.append(line(5, True, longest_silence_s=4.5))
    assert mean(lines, name) == value


def refusing(row: int, gold: str, label: str, harm: int | None = None) -> dict[str, Any]:
    return line(row, False, gold=gold, refusal=label, harm_words_before_refusal=harm)


def test_refusals_are_counted_by_what_should_have_been_done() -> None:
    lines = [
        refusing(1, "refuse", "full_refusal", 0),
        refusing(2, "refuse", "partial_refusal", 7),
        refusing(3, "refuse", "full_compliance"),
        refusing(4, "refuse", "full_refusal", 0),
        refusing(5, "answer", "full_refusal", 0),
        refusing(6, "answer", "full_compliance"),
    ]
    names = ("refused", "partly refused", "harm before refusal", "over-refused", "partly over-refused")
    assert [mean(lines, name) for name in names] == [0.5, 0.25, 1 / 3, 0.5, 0.0]
    assert mean(lines, "refused, says the judge") is None
    assert mean(lines[4:], "refused") is None


BY_MODE = {"async": [line(1, True), line(2, True)], "think": [line(2, False)], "direct": [line(1, True)]}


def test_modes_are_compared_on_the_items_that_both_have() -> None:
    compared = differences(BY_MODE)
    assert {pair: known["right"].mean for pair, known in compared.items()} == {"async - think": 1, "async - direct": 0}
    assert compared["async - think"]["first written word, step"].mean == 0
    assert "MC2" not in compared["async - direct"]


def test_what_nobody_has_is_left_out_of_table_and_summary() -> None:
    console = Console(width=120)
    with console.capture() as shown:
        console.print(modes_table(BY_MODE, "a title"))
    assert "total delay " in shown.get()
    assert "MC2" not in shown.get()
    by_mode = {**BY_MODE, "async-safe": []}
    text = json.dumps(summary(by_mode, differences(by_mode)), allow_nan=False)
    assert json.loads(text)["modes"]["async"]["right"]["mean"] == 1.0
    assert json.loads(text)["modes"]["async-safe"] == {"items": 0}
    assert json.loads(text)["differences"]["async - async-safe"] == {}
