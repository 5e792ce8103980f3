"""The injection experiment on a random model, and its table."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from tests.evaluation.test_alterations import PEN, PEN_SOLUTION
from tests.evaluation.tiny_subject import TINY, load_tiny
from voice_agent.errors import UnusableInput
from voice_agent.evaluation.injection import PLACEMENTS, load_cases, placed, run_injection
from voice_agent.evaluation.injection_table import placed_figures, solvable
from voice_agent.evaluation.subject import Subject
from voice_agent.settings import Settings

ROWS = [
    {"question": "He has 8 cats.", "answer": "#### 8"},  # cannot be altered
    {"question": PEN, "answer": PEN_SOLUTION},
    {"question": PEN.replace("Ann", "Bob"), "answer": PEN_SOLUTION},
]


@pytest.fixture
def questions(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(Subject, "load", classmethod(load_tiny))
    path = tmp_path / "rows.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in ROWS), encoding="utf-8")
    return path


def compare(questions: Path, out: Path, settings: Settings = TINY, **options: Any) -> dict[str, dict[str, Any]]:
    known: dict[str, Any] = {"offset": 0, "rows": 9, "items": 1, "points": [30, 90], "at_once": 1, "seed": 0}
    known |= {"placements": ["inline", "before"]}
    run_injection(settings=settings, out=out, data=questions, **(known | options))
    lines = (out / "injection.jsonl").read_text(encoding="utf-8").split("\n")[1:-1]
    return {line["key"]: line for line in map(json.loads, lines)}


def test_rows_that_can_be_altered_become_cases(questions: Path) -> None:
    assert [case.row for case in load_cases(questions, 0, 9, 5)] == [1, 2]
    assert [case.row for case in load_cases(questions, 0, 9, 1)] == [1]
    assert load_cases(questions, 1, 1, 5) == load_cases(questions, 0, 9, 1)
    with pytest.raises(UnusableInput, match="none of the rows 0 to 0 can be altered"):
        load_cases(questions, 0, 1, 5)


def test_a_line_for_every_placement_and_moment(
    questions: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    lines = compare(questions, tmp_path / "out")
    words = [
        f"{what}, {p}, {point}%"
        for what in ("correction", "remark")
        for p in ("inline", "before")
        for point in (30, 90)
    ]
    assert set(lines) == {f"1 {what}" for what in ("plain", "altered", *words)}
    plain = lines["1 plain"]
    for what in words:
        line = lines[f"1 {what}"]
        kept = round(line["point"] / 100 * plain["thought_pieces"]) - 1
        assert line["thoughts"][:kept] == plain["thoughts"][:kept]
        if line["what"] == "correction":  # a remark beside the matter is only read
            assert line["thoughts"] != plain["thoughts"]
        assert line["injected_step"] is not None
    assert "1 questions; asked outright: altered 0.0%" in capsys.readouterr().out


def test_it_goes_on_whatever_the_settings_say_about_placement(questions: Path, tmp_path: Path) -> None:
    few: dict[str, Any] = {"points": [60], "placements": ["inline", "both, verified"]}
    whole = compare(questions, tmp_path / "whole", items=2, **few)
    compare(questions, tmp_path / "parts", points=[60], placements=["inline"])
    both = replace(TINY, reasoning=replace(TINY.reasoning, injection="both"))
    assert compare(questions, tmp_path / "parts", settings=both, items=2, **few) == whole


def test_placements_are_settings() -> None:
    assert [(s.injection, s.injection_reminder) for s in (placed(TINY.reasoning, name) for name in PLACEMENTS)] == [
        (injection, reminder) for reminder in (False, True) for injection in ("inline", "before", "both")
    ]


def line(row: int, what: str, point: int = 30, **values: Any) -> dict[str, Any]:
    known = {"right": False, "stale": False, "changed": False, "stated": "5", "placement": "inline", "point": point}
    known |= {"steps_to_reflect": None, "thoughts_to_reflect": None, "thought_pieces": 200, "thoughts": "one two"}
    return {"row": row, "what": what, **known, **values}


def test_corrections_count_where_the_altered_question_is_solved() -> None:
    lines = [
        line(1, "altered", right=True),
        line(2, "altered", right=True),
        line(3, "altered", right=False),
        line(1, "plain"),
        line(2, "plain", stated=""),
        line(1, "correction", right=True, steps_to_reflect=20, thoughts_to_reflect=12),
        line(1, "correction", 60, stale=True, steps_to_reflect=40),
        line(2, "correction", right=True),
        line(3, "correction", right=True),
        line(1, "remark", changed=True),
        line(1, "remark", 60),
        line(2, "remark", changed=True),
        line(1, "correction", placement="before", right=True),
    ]
    assert solvable(lines) == {1, 2}
    at_30 = placed_figures(lines, "inline", [30])
    assert (at_30.items, at_30.right.mean, at_30.stale.mean) == (2, 1.0, 0.0)
    assert (at_30.steps_to_reflect, at_30.thoughts_to_reflect) == (20, 12)
    assert at_30.changed_by_remark.mean == 1.0
    anywhere = placed_figures(lines, "inline", [30, 60])
    assert (anywhere.items, anywhere.steps_to_reflect) == (3, 30)
    assert anywhere.stale.mean == pytest.approx(1 / 3)
    assert anywhere.changed_by_remark.mean == 0.5
