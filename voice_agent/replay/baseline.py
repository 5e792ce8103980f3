"""Compare a run with an earlier one: figures that must not get worse.

    compare_with_baseline(file, {scenario: (summary, observation)}): adds one expectation per figure to each summary

The file is JSON, {scenario: {figure: number}}: seconds where the name ends in `_s`, else words. Where it does not exist
yet it is written from this run, and a scenario it does not know is added.
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


def compare_with_baseline(path: Path, runs: Mapping[str, tuple[dict[str, Any], Observation]]) -> None:
    """Hold every figure of every run against `path`.

    Raises:
        UnusableInput: the file is no baseline, or cannot be written.
    """
    known = _read(path) if path.exists() else {}
    for name, (summary, observation) in runs.items():
        figures = _figures(summary, observation)
        for figure, before in known.setdefault(name, figures).items():
            now = figures.get(figure)
            margin = WORSE_S if figure.endswith("_s") else WORSE_WORDS
            worse = now is None or (now > before * WORSE_BY and now > before + margin)
            result = {"name": f"{figure} against baseline {before:g}", "ok": not worse, "value": now}
            summary["expectations"].append(result)
    try:
        path.write_text(json.dumps(known, indent=2) + "\n", encoding="utf-8")
    except OSError as error:
        raise UnusableInput(f"cannot write the baseline {path}: {error.strerror or error}") from error


def _figures(summary: dict[str, Any], observation: Observation) -> dict[str, float]:
    """Every delay of the conversation that was measured, and what was heard wrong."""
    figures: dict[str, float | None] = {}
    for number, turn in enumerate(summary["turns"], start=1):
        figures[f"turn {number} first_audio_s"] = turn["first_audio_s"]
    for number, interruption in enumerate(summary["interruptions"], start=1):
        figures[f"interruption {number} stop_s"] = interruption["stop_s"]
        figures[f"interruption {number} injected_s"] = interruption["injected_s"]
    if observation.words:
        figures["word errors"] = observation.word_errors
    return {name: value for name, value in figures.items() if value is not None}


def _read(path: Path) -> dict[str, dict[str, float]]:
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
        return {str(name): {str(k): float(v) for k, v in figures.items()} for name, figures in found.items()}
    except (OSError, ValueError, AttributeError, TypeError) as error:
        raise UnusableInput(
            f"{path} is no baseline ({error}): it must be JSON, {{scenario: {{figure: number}}}}; "
            "delete it to start anew"
        ) from error
