"""Compare a run with an earlier one: figures that must not get worse.

    compare_with_baseline(file, {scenario: (summary, observation)}): adds one expectation per figure to each summary

The file is JSON, {scenario: {figure: number}}: seconds where the name ends in `_s`, else words, or 1 for an expectation
that was not met. Where it does not exist yet it is written from this run, and a scenario it does not know is added.
What was not met then and is not met now is no news: it is marked `known`, and the run does not fail for it.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ..errors import UnusableInput
from .observation import Observation

WORSE_BY = 1.25  # a figure this many times its baseline ...
WORSE_S = 0.1  # ... and this many seconds above it is worse
WORSE_WORDS = 1  # one word more or less is another reading of the same sound
NOT_MET = " not met"  # behind an expectation's name


def compare_with_baseline(path: Path, runs: Mapping[str, tuple[dict[str, Any], Observation]]) -> None:
    """Hold every figure of every run against `path`.

    Raises:
        UnusableInput: the file is no baseline, or cannot be written.
    """
    known = _read(path) if path.exists() else {}
    new = runs.keys() - known.keys()
    for name, (summary, observation) in runs.items():
        figures = _figures(summary, observation)
        earlier = known.setdefault(name, figures)
        for result in summary["expectations"]:
            if not result["ok"] and name not in new and result["name"] + NOT_MET in earlier:
                result["known"] = True
        for figure, before in earlier.items():
            if figure.endswith(NOT_MET):
                continue
            now = figures.get(figure)
            margin = WORSE_S if figure.endswith("_s") else WORSE_WORDS
            worse = now is None or (now > before * WORSE_BY and now > before + margin)
            result = {"name": f"{figure} against baseline {before:g}", "ok": not worse, "value": now}
            summary["expectations"].append(result)
    if not new:
        return
    try:
        path.write_text(json.dumps(known, indent=2) + "\n", encoding="utf-8")
    except OSError as error:
        raise UnusableInput(f"cannot write the baseline {path}: {error.strerror or error}") from error


def _figures(summary: dict[str, Any], observation: Observation) -> dict[str, float]:
    """Every delay of the conversation that was measured, what was heard wrong, and what was not met."""
    figures: dict[str, float | None] = {}
    for number, turn in enumerate(summary["turns"], start=1):
        figures[f"turn {number} first_audio_s"] = turn["first_audio_s"]
    for number, interruption in enumerate(summary["interruptions"], start=1):
        figures[f"interruption {number} stop_s"] = interruption["stop_s"]
        figures[f"interruption {number} injected_s"] = interruption["injected_s"]
    if observation.words:
        figures["word errors"] = observation.word_errors
    figures |= {result["name"] + NOT_MET: 1 for result in summary["expectations"] if not result["ok"]}
    return {name: value for name, value in figures.items() if value is not None}


def _read(path: Path) -> dict[str, dict[str, float]]:
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
        return {
            str(name): {str(k): v if type(v) is int else float(v) for k, v in figures.items()}
            for name, figures in found.items()
        }
    except (OSError, ValueError, AttributeError, TypeError) as error:
        raise UnusableInput(
            f"{path} is no baseline ({error}): it must be JSON, {{scenario: {{figure: number}}}}; "
            "delete it to start anew"
        ) from error
