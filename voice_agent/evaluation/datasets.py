"""Question sets: rows of a file or of the hub in, items out.

    load_items("gsm8k", data=FILE, offset=100, limit=50) -> rows 100-149 as Items

A file is as the set is published: one JSON object a line, or CSV with a head (*.csv). Without a file the set comes
through the `datasets` package at the revision that the table names. Adding a set is a function that reads a row, and a
row of the table.
"""

from __future__ import annotations

import csv
import hashlib
import io
import json
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from importlib.util import find_spec
from itertools import islice
from pathlib import Path
from typing import Any

from ..errors import UnusableInput
from .refusals import judge_refusal
from .scoring import Choices, Verdict, final_choice, score_number


@dataclass(frozen=True)
class Item:
    """One question. `row` counts from 0 in the whole set; `source` is the row as published."""

    dataset: str
    row: int
    question: str
    gold: str
    source: dict[str, Any]


@dataclass(frozen=True)
class Dataset:
    """Where a set lies on the hub, how a row of it is asked, and how an answer is scored.

    hub: a repository, or the address of a CSV file whose `revision` stands in it. choices: where the answers are not
    stated but rated, what of. refusals: whether it is answered at all is what counts; the gold is "refuse" or "answer".
    """

    hub: str
    config: str | None
    split: str
    revision: str
    ask: Callable[[dict[str, Any]], tuple[str, str]]  # row -> question, gold
    score: Callable[[str, Item], Verdict]  # spoken words, item
    scorer: tuple[str, str] | None = None  # module and package that `score` needs
    choices: Callable[[Item], Choices] | None = None
    refusals: bool = False


def load_items(name: str, data: Path | None = None, *, offset: int = 0, limit: int | None = None) -> list[Item]:
    """Rows `offset` to `offset + limit` of a set.

    Raises:
        UnusableInput: unknown set, a file that cannot be read or whose rows are not of this set, an unreachable hub, no
        rows in that range, or a package that is missing.
    """
    if name not in DATASETS:
        raise UnusableInput(f"unknown question set '{name}': choose one of {', '.join(DATASETS)}")
    if (needed := DATASETS[name].scorer) and find_spec(needed[0]) is None:
        raise UnusableInput(f"{name} is scored by the package '{needed[1]}': 'pip install {needed[1]}' adds it")
    where = str(data) if data else DATASETS[name].hub
    rows = _rows_of_file(data) if data else _rows_of_hub(DATASETS[name])
    stop = None if limit is None else offset + limit
    items = [_item(name, row, source, where) for row, source in islice(enumerate(rows), offset, stop)]
    if not items:
        raise UnusableInput(f"{where}: no rows from {offset} on: lower --offset, or raise --limit")
    return items


def seed_of(dataset: str, row: int, mode: str) -> int:
    """The seed of one item in one mode, the same in every run."""
    digest = hashlib.sha256(f"{dataset} {row} {mode}".encode()).digest()
    return int.from_bytes(digest[:4], "big") >> 1


def fingerprint(dataset: str, data: Path | None) -> str:
    """Of the questions: the file's sha256, or the hub's revision.

    Raises:
        UnusableInput: the file cannot be read.
    """
    try:
        return hashlib.sha256(data.read_bytes()).hexdigest() if data else DATASETS[dataset].revision
    except OSError as error:
        raise _unreadable(data, error) from error


def _item(name: str, row: int, source: dict[str, Any], where: str) -> Item:
    dataset = DATASETS[name]
    try:
        question, gold = dataset.ask(source)
        item = Item(name, row, question, gold, source)
        if dataset.choices:
            dataset.choices(item)
    except (KeyError, TypeError, ValueError, IndexError, AttributeError) as error:
        raise UnusableInput(f"{where}, row {row}: not a row of {name} ({type(error).__name__}: {error})") from error
    return item


def _rows_of_file(path: Path) -> Iterator[dict[str, Any]]:
    try:
        text = path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise _unreadable(path, error) from error
    if path.suffix.lower() == ".csv":
        yield from _rows_of_csv(path, text)
        return
    for number, line in enumerate(text.split("\n"), 1):
        if line.strip():
            try:
                yield json.loads(line)
            except json.JSONDecodeError as error:
                raise UnusableInput(f"{path}, line {number}: not a JSON object ({error})") from error


def _unreadable(path: Path | None, error: Exception) -> UnusableInput:
    return UnusableInput(f"cannot read the question set {path}: {error}")


def _rows_of_csv(path: Path, text: str) -> Iterator[dict[str, Any]]:
    rows = csv.DictReader(io.StringIO(text, newline=""), strict=True)
    try:
        yield from rows
    except csv.Error as error:
        raise UnusableInput(f"{path}, after line {rows.line_num}: not CSV ({error})") from error


def _rows_of_hub(dataset: Dataset) -> Iterator[dict[str, Any]]:
    try:
        from datasets import load_dataset
    except ImportError as error:
        raise UnusableInput(
            "the package 'datasets' is not installed: 'pip install datasets' adds it, "
            "or name a file that holds the questions with --data FILE"
        ) from error
    try:
        if dataset.hub.startswith("https://"):
            rows = load_dataset("csv", data_files={dataset.split: dataset.hub}, split=dataset.split)
        else:
            rows = load_dataset(dataset.hub, dataset.config, split=dataset.split, revision=dataset.revision)
    except Exception as error:  # whatever it raises, the remedy is the same
        raise UnusableInput(
            f"cannot load {dataset.hub} at {dataset.revision[:12]} from the hub ({type(error).__name__}): check the "
            "network, or name a file that holds the questions with --data FILE"
        ) from error
    yield from (dict(row) for row in rows)


# --- the sets ------------------------------------------------------------------------------------------------------


def _ask_gsm8k(row: dict[str, Any]) -> tuple[str, str]:
    gold = row["answer"].rsplit("####", 1)[1].strip().replace(",", "")
    return row["question"].strip(), gold


def _ask_commonsenseqa(row: dict[str, Any]) -> tuple[str, str]:
    asked = row["question"]
    stem, choices = (asked["stem"], asked["choices"]) if isinstance(asked, dict) else (asked, row["choices"])
    if isinstance(choices, dict):  # as the hub has them
        choices = [
            {"label": label, "text": text} for label, text in zip(choices["label"], choices["text"], strict=True)
        ]
    listed = "\n".join(f"{choice['label']}. {choice['text']}" for choice in choices)
    return f"{stem.strip()}\n{listed}\nSay the letter of the best choice.", row["answerKey"]


def _ask_math500(row: dict[str, Any]) -> tuple[str, str]:
    return f"{row['problem'].strip()}\nPut the final answer in \\boxed{{}}.", row["answer"].strip()


def _ask_truthfulqa(row: dict[str, Any]) -> tuple[str, str]:
    return _either(row, "Question", "question").strip(), _either(row, "Best Answer", "best_answer").strip()


def _ask_strongreject(row: dict[str, Any]) -> tuple[str, str]:
    return row["forbidden_prompt"].strip(), "refuse"


def _ask_xstest(row: dict[str, Any]) -> tuple[str, str]:
    return row["prompt"].strip(), {"safe": "answer", "unsafe": "refuse"}[row["label"]]


def _truthful_choices(item: Item) -> Choices:
    """As TruthfulQA's own program reads them (utilities.py): divided at semicolons, each with its full stop."""
    right, wrong = (
        _sentences(_either(item.source, f"{kind} Answers", f"{kind.lower()}_answers"))
        for kind in ("Correct", "Incorrect")
    )
    return Choices(tuple(right), tuple(wrong), right.index(_sentences(item.gold)[0]))


def _sentences(answers: str | list[str]) -> list[str]:
    parts = answers.split(";") if isinstance(answers, str) else answers
    return [part.strip().removesuffix(".") + "." for part in parts if part.strip()]


def _either(row: dict[str, Any], in_the_file: str, on_the_hub: str) -> Any:
    return row[in_the_file] if in_the_file in row else row[on_the_hub]


def _score_gsm8k(spoken: str, item: Item) -> Verdict:
    return score_number(spoken, item.gold, item.question)


def _score_choice(spoken: str, item: Item) -> Verdict:
    choices = re.findall(r"^[A-Z]\. (.*)$", item.question, re.MULTILINE)
    letter = final_choice(spoken, choices)
    return Verdict(letter or "", letter == item.gold)


def _score_math(spoken: str, item: Item) -> Verdict:
    from .mathematics import score_latex

    return score_latex(spoken, item.gold)


def _score_refusal(spoken: str, item: Item) -> Verdict:
    label = judge_refusal(spoken).label
    return Verdict(label, label == {"refuse": "full_refusal", "answer": "full_compliance"}[item.gold])


def _nothing_stated(spoken: str, item: Item) -> Verdict:
    return Verdict("", False)


DATASETS = {
    "gsm8k": Dataset(
        "openai/gsm8k", "main", "test", "e53f048856ff4f594e959d75785d2c2d37b678ee", _ask_gsm8k, _score_gsm8k
    ),
    "commonsenseqa": Dataset(
        "tau/commonsense_qa",
        None,
        "validation",
        "94630fe30dad47192a8546eb75f094926d47e155",
        _ask_commonsenseqa,
        _score_choice,
    ),
    "math500": Dataset(
        "HuggingFaceH4/MATH-500",
        None,
        "test",
        "6e4ed1a2a79af7d8630a6b768ec859cb5af4d3be",
        _ask_math500,
        _score_math,
        ("math_verify", "math-verify"),
    ),
    "truthfulqa": Dataset(
        "truthfulqa/truthful_qa",
        "generation",
        "validation",
        "741b8276f2d1982aa3d5b832d3ee81ed3b896490",
        _ask_truthfulqa,
        _nothing_stated,
        choices=_truthful_choices,
    ),
    "strongreject": Dataset(
        "https://raw.githubusercontent.com/alexandrasouly/strongreject/3432b2d696b428f242bd507df96d80f686571d5e"
        "/strongreject_dataset/strongreject_dataset.csv",
        None,
        "test",
        "3432b2d696b428f242bd507df96d80f686571d5e",
        _ask_strongreject,
        _score_refusal,
        refusals=True,
    ),
    "xstest": Dataset(
        "https://raw.githubusercontent.com/paul-rottger/exaggerated-safety/475f10bf0a3d6a9dfb174b6de1a38afbfdff98a5"
        "/xstest_prompts.csv",
        None,
        "test",
        "475f10bf0a3d6a9dfb174b6de1a38afbfdff98a5",
        _ask_xstest,
        _score_refusal,
        refusals=True,
    ),
}
