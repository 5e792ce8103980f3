"""How sure a mean is: intervals from the samples alone, the same every time.

share(right, of)            -> Interval: Wilson's, for a proportion
grouped_share(groups)       -> Interval: the same where outcomes come in groups of like ones
difference(ours, theirs)    -> Interval: paired bootstrap, both sides measured on the same items
ratio(ours, theirs)         -> Interval: the same of a quotient of medians or means
median(values)              -> Interval: bootstrap
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

DRAWS = 10_000
NORMAL_95 = 1.959964  # standard deviations either side that hold 95% of a normal distribution


@dataclass(frozen=True)
class Interval:
    """A mean and its 95% interval."""

    mean: float
    low: float
    high: float

    def percent(self) -> str:
        """'54.2% [33.3, 75.0]'; '-' where nothing was measured"""
        if math.isnan(self.mean):
            return "-"
        return f"{100 * self.mean:.1f}% [{100 * self.low:.1f}, {100 * self.high:.1f}]"

    def points(self) -> str:
        """'+4.2 points [-12.5, +20.8]': of a difference of shares; '-' where nothing was measured"""
        if math.isnan(self.mean):
            return "-"
        return f"{100 * self.mean:+.1f} points [{100 * self.low:+.1f}, {100 * self.high:+.1f}]"


def share(right: int, of: int) -> Interval:
    """Wilson's score interval of a proportion (Wilson 1927); nothing measured is anything from 0 to 1."""
    if not of:
        return Interval(math.nan, 0.0, 1.0)
    return _wilson(right / of, of)


def grouped_share(groups: Sequence[Sequence[bool]]) -> Interval:
    """The same of outcomes that come in groups, as several tries of one question do.

    They count as so many independent ones as their variance between groups allows (the design effect of Kish 1965):
    as many as there are groups where those are uniform, all of them where groups do not matter.
    """
    groups = [group for group in groups if group]
    of, right = sum(map(len, groups)), sum(map(sum, groups))
    if not of:
        return share(0, 0)
    p, least = right / of, len(groups)
    alone = p * (1 - p) / of
    if not alone or least == 1:
        return _wilson(p, least)
    between = least / (least - 1) * sum((sum(group) - p * len(group)) ** 2 for group in groups) / of**2
    return _wilson(p, min(of, max(least, of * alone / between)) if between else of)


def _wilson(p: float, of: float) -> Interval:
    z2 = NORMAL_95**2
    centre = (p + z2 / (2 * of)) / (1 + z2 / of)
    half = NORMAL_95 / (1 + z2 / of) * math.sqrt(p * (1 - p) / of + z2 / (4 * of * of))
    # p lies within it, which rounding may forget at 0 and 1
    return Interval(p, max(0.0, min(p, centre - half)), min(1.0, max(p, centre + half)))


def difference(ours: Sequence[float], theirs: Sequence[float], seed: int = 0) -> Interval:
    """Mean of ours - theirs, item by item: percentile interval over `DRAWS` resamplings of the items.

    ours, theirs: one number an item, in the same order.
    """
    assert len(ours) == len(theirs), "a paired difference needs both sides of every item"
    if not ours:
        return Interval(math.nan, math.nan, math.nan)
    differences = [a - b for a, b in zip(ours, theirs, strict=True)]
    low, high = np.percentile(_resampled(differences, seed).mean(1), (2.5, 97.5))
    return Interval(float(np.mean(differences)), float(low), float(high))


def median(values: Sequence[float], seed: int = 0) -> Interval:
    """Median with its percentile bootstrap interval."""
    if not values:
        return Interval(math.nan, math.nan, math.nan)
    low, high = np.percentile(np.median(_resampled(values, seed), 1), (2.5, 97.5))
    return Interval(float(np.median(values)), float(low), float(high))


def ratio(
    ours: Sequence[float], theirs: Sequence[float], of: Literal["median", "mean"] = "median", seed: int = 0
) -> Interval:
    """Median (or mean) of ours / that of theirs, measured on the same items; infinite where theirs is 0.

    ours, theirs: one number an item, in the same order.
    """
    assert len(ours) == len(theirs), "a paired ratio needs both sides of every item"
    if not ours:
        return Interval(math.nan, math.nan, math.nan)
    middle: Any = np.median if of == "median" else np.mean
    with np.errstate(divide="ignore", invalid="ignore"):
        found = float(np.float64(middle(ours)) / middle(theirs))
        drawn = middle(_resampled(ours, seed), 1) / middle(_resampled(theirs, seed), 1)
    known = drawn[~np.isnan(drawn)]
    if not len(known):
        return Interval(found, math.nan, math.nan)
    low, high = np.percentile(known, (2.5, 97.5), method="inverted_cdf")  # no value between a number and infinity
    return Interval(found, float(low), float(high))


def _resampled(values: Sequence[float], seed: int) -> np.ndarray:
    """(DRAWS, n) items drawn with replacement: the same ones for equal lengths and seeds, so that pairs stay pairs."""
    items = np.random.default_rng(seed).integers(0, len(values), (DRAWS, len(values)))
    return np.asarray(values, float)[items]
