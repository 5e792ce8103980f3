"""The scripted user's real voice, and what the recogniser and the floor make of the bundled interjections."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from faster_whisper import WhisperModel

from voice_agent.overlap import judge
from voice_agent.replay.sound_files import read_sound, voiced_extent
from voice_agent.replay.user_voice import RATE_HZ, UserVoice
from voice_agent.settings import Floor

FIXTURES = Path(__file__).resolve().parents[2] / "audio_fixtures"


def test_a_text_is_spoken_once_and_then_remembered(tmp_path: Path) -> None:
    fresh = UserVoice(tmp_path).say("Hello!")
    again = UserVoice(tmp_path).say("Hello!")
    assert np.array_equal(fresh, again)
    assert [path.suffix for path in tmp_path.iterdir()] == [".npy"]
    first, last = voiced_extent(fresh, RATE_HZ) or (0, 0)
    assert first <= 0.05 * RATE_HZ
    assert len(fresh) - last <= 0.05 * RATE_HZ


@pytest.fixture(scope="module")
def whisper(recognizer_folder: Path) -> WhisperModel:
    return WhisperModel(str(recognizer_folder), device="cpu", compute_type="int8", cpu_threads=1)


@pytest.mark.parametrize(
    ("name", "kinds"),
    [
        ("stop", {"stop"}),
        (
            "uh_huh",
            {"back-channel", "noise"},
        ),  # tiny.en spells it "Aha." or hears no word: the voice resumes either way
        ("sorry_ninety", {"correction"}),
    ],
)
def test_the_bundled_interjections_mean_what_they_are_meant_to(
    whisper: WhisperModel, name: str, kinds: set[str]
) -> None:
    samples = read_sound(FIXTURES / f"{name}.flac", RATE_HZ)
    padded = np.pad(samples, (int(0.3 * RATE_HZ), int(0.24 * RATE_HZ)))  # as hearing cuts it out
    segments, _ = whisper.transcribe(padded, language="en", beam_size=1, temperature=0.0)
    text = " ".join(segment.text.strip() for segment in segments)
    assert judge(text, len(samples) / RATE_HZ, "eighty kilometers per hour", Floor()) in kinds, text
