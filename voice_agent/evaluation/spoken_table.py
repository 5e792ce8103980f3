"""Kept lines of the spoken questions -> figures by mode and condition, failures by kind, and the table. Pure.

A condition is "text", "clean" or "10 dB" (the noise that many decibels below the voice). The text run of a row and mode
is what its spoken runs are compared with.
"""

from __future__ import annotations

import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from rich.table import Table

from .intervals import Interval, ratio, share
from .scoring import stated_numbers

TEXT = "text"
FAILURES = {  # kind -> what it means
    "recognition": "a number of the question was misheard",
    "turn cut off": "the question was taken for complete before it was",
    "reasoning": "the same question as text is answered wrongly too",
    "voice": "the numbers were heard and the question was whole, and as text it is answered rightly",
}


@dataclass(frozen=True)
class Figures:
    """One mode in one condition. Medians; None where no item has the figure."""

    items: int
    right: Interval
    of_text: Interval | None  # accuracy over that of the same rows as text
    word_error_rate: float | None  # all errors over all words
    first_audible_s: float | None
    stall_s: float | None
    failures: dict[str, int]


def misheard(question: str, recognised: str) -> tuple[list[str], list[str]]:
    """The numbers of the question that were not heard, and those that were heard and are not in it."""
    asked, heard = set(stated_numbers(question)), set(stated_numbers(recognised))
    return sorted(map(str, asked - heard)), sorted(map(str, heard - asked))


def failure_kind(line: Mapping[str, Any], text: Mapping[str, Any] | None) -> str | None:
    """One of `FAILURES`; None for a right answer. text: the line of the same row and mode as text."""
    if line["right"]:
        return None
    if line["condition"] == TEXT:
        return "reasoning"
    if line["numbers_missed"] or line["numbers_invented"]:
        return "turn cut off" if line["cut_off"] and not line["numbers_invented"] else "recognition"
    if line["cut_off"]:
        return "turn cut off"
    return "voice" if text is not None and text["right"] else "reasoning"


def spoken_figures(lines: Sequence[Mapping[str, Any]], mode: str, condition: str) -> Figures:
    """What the items of one mode in one condition showed."""
    texts = {line["row"]: line for line in lines if line["mode"] == mode and line["condition"] == TEXT}
    own = [line for line in lines if line["mode"] == mode and line["condition"] == condition]
    both = [line for line in own if line["row"] in texts]
    kinds = [failure_kind(line, texts.get(line["row"])) for line in own]
    words = sum(line.get("words") or 0 for line in own)
    compared = condition != TEXT and both
    return Figures(
        items=len(own),
        right=share(sum(line["right"] for line in own), len(own)),
        of_text=ratio([line["right"] for line in both], [texts[line["row"]]["right"] for line in both], "mean")
        if compared
        else None,
        word_error_rate=sum(line["word_errors"] for line in own) / words if words else None,
        first_audible_s=_median([line.get("first_audible_s") for line in own]),
        stall_s=_median([line.get("stall_s") for line in own]),
        failures={kind: kinds.count(kind) for kind in FAILURES if kind in kinds},
    )


def conditions_of(lines: Sequence[Mapping[str, Any]]) -> list[tuple[str, str]]:
    """(mode, condition) in the order in which they came."""
    return list(dict.fromkeys((line["mode"], line["condition"]) for line in lines))


def spoken_table(lines: Sequence[Mapping[str, Any]], title: str) -> Table:
    """One row a mode and condition."""
    table = Table(title=title, title_justify="left", box=None)
    table.add_column("mode, condition")
    for heading in ("items", "right, 95% interval", "of text", "word errors", "first audible", *FAILURES):
        table.add_column(heading, justify="right")
    for mode, condition in conditions_of(lines):
        f = spoken_figures(lines, mode, condition)
        table.add_row(
            f"{mode}, {condition}",
            str(f.items),
            f.right.percent(),
            "-" if f.of_text is None else f.of_text.percent(),
            "-" if f.word_error_rate is None else f"{f.word_error_rate:.1%}",
            "-" if f.first_audible_s is None else f"{f.first_audible_s:.2f} s",
            *(str(f.failures.get(kind, 0)) for kind in FAILURES),
        )
    return table


def _median(values: Sequence[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return float(statistics.median(known)) if known else None
