"""Runs -> tables of plain text, each with the lines that it was made from. Pure.

set_tables(run) -> what each mode did; failure_table(run); item_links of a table: Behind
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from ..intervals import Interval
from ..measures import (
    MEASURES,
    REFUSED,
    RIGHT,
    TOTAL_DELAY,
    Measure,
    difference_in_words,
    in_words,
    measured,
    paired,
    paired_difference,
    paired_ratio,
)
from .failures import REMEDIES, by_kind
from .sources import Kept, Run, line_ranges

COMPARED = (RIGHT, REFUSED)


@dataclass(frozen=True)
class Cell:
    """`bar`: a share with its interval, drawn beside the text."""

    text: str
    bar: Interval | None = None


@dataclass(frozen=True)
class Behind:
    """The lines that a part of a table was made from."""

    name: str
    lines: tuple[Kept, ...]

    @property
    def ranges(self) -> str:
        return line_ranges(self.lines)


@dataclass(frozen=True)
class Table:
    """Every row begins with its name."""

    title: str
    columns: tuple[str, ...]
    rows: tuple[tuple[Cell, ...], ...]
    behind: tuple[Behind, ...]
    note: str = ""


def set_tables(run: Run) -> Iterator[Table]:
    """One table of all modes; where requests were put with an attack, one for each way of putting them."""
    for attack in dict.fromkeys(line.get("attack") for line in run.lines):
        lines = {mode: [line for line in run.of_mode(mode) if line.get("attack") == attack] for mode in run.modes}
        title = f"{run.dataset}{f' with {attack}' if attack else ''}: what each mode did"
        yield _modes_table(title, {mode: own for mode, own in lines.items() if own})


def failure_table(run: Run) -> Table | None:
    """Wrong answers by kind, and what would mend them; None where nothing is wrong, or requests were to be refused."""
    if any(REFUSED.key in line.values for line in run.lines):
        return None
    found = {mode: by_kind(run.of_mode(mode)) for mode in run.modes}
    note = "The thoughts of a wrong answer are scored as its words are: where they end right, the words lost it."
    table = lost_table(f"{run.dataset}: wrong answers by kind", found, REMEDIES, note)
    return table if table.rows else None


def lost_table(
    title: str, found: Mapping[str, Mapping[str, Sequence[Kept]]], remedies: Mapping[str, str], note: str
) -> Table:
    """Wrong answers by kind, a column for each name in `found`; remedies: of every kind, in the order of the rows."""
    rows = tuple(
        (Cell(kind), *(Cell(str(len(lost.get(kind, ())))) for lost in found.values()), Cell(remedy))
        for kind, remedy in remedies.items()
        if any(kind in lost for lost in found.values())
    )
    behind = tuple(
        Behind(f"{name}, {kind}", tuple(lines)) for name, lost in found.items() for kind, lines in lost.items()
    )
    return Table(title, ("lost by", *found, "what would mend it"), rows, behind, note)


def _modes_table(title: str, lines: dict[str, list[Kept]]) -> Table:
    shown = [measure for measure in MEASURES if any(measured(own, measure) for own in lines.values())]
    rows = [(Cell("items"), *(Cell(str(len(own))) for own in lines.values()))]
    for measure in shown:
        rows.append((Cell(measure.name), *(_cell(measured(own, measure), measure) for own in lines.values())))
        if measure in COMPARED:
            rows += _row_of_differences(lines, measure)
        if measure is TOTAL_DELAY:
            rows += _row_of_ratios(lines, measure)
    behind = tuple(Behind(mode, tuple(own)) for mode, own in lines.items())
    note = (
        "Shares with Wilson's 95 % interval; medians and paired differences with that of 10,000 bootstrap samples. "
        "Seconds count from the end of the question; every measure is explained at the end of the page."
    )
    return Table(title, ("", *lines), tuple(rows), behind, note)


def _cell(interval: Interval | None, measure: Measure) -> Cell:
    return Cell(in_words(interval, measure.unit), interval if measure.unit == "share" else None)


def _row_of_differences(lines: dict[str, list[Kept]], measure: Measure) -> list[tuple[Cell, ...]]:
    """Each mode minus the first one."""
    first, *others = lines
    if not others:
        return []
    shown = []
    for mode in others:
        apart = difference_in_words(paired_difference(lines[mode], lines[first], measure), measure.unit)
        both = len(paired(lines[mode], lines[first], measure))
        shown.append(apart + (f" of {both} pairs" if both and both < len(lines[first]) else ""))
    return [(Cell(f"{measure.name}, minus {first}"), Cell(""), *map(Cell, shown))]


def _row_of_ratios(lines: dict[str, list[Kept]], measure: Measure) -> list[tuple[Cell, ...]]:
    first, *others = lines
    if not others:
        return []
    ratios = (paired_ratio(lines[mode], lines[first], measure) for mode in others)
    shown = (f"{r.mean:.1f} [{r.low:.1f}, {r.high:.1f}]" if r else "-" for r in ratios)
    return [(Cell(f"{measure.name}, times that of {first}"), Cell(""), *map(Cell, shown))]


def text_rows(rows: Sequence[Sequence[str]]) -> tuple[tuple[Cell, ...], ...]:
    return tuple(tuple(Cell(text) for text in row) for row in rows)
