"""Samples of one quantity -> its median, range, floor and ratio, as a row of a table and as JSON. Pure.

The floor is what the memory's bandwidth allows: bytes that must be read over bytes a second. The ratio says how many
times the floor's time the measured one is, whatever the unit.
"""

from __future__ import annotations

import dataclasses
import statistics
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from rich.table import Table

_DECIMALS = 4


@dataclass(frozen=True)
class Figure:
    """One row: the median of `samples`, from the lowest to the highest of them."""

    name: str
    unit: str
    value: float
    low: float
    high: float
    samples: int
    floor: float | None = None
    ratio: float | None = None

    def to_json(self) -> dict[str, Any]:
        fields = dataclasses.asdict(self)
        return {key: round(value, _DECIMALS) if isinstance(value, float) else value for key, value in fields.items()}


def times_figure(name: str, unit: str, samples: Sequence[float], floor: float | None = None) -> Figure:
    """Less is better."""
    value = statistics.median(samples)
    return Figure(name, unit, value, min(samples), max(samples), len(samples), floor, value / floor if floor else None)


def rate_figure(name: str, unit: str, count: int, samples_ms: Sequence[float], floor_ms: float | None = None) -> Figure:
    """`count` things in so many milliseconds: more a second is better."""
    rates = [1e3 * count / ms for ms in samples_ms]
    floor = 1e3 * count / floor_ms if floor_ms else None
    value = statistics.median(rates)
    return Figure(name, unit, value, min(rates), max(rates), len(rates), floor, floor / value if floor else None)


def ratio_figure(name: str, samples: Sequence[float], others: Sequence[float]) -> Figure:
    """How many times `others` each of `samples` is, pair by pair: what was measured in one pass."""
    return times_figure(name, "x", [one / other for one, other in zip(samples, others, strict=True)])


def table_of(figures: Sequence[Figure], title: str) -> Table:
    table = Table(box=None, title=title, padding=(0, 1, 0, 0), pad_edge=False)
    table.add_column("what", no_wrap=True)
    for name in ("median", "range", "floor", "ratio"):
        table.add_column(name, justify="right", no_wrap=True)
    table.add_column("unit", no_wrap=True)
    for figure in figures:
        floor, ratio = (_short(number) if number is not None else "" for number in (figure.floor, figure.ratio))
        spread = f"{_short(figure.low)}-{_short(figure.high)}"
        table.add_row(figure.name, _short(figure.value), spread, floor, ratio, figure.unit)
    return table


def _short(number: float) -> str:
    """Three digits or a little more: 0.012, 3.46, 67.1, 2490."""
    decimals = 3 if abs(number) < 1 else 2 if abs(number) < 10 else 1 if abs(number) < 1000 else 0
    return f"{number:.{decimals}f}"
