"""The real recogniser: words and times on speech, nothing on everything else."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from voice_agent.errors import UnusableInput
from voice_agent.hearing.word_recognizer import WordRecognizer, likely_phrase
from voice_agent.settings import Hearing

from .sounds import RATE_HZ, Speak, plain_words, read_sound, silence, word_errors

SENTENCES = (
    "A train travels sixty kilometers in forty five minutes. How fast is it going?",
    "Can you explain why the sky is blue in simple words?",
    "Tell me a story about a lighthouse keeper and his dog.",
    "Is it safe to mix bleach and vinegar?",
)
JFK = "And so my fellow Americans, ask not what your country can do for you, ask what you can do for your country."
noise = np.random.default_rng(0)
seconds = np.arange(3 * RATE_HZ) / RATE_HZ
NOT_SPEECH = {
    "silence": silence(3.0),
    "hiss": noise.normal(0.0, 0.1, 3 * RATE_HZ),
    "hum": sum(np.sin(2 * np.pi * hz * seconds) for hz in (100, 200, 300)) / 10,
    "cough": 0.3 * noise.normal(0.0, 1.0, 3 * RATE_HZ) * np.exp(-12 * (seconds % 0.7)),
    "tones": 0.2 * np.sin(2 * np.pi * seconds * np.choose((seconds * 4).astype(int) % 4, [262, 330, 392, 523])),
}


def text(recognizer: WordRecognizer, sound: np.ndarray) -> str:
    return " ".join(word.text for word in recognizer.read(sound.astype(np.float32)))


def test_fixture_speech(recognizer: WordRecognizer, speak: Speak) -> None:
    errors = sum(word_errors(said, text(recognizer, speak(said))) for said in SENTENCES)
    assert errors / sum(len(plain_words(said)) for said in SENTENCES) <= 0.08


def test_signs_belong_to_their_numbers(recognizer: WordRecognizer, speak: Speak) -> None:
    assert "20%" in text(recognizer, speak("A shirt costs forty dollars and it is twenty percent off."))


@pytest.mark.parametrize(
    ("texts", "scores", "chosen"),
    [
        (["Just a sack.", "Just a sec."], [-0.5, -0.6], 1),
        (["Just a sack.", "Just a sec."], [-0.5, -0.9], 0),  # too far behind
        (["Share.", "", "Sure."], [-0.5, -0.6, -0.7], 2),
        (["Stop.", "Sure."], [-0.5, -0.5], 0),
        (["In France.", "In friends."], [-0.5, -0.6], 0),
        (["Stop.", "Start."], [-0.7, -0.5], 0),
        (["Go on a sack.", "Just a sack.", "Just a sec.", "Okay."], [-1.5, -0.5, -0.7, -0.6], 3),
        (["Ninety."], [-0.5], 0),
    ],
)
def test_a_near_guess_that_people_say_is_taken(texts: list[str], scores: list[float], chosen: int) -> None:
    assert likely_phrase(texts, scores) == chosen


def test_a_wider_margin_takes_a_phrase_from_farther_behind() -> None:
    assert likely_phrase(["All I see.", "All right, I see."], [-0.5, -0.88], margin=0.4) == 1


def test_what_is_sure_is_not_doubtful(recognizer: WordRecognizer, speak: Speak) -> None:
    words = recognizer.read(np.concatenate([silence(0.3), speak("More salt."), silence(0.3)]))
    assert [word.text.strip(".").lower() for word in words] == ["more", "salt"]
    assert not any(word.doubtful for word in words)
    assert all(0.5 < word.probability <= 1.0 for word in words)


def test_words_have_times(recognizer: WordRecognizer, speak: Speak) -> None:
    speech = speak(SENTENCES[1])
    words = recognizer.read(np.concatenate([silence(1.0), speech, silence(1.0)]))
    assert all(word.start_s <= word.end_s and not word.final for word in words)
    assert [word.start_s for word in words] == sorted(word.start_s for word in words)
    assert words[-1].end_s == pytest.approx(1.0 + len(speech) / RATE_HZ, abs=0.5)
    assert 0.5 <= words[0].end_s <= 2.0


def test_recordings(recognizer: WordRecognizer, shared_audio: Path) -> None:
    pairs = [(path.with_suffix(".txt").read_text(), path) for path in sorted(shared_audio.glob("LJ*.wav"))]
    pairs.append((JFK, shared_audio / "jfk.flac"))
    pairs.append(("Should I get a dog or a cat?", shared_audio / "dog-or-cat-3-nowait.mp3"))
    errors = sum(word_errors(said, text(recognizer, read_sound(path))) for said, path in pairs)
    assert errors / sum(len(plain_words(said)) for said, _ in pairs) <= 0.10


@pytest.mark.parametrize("name", NOT_SPEECH)
def test_no_words_are_invented(recognizer: WordRecognizer, name: str) -> None:
    assert text(recognizer, NOT_SPEECH[name]) == ""
    assert text(recognizer, 0.1 * NOT_SPEECH[name]) == ""


def test_sound_beyond_one_window(recognizer: WordRecognizer, speak: Speak) -> None:
    said = " ".join(SENTENCES) + " " + " ".join(SENTENCES)
    sound = np.concatenate([np.concatenate([speak(sentence), silence(0.5)]) for sentence in SENTENCES * 2])
    assert len(sound) > 30 * RATE_HZ
    assert word_errors(said, text(recognizer, sound)) / len(plain_words(said)) <= 0.10


@pytest.mark.parametrize("samples", [0, 1, 159, 1600, 1601, 3200])
def test_very_short_sound(recognizer: WordRecognizer, samples: int) -> None:
    assert text(recognizer, noise.normal(0.0, 0.1, samples)) == ""


def test_a_broken_folder_is_named(tmp_path: Path, recognizer_folder: Path) -> None:
    with pytest.raises(UnusableInput, match=r"lacks config\.json, model\.bin, tokenizer\.json"):
        WordRecognizer.load(tmp_path, Hearing())
    for path in recognizer_folder.iterdir():
        (tmp_path / path.name).write_bytes(path.read_bytes()[:1000])
    with pytest.raises(UnusableInput, match="cannot be loaded"):
        WordRecognizer.load(tmp_path, Hearing())
