"""Kept lines of an evaluation -> the table on a terminal and the summary: every measure of each mode, the first mode
minus every other. Pure.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from typing import Any

from rich.table import Table

from .intervals import Interval
from .measures import MEASURES, in_words, measured, paired_difference
from .runs import Line

ByMode = Mapping[str, Sequence[Line]]


def modes_table(by_mode: ByMode, title: str) -> Table:
    """One column a mode; measures that no mode has are left out."""
    table = Table(title=title, title_justify="left", box=None)
    table.add_column("share or median, 95% interval", no_wrap=True)
    for mode in by_mode:
        table.add_column(mode, justify="right", no_wrap=True)
    table.add_row("items", *(str(len(lines)) for lines in by_mode.values()))
    for measure in MEASURES:
        cells = [in_words(measured(lines, measure), measure.unit) for lines in by_mode.values()]
        if any(cell != "-" for cell in cells):
            table.add_row(measure.name, *cells)
    return table


def differences(by_mode: ByMode) -> dict[str, dict[str, Interval]]:
    """Of every measure that both have, the first mode's mean minus every other's, item by item."""
    first, *others = by_mode
    found = {
        f"{first} - {other}": {
            measure.name: paired_difference(by_mode[first], by_mode[other], measure) for measure in MEASURES
        }
        for other in others
    }
    return {pair: {name: one for name, one in known.items() if one} for pair, known in found.items()}


def summary(by_mode: ByMode, compared: Mapping[str, Mapping[str, Interval]]) -> dict[str, Any]:
    """Every measure of each mode, and the `differences` between them, as plain values."""
    modes: dict[str, dict[str, Any]] = {}
    for mode, lines in by_mode.items():
        known = {measure.name: measured(lines, measure) for measure in MEASURES}
        modes[mode] = {"items": len(lines), **{name: dataclasses.asdict(one) for name, one in known.items() if one}}
    return {
        "modes": modes,
        "differences": {
            pair: {name: dataclasses.asdict(interval) for name, interval in known.items()}
            for pair, known in compared.items()
        },
    }
