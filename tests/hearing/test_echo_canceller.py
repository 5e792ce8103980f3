"""WebRTC's canceller on the real library; the queue in front of it; what happens when it breaks."""

from __future__ import annotations

from functools import cache
from pathlib import Path

import anyio
import numpy as np
import pytest
import soxr
from hypothesis import given
from hypothesis import strategies as st

from voice_agent.events import AudioFrame, Failed, SpeechStarted
from voice_agent.hearing.echo_canceller import NEEDED_S, WATCHED_S, EchoCanceller, Reference, cancel_echo
from voice_agent.hearing.speech_detector import SpeechDetector
from voice_agent.replay.echo_path import EchoPath
from voice_agent.settings import Hearing

from .sounds import FRAME, RATE_HZ, read_sound, silence

FIXTURES = Path(__file__).resolve().parents[2] / "audio_fixtures"
VOICE_RATE_HZ = 22_050
HEARING = Hearing()


@cache
def played() -> np.ndarray:
    """20 s of speech as the loudspeaker has it, 22.05 kHz."""
    names = ("train_question", "apples_question", "tides_question", "sorry_ninety")
    speech = np.concatenate([read_sound(FIXTURES / f"{name}.flac") for name in names])
    return soxr.resample(np.tile(speech, 2)[: 20 * RATE_HZ], RATE_HZ, VOICE_RATE_HZ).astype(np.float32)


def through(sound: np.ndarray, user: np.ndarray, delay_ms: float, gain_db: float) -> tuple[np.ndarray, np.ndarray]:
    """What the microphone hears of both, and what is left after cancelling; frame by frame."""
    faults: list[Failed] = []
    canceller = EchoCanceller(HEARING, VOICE_RATE_HZ, faults.append)
    path = EchoPath(delay_ms, gain_db, RATE_HZ)
    path.push(soxr.resample(sound, VOICE_RATE_HZ, RATE_HZ))
    frames, cleaned = [], []
    for at in range(len(sound) // (VOICE_RATE_HZ // 50)):
        canceller.played(sound[at * VOICE_RATE_HZ // 50 : (at + 1) * VOICE_RATE_HZ // 50])
        samples = np.clip(path.take(at * FRAME, FRAME) + user[at * FRAME : (at + 1) * FRAME], -1.0, 1.0)
        frames.append(AudioFrame(at / 50, RATE_HZ, samples.astype(np.float32)))
        cleaned.append(canceller.clean(frames[-1]))
    assert not faults
    return tuple(np.concatenate([frame.samples for frame in some]) for some in (frames, cleaned))  # type: ignore[return-value]


def test_a_muted_microphone_says_nothing_of_the_room() -> None:
    canceller = EchoCanceller(HEARING, VOICE_RATE_HZ, lambda fault: None)
    for muted, known in ((True, False), (False, True)):
        for at in range(100):
            canceller.played(played()[at * VOICE_RATE_HZ // 50 : (at + 1) * VOICE_RATE_HZ // 50])
            start_s = at / 50 + (0 if muted else 2)
            canceller.clean(AudioFrame(start_s, RATE_HZ, np.zeros(FRAME, np.float32), muted=muted))
        assert (canceller._level.gain_db is not None) == known


def starts_s(sound: np.ndarray) -> list[float]:
    """Where speech is found to begin."""
    detector = SpeechDetector(HEARING)
    frames = (AudioFrame(at / RATE_HZ, RATE_HZ, sound[at : at + FRAME]) for at in range(0, len(sound), FRAME))
    return [event.onset_s for frame in frames for event in detector.push(frame) if isinstance(event, SpeechStarted)]


def level_db(sound: np.ndarray) -> float:
    return 10 * float(np.log10(np.mean(np.square(sound, dtype=np.float64)) + 1e-12))


@pytest.mark.parametrize(("delay_ms", "gain_db"), [(20, -12), (60, -6), (200, -20)])
def test_what_is_played_is_not_heard_as_speech(delay_ms: float, gain_db: float) -> None:
    heard, cleaned = through(played(), silence(20), delay_ms, gain_db)
    late = slice(5 * RATE_HZ, None)
    assert level_db(heard[late]) - level_db(cleaned[late]) > 20
    assert starts_s(heard)
    assert not starts_s(cleaned)


@pytest.mark.parametrize("gain_db", [-12, -80], ids=["open loudspeaker", "headphones"])
def test_a_user_who_speaks_over_it_is_heard(gain_db: float) -> None:
    user, at = silence(20), 12 * RATE_HZ
    speech = read_sound(FIXTURES / "sorry_ninety.flac")
    user[at : at + len(speech)] = speech
    _, cleaned = through(played(), user, 60, gain_db)
    first, *_ = starts_s(cleaned)
    onset_s = starts_s(user)[0]
    assert first == pytest.approx(onset_s, abs=0.25)  # its first sound lies under the echo


def test_words_are_read_from_sound_that_has_a_quarter_of_what_was_taken_out() -> None:
    canceller = EchoCanceller(HEARING, VOICE_RATE_HZ, pytest.fail, lambda rate_hz: BreaksAt(100))
    for at in range(3):
        canceller.played(np.full(441, 0.5, np.float32))
        cleaned = canceller.clean(AudioFrame(at / 50, RATE_HZ, np.full(FRAME, 0.5, np.float32)))
    assert cleaned.to_read is not None
    np.testing.assert_allclose(cleaned.samples, 0.25, atol=1e-4)
    np.testing.assert_allclose(cleaned.to_read, 0.3125, atol=1e-4)


def test_nothing_is_played_and_the_user_sounds_as_before() -> None:
    speech = read_sound(FIXTURES / "train_question.flac")
    user = silence(20)
    user[RATE_HZ : RATE_HZ + len(speech)] = speech
    heard, cleaned = through(np.zeros_like(played()), user, 60, -12)
    assert level_db(cleaned) == pytest.approx(level_db(heard), abs=0.5)


# --- what breaks -----------------------------------------------------------------------------------------------------


class BreaksAt:
    """A canceller of halves, until it has had enough."""

    def __init__(self, step: int) -> None:
        self.left = step

    def far(self, played: np.ndarray) -> None:
        pass

    def near(self, heard: np.ndarray) -> np.ndarray:
        self.left -= 1
        if self.left < 0:
            raise RuntimeError("pulled the plug")
        return heard // 2


def test_a_fault_is_told_once_and_the_microphone_heard_as_it_is() -> None:
    told: list[Failed] = []
    canceller = EchoCanceller(HEARING, VOICE_RATE_HZ, told.append, lambda rate_hz: BreaksAt(3))
    frames = [AudioFrame(at / 50, RATE_HZ, np.full(FRAME, 0.5, np.float32)) for at in range(4)]
    cleaned = []
    for frame in frames:
        canceller.played(np.full(441, 0.5, np.float32))
        cleaned.append(canceller.clean(frame))
    np.testing.assert_allclose(cleaned[0].samples[160:], 0.25, atol=1e-4)  # it fades in for 10 ms
    assert cleaned[1:] == frames[1:], "the very frames"
    (fault,) = told
    assert fault.part == "echo canceller"
    assert "RuntimeError: pulled the plug" in fault.error
    assert "headphones" in fault.error


def test_a_canceller_that_cannot_be_had_is_told_and_passed_by() -> None:
    def missing(rate_hz: int) -> BreaksAt:
        raise ImportError("no library")

    told: list[Failed] = []
    canceller = EchoCanceller(HEARING, VOICE_RATE_HZ, told.append, missing)
    frame = AudioFrame(0.0, RATE_HZ, np.zeros(FRAME, np.float32))
    assert canceller.clean(frame) is frame
    assert len(told) == 1


@pytest.mark.anyio
async def test_the_stage_ends_with_its_frames() -> None:
    canceller = EchoCanceller(HEARING, VOICE_RATE_HZ, pytest.fail, lambda rate_hz: BreaksAt(100))
    to_stage, frames = anyio.create_memory_object_stream[AudioFrame](10)
    cleaned, out = anyio.create_memory_object_stream[AudioFrame](10)
    with to_stage, out:
        for at in range(3):
            to_stage.send_nowait(AudioFrame(at / 50, RATE_HZ, np.zeros(FRAME, np.float32)))
        to_stage.close()
        await cancel_echo(frames, cleaned, canceller)
        assert [frame.start_s async for frame in out] == [0.0, 0.02, 0.04]


# --- the queue -------------------------------------------------------------------------------------------------------


def count_up(start: int, n: int) -> np.ndarray:
    """Samples that are told apart: start, start + 1, ... in steps of the converter."""
    return (np.arange(start, start + n) / 32767.0).astype(np.float32)


@given(st.lists(st.tuples(st.integers(0, 700), st.integers(0, 3)), max_size=40))
def test_samples_come_out_in_order_and_each_once(calls: list[tuple[int, int]]) -> None:
    """Pushed and taken in any rhythm: silence where it runs dry, nothing doubled, nothing out of order."""
    reference, pushed, taken = Reference(RATE_HZ, RATE_HZ), 1, []
    for n, steps in calls:
        reference.push(count_up(pushed, n))
        pushed += n
        taken += [reference.take(160) for _ in range(steps)]
    numbers = np.concatenate([*taken, np.zeros(0, np.int16)])
    numbers = numbers[numbers > 0]
    assert np.all(np.diff(numbers) == 1)


def test_what_was_played_while_frames_were_dropped_is_skipped() -> None:
    class Remembers(BreaksAt):
        def far(self, played: np.ndarray) -> None:
            far.extend(played.tolist())

    far: list[int] = []
    canceller = EchoCanceller(HEARING, RATE_HZ, pytest.fail, lambda rate_hz: Remembers(100))
    for at in range(6):
        canceller.played(count_up(1 + at * FRAME, FRAME))
        if at not in (2, 3):
            canceller.clean(AudioFrame(at / 50, RATE_HZ, np.zeros(FRAME, np.float32)))
    assert far == [*range(1, 2 * FRAME + 1), *range(4 * FRAME + 1, 6 * FRAME + 1)]


def test_what_was_played_before_the_microphone_opened_is_forgotten() -> None:
    reference = Reference(RATE_HZ, RATE_HZ)
    reference.push(count_up(1, 5 * FRAME))
    reference.keep_newest(FRAME)
    assert reference.take(160)[0] == 4 * FRAME + 1


def test_a_queue_that_is_always_too_long_is_cut_once() -> None:
    reference = Reference(RATE_HZ, RATE_HZ)
    late = round(2 * NEEDED_S * RATE_HZ)
    reference.push(count_up(0, late))
    behind = []
    for step in range(round(2 * WATCHED_S * 100)):
        reference.push(np.full(160, step / 32767.0, np.float32))
        behind.append(step - int(reference.take(160)[-1]))
    assert behind[20] == late // 160
    assert behind[-1] == 0
    assert sorted(set(behind[20:])) == [0, late // 160], "one jump, no creeping"
