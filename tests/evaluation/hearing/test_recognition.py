"""The measurement of recognition: what is counted where it is known, and one sentence through the real recogniser."""

from __future__ import annotations

import dataclasses
import sys
from pathlib import Path

import numpy as np
import pytest
import soundfile

from tests.script_module import script_module
from voice_agent.errors import UnusableInput
from voice_agent.evaluation.hearing import recognition
from voice_agent.evaluation.hearing.ear import RATE_HZ
from voice_agent.evaluation.hearing.monologue import longest_run, monologue, run_monologue
from voice_agent.evaluation.hearing.recognition import Metered, Saying
from voice_agent.evaluation.hearing.recognition_texts import (
    BACK_CHANNELS,
    DEV_BACK_CHANNELS,
    DEV_SAYINGS,
    DEV_STOPS,
    OTHER_BACK_CHANNELS,
    OTHER_STOPS,
    PASSAGES,
    STOPS,
    TURNS,
)
from voice_agent.evaluation.hearing.short_words import understood
from voice_agent.events import Word
from voice_agent.hearing.word_recognizer import WordRecognizer
from voice_agent.overlap import judge
from voice_agent.replay.user_voice import UserVoice
from voice_agent.said import said
from voice_agent.settings import Floor, Hearing, Settings

SETTINGS = Settings(hearing=Hearing(detector="webrtc"))  # which takes buzzing for a voice
BUZZ = 0.3 * np.sign(np.sin(2 * np.pi * 140 * np.arange(RATE_HZ) / RATE_HZ)).astype(np.float32)


def say(text: str) -> np.ndarray:
    """A second of buzzing, whatever the text."""
    return BUZZ


class Hears:
    """Hears the same words wherever it listens, spread evenly over the sound."""

    def __init__(self, text: str) -> None:
        self.words = text.split()

    def read(self, samples: np.ndarray) -> list[Word]:
        each_s = len(samples) / RATE_HZ / max(1, len(self.words))
        return [Word(word, i * each_s, (i + 1) * each_s, False) for i, word in enumerate(self.words)]


class Clockwork:
    """Hears the word `second` once a second."""

    def read(self, samples: np.ndarray) -> list[Word]:
        return [Word("second", float(s), s + 0.8, False) for s in range(int(len(samples) / RATE_HZ))]


def test_there_are_words_enough() -> None:
    texts = [*TURNS, *(sentence for passage in PASSAGES for sentence in passage)]
    assert sum(len(said(text)) for text in texts) >= 500
    assert len(set(texts)) == len(texts)


def test_short_words_are_judged_right_when_they_are_read_right() -> None:
    assert {judge(text, 0.8, "", Floor()) for text in (*STOPS, *DEV_STOPS, *OTHER_STOPS)} == {"stop"}
    back_channels = (*BACK_CHANNELS, *DEV_BACK_CHANNELS, *OTHER_BACK_CHANNELS)
    assert {judge(text, 0.8, "", Floor()) for text in back_channels} == {"back-channel"}
    assert {judge(text, 0.8, "", Floor()) for text in DEV_SAYINGS} == {"correction", "question"}


def test_no_short_word_is_in_two_sets() -> None:
    sets = (STOPS, BACK_CHANNELS, DEV_STOPS, DEV_BACK_CHANNELS, DEV_SAYINGS, OTHER_STOPS, OTHER_BACK_CHANNELS)
    assert len({text for texts in sets for text in texts}) == sum(map(len, sets))


def test_sayings_have_silence_around_them() -> None:
    turn, passage = recognition.sayings(say, ["One."], [["One.", "Two."]])
    assert (turn.text, passage.text) == ("One.", "One. Two.")
    assert turn.lasts_s == pytest.approx(recognition.BEFORE_S + 1.0 + recognition.AFTER_S, abs=0.02)
    low, high = recognition.GAPS_S
    assert low < passage.lasts_s - turn.lasts_s - 1.0 < high + 0.02


def test_noise_is_all_through_a_saying() -> None:
    (turn,) = recognition.sayings(say, ["One."])
    assert recognition.in_noise(turn, "hiss", None, [0]) is turn
    noisy = recognition.in_noise(turn, "hiss", 10.0, [0]).sound
    before, speech = noisy[: RATE_HZ // 4], noisy[RATE_HZ // 2 : RATE_HZ]
    ratio_db = 20 * np.log10(float(speech.std() / before.std()))
    assert ratio_db == pytest.approx(10.0, abs=1.0)


def test_what_was_heard_is_counted() -> None:
    recognizer = Metered(Hears("the train is fast"))
    (turn,) = recognition.sayings(say, ["A train is fast."])
    made = recognition.recognized(turn, recognizer, SETTINGS)
    assert (made.heard, made.errors, made.words, len(made.lags_s)) == ("the train is fast", 1, 4, 4)
    assert recognition.differences(made.text, made.heard) == "[a -> the] train is fast"
    assert sum(seconds for seconds, _ in recognizer.readings) > 1.0
    twice = recognition.total([made, dataclasses.replace(made, errors=3)])
    assert (twice.errors, twice.words, twice.error_rate) == (4, 8, 0.5)
    assert 0 <= twice.lag_median_s <= twice.lag_p95_s < 2


def test_recordings_and_their_words(tmp_path: Path) -> None:
    with pytest.raises(UnusableInput, match="no recordings in"):
        recognition.recordings(tmp_path)
    for name in ("a.wav", "b.wav", "jfk.flac"):
        soundfile.write(tmp_path / name, BUZZ, RATE_HZ)
    (tmp_path / "a.txt").write_text("Buzz.\n")
    found, unknown = recognition.recordings(tmp_path)
    assert [(one.name, one.text.split()[0]) for one in found] == [("a.wav", "Buzz."), ("jfk.flac", "And")]
    assert unknown == ["b.wav"]


def test_invented_words_are_named_with_their_noise() -> None:
    found = recognition.invented(Metered(Hears("thank you")), SETTINGS, 16.0, seed=0)
    assert found["silence"] == (2.0, "")
    assert "thank you" in found["hiss"][1]


@pytest.mark.parametrize(("marks", "longest"), [("", 0), ("...", 0), ("##.###.#", 3), ("#", 1)])
def test_the_longest_run(marks: str, longest: int) -> None:
    assert longest_run([mark == "#" for mark in marks]) == longest


def test_a_monologue_lasts_as_long_as_it_is_asked_to() -> None:
    made = monologue(say, ["One.", "Two."], 10.0, (0.5, 0.5), seed=0)
    assert 10.0 <= made.lasts_s < 13.0
    assert sorted(made.text.split()[:2]) == ["One.", "Two."]


def test_lag_and_losses_of_a_monologue() -> None:
    lasts_s = 130
    sound = np.concatenate([np.zeros(RATE_HZ // 2, np.float32), *[BUZZ] * lasts_s])
    made = run_monologue(Saying("buzz", "second " * lasts_s, sound), Metered(Clockwork()), SETTINGS)
    assert abs(made.growth) < 0.1
    assert abs(made.growth_p95) < 0.2
    assert len(made.minutes) == 2
    assert made.minutes[0] == made.first
    assert 0 < made.first[0] < 2.5
    assert made.longest_reading_s <= SETTINGS.hearing.longest_utterance_s
    nothing = run_monologue(Saying("buzz", "one two three", sound[: 3 * RATE_HZ]), Metered(Hears("")), SETTINGS)
    assert (nothing.lost, nothing.doubled, nothing.errors) == (3, 0, 3)


@pytest.mark.parametrize(
    ("heard", "means", "right"),
    [
        ("Stop.", "stop", True),
        ("Drop.", "stop", False),
        ("", "stop", False),
        ("Okay.", "back-channel", True),
        ("", "back-channel", True),  # a noise: the answer goes on
        ("Key to the castle.", "back-channel", False),
        ("Ninety.", "saying", True),
        ("Stop.", "saying", False),
        ("Nice.", "saying", False),
        ("", "saying", False),
    ],
)
def test_short_words(heard: str, means: str, right: bool) -> None:
    (phrase,) = recognition.sayings(say, ["Any."])
    assert understood(phrase, means, Metered(Hears(heard)), SETTINGS).right == right


def test_costs_are_a_line_through_two_readings() -> None:
    costs = recognition.costs_of(Metered(Clockwork()), BUZZ, SETTINGS.costs)
    assert 0 <= costs.recognize_base_ms < 50
    assert 0 <= costs.recognize_ms_per_s < 5
    assert costs.step_ms == SETTINGS.costs.step_ms


def test_the_real_recogniser(recognizer_folder: Path, tmp_path: Path) -> None:
    pytest.importorskip("hibari", reason="the fixture voice is not installed (extra 'fixtures')")
    for beam in (1, 2):
        settings = Settings(hearing=Hearing(recognizer_beam=beam))
        recognizer = Metered(WordRecognizer.load(recognizer_folder, settings.hearing))
        (turn,) = recognition.sayings(UserVoice(tmp_path).say, TURNS[:1])
        made = recognition.recognized(turn, recognizer, settings)
        assert made.errors == 0, made.heard
        assert made.words == 14
        assert recognizer.cpu_s > 0
        assert max(made.lags_s) < 2


def test_a_strange_part_is_one_sentence(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr(sys, "argv", ["check_recognition", "--only", "noise"])
    assert script_module("check_recognition").main() == 2
    assert capsys.readouterr().err.startswith("check_recognition: no part 'noise'")
