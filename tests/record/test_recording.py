"""The recording: both channels in step, whatever comes late, and whole even when a conversation breaks off."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import soundfile
import soxr
from hypothesis import given
from hypothesis import strategies as st

from voice_agent.errors import UnusableInput
from voice_agent.record.recording import Recording, read_channels

LEFT_HZ, RIGHT_HZ = 16_000, 22_050


def hum(seconds: float, rate_hz: int) -> np.ndarray:
    return (0.5 * np.sin(2 * np.pi * 300 * np.arange(int(seconds * rate_hz)) / rate_hz)).astype(np.float32)


def record(path: Path, chunks: list[tuple[str, np.ndarray]]) -> np.ndarray:
    with Recording(path, left_rate_hz=LEFT_HZ, right_rate_hz=RIGHT_HZ) as recording:
        for side, samples in chunks:
            (recording.left if side == "left" else recording.right)(samples)
    stereo, rate_hz = soundfile.read(path, dtype="float32")
    assert rate_hz == RIGHT_HZ
    return stereo


@given(cuts=st.lists(st.integers(1, 4000), min_size=1, max_size=12), left_first=st.booleans())
def test_recorded_in_pieces_is_recorded_whole(
    tmp_path_factory: pytest.TempPathFactory, cuts: list[int], left_first: bool
) -> None:
    left, right = hum(0.5, LEFT_HZ), hum(0.5, RIGHT_HZ)
    pieces = [("left", piece) for piece in np.split(left, np.unique(np.clip(np.cumsum(cuts), 0, len(left))))]
    chunks = [*pieces, ("right", right)] if left_first else [("right", right), *pieces]
    stereo = record(tmp_path_factory.mktemp("pieces") / "conversation.wav", chunks)
    whole = soxr.resample(left, LEFT_HZ, RIGHT_HZ)
    assert len(stereo) == pytest.approx(len(right), abs=2)
    n = min(len(stereo), len(whole), len(right))
    np.testing.assert_allclose(stereo[:n, 0], whole[:n], atol=2e-3)
    np.testing.assert_allclose(stereo[:n, 1], right[:n], atol=1e-4)


def test_a_gap_in_the_microphones_sound_stays_a_gap(tmp_path: Path) -> None:
    with Recording(tmp_path / "c.wav", left_rate_hz=RIGHT_HZ, right_rate_hz=RIGHT_HZ) as recording:
        recording.left(hum(0.1, RIGHT_HZ), position=0)
        recording.left(hum(0.1, RIGHT_HZ), position=RIGHT_HZ)
        recording.right(hum(1.1, RIGHT_HZ))
    left = soundfile.read(tmp_path / "c.wav")[0][:, 0]
    assert np.abs(left[RIGHT_HZ // 5 : RIGHT_HZ - 100]).max() < 1e-3
    assert np.abs(left[RIGHT_HZ + 100 :]).max() > 0.4


def test_what_was_said_is_kept_when_the_conversation_breaks_off(tmp_path: Path) -> None:
    def break_off() -> None:
        with Recording(tmp_path / "c.wav", left_rate_hz=LEFT_HZ, right_rate_hz=RIGHT_HZ) as recording:
            recording.right(hum(1.0, RIGHT_HZ))
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        break_off()
    _, right, rate_hz = read_channels(tmp_path / "c.wav")
    np.testing.assert_allclose(right, hum(1.0, rate_hz), atol=1e-4)


def test_a_channel_whose_device_is_gone_does_not_hold_the_other_back(tmp_path: Path) -> None:
    with Recording(tmp_path / "c.wav", left_rate_hz=LEFT_HZ, right_rate_hz=RIGHT_HZ) as recording:
        for _ in range(20):
            recording.right(hum(1.0, RIGHT_HZ))
        assert recording.seconds_waiting <= 5.0
    assert soundfile.info(tmp_path / "c.wav").duration == pytest.approx(20.0)


def test_a_folder_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    with pytest.raises(UnusableInput, match=r"cannot write .*conversation\.wav"):
        Recording(tmp_path / "none" / "conversation.wav", left_rate_hz=LEFT_HZ, right_rate_hz=RIGHT_HZ)
