"""Spoken questions and spoken corrections with the tiny profile: the words do not matter, what is kept of them does."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.evaluation.report.lines import spoken_line
from tests.evaluation.test_alterations import PEN, PEN_SOLUTION
from tests.whole_conversation import SHORT
from voice_agent.errors import UnusableInput
from voice_agent.evaluation.interruptions import placements_of, points_of, run_spoken_interruptions, words_of
from voice_agent.evaluation.report.timeline import LANES
from voice_agent.evaluation.spoken import Condition, run_spoken
from voice_agent.evaluation.spoken_table import failure_kind, misheard, spoken_figures
from voice_agent.replay.scenario import load_scenario


@pytest.fixture
def questions(tmp_path: Path) -> Path:
    pytest.importorskip("hibari", reason="the fixture voice is not installed (extra 'fixtures')")
    path = tmp_path / "rows.jsonl"
    path.write_text(json.dumps({"question": "How much is 20 plus 30?", "answer": "#### 50"}) + "\n", encoding="utf-8")
    return path


def kept(path: Path) -> dict[str, dict[str, Any]]:
    return {line["key"]: line for line in map(json.loads, path.read_text(encoding="utf-8").splitlines()[1:])}


def test_a_question_as_text_clean_and_in_noise(
    questions: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    def run(*conditions: str) -> dict[str, dict[str, Any]]:
        run_spoken(
            settings=SHORT,
            out=tmp_path / "out",
            data=questions,
            offset=0,
            limit=1,
            modes=["async"],
            conditions=[Condition.parse(name) for name in conditions],
            at_once=1,
            seed=0,
        )
        return kept(tmp_path / "out" / "spoken.jsonl")

    first = run("clean")
    lines = run("clean", "10")
    assert list(lines) == [f"gsm8k 0 async {condition}" for condition in ("text", "clean", "10 dB")]
    assert {key: lines[key] for key in first} == first  # nothing is done twice
    for condition in ("clean", "10 dB"):
        line = lines[f"gsm8k 0 async {condition}"]
        assert line["word_errors"] < 0.5 * line["words"]
        assert not line["cut_off"]
        assert line["first_audible_s"] > 0
        assert {stretch[0] for stretch in line["timeline"]} == set(LANES)
        scenario = load_scenario(tmp_path / "out" / "scenarios" / line["scenario"])
        assert scenario.user[0].say == "How much is 20 plus 30?"
        assert (scenario.noise is not None) == (condition == "10 dB")
    assert lines["gsm8k 0 async clean"]["numbers_missed"] == []
    assert "async, 10 dB" in capsys.readouterr().out


def test_a_correction_that_is_said(questions: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    questions.write_text(json.dumps({"question": PEN, "answer": PEN_SOLUTION}) + "\n", encoding="utf-8")
    out = tmp_path / "out"
    run_spoken_interruptions(settings=SHORT, out=out, data=questions, offset=0, rows=1, items=1, points=[30], seed=0)
    lines = kept(out / "interruptions.jsonl")
    assert list(lines) == ["0 plain", "0 altered", "0 correction, spoken, 30%"]
    line = lines["0 correction, spoken, 30%"]
    times_s = lines["0 plain"]["thought_times_s"]
    assert line["begins_s"] == times_s[round(0.3 * len(times_s)) - 1]
    assert len(line["recognised"].split()) > len(lines["0 plain"]["recognised"].split())
    assert "spoken" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("line", "text", "kind"),
    [
        (spoken_line(1, "clean"), True, None),
        (spoken_line(1, "text", False), False, "reasoning"),
        (spoken_line(1, "clean", False), True, "voice"),
        (spoken_line(1, "clean", False), False, "reasoning"),
        (spoken_line(1, "clean", False, numbers_missed=["15"], numbers_invented=["50"]), True, "recognition"),
        (spoken_line(1, "clean", False, numbers_missed=["15"]), False, "recognition"),
        (spoken_line(1, "clean", False, numbers_missed=["15"], cut_off=True), True, "turn cut off"),
        (spoken_line(1, "clean", False, cut_off=True), True, "turn cut off"),
    ],
)
def test_failures_by_kind(line: dict[str, Any], text: bool, kind: str | None) -> None:
    assert failure_kind(line, spoken_line(1, "text", text)) == kind


def test_numbers_that_were_misheard() -> None:
    assert misheard("He has 15 of 20 cats.", "He has fifty of twenty cats.") == (["15"], ["50"])
    assert misheard("It costs $2.50.", "It costs two dollars and 50 cents.") == ([], [])


def test_voice_is_compared_with_text_row_by_row() -> None:
    lines = [spoken_line(row, "text", row < 2) for row in range(4)]
    lines += [spoken_line(row, "clean", row == 0, word_errors=1) for row in range(4)]
    f = spoken_figures(lines, "async", "clean")
    assert f.of_text is not None
    assert (f.items, f.right.mean, f.of_text.mean, f.word_error_rate) == (4, 0.25, 0.5, 0.05)
    assert f.failures == {"reasoning": 2, "voice": 1}
    assert spoken_figures(lines, "async", "text").of_text is None


@pytest.mark.parametrize(
    ("parse", "text", "sentence"),
    [
        (Condition.parse, "loud", "unknown condition 'loud'"),
        (placements_of, "inline; inside", "unknown placement 'inside': choose among inline;"),
        (words_of, "joke", "unknown words 'joke': choose among correction, remark, hurry"),
        (points_of, "10,100", "--points '10,100': give percentages"),
    ],
)
def test_bad_words(parse: Any, text: str, sentence: str) -> None:
    with pytest.raises(UnusableInput, match=sentence):
        parse(text)
    assert Condition.parse("10") == Condition.parse("10 dB") == Condition("10 dB", 10.0)
