"""The measures of a suite, after Full-Duplex-Bench, each beside the one that a silent assistant would lose.

    measured(observation) -> {measure: {value, ...}};  table_of(...) -> what is shown

Definitions: docs/measures.md. Full-Duplex-Bench: Lin et al. 2025 (arXiv 2503.04721), v1.5 on overlaps (2507.23159).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from rich.table import Table

from .observation import Observation


@dataclass(frozen=True)
class Measure:
    """One line of the table: what it is made of, and which measure it must be read with."""

    name: str
    kind: Literal["share", "seconds", "words"]
    of: str  # the key of `Observation.shares` or `.seconds`, or its field
    counterpart: str
    better: Literal["higher", "lower"]


MEASURES = (
    Measure("takeover rate", "share", "takeover", "false cut-offs", "higher"),
    Measure("response latency", "seconds", "response", "false cut-offs", "lower"),
    Measure("dead air", "seconds", "dead air", "false cut-offs", "lower"),
    Measure("false cut-offs", "share", "cut off", "dead air", "lower"),
    Measure("stop latency", "seconds", "stop", "takeover rate", "lower"),
    Measure("stops obeyed", "share", "stop obeyed", "back-channel handling", "higher"),
    Measure("back-channel handling", "share", "goes on after back-channel", "stops obeyed", "higher"),
    Measure("resume after noise", "share", "resumes after noise", "stop latency", "higher"),
    Measure("speech to others ignored", "share", "goes on after not-to-me", "stops obeyed", "higher"),
    Measure("every word once", "share", "every word once", "takeover rate", "higher"),
    Measure("spoke uninvited", "share", "uninvited", "takeover rate", "lower"),
    Measure("correction taken in", "seconds", "taken in", "resume after noise", "lower"),
    Measure("word error rate", "words", "word_errors", "invented words", "lower"),
    Measure("invented words", "words", "invented_words", "word error rate", "lower"),
    Measure("lag of final words", "seconds", "lag", "word error rate", "lower"),
)


def measured(observation: Observation) -> dict[str, dict[str, Any]]:
    """Every measure as plain values; null where there was no occasion.

    A share: {value, of: occasions}; seconds: {median, p95, of}; words: {value, of: words said}.
    """
    return {measure.name: _values(measure, observation) for measure in MEASURES}


def table_of(values: dict[str, dict[str, Any]]) -> Table:
    """Each measure, and its counterpart in the same line."""
    table = Table("measure", "better", "value", "occasions", "beside", "its value")
    for measure in MEASURES:
        value, beside = values[measure.name], values[measure.counterpart]
        row = (measure.name, measure.better, in_words(measure, value), str(value["of"]))
        table.add_row(*row, measure.counterpart, in_words(named(measure.counterpart), beside))
    return table


def named(name: str) -> Measure:
    return next(measure for measure in MEASURES if measure.name == name)


def in_words(measure: Measure, value: dict[str, Any]) -> str:
    """'95 %', '0.12 s (p95 0.31 s)', '4 words'; '-' where there was no occasion."""
    if measure.kind == "seconds":
        return "-" if value["median"] is None else f"{value['median']:.2f} s (p95 {value['p95']:.2f} s)"
    if value["value"] is None:
        return "-"
    return f"{value['value']} words" if measure.name == "invented words" else f"{100 * value['value']:.1f} %"


def _values(measure: Measure, observation: Observation) -> dict[str, Any]:
    if measure.kind == "share":
        outcomes = observation.shares.get(measure.of, [])
        return {"value": _rounded(np.mean(outcomes)) if outcomes else None, "of": len(outcomes)}
    if measure.kind == "seconds":
        times = observation.seconds.get(measure.of, [])
        median, p95 = np.percentile(times, [50, 95]) if times else (None, None)
        return {"median": _rounded(median), "p95": _rounded(p95), "of": len(times)}
    if measure.name == "invented words":
        return {"value": observation.invented_words, "of": observation.words}
    rate = observation.word_errors / observation.words if observation.words else None
    return {"value": _rounded(rate), "of": observation.words}


def _rounded(value: Any) -> float | None:
    return None if value is None else round(float(value), 4)
