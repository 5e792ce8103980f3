"""The first sound of an answer that is spoken while it is thought through, beside one that is thought through first.

    run_first_words(scenario, settings, repeats, ...) -> plain values: both modes alternating, models loaded once

An early word is worth something only when it is about the question: `is_grounded` says whether a clause holds a number
or a content word of what the user asked or of what was thought until then.
"""

from __future__ import annotations

import statistics
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from ..model_store import models_folder
from ..parts import Parts, load_parts
from ..record.report import TRACE
from ..record.trace import TraceLine, read_trace
from ..replay.runner import Time, play
from ..replay.script import Script, make_script
from ..replay.user_voice import UserVoice
from ..said import said
from ..settings import Settings

MODES = ("async", "think")
# Words that fit any question; what is left of a clause says something about this one.
COMMON_WORDS = frozenset(
    said(
        "a about after again all also am an and answer any are as ask at be because been before but by can could did "
        "do does doing find first for from get give given go going good got had has have he her here him his how i if "
        "in into is it it's its just know let let's like look make may me might more most much must my need no not now "
        "of okay on one or our out over please problem question right say see she should so solve some start step sure "
        "take tell than thank that that's the their them then there these they thing think this those to try "
        "understand up us use very want was we well were what when where which who why will with would yes you your"
    )
)


def is_grounded(clause: str, known: str) -> bool:
    """Whether the clause holds a number or a content word of `known`."""
    return bool(_content(clause) & _content(known))


def first_words(lines: Sequence[TraceLine], summary: dict[str, Any]) -> dict[str, Any]:
    """What one answered scenario showed: delay, first clause, whether it was grounded, whether all was as expected."""
    unanswered: dict[str, Any] = {"first_audio_s": None, "user_text": "", "sounded_text": ""}
    turn = summary["turns"][0] if summary["turns"] else unanswered
    at = next((i for i, line in enumerate(lines) if line.kind == "clause" and line["source"] == "model"), len(lines))
    clause = lines[at]["text"].strip() if at < len(lines) else ""
    thoughts = "".join(line["text"] for line in lines[:at] if line.kind == "thought")
    answers = [result["ok"] for result in summary["expectations"] if result["name"].startswith("finally_says")]
    return {
        "first_audio_s": turn["first_audio_s"],
        "first_clause": clause,
        "grounded": is_grounded(clause, f"{turn['user_text']} {thoughts}"),
        "right": bool(summary["turns"]) and all(answers),
        "sounded_text": turn["sounded_text"].strip(),
    }


def run_first_words(
    scenario: Path, settings: Settings, *, repeats: int, time: Time, tell: Callable[[str], None]
) -> dict[str, Any]:
    """Hold the scenario's conversation `repeats` times in each mode, in turn.

    Raises:
        UnusableInput: no such scenario, or a model that is missing.
    """
    voice = UserVoice(models_folder() / "user-voice")
    script = make_script(scenario, voice.say, settings.hearing.rate_hz)
    tell("loading the models")
    parts = load_parts(settings)
    runs: dict[str, list[dict[str, Any]]] = {mode: [] for mode in MODES}
    try:
        for repeat in range(repeats):
            for mode in MODES:
                one = _play(script, parts, settings, time, mode, seed=repeat)
                runs[mode].append(one)
                tell(f"{mode}: {one['first_audio_s']} s, {one['first_clause']!r}")
    finally:
        parts.workers.close()
    medians = {mode: _median([one["first_audio_s"] for one in runs[mode]]) for mode in MODES}
    early, late = (medians[mode] for mode in MODES)
    return {
        "scenario": scenario.stem,
        "profile": settings.profile,
        "time": time,
        "device": parts.device,
        "repeats": repeats,
        "first_audio_s": medians,
        "think_over_async": None if early is None or late is None else round(late / early, 3),
        "grounded": {mode: sum(one["grounded"] for one in runs[mode]) for mode in MODES},
        "right": {mode: sum(one["right"] for one in runs[mode]) for mode in MODES},
        "runs": runs,
    }


def _play(script: Script, parts: Parts, settings: Settings, time: Time, mode: str, seed: int) -> dict[str, Any]:
    with tempfile.TemporaryDirectory() as folder:
        played = play(script, parts, settings, Path(folder), time=time, mode=mode, seed=seed)
        return first_words(read_trace(Path(folder) / TRACE), played.summary)


def _median(samples: Sequence[float | None]) -> float | None:
    known = [sample for sample in samples if sample is not None]
    return round(statistics.median(known), 3) if known else None


def _content(text: str) -> set[str]:
    return set(said(text)) - COMMON_WORDS
