"""`voice-agent eval interruptions`: what is said in mid-thought, as text (injection.py) or spoken and recognised.

    run_spoken_interruptions(...) -> OUT/interruptions.jsonl; the table by moment

Spoken: question and correction are said by the fixture voice through the whole pipeline in virtual time. The question
alone is held first; its trace tells when so many of its thoughts had been thought, and the correction begins to be said
at that moment. The lines have the form of the injection experiment, with the placement "spoken".
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from fractions import Fraction
from itertools import product
from pathlib import Path
from typing import Any

from rich.console import Console

from ..errors import UnusableInput
from ..record.trace import TraceLine
from ..replay.runner import without_noise
from ..settings import Settings
from .answering import Piece, first_step_with
from .injection import PLACEMENTS, WHATS, Case, load_cases
from .injection_table import injection_table
from .report.timeline import of_trace
from .runs import Job, KeptLines, Line, run_jobs
from .scoring import final_number
from .spoken import STARTS_S, WIDTH, Player, about_spoken, recognised
from .spoken_table import misheard

SPOKEN = "spoken"
MODE = "async"


def placements_of(text: str) -> list[str]:
    """'inline; both, verified' -> names of PLACEMENTS.

    Raises:
        UnusableInput: one is unknown.
    """
    return _known("placement", [name.strip() for name in text.split(";")], list(PLACEMENTS), "; ")


def words_of(text: str) -> list[str]:
    """'correction,hurry' -> some of WHATS.

    Raises:
        UnusableInput: one is unknown.
    """
    return _known("words", [name.strip() for name in text.split(",")], list(WHATS), ", ")


def points_of(text: str) -> list[int]:
    """'10,90' -> percentages of the thoughts.

    Raises:
        UnusableInput: one is none from 1 to 99.
    """
    points = [int(part) if part.strip().isdigit() else 0 for part in text.split(",")]
    if not all(1 <= point <= 99 for point in points):
        raise UnusableInput(f"--points '{text}': give percentages from 1 to 99, with commas between them")
    return points


def run_spoken_interruptions(
    *,
    settings: Settings,
    out: Path,
    data: Path | None,
    offset: int,
    rows: int,
    items: int,
    points: Sequence[int],
    seed: int,
) -> None:
    """Make the lines that are missing, then print the table of these cases.

    Raises:
        UnusableInput: an unusable question set, model or folder; no fixture voice.
    """
    settings = without_noise(settings)
    cases = load_cases(data, offset, rows, items)
    with KeptLines.open(out / "interruptions.jsonl", about_spoken(settings, seed, data, "interruptions")) as kept:
        plain = list(product(cases, ("plain", "altered")))
        corrected = list(product(cases, points))
        keys = [_key(*one) for one in plain] + [_corrected_key(*one) for one in corrected]
        if any(key not in kept.lines for key in keys):
            with Player.load(settings, out, seed) as player:
                asyncio.run(_run(player, plain, corrected, kept))
        lines = [kept.lines[key] for key in keys]
    Console(highlight=False, width=WIDTH).print(injection_table(lines, [SPOKEN], points))


async def _run(
    player: Player, plain: Sequence[tuple[Case, str]], corrected: Sequence[tuple[Case, int]], kept: KeptLines
) -> None:
    """Uncorrected conversations first: they say when so much has been thought."""
    await run_jobs([_plain_job(player, *one) for one in plain], kept, at_once=1, what="uncorrected")
    jobs = [_corrected_job(player, *one, kept.lines[_key(one[0], "plain")]) for one in corrected]
    await run_jobs(jobs, kept, at_once=1, what="corrected")


def _key(case: Case, what: str) -> str:
    return f"{case.row} {what}"


def _corrected_key(case: Case, point: int) -> str:
    return _key(case, f"correction, {SPOKEN}, {point}%")


def _plain_job(player: Player, case: Case, what: str) -> Job:
    made = case.alteration
    question, right = (made.question, made.answer) if what == "plain" else (made.altered_question, made.altered_answer)

    async def run() -> Line:
        played, trace = await player.hold(f"interrupted-{case.row}-{what}", [{"say": question, "at": STARTS_S}], MODE)
        line = _common(case, what, question, right, played.summary, trace)
        times = [one.t for one in trace if one.kind == "thought"]
        return {
            **line,
            "right": line["stated"] == str(right),
            "thought_times_s": [round(t - times[0], 3) for t in times],
        }

    return Job(_key(case, what), run)


def _corrected_job(player: Player, case: Case, point: int, plain: Line) -> Job:
    made = case.alteration
    times_s = plain["thought_times_s"] or [0.0]
    begins_s = times_s[min(len(times_s), max(1, round(point / 100 * len(times_s)))) - 1]

    async def run() -> Line:
        said: list[dict[str, Any]] = [
            {"say": made.question, "at": STARTS_S},
            {"say": made.correction, "after": f"thinking + {begins_s:g}", "means": "correction"},
        ]
        played, trace = await player.hold(f"interrupted-{case.row}-{point}", said, MODE)
        both, gold = f"{made.question} {made.altered_question}", made.altered_answer
        line = _common(case, "correction", both, gold, played.summary, trace)
        missed, invented = misheard(f"{made.question} {made.correction}", line["recognised"])
        right = line["stated"] == str(gold)
        entered = next((one["step"] for one in trace if one.kind == "injected"), None)
        taken_in = [one for one in played.summary["interruptions"] if one["injected_s"] is not None]
        return {
            **line,
            "placement": SPOKEN,
            "point": point,
            "words": made.correction,
            "begins_s": begins_s,
            "numbers_missed": missed,
            "numbers_invented": invented,
            "injected_step": entered,
            "taken_for": [one["kind"] for one in played.summary["interruptions"]],
            "injected_s": taken_in[0]["injected_s"] if taken_in else None,
            "reflected_s": taken_in[0]["reflected_s"] if taken_in else None,
            "right": right,
            "stale": not right and line["stated"] != "" and line["stated"] in (plain["stated"], str(made.answer)),
            **_reflected(trace, entered, made.fresh),
            "timeline": [stretch.to_json() for stretch in of_trace(trace)],
        }

    return Job(_corrected_key(case, point), run)


def _common(
    case: Case, what: str, question: str, gold: Fraction, summary: dict[str, Any], trace: Sequence[TraceLine]
) -> Line:
    turns = summary["turns"]
    thoughts = "".join(line["text"] for line in trace if line.kind == "thought")
    spoken = turns[-1]["sounded_text"] if turns else ""
    stated = final_number(spoken, question)
    return {
        "row": case.row,
        "what": what,
        "stated": "" if stated is None else str(stated),
        "thought_pieces": sum(line.kind == "thought" for line in trace),
        "thinking_tokens": sum(turn["thinking_tokens"] for turn in turns),
        "spoken_tokens": sum(turn["spoken_tokens"] for turn in turns),
        "turns": len(turns),
        "recognised": recognised(trace),
        "spoken": spoken,
        "thoughts_right": final_number(thoughts, question) == gold,
        "thoughts": thoughts,
    }


def _reflected(trace: Sequence[TraceLine], entered: int | None, fresh: frozenset[Fraction]) -> Line:
    """Steps and thoughts from the entry of the correction to the first written number that only it brings."""
    if entered is None:
        return {"steps_to_reflect": None, "thoughts_to_reflect": None}
    begun = next(number for number, line in enumerate(trace) if line.kind == "injected")
    written, thoughts = (
        [Piece(line["text"], line["step"]) for line in trace[begun:] if line.kind == kind]
        for kind in ("written", "thought")
    )
    said = first_step_with(written, set(fresh)) if written else None
    if said is None:
        return {"steps_to_reflect": None, "thoughts_to_reflect": None}
    return {
        "steps_to_reflect": said - entered,
        "thoughts_to_reflect": sum(piece.step <= said for piece in thoughts),
    }


def _known(what: str, names: list[str], known: list[str], between: str) -> list[str]:
    if unknown := [name for name in names if name not in known]:
        raise UnusableInput(f"unknown {what} '{unknown[0]}': choose among {between.join(known)}")
    return names
