"""The real voice, listened to by the real recogniser."""

import dataclasses
import difflib
import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soxr
from faster_whisper import WhisperModel

from voice_agent.errors import UnusableInput
from voice_agent.events import Clause
from voice_agent.settings import Speaking
from voice_agent.speaking.voice import Voice

STEADY = Speaking(noise_scale=0.0, noise_w_scale=0.0)


@pytest.fixture(scope="module")
def voice(voice_path: Path) -> Voice:
    return Voice.load(voice_path, STEADY)


@pytest.fixture(scope="module")
def recognizer(recognizer_folder: Path) -> WhisperModel:
    return WhisperModel(str(recognizer_folder), compute_type="int8", cpu_threads=1)


def clause(text: str) -> Clause:
    return Clause(text, 1, "model")


def words_heard(recognizer: WhisperModel, samples: np.ndarray, rate_hz: int) -> list[str]:
    sound = soxr.resample(np.pad(samples, (rate_hz // 4, rate_hz // 2)), rate_hz, 16_000)
    segments, _ = recognizer.transcribe(sound.astype(np.float32), language="en", temperature=0.0, beam_size=5)
    return words_of(" ".join(segment.text for segment in segments))


def words_of(text: str) -> list[str]:
    return re.findall(r"[a-z0-9]+", text.lower())


@pytest.mark.parametrize(
    ("written", "heard"),
    [
        ("**Then** the answer is `120 km/h`.", "then the answer is 120 kilometers per hour"),
        (r"So \(60 \times 2\) is <|im_end|> more than 100.", "so 60 times 2 is more than 100"),
        ("You have to wait for an hour in the city.", "you have to wait for an hour in the city"),
    ],
)
def test_says_what_is_written(voice: Voice, recognizer: WhisperModel, written: str, heard: str) -> None:
    audio = voice.synthesize(clause(written))
    similar = difflib.SequenceMatcher(None, words_heard(recognizer, audio.samples, audio.rate_hz), heard.split())
    assert similar.ratio() > 0.8


@pytest.mark.parametrize(
    ("written", "cut"),
    [
        ("Water boils at one hundred degrees in the city.", 4),
        ("Every morning he drinks a cup of coffee.", 5),
        ("Please write the number on the board.", 4),
        ("She has eaten three of the apples at the market.", 7),
    ],
)
def test_words_sound_when_they_are_said_to(voice: Voice, recognizer: WhisperModel, written: str, cut: int) -> None:
    audio = voice.synthesize(clause(written))
    timing = audio.words[cut - 1]
    heard = words_heard(recognizer, audio.samples[: timing.end_sample], audio.rate_hz)
    assert abs(len(heard) - len(words_of(written[: timing.end]))) <= 1
    assert voice.fallbacks == 0


@pytest.mark.parametrize(
    "written", ["So **60 km** of the way,", "\n- it's 3:45 — well, in an hour.", " Dr. Smith left. Who? "]
)
def test_words_cover_clause_and_sound(voice: Voice, written: str) -> None:
    audio = voice.synthesize(clause(written))
    assert audio.samples.dtype == np.float32
    assert float(np.abs(audio.samples).max()) <= 1.0
    assert "".join(written[word.start : word.end] for word in audio.words) == written
    ends = [word.end_sample for word in audio.words]
    assert ends == sorted(ends)
    assert 0 < ends[0] < ends[-1] <= len(audio.samples)


def test_the_same_clause_sounds_the_same(voice: Voice) -> None:
    first, again = (voice.synthesize(clause("Let me see, now.")) for _ in range(2))
    np.testing.assert_array_equal(first.samples, again.samples)
    assert first.words == again.words


def test_the_seed_draws_the_noise(voice_path: Path) -> None:
    clause = Clause("The train is going at 80 km/h.", 1, "model")
    one, again, other = (Voice.load(voice_path, Speaking(), seed).synthesize(clause).samples for seed in (1, 1, 2))
    assert np.array_equal(one, again)
    assert not np.array_equal(one, other)


@pytest.mark.parametrize("written", ["", " ", "**", "```\n", "😀", "..."])
def test_nothing_to_say(voice: Voice, written: str) -> None:
    audio = voice.synthesize(clause(written))
    assert len(audio.samples) == 0
    assert "".join(written[word.start : word.end] for word in audio.words) == written


def test_pauses_follow_the_punctuation(voice: Voice) -> None:
    def quiet_end_s(text: str) -> float:
        audio = voice.synthesize(clause(text))
        return (len(audio.samples) - 1 - int(np.flatnonzero(np.abs(audio.samples) > 0.01)[-1])) / audio.rate_hz

    assert [round(quiet_end_s(text), 2) for text in ("Well now", "Well now,", "Well now.")] == [0.03, 0.12, 0.3]


def test_a_voice_that_tells_no_phonemes_falls_back(voice_path: Path) -> None:
    voice = Voice.load(voice_path, STEADY)
    synthesize = voice._piper.synthesize
    voice._piper.synthesize = lambda *args, **_: (
        dataclasses.replace(chunk, phoneme_alignments=None) for chunk in synthesize(*args)
    )
    audio = voice.synthesize(clause("one two three"))
    assert voice.fallbacks == 1
    assert [audio.clause.text[word.start : word.end] for word in audio.words] == ["one", " two", " three"]


def test_a_letter_is_not_the_article(voice: Voice) -> None:
    said = [voice._pronounceable(text) for text in ("a is less than b", "take a bus", "vitamin A helps", "x plus a")]
    assert said == ["eh is less than b", "take a bus", "vitamin eh helps", "x plus eh"]


def test_rate_and_volume_are_settings(voice: Voice, voice_path: Path) -> None:
    slow = Voice.load(voice_path, dataclasses.replace(STEADY, length_scale=1.5, volume=0.5))
    text = clause("It is three.")
    plain, changed = voice.synthesize(text).samples, slow.synthesize(text).samples
    assert len(changed) > 1.2 * len(plain)
    assert float(np.abs(changed).max()) < 0.75 * float(np.abs(plain).max())


def test_another_language_pronounces_its_own_numbers(voice_path: Path) -> None:
    german = Voice.load(voice_path, dataclasses.replace(STEADY, language="de"))
    said: list[str] = []
    synthesize = german._piper.synthesize
    german._piper.synthesize = lambda text, *rest, **named: said.append(text) or synthesize(text, *rest, **named)
    audio = german.synthesize(clause("**Um** 15 Uhr."))
    assert said == ["Um 15 Uhr."]
    assert "".join(german._pronounce("15")) == "fˈʏnftseːn"  # noqa: RUF001 - phonetic letters
    assert [audio.clause.text[word.start : word.end] for word in audio.words] == ["**Um**", " 15", " Uhr."]


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"language": "xx-nowhere"}, "espeak does not know the language 'xx-nowhere'"),
        ({"speaker": 1}, r"has 1 speakers, \[speaking\] speaker = 1 .* choose 0 to 0"),
        ({"volume": 0.0}, "volume must be above 0"),
        ({"length_scale": -1.0}, "length_scale must be above 0"),
    ],
)
def test_settings_that_do_not_suit_the_voice(voice_path: Path, changed: dict[str, Any], message: str) -> None:
    with pytest.raises(UnusableInput, match=message):
        Voice.load(voice_path, dataclasses.replace(STEADY, **changed))


def test_broken_voice_files(tmp_path: Path, voice_path: Path) -> None:
    broken = tmp_path / "voice.onnx"
    with pytest.raises(UnusableInput, match=r"no voice file .*voice\.onnx: fetch it"):
        Voice.load(broken, STEADY)
    broken.write_bytes(b"not a model")
    with pytest.raises(UnusableInput, match=r"no voice file .*voice\.onnx\.json"):
        Voice.load(broken, STEADY)
    broken.with_suffix(".onnx.json").write_text(
        Path(f"{voice_path}.json").read_text(encoding="utf-8"), encoding="utf-8"
    )
    with pytest.raises(UnusableInput, match="cannot be loaded"):
        Voice.load(broken, STEADY)
