"""The experiment on words for others: its table, with a model that cannot tell."""

from __future__ import annotations

import dataclasses

import pytest

from tests.evaluation.test_scripts import run
from voice_agent.addressee import is_for_others
from voice_agent.evaluation import overlaps
from voice_agent.evaluation.overlap_sentences import FOR_OTHERS, GROUPS, SITUATIONS
from voice_agent.evaluation.overlaps import GAIN, QUESTIONS, Told, areas_table, counts_table, judged
from voice_agent.settings import Floor


def test_no_saying_is_lost_by_the_rules_and_half_of_the_others_are_known() -> None:
    assert not [
        text for _, situations, _ in GROUPS for s in situations for text in s.sayings if is_for_others(text, s.spoken)
    ]
    for situation in SITUATIONS:
        assert sum(is_for_others(text, situation.spoken) for text in FOR_OTHERS) >= len(FOR_OTHERS) / 2


def test_nothing_that_is_held_out_was_seen_before() -> None:
    texts = [[*others, *(text for s in group for text in (s.question, *s.sayings))] for _, group, others in GROUPS]
    assert len(set().union(*texts)) == sum(map(len, texts))


def test_areas_go_by_situation() -> None:
    a, b = SITUATIONS
    told = [
        Told(where, "", meant, "seen", {"good": good, "bad": 0.5})
        for where, meant, good in ((a, True, 0.9), (a, False, 0.1), (b, True, 0.1), (b, False, 0.9))
    ]
    columns = [list(column.cells) for column in areas_table(told).columns]
    assert columns == [[a.name, b.name], ["seen", "seen"], ["1", "1"], ["1", "1"], ["1.00", "0.00"], ["0.50", "0.50"]]


FLOOR = Floor(not_to_me_below=0.0)


@pytest.mark.parametrize(
    ("text", "gain", "expected"),
    [
        ("My mother is visiting on Sunday.", -0.5, ("not-to-me", True)),
        ("My mother is visiting on Sunday.", 0.5, ("correction", True)),
        ("Can you say that more slowly?", -0.5, ("not-to-me", True)),
        ("No, it was fifty minutes.", -0.5, ("correction", False)),
        ("Lunch is ready, everyone!", 0.5, ("not-to-me", False)),
    ],
)
def test_the_floor_judges(text: str, gain: float, expected: tuple[str, bool]) -> None:
    assert judged(Told(SITUATIONS[0], text, True, "seen", {GAIN: gain}), FLOOR) == expected


def test_sentences_are_counted_by_rules_and_by_what_the_floor_asks_for() -> None:
    told = [
        Told(SITUATIONS[0], text, meant, "seen", {GAIN: gain})
        for text, meant, gain in (
            ("Lunch is ready, everyone!", False, 1.0),
            ("My mother is visiting on Sunday.", False, -1.0),
            ("Can you say that more slowly?", True, -1.0),
            ("No, it was fifty minutes.", True, -1.0),
        )
    ]
    rows = list(zip(*(column.cells for column in counts_table(told, FLOOR).columns), strict=True))
    assert rows[0] == ("rules", "seen", "1 of 2", "0 of 2", "0", "0")
    assert rows[1] == ("rules and gain below 0", "seen", "2 of 2", "1 of 2", "1", "1")


def test_the_script_asks_a_model_and_prints_its_table(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("COLUMNS", "200")
    short = [dataclasses.replace(s, sayings=s.sayings[:1]) for s in SITUATIONS]
    monkeypatch.setattr(overlaps, "GROUPS", [("seen", short, FOR_OTHERS[:1])])
    assert run(monkeypatch, "check_overlaps", "--profile", "tiny") == 0
    shown = capsys.readouterr().out
    assert all(name in shown for name in (*QUESTIONS, GAIN))
    assert "rules seen 2 of 2 0 of 2 0 0" in " ".join(shown.split())
