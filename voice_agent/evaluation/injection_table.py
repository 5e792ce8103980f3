"""Kept lines of the injection experiment -> its table: one row for every placement and moment.

Corrections are counted where the model solves the altered question asked outright; remarks, and requests to hurry,
where it answers at all. Pure.
"""

from __future__ import annotations

import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from rich.table import Table

from .intervals import Interval, grouped_share, share
from .reactions import reaction
from .runs import Line


@dataclass(frozen=True)
class Placed:
    """One placement at one moment, or at all of them. Medians; None where no item has the figure."""

    items: int
    right: Interval
    stale: Interval
    steps_to_reflect: float | None
    thoughts_to_reflect: float | None
    changed_by_remark: Interval
    self_doubt: int = 0  # wrong answers whose thoughts doubt the correction (reactions.py)
    panic: int = 0  # wrong answers that were given at once, to corrections and to requests to hurry
    changed_by_hurry: Interval | None = None


def solvable(lines: Sequence[Line]) -> set[int]:
    """Rows whose altered question is answered rightly when asked outright."""
    return {line["row"] for line in lines if line["what"] == "altered" and line["right"]}


def placed_figures(lines: Sequence[Line], placement: str, points: Sequence[int]) -> Placed:
    """What a placement showed at these moments together."""
    rows = solvable(lines)
    answered = {line["row"] for line in lines if line["what"] == "plain" and line["stated"]}
    here = [line for line in lines if line.get("placement") == placement and line["point"] in points]
    corrected = [line for line in here if line["what"] == "correction" and line["row"] in rows]
    remarked, hurried = (
        [line for line in here if line["what"] == what and line["row"] in answered] for what in ("remark", "hurry")
    )
    plain = {line["row"]: line for line in lines if line["what"] == "plain"}
    reactions = [reaction(line, plain[line["row"]]) for line in (*corrected, *hurried) if line["row"] in plain]
    return Placed(
        items=len(corrected),
        right=share_by_row(corrected, "right"),
        stale=share_by_row(corrected, "stale"),
        steps_to_reflect=_median([line["steps_to_reflect"] for line in corrected]),
        thoughts_to_reflect=_median([line["thoughts_to_reflect"] for line in corrected]),
        changed_by_remark=share_by_row(remarked, "changed"),
        self_doubt=reactions.count("self-doubt"),
        panic=reactions.count("panic"),
        changed_by_hurry=share_by_row(hurried, "changed") if hurried else None,
    )


def share_by_row(lines: Sequence[Mapping[str, Any]], name: str) -> Interval:
    """The share of lines that hold `name`; moments of one row are alike."""
    groups: dict[int, list[bool]] = {}
    for line in lines:
        groups.setdefault(line["row"], []).append(bool(line[name]))
    return grouped_share(list(groups.values()))


def injection_table(lines: Sequence[Line], placements: Sequence[str], points: Sequence[int]) -> Table:
    """The whole experiment; the last row of each placement holds all moments."""
    asked = [line for line in lines if line["what"] == "altered"]
    plain = [line for line in lines if line["what"] == "plain"]
    ceiling = share(len(solvable(lines)), len(asked))
    table = Table(
        title=f"{len(asked)} questions; asked outright: altered {ceiling.percent()} right, "
        f"original {share(sum(line['right'] for line in plain), len(plain)).percent()}",
        title_justify="left",
        box=None,
    )
    for heading in ("words enter", "after"):
        table.add_column(heading)
    for heading in (
        "of",
        "right",
        "stale answer",
        "self-doubt",
        "panic",
        "steps to reflect",
        "thoughts",
        "changed by a remark",
        "by haste",
    ):
        table.add_column(heading, justify="right")
    for placement in placements:
        for at in (*([point] for point in points), list(points)):
            f = placed_figures(lines, placement, at)
            all_of_them = at == list(points)
            table.add_row(
                placement,
                "all" if all_of_them else f"{at[0]}%",
                str(f.items),
                *(_share(interval, all_of_them) for interval in (f.right, f.stale)),
                *(str(count) for count in (f.self_doubt, f.panic)),
                *("-" if count is None else f"{count:.4g}" for count in (f.steps_to_reflect, f.thoughts_to_reflect)),
                _share(f.changed_by_remark, all_of_them),
                "-" if f.changed_by_hurry is None else _share(f.changed_by_hurry, all_of_them),
            )
    return table


def _share(interval: Interval, with_interval: bool) -> str:
    return interval.percent() if with_interval else interval.percent().partition(" ")[0]


def _median(values: Sequence[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return float(statistics.median(known)) if known else None
