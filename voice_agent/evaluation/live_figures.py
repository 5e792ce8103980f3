"""Lines of a live run -> its figures, each beside its target. Pure.

    figures_of(lines) -> list[Figure];  table_of(figures) -> what is shown

A line is what one conversation showed (live.py); its kind is the first word of the scenario's name.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from rich.table import Table

from .runs import Line

FALSE_ALARMS = ("back-channel", "noise")


@dataclass(frozen=True)
class Figure:
    """value: None where there was no occasion. at_most, at_least: its target; without one it is only reported.

    of: occasions that the value rests on.
    """

    name: str
    value: float | None
    of: int
    unit: str = "s"
    at_most: float | None = None
    at_least: float | None = None

    @property
    def has_target(self) -> bool:
        return self.at_most is not None or self.at_least is not None

    @property
    def met(self) -> bool | None:
        """None: nothing was asked of it, or nothing measured."""
        if self.value is None or not self.has_target:
            return None
        not_above = self.at_most is None or self.value <= self.at_most
        return not_above and (self.at_least is None or self.value >= self.at_least)


def figures_of(lines: Sequence[Line]) -> list[Figure]:
    """The figures of a run; those of the long conversation only where it was held."""
    short = [line for line in lines if line["kind"] != "long"]
    long = [line for line in lines if line["kind"] == "long"]
    return [*_first_words(short), *_overlaps(short), *_machine(short), *(f for line in long for f in _long(line))]


def _first_words(lines: Sequence[Line]) -> list[Figure]:
    asked = [line for line in lines if line["kind"] == "question"]
    first = [line["first_grounded"] for line in asked]
    grounded = [one["clause_s"] for one in first if one["clause_s"] is not None]
    any_audio = [line["first_audio_s"] for line in asked if line["first_audio_s"] is not None]
    words = [one["word_s"] for one in first if one["word_s"] is not None]
    end = "end of question -> "
    return [
        _percentile(end + "first audible grounded clause, median", grounded, 50, at_most=1.8),
        _percentile(end + "first audible grounded clause, p95", grounded, 95, at_most=3.0),
        Figure("questions without a grounded clause", len(asked) - len(grounded), len(asked), "", at_most=0),
        _percentile(end + "any audible word, median", any_audio, 50),
        _percentile(end + "its first grounded word has sounded, median", words, 50),
        _percentile("dead air after a question, median", _seconds(asked, "dead air"), 50, at_most=0.6),
    ]


def _overlaps(lines: Sequence[Line]) -> list[Figure]:
    stops, taken_in = _seconds(lines, "stop"), _seconds(lines, "taken in")
    went_on = [outcome for kind in FALSE_ALARMS for outcome in _outcomes(lines, f"goes on after {kind}")]
    resumed = [outcome for kind in FALSE_ALARMS for outcome in _outcomes(lines, f"resumes after {kind}")]
    return [
        _percentile("user onset -> silence, median", stops, 50, at_most=0.25),
        _percentile("user onset -> silence, p95", stops, 95, at_most=0.4),
        _percentile("last word of a correction -> in the thoughts, median", taken_in, 50, at_most=1.8),
        _share("stop words obeyed", _outcomes(lines, "stop obeyed"), at_least=0.95),
        _share("back-channels and noises that end an answer", [not one for one in went_on], at_most=0.05),
        _share("resumed after them, none repeated", resumed, at_least=1.0),
        _share("every word once", _outcomes(lines, "every word once"), at_least=1.0),
    ]


def _machine(lines: Sequence[Line]) -> list[Figure]:
    steps = [line["step_ms"] for line in lines if line["step_ms"] is not None]
    words = sum(line["words"] for line in lines)
    errors = sum(line["word_errors"] for line in lines)
    return [
        _total("underruns", lines, "underruns"),
        _total("microphone frames dropped", lines, "dropped_frames"),
        Figure("word error rate", errors / words if words else None, words, "%", at_most=0.08),
        _percentile("step of two rows or more, p50", steps, 50, unit="ms"),
        Figure("conversations that broke off", sum(bool(line["failure"]) for line in lines), len(lines), "", at_most=0),
    ]


def _long(line: Line) -> list[Figure]:
    """First and last third of its words; `not_asked` are the questions for which there was no time."""
    lag, third = line["lag"], len(line["lag"]) // 3
    first, last = ([lag_s for _, lag_s in part] for part in (lag[:third], lag[-third:] if third else []))
    ratio = float(np.median(last) / np.median(first)) if third else None
    takeover = line["shares"].get("takeover", [])
    before, after = line["resident_mb"]
    words = line["words"]
    return [
        _percentile("long: lag of final words, first third, median", first, 50),
        _percentile("long: lag of final words, last third, median", last, 50),
        Figure("long: lag of the last third over the first", ratio, len(lag), "", at_most=1.1),
        _share("long: questions answered", takeover, at_least=1.0),
        Figure("long: words heard wrong", line["word_errors"] / words if words else None, words, "%", at_most=0.08),
        _total("long: underruns", [line], "underruns"),
        _total("long: microphone frames dropped", [line], "dropped_frames"),
        _percentile("long: step of two rows or more, p50", [s for s in [line["step_ms"]] if s is not None], 50, "ms"),
        Figure("long: memory gained", after - before, 1, "MB"),
    ]


def _seconds(lines: Sequence[Line], name: str) -> list[float]:
    return [s for line in lines for s in line["seconds"].get(name, [])]


def _outcomes(lines: Sequence[Line], name: str) -> list[bool]:
    return [outcome for line in lines for outcome in line["shares"].get(name, [])]


def _percentile(
    name: str, values: Sequence[float], percent: float, unit: str = "s", at_most: float | None = None
) -> Figure:
    value = float(np.percentile(values, percent)) if values else None
    return Figure(name, value, len(values), unit, at_most=at_most)


def _share(name: str, outcomes: Sequence[bool], at_most: float | None = None, at_least: float | None = None) -> Figure:
    value = sum(outcomes) / len(outcomes) if outcomes else None
    return Figure(name, value, len(outcomes), "%", at_most, at_least)


def _total(name: str, lines: Sequence[Line], field: str) -> Figure:
    return Figure(name, sum(line[field] for line in lines), len(lines), "", at_most=0)


def table_of(figures: Sequence[Figure]) -> Table:
    """One row a figure."""
    table = Table("figure", "value", "occasions", "target", "met", box=None, padding=(0, 2, 0, 0), pad_edge=False)
    for figure in figures:
        limit = figure.at_most if figure.at_most is not None else figure.at_least
        sign = "" if limit is None else "<= " if figure.at_most is not None else ">= "
        target = sign + in_unit(limit, figure.unit)
        met = {None: "", True: "yes", False: "NO"}[figure.met]
        table.add_row(figure.name, in_unit(figure.value, figure.unit) or "-", str(figure.of), target, met)
    return table


def in_unit(value: float | None, unit: str) -> str:
    """0.25, "s" -> '0.25 s'; 0.95, "%" -> '95.0 %'; None -> ''."""
    if value is None:
        return ""
    if unit == "%":
        return f"{100 * value:.1f} %"
    return f"{value:.2f} {unit}" if unit else f"{value:g}" if value == int(value) else f"{value:.2f}"
