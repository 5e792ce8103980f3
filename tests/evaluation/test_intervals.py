"""Intervals: known values, and what must hold for any samples."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from voice_agent.evaluation.intervals import Interval, difference, grouped_share, share


@pytest.mark.parametrize(
    ("right", "of", "low", "high"),
    [(13, 24, 0.3507, 0.7211), (0, 10, 0.0, 0.2775), (10, 10, 0.7225, 1.0), (50, 100, 0.4038, 0.5962)],
)
def test_wilson(right: int, of: int, low: float, high: float) -> None:
    interval = share(right, of)
    assert (interval.low, interval.high) == pytest.approx((low, high), abs=1e-4)
    assert interval.mean == right / of


def test_nothing_measured_says_nothing() -> None:
    assert math.isnan(share(0, 0).mean)
    assert all(one.low <= one.mean <= one.high for of in range(1, 100) for one in (share(0, of), share(of, of)))
    assert share(0, 0).percent() == "-"
    assert (share(0, 0).low, share(0, 0).high) == (0.0, 1.0)
    assert math.isnan(difference([], []).mean)


def test_a_paired_difference_knows_that_items_differ() -> None:
    """Both sides vary alike from item to item: the difference does not vary at all."""
    theirs = [0.0, 1.0] * 20
    same = difference([value + 1 for value in theirs], theirs)
    assert (same.mean, same.low, same.high) == (1.0, 1.0, 1.0)


def test_a_known_difference() -> None:
    """30 of 100 items better, 10 worse: the normal interval is 0.2 +- 1.96 * sqrt((0.4 - 0.04) / 100)."""
    ours = [1.0] * 30 + [0.0] * 70
    theirs = [0.0] * 30 + [1.0] * 10 + [0.0] * 60
    interval = difference(ours, theirs)
    assert interval.mean == pytest.approx(0.2)
    assert (interval.low, interval.high) == pytest.approx((0.0824, 0.3176), abs=0.02)


@given(st.lists(st.tuples(st.booleans(), st.booleans()), min_size=1, max_size=30), st.integers(0, 3))
def test_the_same_samples_give_the_same_interval(pairs: list[tuple[bool, bool]], seed: int) -> None:
    ours, theirs = ([float(pair[side]) for pair in pairs] for side in (0, 1))
    interval = difference(ours, theirs, seed)
    assert interval == difference(ours, theirs, seed)
    assert -1 <= interval.low <= interval.mean <= interval.high <= 1
    mirrored = difference(theirs, ours, seed)
    assert (mirrored.mean, mirrored.low, mirrored.high) == pytest.approx(
        (-interval.mean, -interval.high, -interval.low)
    )


def test_how_they_are_written() -> None:
    assert share(13, 24).percent() == "54.2% [35.1, 72.1]"
    assert difference([1.0, 1.0], [0.0, 0.0]).points() == "+100.0 points [+100.0, +100.0]"


@pytest.mark.parametrize(
    ("groups", "like"),
    [
        ([[True], [False], [True]], share(2, 3)),  # alone in their groups
        ([[True] * 4, [False] * 4, [True] * 4], share(2, 3)),  # uniform groups: as many as there are groups
        ([[True, False]] * 8, share(8, 16)),  # groups do not matter
        ([[True] * 3, [True] * 5], share(2, 2)),
        ([[True, False, False]], share(1, 3)),
        ([[], []], share(0, 0)),
    ],
)
def test_outcomes_in_groups_count_as_what_they_tell(groups: list[list[bool]], like: Interval) -> None:
    found = grouped_share(groups)
    assert found.mean == pytest.approx(like.mean, nan_ok=True)
    if len(groups) > 1:
        assert (found.low, found.high) == pytest.approx((like.low, like.high))
