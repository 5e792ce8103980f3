"""What does it cost to think about a question before it is complete? The experiment behind scripts/check_pauses.

    run_pauses(...) -> OUT/pauses.jsonl; accuracy by the length of the pause

The user pauses before the last sentence of a question. Meanwhile it is thought about for a given number of thought
tokens; then the last sentence comes, and the thoughts go on. Pauses of 0 are the question asked at once.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Sequence
from contextlib import aclosing
from pathlib import Path

from rich.console import Console
from rich.table import Table

from ..events import Done, Thought
from ..settings import Settings
from .datasets import Item, load_items, seed_of
from .intervals import difference, share
from .runs import Job, KeptLines, Line, run_jobs
from .scoring import score_number
from .subject import Subject, about_run

WIDTH = 120  # characters of the table
PAUSES = (0, 12, 36)  # thoughts: a breath, and a second and a half
_SENTENCE = re.compile(r"(?<=[.!?])\s+(?=[A-Z$\d])")


def run_pauses(
    *,
    settings: Settings,
    out: Path,
    data: Path | None,
    offset: int,
    limit: int,
    pauses: Sequence[int],
    at_once: int,
    seed: int,
) -> None:
    """Make the lines that are missing, then print the table of these rows.

    pauses: thoughts before the last sentence comes; rows of one sentence are left out.

    Raises:
        UnusableInput: an unusable question set, model or folder.
    """
    items = [item for item in load_items("gsm8k", data, offset=offset, limit=limit) if _SENTENCE.search(item.question)]
    with KeptLines.open(out / "pauses.jsonl", about_run(settings, "virtual", seed, "gsm8k", data)) as kept:
        asked = [(item, pause) for pause in pauses for item in items]
        if any(_key(*one) not in kept.lines for one in asked):
            asyncio.run(_run(Subject.load(settings), asked, kept, at_once, seed))
        lines = [kept.lines[_key(*one)] for one in asked]
    Console(highlight=False, width=WIDTH).print(table(lines, pauses))


async def _run(subject: Subject, asked: Sequence[tuple[Item, int]], kept: KeptLines, at_once: int, seed: int) -> None:
    jobs = [_job(subject, *one, seed) for one in asked]
    await run_jobs(jobs, kept, at_once=at_once, what="questions")


def _key(item: Item, pause: int) -> str:
    return f"{item.row} {pause}"


def _job(subject: Subject, item: Item, pause: int, seed: int) -> Job:
    begin = [match.end() for match in _SENTENCE.finditer(item.question)][-1]
    first, rest = (item.question[:begin], item.question[begin:]) if pause else (item.question, "")

    async def run() -> Line:
        reasoner, _ = subject.reasoner(seed_of("gsm8k", item.row, "pauses") + seed)
        thoughts = 0

        async def speak() -> None:
            reasoner.hear(first)
            if rest:
                reasoner.think_ahead()
            else:
                reasoner.end_turn()

        async with aclosing(reasoner.answer()) as events:
            speaking = asyncio.create_task(speak())  # when the answer has begun to wait for its question
            async for event in events:
                match event:
                    case Thought():
                        thoughts += 1
                        if thoughts == pause:
                            reasoner.hear(rest)
                            reasoner.end_turn()
                    case Done():
                        done = event
            await speaking
        return {
            "row": item.row,
            "pause": pause,
            "right": score_number(done.spoken, item.gold, item.question).right,
            "thinking_tokens": done.thinking_tokens,
            "spoken": done.spoken,
            "thoughts": done.thoughts,
        }

    return Job(_key(item, pause), run)


def table(lines: Sequence[Line], pauses: Sequence[int]) -> Table:
    """One row a pause; the paired difference from the first one."""
    made = Table(box=None, padding=(0, 2, 0, 0), pad_edge=False)
    for column in ("thoughts in the pause", "of", "right", "difference", "thought tokens"):
        made.add_column(column, justify="right", no_wrap=True)
    by_pause = {pause: [line for line in lines if line["pause"] == pause] for pause in pauses}
    first = [line["right"] for line in by_pause[pauses[0]]]
    for pause, own in by_pause.items():
        right = [line["right"] for line in own]
        tokens = sum(line["thinking_tokens"] for line in own) / len(own)
        apart = difference(right, first).points() if pause != pauses[0] else ""
        made.add_row(str(pause), str(len(own)), share(sum(right), len(own)).percent(), apart, f"{tokens:.0f}")
    return made
