"""`voice-agent eval`: one question set in several modes, and the table of what each mode did.

    run_eval("gsm8k", ...) -> OUT/gsm8k.jsonl, one line per item and mode; OUT/gsm8k.summary.json; the table

In virtual time each conversation has its own declared clock and any number of them share the model's steps; in real
time they run one after the other, so that the seconds are those of one conversation.
"""

from __future__ import annotations

import asyncio
import dataclasses
import json
from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path

from rich.console import Console

from ..errors import UnusableInput
from ..settings import Settings
from .answering import ask, spoke_ahead
from .datasets import DATASETS, Item, load_items, seed_of
from .runs import Job, KeptLines, Line, run_jobs
from .subject import Subject, Time, about_run
from .table import comparisons, figures, modes_table


def run_eval(
    dataset: str,
    *,
    settings: Settings,
    modes: Sequence[str],
    out: Path,
    data: Path | None = None,
    offset: int = 0,
    limit: int | None = None,
    at_once: int = 8,
    time: Time = "virtual",
    seed: int = 0,
) -> int:
    """Answer what has not been answered yet, then print the table of these rows and modes; 0.

    Raises:
        UnusableInput: an unusable question set, model or folder, or real time for several conversations at once.
    """
    if time == "real" and at_once > 1:
        raise UnusableInput("real delays are those of one conversation: add --at-once 1, or leave --time virtual")
    items = load_items(dataset, data, offset=offset, limit=limit)
    path = out / f"{dataset}.jsonl"
    about = {**about_run(settings, time, seed, dataset, data), "dataset": dataset}
    with KeptLines.open(path, about) as kept:
        keys = [(item, mode, f"{dataset} {item.row} {mode}") for item in items for mode in modes]
        if any(key not in kept.lines for _, _, key in keys):
            subject = Subject.load(settings, time)
            jobs = [_job(subject, item, mode, key, seed) for item, mode, key in keys]
            asyncio.run(run_jobs(jobs, kept, at_once=at_once, what=dataset))
        lines = [kept.lines[key] for _, _, key in keys]
    show(lines, modes, about, out / f"{dataset}.summary.json")
    return 0


def show(lines: Sequence[Line], modes: Sequence[str], about: Line, summary: Path) -> None:
    """The table and the paired differences on standard output, the same as JSON beside the lines."""
    by_mode = {mode: [line for line in lines if line["mode"] == mode] for mode in modes}
    limit_s = about["reasoning"]["longest_silence_s"]
    measured = {mode: figures(rows, limit_s) for mode, rows in by_mode.items()}
    compared = comparisons(by_mode)
    console = Console(highlight=False, soft_wrap=True)
    console.print(modes_table(measured, title=f"{about['dataset']}, {about['model']}, {about['time']} time"))
    for name, interval in compared.items():
        console.print(f"{name}: accuracy {interval.points()}")
    as_json = {
        "about": about,
        "modes": {mode: dataclasses.asdict(values) for mode, values in measured.items()},
        "accuracy_differences": {name: dataclasses.asdict(interval) for name, interval in compared.items()},
    }
    summary.write_text(json.dumps(as_json, indent=1) + "\n", encoding="utf-8")


def _job(subject: Subject, item: Item, mode: str, key: str, seed: int) -> Job:
    async def run() -> Line:
        item_seed = seed_of(item.dataset, item.row, mode) + seed
        reasoner, time = subject.reasoner(item_seed)
        answered = await ask(reasoner, time, item.question, mode)
        done = answered.done
        verdict = DATASETS[item.dataset].score(done.spoken, item)
        number = _number(verdict.stated)
        return {
            "dataset": item.dataset,
            "row": item.row,
            "mode": mode,
            "seed": item_seed,
            "right": verdict.right,
            "stated": verdict.stated,
            "gold": item.gold,
            "first_written_step": done.first_written_step,
            "steps": done.steps,
            "thinking_tokens": done.thinking_tokens,
            "spoken_tokens": done.spoken_tokens,
            "reason": done.reason,
            "first_written_s": _rounded(answered.first_written_s),
            "took_s": _rounded(answered.took_s),
            "total_delay_s": _rounded(answered.total_delay_s),
            "longest_silence_s": _rounded(answered.longest_silence_s),
            "spoke_ahead": number is not None and mode != "direct" and spoke_ahead(answered, item.question, number),
            "spoken": done.spoken,
            "thoughts": done.thoughts,
        }

    return Job(key, run)


def _number(stated: str) -> Fraction | None:
    try:
        return Fraction(stated)
    except (ValueError, ZeroDivisionError):
        return None


def _rounded(seconds: float | None) -> float | None:
    return None if seconds is None else round(seconds, 3)
