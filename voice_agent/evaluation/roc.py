"""How well a score tells good moments from bad ones, and what follows for the gate. Pure.

moments: (share of yes, was speaking good, row) -> Roc: area under the curve, thresholds
kept lines of the calibration                   -> proposal: settings of the gate
"""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np

from .intervals import Interval
from .runs import Line

THRESHOLDS = tuple(round(0.025 * step, 3) for step in range(1, 40))  # a small model's shares lie close together
DRAWS = 2000
PRECISE = 0.95
PERIODS = (8, 64)  # thought tokens; the probe costs a row, and longer silences are broken by rule


@dataclass(frozen=True)
class Moment:
    """One answer of the probe, and whether speaking then was good."""

    row: int
    share: float
    good: bool


@dataclass(frozen=True)
class Threshold:
    """What a threshold would have done. Rates of all good, all bad moments; precision: of the opened ones."""

    value: float
    opened: int
    true_positive_rate: float
    false_positive_rate: float
    precision: float


def moments_of(lines: Sequence[Line]) -> list[Moment]:
    """Of the rows that are answered rightly in silence, where the probe was asked and gave an answer."""
    return [
        Moment(line["row"], line["share"], line["covered"] and line["right"])
        for line in lines
        if line["silently_right"] and line["share"] is not None
    ]


def area_under_curve(moments: Sequence[Moment]) -> float:
    """The chance that a good moment scores above a bad one, ties counting half; 0.5 where one kind is missing."""
    good = np.array([moment.share for moment in moments if moment.good])
    bad = np.array([moment.share for moment in moments if not moment.good])
    if not len(good) or not len(bad):
        return 0.5
    above = (good[:, None] > bad[None, :]).mean() + 0.5 * (good[:, None] == bad[None, :]).mean()
    return float(above)


def area_interval(moments: Sequence[Moment], seed: int = 0) -> Interval:
    """With its 95% interval: whole rows are drawn again, because the moments of a row are alike."""
    rows = sorted({moment.row for moment in moments})
    if not rows:
        return Interval(0.5, 0.0, 1.0)
    of_row = {row: [moment for moment in moments if moment.row == row] for row in rows}
    draws = np.random.default_rng(seed).choice(rows, (DRAWS, len(rows)))
    areas = [area_under_curve([moment for row in draw for moment in of_row[int(row)]]) for draw in draws]
    low, high = np.percentile(areas, (2.5, 97.5))
    return Interval(area_under_curve(moments), float(low), float(high))


def thresholds(moments: Sequence[Moment]) -> list[Threshold]:
    """What each of `THRESHOLDS` would have opened."""
    return [_threshold(moments, value) for value in THRESHOLDS]


def _threshold(moments: Sequence[Moment], value: float) -> Threshold:
    opened = [moment for moment in moments if moment.share >= value]
    right = sum(moment.good for moment in opened)
    good = sum(moment.good for moment in moments)
    return Threshold(
        value,
        len(opened),
        right / max(1, good),
        (len(opened) - right) / max(1, len(moments) - good),
        right / max(1, len(opened)),
    )


def proposal(silent: Sequence[Line], lines: Sequence[Line], now: dict[str, Any]) -> dict[str, float]:
    """Settings of the gate.

    gate_open: the lowest threshold of which `PRECISE` of the opened moments are good, because silence costs as well;
    else that with the largest true - false positive rate; as it is `now` where the probe tells nothing.
    gate_period: the median of thought tokens from one new number to the next: so often the thoughts have news.
    gate_hysteresis: the median change of the share between neighbouring moments that are alike, its noise.
    """
    moments = moments_of(lines)
    found = thresholds(moments)
    precise = [t for t in found if t.opened and t.precision >= PRECISE]
    best = precise[0] if precise else max(found, key=lambda t: t.true_positive_rate - t.false_positive_rate)
    tells = area_under_curve(moments) > 0.5
    periods = [line["thinking_tokens"] / line["new_numbers"] for line in silent if line["new_numbers"]]
    period = round(statistics.median(periods)) if periods else now["gate_period"]
    steps = [
        abs(after.share - before.share)
        for before, after in pairwise(moments)
        if before.row == after.row and before.good == after.good
    ]
    return {
        "gate_open": best.value if tells else now["gate_open"],
        "gate_period": min(max(period, PERIODS[0]), PERIODS[1]),
        "gate_hysteresis": round(statistics.median(steps), 3) if tells and steps else 0.0,
    }
