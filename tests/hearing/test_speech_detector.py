"""When speech starts and ends: the rule as a table, the detector on real sound."""

from __future__ import annotations

import numpy as np
import pytest
from faster_whisper.vad import get_vad_model
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from voice_agent.evaluation.hearing.sounds import NOISES
from voice_agent.events import AudioFrame, SpeechEnded, SpeechStarted
from voice_agent.hearing.speech_detector import SpeechDetector, SpeechEvent, SpeechRule
from voice_agent.hearing.voicing import SileroVoicing, Stretch, level_dbfs
from voice_agent.settings import Hearing

from .sounds import FRAME, RATE_HZ, Speak, silence

DETECTORS = ("silero", "webrtc")
SETTINGS = Hearing()  # 4 voiced frames of 6 begin speech, 12 unvoiced end it


def judge(frames: str) -> list[SpeechEvent]:
    """'v' voiced, '.' unvoiced, 20 ms each."""
    rule = SpeechRule(SETTINGS, length_ms=20)
    events = [event for i, mark in enumerate(frames) for event in rule.push(mark == "v", i * 0.02, (i + 1) * 0.02)]
    return events + rule.finish()


@pytest.mark.parametrize(
    ("frames", "expected"),
    [
        ("." * 50, []),
        ("..vvv...", []),  # too short: a click
        ("v.v.v....v.v", []),  # too thin
        ("..vvvv" + "." * 12, [("start", 0.04), ("end", 0.12)]),
        ("..v.vvv" + "." * 12, [("start", 0.04), ("end", 0.14)]),  # one frame misjudged
        ("vvvv" + "." * 11 + "v" + "." * 12, [("start", 0.0), ("end", 0.32)]),  # a pause inside
        ("vvvv" + "." * 12 + "vvvv", [("start", 0.0), ("end", 0.08), ("start", 0.32), ("end", 0.40)]),
        ("vvvvvv", [("start", 0.0), ("end", 0.12)]),  # the sound ends in speech
    ],
)
def test_table(frames: str, expected: list[tuple[str, float]]) -> None:
    got = [
        ("start", round(event.onset_s, 2)) if isinstance(event, SpeechStarted) else ("end", round(event.end_s, 2))
        for event in judge(frames)
    ]
    assert got == expected


@given(st.text(alphabet="v.", max_size=300))
def test_starts_and_ends_alternate_in_time(frames: str) -> None:
    events = judge(frames)
    assert [type(event) for event in events] == [SpeechStarted, SpeechEnded] * (len(events) // 2)
    times = [event.onset_s if isinstance(event, SpeechStarted) else event.end_s for event in events]
    assert times == sorted(times)


def detect(sound: np.ndarray, detector_name: str) -> list[tuple[float, SpeechEvent]]:
    detector = SpeechDetector(Hearing(detector=detector_name))  # type: ignore[arg-type]
    found = []
    for start in range(0, len(sound) - FRAME + 1, FRAME):
        frame = AudioFrame(start / RATE_HZ, RATE_HZ, sound[start : start + FRAME])
        found += [(frame.end_s, event) for event in detector.push(frame)]
    return found


@pytest.mark.parametrize("name", DETECTORS)
def test_speech_is_known_within_the_budget(speak: Speak, name: str) -> None:
    for text in ("Stop.", "Sorry, I meant ninety kilometers.", "How many apples are left?"):
        speech = speak(text)
        loud_s = np.flatnonzero(np.abs(speech) > 0.05 * np.abs(speech).max())[[0, -1]] / RATE_HZ
        events = detect(np.concatenate([silence(1.0), speech, silence(1.0)]), name)
        known_s, started = events[0]
        assert isinstance(started, SpeechStarted)
        assert known_s - (1.0 + loud_s[0]) <= 0.2
        assert abs(started.onset_s - (1.0 + loud_s[0])) <= 0.12  # a hissed "s" is not a voice yet
        _, ended = events[-1]
        assert isinstance(ended, SpeechEnded)
        assert abs(ended.end_s - (1.0 + loud_s[1])) <= 0.15


@pytest.mark.parametrize("name", DETECTORS)
def test_silence_and_faint_noise_are_not_speech(name: str) -> None:
    noise = np.random.default_rng(0).normal(0.0, 0.002, 5 * RATE_HZ).astype(np.float32)  # -54 dBFS
    assert detect(silence(5.0), name) == []
    assert detect(noise, name) == []


def stretches(sound: np.ndarray, step: int) -> list[Stretch]:
    voicing, found = SileroVoicing(Hearing(minimum_level_dbfs=-200.0)), []
    for start in range(0, len(sound) - step + 1, step):
        found += voicing.push(AudioFrame(start / RATE_HZ, RATE_HZ, sound[start : start + step]))
    return found


def test_silero_in_frames_is_silero_over_the_whole(speak: Speak) -> None:
    """State, context and windows that lie across frames: as faster-whisper runs the net over the whole sound."""
    sound = np.concatenate([silence(0.5), speak("How many apples are left?"), silence(0.5)])
    sound = sound[: len(sound) // 2560 * 2560]  # whole windows and whole frames
    found = stretches(sound, FRAME)
    probabilities = get_vad_model()(sound.copy()).reshape(-1)
    assert [stretch.end_s for stretch in found] == pytest.approx([0.032 * (i + 1) for i in range(len(sound) // 512)])
    sure = np.abs(probabilities - 0.3) > 0.05
    assert np.array_equal([s.voiced for s in found] & sure, (probabilities > 0.3) & sure)
    assert sure.mean() > 0.8


@given(st.integers(100, 2000))
@hypothesis_settings(max_examples=10)
def test_the_length_of_frames_changes_nothing(step: int) -> None:
    sound = np.random.default_rng(0).normal(0.0, 0.1, RATE_HZ).astype(np.float32)
    ours, whole = stretches(sound, step), stretches(sound, len(sound))
    assert [stretch.voiced for stretch in ours] == [stretch.voiced for stretch in whole][: len(ours)]


@pytest.mark.parametrize("name", NOISES)
def test_noises_that_are_not_speech(name: str) -> None:
    found = detect(NOISES[name](12.0, np.random.default_rng(0)), "silero")
    assert len(found) <= (2 if name == "music" else 0)


def test_level() -> None:
    assert level_dbfs(np.ones(10, dtype=np.float32)) == pytest.approx(0.0)
    assert level_dbfs(np.full(10, 0.1, dtype=np.float32)) == pytest.approx(-20.0, abs=0.01)
    assert level_dbfs(np.zeros(10, dtype=np.float32)) == level_dbfs(np.zeros(0, dtype=np.float32)) == -120.0
