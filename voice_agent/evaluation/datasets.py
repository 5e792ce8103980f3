"""Question sets: rows of a file or of the hub in, items out.

    load_items("gsm8k", data=FILE, offset=100, limit=50) -> rows 100-149 as Items

A file holds one JSON object a line, as the set is published. Without a file the set comes through the `datasets`
package at the revision that the table names. Adding a set is a function that reads a row, and a row of the table.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from importlib.util import find_spec
from itertools import islice
from pathlib import Path
from typing import Any

from ..errors import UnusableInput
from .scoring import Verdict, final_choice, score_number


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
    """Where a set lies on the hub, how a row of it is asked, and how an answer is scored."""

    hub: str
    config: str | None
    split: str
    revision: str
    ask: Callable[[dict[str, Any]], tuple[str, str]]  # row -> question, gold
    score: Callable[[str, Item], Verdict]  # spoken words, item
    scorer: tuple[str, str] | None = None  # module and package that `score` needs


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
    """Of the questions: the file's sha256, or the hub's revision."""
    return hashlib.sha256(data.read_bytes()).hexdigest() if data else DATASETS[dataset].revision


def _item(name: str, row: int, source: dict[str, Any], where: str) -> Item:
    try:
        question, gold = DATASETS[name].ask(source)
    except (KeyError, TypeError, ValueError, IndexError, AttributeError) as error:
        raise UnusableInput(f"{where}, row {row}: not a row of {name} ({type(error).__name__}: {error})") from error
    return Item(name, row, question, gold, source)


def _rows_of_file(path: Path) -> Iterator[dict[str, Any]]:
    try:
        lines = path.read_text(encoding="utf-8").split("\n")
    except (OSError, UnicodeDecodeError) as error:
        raise UnusableInput(f"cannot read the question set {path}: {error}") from error
    for number, line in enumerate(lines, 1):
        if line.strip():
            try:
                yield json.loads(line)
            except json.JSONDecodeError as error:
                raise UnusableInput(f"{path}, line {number}: not a JSON object ({error})") from error


def _rows_of_hub(dataset: Dataset) -> Iterator[dict[str, Any]]:
    try:
        from datasets import load_dataset
    except ImportError as error:
        raise UnusableInput(
            "the package 'datasets' is not installed: 'pip install datasets' adds it, "
            "or name a file that holds the questions with --data FILE"
        ) from error
    try:
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


def _score_gsm8k(spoken: str, item: Item) -> Verdict:
    return score_number(spoken, item.gold, item.question)


def _score_choice(spoken: str, item: Item) -> Verdict:
    choices = re.findall(r"^[A-Z]\. (.*)$", item.question, re.MULTILINE)
    letter = final_choice(spoken, choices)
    return Verdict(letter or "", letter == item.gold)


def _score_math(spoken: str, item: Item) -> Verdict:
    from .mathematics import score_latex

    return score_latex(spoken, item.gold)


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
}
