"""The whole room in virtual time: what is streamed is what a whole reading gives; nothing is lost or doubled."""

from __future__ import annotations

from dataclasses import replace
from functools import cache
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from voice_agent.errors import PartFailed
from voice_agent.events import ModelCall, SpeechEnded, SpeechStarted, TurnEnded, UtteranceRecognized, Word
from voice_agent.hearing.word_recognizer import WordRecognizer
from voice_agent.settings import DeclaredCosts, Hearing, Settings

from .sounds import RATE_HZ, Speak, edit_distance, hear, plain_words, read_sound, silence, word_errors

SETTINGS = Settings(costs=DeclaredCosts(recognize_base_ms=60.0, recognize_ms_per_s=20.0))
BY_LEVEL = Hearing(detector="webrtc")  # the other one knows that buzzing vowels are no voice
VOWELS = replace(SETTINGS, hearing=BY_LEVEL)
SLOW = Settings(hearing=BY_LEVEL, costs=DeclaredCosts(recognize_base_ms=5_000.0, recognize_ms_per_s=400.0))


class VowelRecognizer:
    """Names every vowel by its pitch, so that lost and doubled words show; one that is cut off gives a wild guess."""

    def __init__(self) -> None:
        self.longest_s = 0.0

    def read(self, samples: np.ndarray) -> list[Word]:
        self.longest_s = max(self.longest_s, len(samples) / RATE_HZ)
        loud = np.convolve(np.abs(samples), np.ones(400) / 400, "same") > 0.01
        edges = np.flatnonzero(np.diff(np.concatenate([[False], loud, [False]]).astype(int)))
        words = []
        for start, end in zip(edges[::2], edges[1::2], strict=True):
            whole = end - start >= 0.25 * RATE_HZ and end <= len(samples) - 0.03 * RATE_HZ
            name = str(pitch_of(samples[start + 800 : end - 800])) if whole else f"guess{len(samples)}"
            words.append(Word(name, start / RATE_HZ, end / RATE_HZ, False))
        return words


def pitch_of(samples: np.ndarray) -> int:
    """20 n Hz -> n, for n in 5..12."""
    spectrum = np.abs(np.fft.rfft(samples, 2 * len(samples))) ** 2
    echo = np.fft.irfft(spectrum)[: RATE_HZ // 90]
    period = RATE_HZ // 250 + int(np.argmax(echo[RATE_HZ // 250 :]))
    return round(RATE_HZ / period / 20)


@cache
def vowel(name: int) -> np.ndarray:
    """0.3 s of an 'ah' at 20 n Hz: harmonics under three formants."""
    at_s = np.arange(int(0.3 * RATE_HZ)) / RATE_HZ
    harmonics = np.arange(20 * name, 3500, 20 * name)
    formants = ((700, 120), (1200, 150), (2600, 250))
    gains = [sum(1 / (1 + ((hz - middle) / width) ** 2) for middle, width in formants) for hz in harmonics]
    sound = sum(gain * np.sin(2 * np.pi * hz * at_s) for gain, hz in zip(gains, harmonics, strict=True))
    return np.asarray(0.3 * sound / np.abs(sound).max(), dtype=np.float32)


def vowels(names: list[int], pauses_s: list[float]) -> np.ndarray:
    """Vowels, each followed by its pause."""
    parts = [part for name, pause_s in zip(names, pauses_s, strict=True) for part in (vowel(name), silence(pause_s))]
    return np.concatenate([silence(0.5), *parts, silence(1.0)])


@pytest.mark.parametrize("settings", [VOWELS, SLOW], ids=["fast", "slow"])
@given(
    st.lists(
        st.tuples(st.integers(5, 12), st.sampled_from([0.08, 0.12, 0.2, 0.26, 0.34, 0.5, 0.8])), min_size=1, max_size=30
    )
)
@hypothesis_settings(max_examples=25)
def test_every_sound_is_one_word(settings: Settings, said: list[tuple[int, float]]) -> None:
    names, pauses_s = [name for name, _ in said], [pause_s for _, pause_s in said]
    heard = hear(vowels(names, pauses_s), VowelRecognizer(), settings)
    assert heard.text.split() == [str(name) for name in names]
    assert " ".join(event.text for event in heard.of(UtteranceRecognized)) == heard.text
    assert len(heard.of(SpeechStarted)) == len(heard.of(SpeechEnded)) == len(heard.of(UtteranceRecognized))
    assert len(heard.of(TurnEnded)) >= 1


@pytest.mark.parametrize("settings", [VOWELS, SLOW], ids=["fast", "slow"])
def test_a_long_utterance_is_read_in_pieces(settings: Settings) -> None:
    names = [5 + (i * i) % 8 for i in range(200)]
    recognizer = VowelRecognizer()
    heard = hear(vowels(names, [0.1] * len(names)), recognizer, settings)
    assert heard.text.split() == [str(name) for name in names]
    assert recognizer.longest_s <= settings.hearing.longest_utterance_s
    assert len(heard.of(UtteranceRecognized)) == 1


@pytest.mark.parametrize(
    "said",
    [
        "A train travels sixty kilometers in forty five minutes.",
        "Sorry, I meant ninety kilometers.",
        "Can you explain why the sky is blue in simple words?",
        "Wait, hold on a second.",
    ],
)
def test_streamed_is_whole(recognizer: WordRecognizer, speak: Speak, said: str) -> None:
    sound = np.concatenate([silence(0.5), speak(said), silence(1.0)])
    heard = hear(sound, recognizer, SETTINGS)
    whole = " ".join(word.text for word in recognizer.read(sound))
    assert plain_words(heard.text) == plain_words(whole)
    assert [type(event) for event in heard.events if not isinstance(event, Word)][-1] is TurnEnded


def test_recordings_streamed(recognizer: WordRecognizer, shared_audio: Path) -> None:
    errors = words = apart = 0
    for path in sorted(shared_audio.glob("LJ*.wav")):
        sound = np.concatenate([silence(0.5), read_sound(path), silence(1.0)])
        heard = hear(sound, recognizer, SETTINGS)
        said = path.with_suffix(".txt").read_text()
        errors += word_errors(said, heard.text)
        words += len(plain_words(said))
        whole = [word.text for word in recognizer.read(sound)]
        apart += edit_distance(plain_words(" ".join(whole)), plain_words(heard.text))
    assert errors / words <= 0.10
    assert apart / words <= 0.05


def test_words_come_while_they_are_spoken(recognizer: WordRecognizer, speak: Speak) -> None:
    speech = speak(
        "The weather is nice today, so I would like to walk to the park and feed the birds before it gets dark."
    )
    heard = hear(np.concatenate([silence(0.5), speech, silence(1.0)]), recognizer, SETTINGS)
    late_s = [at_s - event.end_s for at_s, event in heard.timed if isinstance(event, Word) and event.final]
    assert float(np.median(late_s)) <= 1.0
    assert max(late_s) <= 2.0
    ended = heard.of(SpeechEnded)[-1]
    assert heard.at_s(UtteranceRecognized)[-1] - ended.end_s <= 0.5


def test_noise_yields_no_words_and_no_turn(recognizer: WordRecognizer) -> None:
    noise = np.random.default_rng(1)
    bursts = noise.normal(0.0, 0.2, 4 * RATE_HZ) * (np.arange(4 * RATE_HZ) // 8000 % 2)
    heard = hear(bursts.astype(np.float32), recognizer, VOWELS)  # the detector that takes them for speech
    assert heard.of(SpeechStarted) != []
    assert heard.of(Word) == heard.of(TurnEnded) == []
    assert {event.text for event in heard.of(UtteranceRecognized)} == {""}


def test_the_same_sound_is_heard_the_same(recognizer: WordRecognizer, speak: Speak) -> None:
    sound = np.concatenate([silence(0.3), speak("Sorry, I meant ninety kilometers."), silence(1.0)])
    once, again = hear(sound, recognizer, SETTINGS), hear(sound, recognizer, SETTINGS)
    assert once == again


def test_readings_are_recorded_and_never_overlap(speak: Speak) -> None:
    heard = hear(np.concatenate([speak("Please repeat the last sentence."), silence(1.0)]), VowelRecognizer(), SLOW)
    assert all(isinstance(call, ModelCall) and call.which == "recognizer" and call.rows == 1 for call in heard.calls)
    assert 1 <= len(heard.calls) <= 2


def test_a_fault_names_the_recognizer() -> None:
    class Broken:
        def read(self, samples: np.ndarray) -> list[Word]:
            raise RuntimeError("out of memory")

    with pytest.raises(ExceptionGroup) as caught:
        hear(vowels([5, 6], [0.1, 0.1]), Broken(), VOWELS)
    failed = caught.value.subgroup(PartFailed)
    assert failed is not None
    assert "recognizer: RuntimeError: out of memory" in repr(failed)


def test_shorter_periods_change_no_words() -> None:
    names = [5, 9, 5, 5, 7, 6, 12]
    hurried = replace(VOWELS, hearing=replace(BY_LEVEL, reading_period_s=0.1))
    assert hear(vowels(names, [0.1] * 7), VowelRecognizer(), hurried).text == " ".join(map(str, names))
