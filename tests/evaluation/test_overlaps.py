"""The experiment on words for others: its table, with a model that cannot tell."""

from __future__ import annotations

import dataclasses

import pytest

from tests.evaluation.test_scripts import run
from voice_agent.addressee import is_for_others
from voice_agent.evaluation import overlaps
from voice_agent.evaluation.overlaps import FOR_OTHERS, GAIN, QUESTIONS, SITUATIONS, Told, areas_table


def test_no_saying_is_lost_by_the_rules_and_half_of_the_others_are_known() -> None:
    assert not [text for s in SITUATIONS for text in s.sayings if is_for_others(text, s.spoken)]
    for situation in SITUATIONS:
        assert sum(is_for_others(text, situation.spoken) for text in FOR_OTHERS) >= len(FOR_OTHERS) / 2


def test_areas_go_by_situation() -> None:
    told = [
        Told(where, "", meant, False, {"good": good, "bad": 0.5})
        for where, meant, good in (("a", True, 0.9), ("a", False, 0.1), ("b", True, 0.1), ("b", False, 0.9))
    ]
    columns = [list(column.cells) for column in areas_table(told).columns]
    assert columns == [["a", "b"], ["1", "1"], ["1", "1"], ["1.00", "0.00"], ["0.50", "0.50"]]


def test_the_script_asks_a_model_and_prints_its_table(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("COLUMNS", "200")
    monkeypatch.setattr(overlaps, "FOR_OTHERS", FOR_OTHERS[:1])
    monkeypatch.setattr(overlaps, "SITUATIONS", [dataclasses.replace(s, sayings=s.sayings[:1]) for s in SITUATIONS])
    assert run(monkeypatch, "check_overlaps", "--profile", "tiny") == 0
    shown = capsys.readouterr().out
    assert all(name in shown for name in (*QUESTIONS, GAIN))
    assert "by rules: 2 of 2 sentences for others are known as such, 0 of 2 that were meant are lost" in shown
