"""Where should words that come in mid-thought enter? The experiment behind scripts/compare_injection.

    run_injection(...) -> OUT/injection.jsonl; the table by placement and moment

Each item is a question whose number the user corrects (alterations.py). First it is answered uncorrected; then, with
the same seed, once for every placement and moment, the correction coming in after 10, 30, 60 or 90% of the thoughts of
the uncorrected run. The altered question asked outright is the ceiling. As a control an irrelevant remark comes in
instead, which must not change the answer; or the user asks it to hurry, which must not make it guess.
"""

from __future__ import annotations

import asyncio
import dataclasses
import random
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import product
from pathlib import Path
from typing import Literal

from rich.console import Console

from ..errors import UnusableInput
from ..settings import Reasoning, Settings
from .alterations import REMARKS, Alteration, alteration_of
from .answering import Answered, Interjection, Piece, ask, first_step_with
from .datasets import load_items, seed_of
from .injection_table import injection_table
from .runs import Job, KeptLines, Line, run_jobs
from .scoring import final_number
from .subject import Subject, about_run

Injection = Literal["inline", "before", "both"]
PLACEMENTS: dict[str, tuple[Injection, bool]] = {
    "inline": ("inline", False),
    "before": ("before", False),
    "both": ("both", False),
    "inline, verified": ("inline", True),
    "before, verified": ("before", True),
    "both, verified": ("both", True),
}
POINTS = (10, 30, 60, 90)  # percent of the thoughts of the uncorrected run
HURRY = "Please hurry, I need the answer now."
WHATS = ("correction", "remark", "hurry")
MODE = "async"
WIDTH = 140  # characters of the table


@dataclass(frozen=True)
class Case:
    """One item of the experiment."""

    row: int
    alteration: Alteration
    remark: str

    @property
    def seed(self) -> int:
        return seed_of("gsm8k", self.row, MODE)


def load_cases(data: Path | None, offset: int, rows: int, items: int) -> list[Case]:
    """The first `items` of GSM8K's rows `offset` to `offset + rows` that can be altered.

    Raises:
        UnusableInput: an unusable question set, or none of its rows can be altered.
    """
    cases = []
    for item in load_items("gsm8k", data, offset=offset, limit=rows):
        seed = seed_of("alteration", item.row, "")
        made = alteration_of(item.question, item.source["answer"], seed)
        if made is not None:
            cases.append(Case(item.row, made, random.Random(seed).choice(REMARKS)))
    if not cases:
        raise UnusableInput(f"none of the rows {offset} to {offset + rows - 1} can be altered: choose others")
    return cases[:items]


def run_injection(
    *,
    settings: Settings,
    out: Path,
    data: Path | None,
    offset: int,
    rows: int,
    items: int,
    placements: Sequence[str],
    points: Sequence[int],
    at_once: int,
    seed: int,
    whats: Sequence[str] = WHATS[:2],
) -> None:
    """Make the lines that are missing, then print the table of these cases.

    whats: which of `WHATS` come in.

    Raises:
        UnusableInput: an unusable question set, model or folder.
    """
    cases = load_cases(data, offset, rows, items)
    unplaced = dataclasses.replace(settings, reasoning=placed(settings.reasoning, "inline"))
    about = about_run(unplaced, "virtual", seed, "gsm8k", data)
    with KeptLines.open(out / "injection.jsonl", about) as kept:
        plain = list(product(cases, ("plain", "altered")))
        injected = list(product(cases, placements, points, whats))
        keys = [_key(*one) for one in plain] + [_injected_key(*one) for one in injected]
        if any(key not in kept.lines for key in keys):
            asyncio.run(_run(Subject.load(settings), plain, injected, kept, at_once, seed))
        lines = [kept.lines[key] for key in keys]
    Console(highlight=False, width=WIDTH).print(injection_table(lines, placements, points))


async def _run(
    subject: Subject,
    plain: Sequence[tuple[Case, str]],
    injected: Sequence[tuple[Case, str, int, str]],
    kept: KeptLines,
    at_once: int,
    seed: int,
) -> None:
    """Plain runs first: they say how long the thoughts are."""
    jobs = [_plain_job(subject, *one, seed) for one in plain]
    await run_jobs(jobs, kept, at_once=at_once, what="uncorrected")
    jobs = [_injected_job(subject, *one, kept.lines[_key(one[0], "plain")], seed) for one in injected]
    await run_jobs(jobs, kept, at_once=at_once, what="corrected")


def _key(case: Case, what: str) -> str:
    return f"{case.row} {what}"


def _injected_key(case: Case, placement: str, point: int, what: str) -> str:
    return _key(case, f"{what}, {placement}, {point}%")


def _plain_job(subject: Subject, case: Case, what: str, seed: int) -> Job:
    made = case.alteration
    question, right = (made.question, made.answer) if what == "plain" else (made.altered_question, made.altered_answer)

    async def run() -> Line:
        reasoner, time = subject.reasoner(case.seed + seed)
        answered = await ask(reasoner, time, question, MODE)
        line = _common(case, what, answered, question, right)
        return {**line, "right": line["stated"] == str(right)}

    return Job(_key(case, what), run)


def _injected_job(subject: Subject, case: Case, placement: str, point: int, what: str, plain: Line, seed: int) -> Job:
    made = case.alteration
    words = {"correction": made.correction, "remark": case.remark, "hurry": HURRY}[what]
    after = max(1, round(point / 100 * plain["thought_pieces"]))

    async def run() -> Line:
        reasoner, time = subject.reasoner(case.seed + seed, placed(subject.settings.reasoning, placement))
        answered = await ask(reasoner, time, made.question, MODE, Interjection(words, after))
        # what the corrected question holds does not count as found, nor what the original one does
        gold = made.altered_answer if what == "correction" else made.answer
        line = {
            **_common(case, what, answered, f"{made.question} {made.altered_question}", gold),
            "placement": placement,
            "point": point,
            "words": words,
            "injected_step": answered.injected_step,
        }
        if what != "correction":
            return {**line, "right": line["stated"] == str(gold), "changed": line["stated"] != plain["stated"]}
        right = line["stated"] == str(gold)
        return {
            **line,
            "right": right,
            "stale": not right and line["stated"] != "" and line["stated"] in (plain["stated"], str(made.answer)),
            **_reflected(answered, made.fresh),
        }

    return Job(_injected_key(case, placement, point, what), run)


def placed(reasoning: Reasoning, placement: str) -> Reasoning:
    """The settings with words entering as the placement says."""
    injection, reminder = PLACEMENTS[placement]
    return dataclasses.replace(reasoning, injection=injection, injection_reminder=reminder)


def _reflected(answered: Answered, fresh: frozenset[Fraction]) -> Line:
    """Steps and thought tokens from the words' entry to the first spoken number that only the correction brings."""
    entered = answered.injected_step
    if entered is None:
        return {"steps_to_reflect": None, "thoughts_to_reflect": None}
    said = first_step_with(_since(answered.written, entered), set(fresh))
    thought = None if said is None else len([p for p in _since(answered.thoughts, entered) if p.step <= said])
    return {"steps_to_reflect": None if said is None else said - entered, "thoughts_to_reflect": thought}


def _since(pieces: Sequence[Piece], step: int) -> list[Piece]:
    return [piece for piece in pieces if piece.step >= step]


def _common(case: Case, what: str, answered: Answered, question: str, gold: Fraction) -> Line:
    done = answered.done
    stated = final_number(done.spoken, question)
    return {
        "row": case.row,
        "what": what,
        "stated": "" if stated is None else str(stated),
        "thought_pieces": len(answered.thoughts),
        "thinking_tokens": done.thinking_tokens,
        "spoken_tokens": done.spoken_tokens,
        "steps": done.steps,
        "reason": done.reason,
        "thoughts_right": final_number(done.thoughts, question) == gold,
        "spoken": done.spoken,
        "thoughts": done.thoughts,
    }
