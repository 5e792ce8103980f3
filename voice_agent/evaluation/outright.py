"""Is the comparison fair? The same rows asked outright of the same weights: by llama.cpp, or our engine (plain_chat).

    run_outright(folder, "gsm8k", data, model, ask) -> FOLDER/outright/gsm8k.own.jsonl; accuracy beside the run's modes

The model is asked from its own chat template, with nothing of ours around the question but the request to reason step
by step, and decodes greedily. It is scored by the same scorer. A mode whose accuracy lies below, beyond what the paired
interval leaves to chance, was given prompts that cost it accuracy: a straw man, or a loss of the method itself. Modes
that may not reason, or only so long, are shown beside it.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from rich.console import Console
from rich.table import Table

from ..errors import UnusableInput
from ..reasoning.modes import parse_mode
from .datasets import DATASETS, Item, fingerprint, load_items
from .intervals import Interval, difference, share
from .runs import Job, KeptLines, Line, read_run, run_jobs

Engine = Literal["own", "llama.cpp"]
MODES: dict[Engine, str] = {"own": "outright", "llama.cpp": "outright-llama.cpp"}  # beside the run's own, in lines
STEP_BY_STEP = {  # as the models' own cards ask for it
    "gsm8k": "\nPlease reason step by step, and put your final answer within \\boxed{}.",
    "math500": "\nPlease reason step by step.",  # the question asks for the box already
    "commonsenseqa": "\nPlease reason step by step, and put the letter of your final answer within \\boxed{}.",
}


@dataclass(frozen=True)
class Outright:
    """An answer. `finished`: it ended by itself."""

    text: str
    tokens: int
    finished: bool


Ask = Callable[[str], Awaitable[Outright]]


@dataclass(frozen=True)
class Run:
    """What an evaluation has kept of one set: its head, and its lines by mode and row."""

    about: Line
    modes: dict[str, dict[int, Line]]

    @property
    def rows(self) -> list[int]:
        return sorted({row for lines in self.modes.values() for row in lines})


def read_evaluation(folder: Path, dataset: str) -> Run:
    """The lines of `voice-agent eval DATASET --out FOLDER`, all parts of them.

    Raises:
        UnusableInput: there are none, or they belong to different runs.
    """
    files = [folder / f"{dataset}.jsonl", *sorted(folder.glob(f"{dataset}.*-of-*.jsonl"))]
    modes: dict[str, dict[int, Line]] = {}
    about: Line | None = None
    for file in (file for file in files if file.exists()):
        head, lines = read_run(file)
        if about is not None and head is not None and head != about:
            raise UnusableInput(
                f"{file} and the files beside it are of different runs: keep each in a folder of its own"
            )
        about = head or about
        for line in lines.values():
            modes.setdefault(line["mode"], {})[line["row"]] = line
    if about is None or not modes:
        raise UnusableInput(
            f"{folder} holds no lines of {dataset}: run 'voice-agent eval {dataset} --out {folder}' first"
        )
    return Run(about, modes)


def run_outright(
    run: Run,
    folder: Path,
    dataset: str,
    data: Path | None,
    about_peer: Line,
    ask: Ask,
    engine: Engine = "own",
    at_once: int = 1,
) -> bool:
    """Ask the rows of a run that have not been asked yet, print the table; whether no mode that reasons lies below.

    about_peer: what the answers are made with. ask: a question in, the whole answer out; greedy. at_once: questions.

    Raises:
        UnusableInput: a set whose answers are not stated, or the questions are not those of the run.
    """
    if dataset not in STEP_BY_STEP:
        raise UnusableInput(f"{dataset} cannot be asked outright: choose one of {', '.join(STEP_BY_STEP)}")
    if run.about["questions"] != fingerprint(dataset, data):
        raise UnusableInput(f"{folder} was made with other questions: give the same --data")
    wanted = set(run.rows)
    items = [item for item in load_items(dataset, data, limit=max(wanted) + 1) if item.row in wanted]
    about = {**about_peer, "dataset": dataset, "asked": STEP_BY_STEP[dataset], "questions": run.about["questions"]}
    mode = MODES[engine]
    jobs = {item.row: _job(item, mode, ask) for item in items}
    with KeptLines.open(folder / "outright" / f"{dataset}.{engine}.jsonl", about) as kept:
        asyncio.run(run_jobs(list(jobs.values()), kept, at_once=at_once, what=f"{dataset}, {mode}"))
        theirs = {row: kept.lines[job.key] for row, job in jobs.items()}
    compared = compare(run, theirs)
    Console(highlight=False, soft_wrap=True).print(outright_table(run, mode, theirs, compared))
    below = [mode for mode, interval in compared.items() if interval.high < 0]
    for mode in below:
        excuse = "" if _reasons(mode) else ", which is no fault of a mode that may not reason in full"
        print(f"{mode} lies below what the model reaches outright{excuse}")
    return not any(map(_reasons, below))


def compare(run: Run, theirs: dict[int, Line]) -> dict[str, Interval]:
    """Accuracy of each mode minus that of the model asked outright, on the rows that both have."""
    compared = {}
    for mode, lines in run.modes.items():
        rows = sorted(lines.keys() & theirs.keys())
        compared[mode] = difference(
            [float(lines[row]["right"]) for row in rows], [float(theirs[row]["right"]) for row in rows]
        )
    return compared


def outright_table(run: Run, asked: str, theirs: dict[int, Line], compared: dict[str, Interval]) -> Table:
    """One row a mode, the model asked outright first."""
    table = Table(box=None, padding=(0, 2, 0, 0), pad_edge=False)
    for column in ("mode", "items", "right, 95% interval", f"minus {asked}", "tokens, mean"):
        table.add_column(column, justify="left" if column == "mode" else "right", no_wrap=True)
    for mode, lines in {asked: theirs, **run.modes}.items():
        right = share(sum(line["right"] for line in lines.values()), len(lines))
        tokens = [
            line["tokens"] if "tokens" in line else line["thinking_tokens"] + line["spoken_tokens"]
            for line in lines.values()
        ]
        against = compared[mode].points() if mode in compared else ""
        table.add_row(mode, str(len(lines)), right.percent(), against, f"{_mean(tokens):.0f}")
    return table


def _reasons(mode: str) -> bool:
    """Whether a mode reasons for as long as it likes."""
    parsed = parse_mode(mode)
    return parsed.thinks and parsed.budget is None


def _job(item: Item, mode: str, ask: Ask) -> Job:
    question = DATASETS[item.dataset].ask(item.source)[0] + STEP_BY_STEP[item.dataset]

    async def run() -> Line:
        answer = await ask(question)
        spoken = answer.text.rpartition("</think>")[2].strip()
        verdict = DATASETS[item.dataset].score(spoken, item)
        return {
            "dataset": item.dataset,
            "row": item.row,
            "mode": mode,
            "right": verdict.right,
            "stated": verdict.stated,
            "gold": item.gold,
            "tokens": answer.tokens,
            "reason": "finished" if answer.finished else "budget",
            "spoken": answer.text,
        }

    return Job(f"{item.dataset} {item.row} {mode}", run)


def _mean(values: Sequence[int]) -> float:
    return sum(values) / max(1, len(values))
