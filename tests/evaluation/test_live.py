"""The real-time figures: scenarios that replay would take, first grounded clauses, figures beside their targets."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml
from rich.console import Console

from voice_agent.bench.first_words import first_grounded
from voice_agent.evaluation.live_figures import Figure, figures_of, in_unit, table_of
from voice_agent.evaluation.live_scripts import QUESTIONS, scenarios
from voice_agent.evaluation.suite import make_suite
from voice_agent.record.sound_levels import Levels
from voice_agent.record.trace import TraceLine
from voice_agent.replay.scenario import load_scenario

RATE_HZ = 1000


def tone(speaker: str, text: str) -> np.ndarray:
    return np.full(1600, 0.1, np.float32)


@pytest.mark.parametrize(("minutes", "times", "made"), [(0.0, 1.0, 62), (10.0, 0.1, 7), (0.5, 2.0, 105)])
def test_every_scenario_can_be_played(minutes: float, times: float, made: int, tmp_path: Path) -> None:
    table = tmp_path / "table.yml"
    table.write_text(yaml.safe_dump({"scenarios": scenarios(minutes, times)}))
    suite = make_suite(table, tmp_path, tone, lambda speaker: None)
    assert len(suite.made) == made
    assert not suite.skipped
    if minutes:
        (long,) = (load_scenario(path) for path in suite.made if path.stem.startswith("long"))
        assert long.lasts_s == 60 * minutes
        assert len(long.user) > 12 * minutes, "more than there is time for"


def test_questions_differ() -> None:
    assert len(QUESTIONS) == len(set(QUESTIONS)) == 20


# --- the first grounded clause ---------------------------------------------------------------------------------------


def traced(t: float, kind: str, text: str) -> TraceLine:
    return TraceLine(t, kind, {"text": text, "reply": 1, "source": "model"})


def played(*loud: tuple[float, float]) -> Levels:
    """Sound of 10 s that is loud within these times."""
    samples = np.zeros(10 * RATE_HZ, np.float32)
    for start_s, end_s in loud:
        samples[round(start_s * RATE_HZ) : round(end_s * RATE_HZ)] = 0.2
    return Levels(samples, RATE_HZ)


ANSWER = (
    traced(3.2, "thought", " divide 60 by the hours"),
    traced(3.3, "clause", "Okay, let me see."),
    traced(3.6, "clause", " I divide the distance"),
    traced(4.2, "sounded", "Okay, let"),
    traced(4.6, "sounded", " me see."),
    traced(5.1, "sounded", " I"),
    traced(5.5, "sounded", " divide"),
)


@pytest.mark.parametrize(
    ("lines", "clause", "clause_s", "word_s"),
    [
        (ANSWER, "I divide the distance", 2.0, 2.5),  # the second clause: the first fits any question
        (ANSWER[1:], "", None, None),  # nothing was thought that it could be about
        (ANSWER[:3], "", None, None),  # cut before it sounded
        ((traced(3.2, "clause", "How fast the train is"), traced(4.0, "sounded", "How fast")), "How fast the train is",
         0.5, 1.0),
    ],
)  # fmt: skip
def test_the_first_clause_that_is_about_the_question(
    lines: tuple[TraceLine, ...], clause: str, clause_s: float | None, word_s: float | None
) -> None:
    levels = played((2.5, 3.5), (4.0, 4.5))  # of a recording that began a second after the clock
    first = first_grounded(lines, "How fast is it?", levels, origin_s=1.0, user_end_s=3.0)
    assert first == {"clause": clause, "clause_s": clause_s, "word_s": word_s}


# --- the figures -----------------------------------------------------------------------------------------------------


def line(kind: str, **changed: Any) -> dict[str, Any]:
    values: dict[str, Any] = {
        "kind": kind,
        "first_audio_s": 1.5,
        "first_grounded": {"clause": "It is 80", "clause_s": 1.5, "word_s": 1.9},
        "shares": {},
        "seconds": {},
        "words": 10,
        "word_errors": 0,
        "invented_words": 0,
        "underruns": 0,
        "dropped_frames": 0,
        "not_asked": 0,
        "lag": [[float(at), 0.5] for at in range(9)],
        "step_ms": 40.0,
        "failure": None,
        "resident_mb": [1000.0, 1010.0],
    }
    return {**values, **changed}


def by_name(figures: list[Figure]) -> dict[str, Figure]:
    return {figure.name: figure for figure in figures}


def test_a_run_that_meets_its_targets() -> None:
    lines = [
        line("question", seconds={"dead air": [0.4]}),
        line("stop", shares={"stop obeyed": [True]}, seconds={"stop": [0.2]}),
        line("correction", seconds={"stop": [0.1], "taken in": [1.0]}),
        line("alarm", shares={name: [True] for name in ("goes on after noise", "resumes after noise")}),
        line("long", shares={"takeover": [True]}),
    ]
    figures = figures_of(lines)
    assert {figure.met for figure in figures} == {True, None}
    assert by_name(figures)["long: memory gained"].value == 10.0
    assert by_name(figures)["user onset -> silence, median"].value == pytest.approx(0.15)


@pytest.mark.parametrize(
    ("lines", "missed"),
    [
        ([line("question", first_grounded={"clause": "", "clause_s": None, "word_s": None})], "questions without"),
        ([line("question", first_grounded={"clause": "x", "clause_s": 1.9, "word_s": 2.0})], "end of question"),
        ([line("stop", seconds={"stop": [0.1] * 9 + [0.9]})], "user onset -> silence, p95"),
        ([line("stop", shares={"stop obeyed": [True] * 9 + [False]})], "stop words obeyed"),
        ([line("alarm", shares={"goes on after noise": [True, False]})], "back-channels and noises"),
        ([line("alarm", shares={"resumes after noise": [True] * 99 + [False]})], "resumed after them"),
        ([line("question", underruns=1)], "underruns"),
        ([line("question", failure="the voice broke")], "conversations that broke off"),
        ([line("long", lag=[[float(at), 0.5 + 0.1 * at] for at in range(9)])], "long: lag of the last third over"),
        ([line("long", shares={"takeover": [True, False]})], "long: questions answered"),
        ([line("long", dropped_frames=1)], "long: microphone frames"),
    ],
)
def test_what_a_target_catches(lines: list[dict[str, Any]], missed: str) -> None:
    (caught,) = [figure.name for figure in figures_of(lines) if figure.met is False]
    assert caught.startswith(missed)


def test_the_table() -> None:
    console = Console(width=140, record=True)
    console.print(table_of(figures_of([line("question")])))
    shown = console.export_text()
    assert "<= 1.80 s" in shown
    assert "NO" not in shown


@pytest.mark.parametrize(
    ("value", "unit", "shown"),
    [(None, "s", ""), (0.25, "s", "0.25 s"), (0.95, "%", "95.0 %"), (3, "", "3"), (1.05, "", "1.05")],
)
def test_units(value: float | None, unit: str, shown: str) -> None:
    assert in_unit(value, unit) == shown
