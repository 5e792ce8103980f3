"""The table of measures: values, counterparts, and a definition of each in the documents."""

from __future__ import annotations

from pathlib import Path

import pytest
from rich.console import Console

from voice_agent.replay.measures import MEASURES, in_words, measured, named, table_of
from voice_agent.replay.observation import Observation

DOCUMENT = (Path(__file__).resolve().parents[2] / "docs" / "measures.md").read_text(encoding="utf-8")


def two_occasions() -> Observation:
    observation = Observation(words=40, word_errors=3, invented_words=2)
    observation.shares["takeover"] = [True, True, True, False]
    observation.seconds["response"] = [1.0, 2.0, 3.0]
    return observation


def test_values() -> None:
    values = measured(two_occasions())
    assert values["takeover rate"] == {"value": 0.75, "of": 4}
    assert values["response latency"] == {"median": 2.0, "p95": 2.9, "of": 3}
    assert values["word error rate"] == {"value": 0.075, "of": 40}
    assert values["invented words"] == {"value": 2, "of": 40}


def test_what_never_happened_has_no_value() -> None:
    values = measured(Observation())
    assert values["stop latency"] == {"median": None, "p95": None, "of": 0}
    assert values["takeover rate"] == {"value": None, "of": 0}
    assert values["word error rate"] == {"value": None, "of": 0}
    assert in_words(named("takeover rate"), values["takeover rate"]) == "-"


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("takeover rate", "75.0 %"),
        ("response latency", "2.00 s (p95 2.90 s)"),
        ("word error rate", "7.5 %"),
        ("invented words", "2 words"),
    ],
)
def test_in_words(name: str, words: str) -> None:
    assert in_words(named(name), measured(two_occasions())[name]) == words


def test_what_a_silent_assistant_would_win_stands_beside_what_it_would_lose() -> None:
    silent = Observation()
    silent.shares["takeover"] = silent.shares["goes on after noise"] = [False]
    silent.shares["cut off"] = silent.shares["uninvited"] = [False]
    silent.shares["stop obeyed"] = [True]
    values = measured(silent)
    assert values["takeover rate"]["value"] == 0.0
    for name in ("stop latency", "spoke uninvited", "every word once"):
        assert named(name).counterpart == "takeover rate"
    assert values["stops obeyed"]["value"] == 1.0
    assert named("stops obeyed").counterpart == "back-channel handling"
    assert values["dead air"]["median"] is None
    assert named("false cut-offs").counterpart == "dead air"


@pytest.mark.parametrize("measure", MEASURES, ids=lambda measure: measure.name)
def test_every_measure_is_defined_in_the_documents_and_has_a_counterpart(measure: object) -> None:
    (found,) = [one for one in MEASURES if one == measure]
    assert f"| **{found.name}** |" in DOCUMENT
    assert named(found.counterpart) != found


def test_the_table_shows_both() -> None:
    console = Console(width=140, record=True)
    console.print(table_of(measured(two_occasions())))
    row = next(row for row in console.export_text().splitlines() if "response latency" in row)
    assert "2.00 s" in row
    assert "false cut-offs" in row
