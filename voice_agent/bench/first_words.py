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
from ..record.sound_levels import Levels
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


def first_grounded(
    lines: Sequence[TraceLine], question: str, levels: Levels, origin_s: float, user_end_s: float
) -> dict[str, Any]:
    """The first clause of the first answer that says something about the question, and how long it took.

    levels: what was played, from `origin_s` on. user_end_s: last voiced sound of the question.

    Returns `clause`, and from the question's end `clause_s`, to the clause's first audible sample, and `word_s`, until
    the first word in it that is about the question had sounded; "" and None where there was none.
    """
    clauses = [(at, line) for at, line in enumerate(lines) if line.kind == "clause" and line["source"] == "model"]
    before = 0  # characters of the clauses before
    for at, clause in clauses:
        known = f"{question} {''.join(line['text'] for line in lines[:at] if line.kind == 'thought')}"
        if is_grounded(clause["text"], known):
            begins_s = _sounded_s(lines, before) if before else user_end_s
            loud_s = None if begins_s is None else levels.first_loud_s(begins_s - origin_s)
            if begins_s is None or loud_s is None:
                break  # taken back before it sounded
            heard_s = _word_heard_s(lines, before, known)
            return {
                "clause": clause["text"].strip(),
                "clause_s": round(loud_s + origin_s - user_end_s, 3),
                "word_s": None if heard_s is None else round(heard_s - user_end_s, 3),
            }
        before += len(clause["text"])
    return {"clause": "", "clause_s": None, "word_s": None}


def _sounded_s(lines: Sequence[TraceLine], characters: int) -> float | None:
    """When so much of the text had sounded."""
    sounded = 0
    for line in lines:
        if line.kind == "sounded":
            sounded += len(line["text"])
            if sounded >= characters:
                return line.t
    return None


def _word_heard_s(lines: Sequence[TraceLine], behind: int, known: str) -> float | None:
    """When the first grounded word behind so many characters had sounded."""
    sounded = 0
    for line in lines:
        if line.kind == "sounded":
            sounded += len(line["text"])
            if sounded > behind and is_grounded(line["text"], known):
                return line.t
    return None


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
    return {word.removesuffix("'s") for word in said(text)} - COMMON_WORDS
