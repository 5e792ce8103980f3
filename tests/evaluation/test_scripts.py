"""scripts/compare_injection and scripts/calibrate_gate on a random model; bad words are one sentence and status 2."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from tests.evaluation.test_alterations import PEN, PEN_SOLUTION
from tests.evaluation.tiny_subject import load_tiny
from tests.script_module import script_module
from voice_agent.evaluation.subject import Subject
from voice_agent.model_store.calibration import CALIBRATION_PATH


def run(monkeypatch: pytest.MonkeyPatch, name: str, *words: str) -> int:
    """Exit status of a script, in this process, with a random model in the place of the profile's."""
    monkeypatch.setattr(sys, "argv", [name, *words])
    monkeypatch.setattr(Subject, "load", classmethod(load_tiny))
    return int(script_module(name).main())


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (("compare_injection", "--placements", "inline; inside"), "unknown placement 'inside': choose among inline;"),
        (("compare_injection", "--points", "10,100"), "--points '10,100': give percentages from 1 to 99"),
        (("compare_injection", "--points", "ten"), "--points 'ten': give percentages"),
        (("compare_injection", "--words", "joke"), "unknown words 'joke': choose among correction, remark"),
        (("compare_injection", "--data", "/nowhere"), "cannot read the question set /nowhere"),
        (("calibrate_gate", "--data", "/nowhere"), "cannot read the question set /nowhere"),
        (("calibrate_gate", "--profile", "huge"), "unknown profile 'huge'"),
        (("check_openings", "--data", "/nowhere"), "cannot read the question set /nowhere"),
        (("check_pauses", "--data", "/nowhere"), "cannot read the question set /nowhere"),
        (("check_pauses", "--pauses", "long"), "--pauses 'long': give numbers of thought tokens"),
    ],
)
def test_bad_words(
    words: tuple[str, ...],
    sentence: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    profile = () if "--profile" in words else ("--profile", "tiny")
    assert run(monkeypatch, words[0], "--out", str(tmp_path), *profile, *words[1:]) == 2
    shown = capsys.readouterr().err
    assert shown.startswith(f"{words[0]}: {sentence}")
    assert len(shown.splitlines()) == 1


@pytest.fixture
def questions(tmp_path: Path) -> str:
    path = tmp_path / "rows.jsonl"
    answer = PEN_SOLUTION.replace("\n", "\\n")
    path.write_text(f'{{"question": "{PEN}", "answer": "{answer}"}}\n', encoding="utf-8")
    return str(path)


def test_injection_prints_its_table(
    questions: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ("--profile", "tiny", "--offset", "0", "--data", questions, "--out", str(tmp_path), "--points", "50")
    assert run(monkeypatch, "compare_injection", *words, "--placements", "both", "--words", "correction") == 0
    assert "1 questions; asked outright" in capsys.readouterr().out


def test_a_calibration_that_says_too_little_is_not_kept(
    questions: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    before = CALIBRATION_PATH.read_text()
    words = ("--profile", "tiny", "--data", questions, "--out", str(tmp_path))
    assert run(monkeypatch, "calibrate_gate", *words) == 2
    shown = capsys.readouterr()
    assert "threshold" in shown.out
    assert "say too little" in shown.err
    assert CALIBRATION_PATH.read_text() == before
