"""Wrong openings: a result is put into the writer's mouth; does the thinking notice, and is it put right?

For each question that the model solves: the right result or an altered one is said while it thinks, and has sounded
("sounded") or waits to ("unsounded") when the thoughts contradict it. Reported: openings that were withdrawn, words
that the listener heard of them, and final answers that are right.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import Sequence
from contextlib import aclosing
from fractions import Fraction
from pathlib import Path

from rich.console import Console
from rich.table import Table

from ..events import Done, Thought, Withdrawn
from ..reasoning.prompts import CORRECTING
from ..reasoning.speak_gate import Decision, GateInputs, SpeakGate
from ..settings import Settings
from .alterations import spelled
from .datasets import Item, load_items, seed_of
from .intervals import share
from .runs import Job, KeptLines, Line, run_jobs
from .scoring import score_number
from .subject import Subject, about_run

OPENINGS = ("right, sounded", "wrong, sounded", "right, unsounded", "wrong, unsounded")
MEASURES = ("withdrawn", "put_right", "heard", "right")
SAID_AFTER = 12  # pieces of thought, before which no result is found


class ReticentGate(SpeakGate):
    """Nothing is said of the writer's own accord before the thoughts are complete; the probe is not asked."""

    def wants_probe(self, inputs: GateInputs) -> bool:
        return False

    def may_draft(self, inputs: GateInputs) -> bool:
        return False

    def decide(self, inputs: GateInputs) -> Decision:
        return "speak" if inputs.thinker_done else "think"


def run_openings(
    *, settings: Settings, out: Path, data: Path | None, offset: int, limit: int, at_once: int, seed: int
) -> None:
    """Make the lines that are missing, then print the table of these rows.

    Raises:
        UnusableInput: an unusable question set, model or folder.
    """
    items = load_items("gsm8k", data, offset=offset, limit=limit)
    about = about_run(settings, "virtual", seed, "gsm8k", data)
    with KeptLines.open(out / "openings.jsonl", about) as kept:
        keys = [f"{item.row} {what}" for item in items for what in ("silent", *OPENINGS)]
        if any(key not in kept.lines for key in keys if "silent" in key or _solved(kept, key)):
            asyncio.run(_run(Subject.load(settings), items, kept, at_once, seed))
        lines = [kept.lines[key] for key in keys if key in kept.lines]
    Console(highlight=False).print(table(lines))


async def _run(subject: Subject, items: Sequence[Item], kept: KeptLines, at_once: int, seed: int) -> None:
    silent = [_job(subject, item, "silent", seed) for item in items]
    await run_jobs(silent, kept, at_once=at_once, what="silent")
    solved = [item for item in items if kept.lines[f"{item.row} silent"]["right"]]
    jobs = [_job(subject, item, opening, seed) for item in solved for opening in OPENINGS]
    await run_jobs(jobs, kept, at_once=at_once, what="with an opening")


def _solved(kept: KeptLines, key: str) -> bool:
    return bool(kept.lines.get(f"{key.split()[0]} silent", {}).get("right"))


def _job(subject: Subject, item: Item, what: str, seed: int) -> Job:
    gold = Fraction(item.gold.replace(",", ""))
    number = seed_of("gsm8k", item.row, "openings") + seed
    said = _opening(gold if what.startswith("right") else _altered(gold, random.Random(number)))

    async def run() -> Line:
        reasoner, _ = subject.reasoner(number, gate=ReticentGate)
        thoughts, withdrawn = 0, False
        async with aclosing(reasoner.answer(item.question, mode="async")) as events:
            async for event in events:
                match event:
                    case Thought():
                        thoughts += 1
                        if thoughts == SAID_AFTER and what != "silent":
                            reasoner.say(said)
                    case Withdrawn():
                        withdrawn = True
                        if what.endswith("unsounded"):
                            reasoner.cut_spoken("")
                    case Done():
                        done = event
        return {
            "row": item.row,
            "what": what,
            "said": said,
            "withdrawn": withdrawn,
            "put_right": CORRECTING in done.spoken,
            "heard": said in done.spoken,
            "right": score_number(done.spoken, item.gold, item.question).right,
            "spoken": done.spoken,
            "thoughts": done.thoughts,
        }

    return Job(f"{item.row} {what}", run)


def _opening(result: Fraction) -> str:
    return f"The answer is {spelled(result)}."


def _altered(gold: Fraction, draw: random.Random) -> Fraction:
    return gold + draw.choice([value for value in (-10, -3, -1, 1, 2, 5, 10, gold) if value and gold + value > 0])


def table(lines: Sequence[Line]) -> Table:
    """One row an opening; shares with 95 % intervals."""
    made = Table(box=None, padding=(0, 2, 0, 0), pad_edge=False)
    for column in ("opening", "items", "withdrawn", "put right aloud", "still heard", "final answer right"):
        made.add_column(column, justify="left" if column == "opening" else "right", no_wrap=True)
    for opening in OPENINGS:
        own = [line for line in lines if line["what"] == opening]
        if own:
            shares = (share(sum(line[name] for line in own), len(own)) for name in MEASURES)
            made.add_row(opening, str(len(own)), *(s.percent() for s in shares))
    return made
