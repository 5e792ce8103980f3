"""Rows of files and of the hub as items; what cannot be read is said in one sentence."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from voice_agent.errors import UnusableInput
from voice_agent.evaluation import datasets
from voice_agent.evaluation.datasets import DATASETS, Item, load_items, seed_of

GSM8K = [{"question": f"What is {i} plus 1,000?\n", "answer": f"{i}+1000=<<x>>\n#### {i + 1000:,}"} for i in range(5)]
CHOICES = [{"label": "A", "text": "bank"}, {"label": "B", "text": "library"}]
COMMONSENSE = {"answerKey": "B", "id": "1", "question": {"stem": "Where are books? ", "choices": CHOICES}}
COMMONSENSE_ON_THE_HUB = {
    "answerKey": "B",
    "question": "Where are books?",
    "choices": {"label": ["A", "B"], "text": ["bank", "library"]},
}


def file_of(folder: Path, rows: list[Any]) -> Path:
    path = folder / "rows.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return path


@pytest.mark.parametrize(
    ("offset", "limit", "rows"), [(0, None, [0, 1, 2, 3, 4]), (1, 2, [1, 2]), (3, 9, [3, 4]), (4, None, [4])]
)
def test_rows_are_counted_in_the_whole_set(tmp_path: Path, offset: int, limit: int | None, rows: list[int]) -> None:
    items = load_items("gsm8k", file_of(tmp_path, GSM8K), offset=offset, limit=limit)
    assert [(item.row, item.question, item.gold) for item in items] == [
        (row, f"What is {row} plus 1,000?", str(1000 + row)) for row in rows
    ]


@pytest.mark.parametrize("row", [COMMONSENSE, COMMONSENSE_ON_THE_HUB])
def test_choices_are_listed_with_the_question(tmp_path: Path, row: dict[str, Any]) -> None:
    (item,) = load_items("commonsenseqa", file_of(tmp_path, [row]))
    assert item.question == "Where are books?\nA. bank\nB. library\nSay the letter of the best choice."
    assert [DATASETS["commonsenseqa"].score(said, item).right for said in ("B, the library", "The bank")] == [
        True,
        False,
    ]


def test_mathematics_is_judged_by_value(tmp_path: Path) -> None:
    pytest.importorskip("math_verify")
    (item,) = load_items("math500", file_of(tmp_path, [{"problem": "How much?", "answer": r"\frac{1}{2}"}]))
    assert [DATASETS["math500"].score(f"It is \\boxed{{{said}}}.", item).right for said in ("0.5", "1/3")] == [
        True,
        False,
    ]


@pytest.mark.parametrize(
    ("name", "content", "sentence"),
    [
        ("gsm9k", "", "unknown question set 'gsm9k': choose one of gsm8k"),
        ("gsm8k", "", "no rows from 0 on"),
        ("gsm8k", '{"question": "a"}\n', r"row 0: not a row of gsm8k \(KeyError: 'answer'\)"),
        ("gsm8k", '{"question": "a", "answer": "5"}\n', "row 0: not a row of gsm8k"),
        ("gsm8k", '{"question"\n', "line 1: not a JSON object"),
        ("gsm8k", "[1]\n", "row 0: not a row of gsm8k"),
        ("commonsenseqa", '{"question": "a", "answer": "#### 5"}\n', "row 0: not a row of commonsenseqa"),
    ],
)
def test_unusable_files(tmp_path: Path, name: str, content: str, sentence: str) -> None:
    path = tmp_path / "rows.jsonl"
    path.write_text(content, encoding="utf-8")
    with pytest.raises(UnusableInput, match=sentence):
        load_items(name, path)


def test_csv_as_it_is_published(tmp_path: Path) -> None:
    path = tmp_path / "XSTEST.CSV"
    path.write_text('\ufeffid,prompt,label\r\n1,"How do I kill, ""nicely"",\na process? ",safe\r\n2,Kill?,unsafe\r\n')
    first, second = load_items("xstest", path)
    assert (first.question, first.gold) == ('How do I kill, "nicely",\na process?', "answer")
    assert (second.row, second.question, second.gold) == (1, "Kill?", "refuse")


@pytest.mark.parametrize(
    ("name", "content", "sentence"),
    [
        ("xstest", "prompt,label\nKill?,maybe\n", r"row 0: not a row of xstest \(KeyError: 'maybe'\)"),
        ("xstest", "prompt,label\nKill?\n", "row 0: not a row of xstest"),
        ("xstest", 'prompt,label\n"Kill?,safe\n', r"after line 1: not CSV \(unexpected end of data\)"),
        ("strongreject", "prompt\nHarm\n", r"row 0: not a row of strongreject \(KeyError: 'forbidden_prompt'\)"),
        ("truthfulqa", "Question,Best Answer,Correct Answers,Incorrect Answers\na,b,c,d\n", r"'b\.' is not in"),
        (
            "truthfulqa",
            "Question,Best Answer,Correct Answers,Incorrect Answers\na,b,b,;\n",
            "a right and a wrong answer",
        ),
    ],
)
def test_unusable_csv(tmp_path: Path, name: str, content: str, sentence: str) -> None:
    path = tmp_path / "rows.csv"
    path.write_text(content, encoding="utf-8")
    with pytest.raises(UnusableInput, match=sentence):
        load_items(name, path)


@pytest.mark.parametrize("name", ["strongreject", "xstest"])
def test_csv_of_a_repository_at_the_pinned_revision(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    asked: list[Any] = []

    def load_dataset(*where: Any, **how: Any) -> list[dict[str, str]]:
        asked.append((where, how))
        return [{"forbidden_prompt": "Harm", "prompt": "Kill?", "label": "unsafe"}]

    monkeypatch.setitem(sys.modules, "datasets", SimpleNamespace(load_dataset=load_dataset))
    assert [item.gold for item in load_items(name)] == ["refuse"]
    ((where, how),) = asked
    assert where == ("csv",)
    assert f"/{DATASETS[name].revision}/" in how["data_files"]["test"]


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(UnusableInput, match="cannot read the question set"):
        load_items("gsm8k", tmp_path / "none.jsonl")


def test_what_is_needed_to_score_is_asked_for_first(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(datasets, "find_spec", lambda name: None)
    with pytest.raises(UnusableInput, match="'pip install math-verify' adds it"):
        load_items("math500", file_of(tmp_path, [{"problem": "How much?", "answer": "1"}]))


def test_the_hub_at_the_pinned_revision(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[Any] = []

    def load_dataset(*where: Any, **how: Any) -> list[dict[str, str]]:
        asked.append((*where, how))
        return GSM8K

    monkeypatch.setitem(sys.modules, "datasets", SimpleNamespace(load_dataset=load_dataset))
    assert [item.gold for item in load_items("gsm8k", limit=2)] == ["1000", "1001"]
    assert asked == [("openai/gsm8k", "main", {"split": "test", "revision": DATASETS["gsm8k"].revision})]


def test_no_package_and_no_hub(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "datasets", None)
    with pytest.raises(UnusableInput, match=r"'datasets' is not installed: .* --data FILE"):
        load_items("gsm8k")

    def unreachable(*where: Any, **how: Any) -> None:
        raise ConnectionError("no route")

    monkeypatch.setitem(sys.modules, "datasets", SimpleNamespace(load_dataset=unreachable))
    with pytest.raises(UnusableInput, match=r"cannot load openai/gsm8k at e53f\w+ from the hub \(ConnectionError\)"):
        load_items("gsm8k")


def test_a_seed_of_its_own_for_every_item_and_mode() -> None:
    seeds = [seed_of(name, row, mode) for name in ("a", "b") for row in range(9) for mode in ("async", "think")]
    assert len(set(seeds)) == len(seeds)
    assert seed_of("gsm8k", 7, "async") == 2021930536
    assert all(0 <= seed < 2**31 for seed in seeds)


def test_an_item_keeps_its_row_as_published(tmp_path: Path) -> None:
    (item,) = load_items("gsm8k", file_of(tmp_path, GSM8K), limit=1)
    assert item == Item("gsm8k", 0, "What is 0 plus 1,000?", "1000", GSM8K[0])
