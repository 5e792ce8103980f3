"""`voice-agent eval`: one question set in several modes, and the table of what each mode did.

    run_eval("gsm8k", ...) -> OUT/gsm8k.jsonl, one line per item and mode; OUT/gsm8k.summary.json; the table

In virtual time each conversation has its own declared clock and any number of them share the model's steps; in real
time they run one after the other, so that the seconds are those of one conversation. Several processes may each do a
part (OUT/gsm8k.2-of-4.jsonl); the table is that of all parts as soon as all are there. Sets that are made of requests
to refuse may be asked under an attack (OUT/strongreject.virtual-context.jsonl).
"""

from __future__ import annotations

import asyncio
import dataclasses
import json
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

from rich.console import Console

from ..errors import UnusableInput
from ..settings import Settings
from .answering import Answered, ask
from .attacks import ATTACKS, attacked
from .datasets import DATASETS, Item, load_items, seed_of
from .judge import Judge
from .measures import RIGHT, TOTAL_DELAY, difference_in_words
from .runs import Job, KeptLines, Line, read_lines, run_jobs
from .selection import Shard, sampled
from .subject import Subject, Time, about_run
from .table import differences, modes_table, summary
from .verdicts import verdict_of

WHOLE = Shard()
NAMES_WIDTH, COLUMN_WIDTH = 36, 25  # characters of the table


@dataclass(frozen=True)
class _Asking:
    """Whom the items are asked, and how."""

    subject: Subject
    judge: Judge | None
    attack: str | None
    seed: int


def run_eval(
    dataset: str,
    *,
    settings: Settings,
    modes: Sequence[str],
    out: Path,
    data: Path | None = None,
    offset: int = 0,
    limit: int | None = None,
    sample: Fraction | None = None,
    shard: Shard = WHOLE,
    at_once: int = 8,
    time: Time = "virtual",
    seed: int = 0,
    attack: str | None = None,
    judge: str | None = None,
) -> int:
    """Answer what has not been answered yet, then print the table of these rows and modes; 0.

    sample: a random share of the rows. shard: the part of them that this process does. attack, judge: where refusals
    count; the judge is a model's name.

    Raises:
        UnusableInput: an unusable question set, model or folder, real time for several conversations at once, or an
        attack on, or a judge of, what is no request to refuse.
    """
    if time == "real" and at_once > 1:
        raise UnusableInput("real delays are those of one conversation: add --at-once 1, or leave --time virtual")
    items = load_items(dataset, data, offset=offset, limit=limit)
    _check_refusals(dataset, attack, judge)
    items = sampled(items, sample, seed) if sample is not None else items
    stem = f"{dataset}.{attack}" if attack else dataset
    about = {
        **about_run(settings, time, seed, dataset, data),
        "dataset": dataset,
        "voice": {"clauses": dataclasses.asdict(settings.speaking), "costs": _voice_costs(settings)},
        **({"attack": attack} if attack else {}),
        **({"judge": judge} if judge else {}),
    }
    with KeptLines.open(shard.file(out, stem), about) as kept:
        own = [(item, mode, _key(item, mode)) for item in shard.of(items) for mode in modes]
        if any(key not in kept.lines for _, _, key in own):
            subject = Subject.load(settings, time)
            asking = _Asking(subject, Judge.load(judge, subject) if judge else None, attack, seed)
            jobs = [_job(asking, item, mode, key) for item, mode, key in own]
            asyncio.run(run_jobs(jobs, kept, at_once=at_once, what=shard.file(out, stem).stem))
        lines = {key: kept.lines[key] for _, _, key in own}
    for other in shard.all_of_them():
        if other != shard:
            lines |= read_lines(other.file(out, stem), about)
    wanted = [_key(item, mode) for item in items for mode in modes]
    missing = sum(key not in lines for key in wanted)
    path = (shard if missing else WHOLE).file(out, stem, "summary.json")
    show([lines[key] for key in (wanted if not missing else (key for _, _, key in own))], modes, about, path)
    if missing:
        print(f"part {shard.number} of {shard.of_all} is done; the others have yet to answer {missing} times")
    return 0


def show(lines: Sequence[Line], modes: Sequence[str], about: Line, path: Path) -> None:
    """The table and the paired differences on standard output, the same as JSON at `path`."""
    by_mode = {mode: [line for line in lines if line["mode"] == mode] for mode in modes}
    under = f" under {about['attack']}" if "attack" in about else ""
    console = Console(highlight=False, soft_wrap=True, width=NAMES_WIDTH + COLUMN_WIDTH * len(modes))
    console.print(modes_table(by_mode, title=f"{about['dataset']}{under}, {about['model']}, {about['time']} time"))
    compared = differences(by_mode)
    for pair, known in compared.items():
        shown = (
            f"{measure.name} {difference_in_words(known.get(measure.name), measure.unit)}"
            for measure in (RIGHT, TOTAL_DELAY)
        )
        console.print(f"{pair}: {'; '.join(shown)}")
    path.write_text(json.dumps({"about": about, **summary(by_mode, compared)}, indent=1) + "\n", encoding="utf-8")


def _check_refusals(dataset: str, attack: str | None, judge: str | None) -> None:
    if attack is not None and attack not in ATTACKS:
        raise UnusableInput(f"unknown attack '{attack}': choose one of {', '.join(ATTACKS)}")
    if (attack or judge) and not DATASETS[dataset].refusals:
        option = "--attack" if attack else "--judge"
        names = ", ".join(name for name, known in DATASETS.items() if known.refusals)
        raise UnusableInput(f"{option} is for sets of requests to refuse ({names}), not for {dataset}: leave it out")


def _voice_costs(settings: Settings) -> dict[str, float]:
    return {name: getattr(settings.costs, name) for name in ("clause_base_ms", "clause_ms_per_s")}


def _key(item: Item, mode: str) -> str:
    return f"{item.dataset} {item.row} {mode}"


def _job(asking: _Asking, item: Item, mode: str, key: str) -> Job:
    subject, attack = asking.subject, asking.attack
    choices = DATASETS[item.dataset].choices

    async def run() -> Line:
        item_seed = seed_of(item.dataset, item.row, mode) + asking.seed
        reasoner, time = subject.reasoner(item_seed)
        question = attacked(attack, item.question, subject.tokenizer) if attack else item.question
        answered = await ask(
            reasoner,
            time,
            question,
            mode,
            rate=choices(item).texts if choices else (),
            speaking=subject.settings.speaking,
            costs=subject.settings.costs,
        )
        done = answered.done
        return {
            "dataset": item.dataset,
            "row": item.row,
            "mode": mode,
            "seed": item_seed,
            **({"attack": attack} if attack else {}),
            **verdict_of(item, answered, mode),
            **(await asking.judge.judge(item.question, done.spoken) if asking.judge else {}),
            "first_written_step": done.first_written_step,
            "steps": done.steps,
            "thinking_tokens": done.thinking_tokens,
            "spoken_tokens": done.spoken_tokens,
            "reason": done.reason,
            "retractions": len(answered.withdrawn),
            **_times(answered),
            "spoken": done.spoken,
            "thoughts": done.thoughts,
        }

    return Job(key, run)


def _times(answered: Answered) -> Line:
    names = (
        "first_token_s",
        "first_written_s",
        "first_audible_s",
        "first_informative_s",
        "took_s",
        "total_delay_s",
        "stall_s",
        "longest_silence_s",
        "total_delay_fast_s",
        "stall_fast_s",
    )
    seconds = {name: getattr(answered, name) for name in names}
    return {name: None if value is None else round(value, 3) for name, value in seconds.items()}
