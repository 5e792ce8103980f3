"""The comparison of ends of turns: labels, cut-offs and dead air where both are known."""

from __future__ import annotations

import sys

import numpy as np
import pytest

from tests.script_module import script_module
from voice_agent.evaluation.hearing.ear import RATE_HZ, RememberedJudge
from voice_agent.evaluation.hearing.turn_ends import Ended, Policy, figures, run, turns_of
from voice_agent.evaluation.hearing.turn_texts import TEXTS, TurnTexts
from voice_agent.events import Word
from voice_agent.settings import Hearing, Settings

TUNED = TEXTS["tuned"]
SETTINGS = Settings(hearing=Hearing(detector="webrtc"))  # which takes buzzing for a voice
BUZZ = 0.3 * np.sign(np.sin(2 * np.pi * 140 * np.arange(RATE_HZ) / RATE_HZ)).astype(np.float32)


def say(text: str) -> np.ndarray:
    """A second of buzzing, whatever the text."""
    return BUZZ


class OneWord:
    """Hears a word wherever it listens, and a question in it or not."""

    def __init__(self, text: str) -> None:
        self.text = text

    def read(self, samples: np.ndarray) -> list[Word]:
        return [Word(self.text, 0.0, len(samples) / RATE_HZ, False)]


class Sure:
    def __init__(self, probability: float) -> None:
        self.verdict, self.asked = probability, 0

    def probability(self, samples: np.ndarray) -> float:
        self.asked += 1
        return self.verdict


@pytest.mark.parametrize("texts", TEXTS.values(), ids=TEXTS)
def test_sets_of_texts_are_of_the_same_make(texts: TurnTexts) -> None:
    assert {kind: len(of_it) for kind, of_it in texts.paused.items()} == dict.fromkeys(TUNED.paused, 10)
    assert len(texts.whole) == 20
    assert all(text.count("|") == 1 for of_it in texts.paused.values() for text in of_it)
    assert not any("|" in text for text in texts.whole)


def test_no_text_is_in_two_sets() -> None:
    every = [text for texts in TEXTS.values() for of_it in (texts.whole, *texts.paused.values()) for text in of_it]
    assert len(set(every)) == len(every) == 60 * len(TEXTS)


def test_where_a_turn_goes_on_and_ends() -> None:
    whole, *_ = turns_of(say, TUNED, 1.2, 1)
    paused = turns_of(say, TUNED, 1.2, 1)[1:]
    assert whole.goes_on_s is None
    assert whole.end_s == pytest.approx(1.5, abs=0.02)
    assert [turn.kind for turn in paused] == list(TUNED.paused)
    for turn in paused:
        assert turn.goes_on_s == pytest.approx(2.7, abs=0.02)
        assert turn.end_s == pytest.approx(3.7, abs=0.02)


@pytest.mark.parametrize(
    ("policy", "probability", "word", "cut_off", "dead_air_s"),
    [
        (Policy("timer", 0.6), 0.9, "fast?", True, 0.6),
        (Policy("timer", 1.5), 0.9, "fast?", False, 1.5),
        (Policy("judge", None), 0.9, "fast?", True, SETTINGS.hearing.complete_silence_s),
        (Policy("judge", None), 0.01, "fast?", False, SETTINGS.hearing.unfinished_silence_s),
    ],
)
def test_cut_offs_and_dead_air(policy: Policy, probability: float, word: str, cut_off: bool, dead_air_s: float) -> None:
    turn = turns_of(say, TUNED, 1.2, 1)[1]
    ended = run(turn, policy, OneWord(word), Sure(probability), SETTINGS)
    assert ended.cut_off == cut_off
    assert ended.heard[0] == word
    assert ended.dead_air_s == pytest.approx(dead_air_s, abs=0.15)


def test_no_sound_is_judged_twice() -> None:
    judge = Sure(0.4)
    remembered = RememberedJudge(judge)
    assert remembered.probability(BUZZ) == remembered.probability(BUZZ.copy()) == 0.4
    assert judge.asked == 1


def test_figures() -> None:
    row = figures([Ended(True, 0.4), Ended(False, 0.6), Ended(False, None), Ended(False, 0.5)])
    assert (row.turns, row.cut_off.mean, row.dead_air_median_s) == (4, 0.25, 0.5)


def test_a_strange_profile_is_one_sentence(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr(sys, "argv", ["compare_end_of_turn", "--profile", "huge"])
    assert script_module("compare_end_of_turn").main() == 2
    assert capsys.readouterr().err.startswith("compare_end_of_turn: unknown profile 'huge'")


def test_the_texts_to_measure_are_an_option(monkeypatch: pytest.MonkeyPatch) -> None:
    script = script_module("compare_end_of_turn")
    monkeypatch.setattr(sys, "argv", ["compare_end_of_turn", "--texts", "other"])
    assert script._arguments().texts == "other"
    monkeypatch.setattr(sys, "argv", ["compare_end_of_turn", "--texts", "secret"])
    with pytest.raises(SystemExit):
        script._arguments()
