"""What follows from one interruption: words believed against words heard, by both ways of listening."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from tests.script_module import script_module
from voice_agent.evaluation.sounded_table import apart, counted, table, verdicts

TEXT = "The train covers 60 km, that is 80 km/h."
WHOLE = [["The", 0.2], ["train", 0.5], ["covers", 0.9], ["60", 1.3], ["kilometers,", 1.9], ["that", 2.4], ["is", 2.5]]


def line(cut_s: float, believed: str, **changed: Any) -> dict[str, Any]:
    """An interruption of which everything up to the cut was understood."""
    heard = [[word, end_s] for word, end_s in WHOLE if end_s <= cut_s]
    values = {"text": TEXT, "cut_s": cut_s, "believed": believed, "heard": heard, "whole": WHOLE}
    return {**values, "unaligned": len(believed), "clauses": 2, "fallbacks": 0, **changed}


def test_all_agree() -> None:
    assert counted(line(2.1, "The train covers 60 km,")) == {
        "believed": 5,
        "spread": 5,
        "in the whole": 5,
        "up to the cut": 5,
    }


@pytest.mark.parametrize(
    ("cut_s", "believed", "words"),
    [(1.2, "The train covers", 0), (1.2, "The train covers 60 km,", 2), (1.2, "", -3), (2.2, TEXT[:-6], 3)],
)
def test_words_believed_beyond_those_heard(cut_s: float, believed: str, words: int) -> None:
    assert apart(line(cut_s, believed), "believed", "in the whole") == words
    assert apart(line(cut_s, believed), "believed", "up to the cut") == words


def test_a_word_that_the_cut_ends_was_not_heard() -> None:
    clipped = line(1.6, "The train covers 60", heard=[*WHOLE[:4], ["kilometers.", 1.58]])
    assert counted(clipped)["up to the cut"] == 4
    assert counted({**clipped, "cut_s": 1.9})["up to the cut"] == 5


def test_written_words_are_counted_whole() -> None:
    said = [*WHOLE, ["80", 2.8], ["kilometers", 3.3]]
    partly = line(3.5, TEXT[:-6], whole=said, heard=said)  # "per hour" is still to come
    assert apart(partly, "believed", "in the whole", "written") == 0
    assert apart(partly, "believed", "in the whole", "spoken") == -1


def test_shares_and_table() -> None:
    lines = [line(1.2, "The train covers"), line(1.2, "The train covers 60 km,", unaligned=0, fallbacks=1)]
    by_phonemes, *_, by_spreading, _, fallbacks = verdicts(lines)
    assert "written words 50.0%" in by_phonemes
    assert "at most 2" in by_phonemes
    assert "at most 3" in by_spreading
    assert fallbacks.endswith("1 of 4")
    console = Console(width=140, record=True)
    console.print(table(lines))
    assert "+2" in console.export_text().splitlines()[2]


def test_the_real_voice_and_loudspeaker(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys, "argv", ["check_sounded", "--out", str(tmp_path), "--items", "1"])
    assert script_module("check_sounded").main() == 0
    assert "clauses that could not be aligned: 0 of" in capsys.readouterr().out
