"""Kept lines of an evaluation -> figures of each mode, paired differences, and the table on a terminal."""

from __future__ import annotations

import statistics
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from rich.table import Table

from .intervals import Interval, difference, share
from .runs import Line


@dataclass(frozen=True)
class Figures:
    """One mode. Medians over its items; None where no item has the figure."""

    items: int
    accuracy: Interval
    first_written_step: float | None
    first_written_s: float | None
    total_delay_s: float | None
    steps: float | None
    thinking_tokens: float | None
    spoken_tokens: float | None
    spoke_ahead: float  # share of answers whose number was spoken before the thoughts had it
    too_silent: float  # share of answers with a silence beyond the limit
    out_of_budget: float  # share of answers that ran out of tokens


def figures(lines: Sequence[Line], longest_silence_s: float) -> Figures:
    """What the items of one mode showed."""

    def median(name: str) -> float | None:
        known = [line[name] for line in lines if line[name] is not None]
        return float(statistics.median(known)) if known else None

    def part(holds: Sequence[bool]) -> float:
        return sum(holds) / max(1, len(lines))

    return Figures(
        items=len(lines),
        accuracy=share(sum(line["right"] for line in lines), len(lines)),
        first_written_step=median("first_written_step"),
        first_written_s=median("first_written_s"),
        total_delay_s=median("total_delay_s"),
        steps=median("steps"),
        thinking_tokens=median("thinking_tokens"),
        spoken_tokens=median("spoken_tokens"),
        spoke_ahead=part([line["spoke_ahead"] for line in lines]),
        too_silent=part([line["longest_silence_s"] > longest_silence_s for line in lines]),
        out_of_budget=part([line["reason"] == "budget" for line in lines]),
    )


def comparisons(by_mode: Mapping[str, Sequence[Line]]) -> dict[str, Interval]:
    """Accuracy of the first mode minus every other's, over the items that both have."""
    first, *others = by_mode
    differences = {}
    for other in others:
        theirs = {line["row"]: float(line["right"]) for line in by_mode[other]}
        both = [line for line in by_mode[first] if line["row"] in theirs]
        ours = [float(line["right"]) for line in both]
        differences[f"{first} - {other}"] = difference(ours, [theirs[line["row"]] for line in both])
    return differences


def modes_table(modes: Mapping[str, Figures], title: str) -> Table:
    """One column a mode."""
    table = Table(title=title, title_justify="left", box=None)
    table.add_column("median, or share of the items")
    for mode in modes:
        table.add_column(mode, justify="right")
    for name, shown in ROWS:
        table.add_row(name, *(shown(figures) for figures in modes.values()))
    return table


def _count(value: float | None) -> str:
    return "-" if value is None else f"{value:.4g}"


ROWS: tuple[tuple[str, Callable[[Figures], str]], ...] = (
    ("items", lambda f: str(f.items)),
    ("right, 95% interval", lambda f: f.accuracy.percent()),
    ("first written word, step", lambda f: _count(f.first_written_step)),
    ("first written word, s", lambda f: _count(f.first_written_s)),
    ("total delay, s", lambda f: _count(f.total_delay_s)),
    ("steps", lambda f: _count(f.steps)),
    ("tokens thought", lambda f: _count(f.thinking_tokens)),
    ("tokens spoken", lambda f: _count(f.spoken_tokens)),
    ("answer said before thought", lambda f: f"{f.spoke_ahead:.1%}"),
    ("silence beyond the limit", lambda f: f"{f.too_silent:.1%}"),
    ("out of tokens", lambda f: f"{f.out_of_budget:.1%}"),
)
