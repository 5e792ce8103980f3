"""The targets of targets.toml against the runs: reached, missed or not measured. Pure but for reading the table.

load_targets(path) -> targets; judged(targets, runs) -> one Judgement for each target and run that has it
"""

from __future__ import annotations

import math
import tomllib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from ...errors import UnusableInput
from ..intervals import Interval
from ..measures import (
    MEASURES,
    RIGHT,
    Measure,
    difference_in_words,
    in_words,
    measured,
    paired,
    paired_difference,
    paired_ratio,
)
from .experiments import lost_spoken, voice_against_text
from .failures import by_kind
from .interruptions import advantage, lost_corrections
from .sources import Kept, Run

TARGETS_PATH = Path(__file__).with_name("targets.toml")
Outcome = Literal["reached", "missed", "not measured"]
How = Literal["difference", "ratio", "median", "voice", "advantage"]
HOWS: tuple[How, ...] = ("difference", "ratio", "median", "voice", "advantage")


@dataclass(frozen=True)
class Target:
    """One line of the table."""

    what: str
    sets: tuple[str, ...]
    measure: How
    key: str = ""
    modes: tuple[str, ...] = ()
    at_least: float | None = None
    at_most: float | None = None


@dataclass(frozen=True)
class Judgement:
    """What came of a target in one run; `where` and `lines` are empty where nothing measured it."""

    target: Target
    dataset: str
    outcome: Outcome
    where: str = ""  # set, condition and files
    found: str = ""
    lines: tuple[Kept, ...] = ()
    lost: dict[str, int] = field(default_factory=dict)  # behind an accuracy: how many wrong answers of each kind


def load_targets(path: Path = TARGETS_PATH) -> list[Target]:
    """Read a table of targets.

    Raises:
        UnusableInput: it cannot be read, or one of its targets is none.
    """
    try:
        tables = tomllib.loads(path.read_text(encoding="utf-8"))["target"]
        return [_target(table) for table in tables]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise UnusableInput(
            f"{path} is no table of targets ({error}): see {TARGETS_PATH.name} of this package"
        ) from error


def judged(targets: Sequence[Target], runs: Sequence[Run]) -> list[Judgement]:
    """Every target in every run that can tell; a target that no run tells is not measured."""
    judgements: list[Judgement] = []
    for target in targets:
        for dataset in target.sets:
            found = [one for run in runs if _set_of(run) == dataset for one in _judge(target, dataset, run)]
            judgements += found or [Judgement(target, dataset, "not measured")]
    return judgements


def _target(table: dict[str, Any]) -> Target:
    values: dict[str, Any] = {k: tuple(v) if isinstance(v, list) else v for k, v in table.items()}
    target = Target(**values)
    if target.measure not in HOWS:
        raise ValueError(f"unknown measure '{target.measure}': choose one of {', '.join(HOWS)}")
    needed = {"difference": 2, "ratio": 2, "median": 1}.get(target.measure, 0)
    if len(target.modes) != needed or (needed and target.key not in {m.name for m in MEASURES}):
        raise ValueError(f"'{target.what}' needs the name of a measure as its key, and {needed} modes")
    if target.measure == "difference" and target.at_least is None:
        raise ValueError(f"'{target.what}' needs at_least: a difference is held against it from above")
    if (target.at_least is None) == (target.at_most is None):
        raise ValueError(f"'{target.what}' needs either at_least or at_most")
    return target


def _set_of(run: Run) -> str:
    return {"set": run.dataset, "spoken": "spoken", "injection": "interruptions"}.get(run.kind, "")


@dataclass(frozen=True)
class _Measured:
    """A figure where it was found; `lost`: the wrong answers behind an accuracy, by kind."""

    where: str
    interval: Interval
    enough: bool
    found: str
    lines: Sequence[Kept]
    lost: dict[str, list[Kept]] = field(default_factory=dict)


def _judge(target: Target, dataset: str, run: Run) -> Iterator[Judgement]:
    for one in _measured(target, run):
        if not math.isnan(one.interval.mean):
            where = f"{dataset}{one.where}, {' and '.join(dict.fromkeys(line.file for line in one.lines))}"
            lost = {kind: len(lines) for kind, lines in one.lost.items()}
            outcome: Outcome = "reached" if one.enough else "missed"
            yield Judgement(target, dataset, outcome, where, one.found, tuple(one.lines), lost)


def _measured(target: Target, run: Run) -> Iterator[_Measured]:
    if target.measure == "voice":
        for cost in voice_against_text(run):
            where, words = f" {cost.mode}, {cost.condition}", in_words(cost.of_text, "share")
            lost = lost_spoken(run, cost.mode, cost.condition)
            yield _Measured(where, cost.of_text, _enough(target, cost.of_text.mean), words, cost.lines, lost)
    elif target.measure == "advantage":
        if found := advantage(run):
            words = f"'{found.best}' over '{found.second}': {found.interval.points()}"
            beyond = found.interval.low > (target.at_least or 0.0)
            yield _Measured("", found.interval, beyond, words, found.lines, lost_corrections(run, found.best))
    else:
        yield from _of_modes(target, run)


def _of_modes(target: Target, run: Run) -> Iterator[_Measured]:
    measure = next(measure for measure in MEASURES if measure.name == target.key)
    for attack in dict.fromkeys(line.get("attack") for line in run.lines):
        own = [[line for line in run.of_mode(mode) if line.get("attack") == attack] for mode in target.modes]
        if len(own) == 2:
            own = [list(side) for side in zip(*paired(own[0], own[1], measure), strict=True)] or [[], []]
        interval, decisive, words = _figure(target, measure, own)
        if interval is not None:
            where, lines = f" with {attack}" if attack else "", [line for lines in own for line in lines]
            lost = by_kind(own[0]) if measure is RIGHT else {}
            yield _Measured(where, interval, _enough(target, decisive), words, lines, lost)


def _figure(target: Target, measure: Measure, own: Sequence[Sequence[Kept]]) -> tuple[Interval | None, float, str]:
    """The figure, the number that decides, and the figure in words."""
    if target.measure == "difference":
        interval = paired_difference(own[0], own[1], measure)
        return interval, interval.high if interval else math.nan, difference_in_words(interval, measure.unit)
    if target.measure == "ratio":
        interval = paired_ratio(own[0], own[1], measure)
        words = f"{interval.mean:.1f} times [{interval.low:.1f}, {interval.high:.1f}]" if interval else ""
    else:
        interval = measured(own[0], measure)
        words = in_words(interval, measure.unit)
    return interval, interval.mean if interval else math.nan, words


def _enough(target: Target, value: float) -> bool:
    return value >= target.at_least if target.at_least is not None else value <= (target.at_most or 0.0)
