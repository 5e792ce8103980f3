"""The room that a scripted loudspeaker stands in."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from voice_agent.replay.echo_path import TAIL_S, EchoPath, bend, room_response

RATE_HZ = 16_000
FRAME = 320
PLAYED = np.random.default_rng(0).normal(0.0, 0.2, 10 * FRAME).astype(np.float32)


def heard(played: np.ndarray, delay_ms: float, gain_db: float, cuts: list[int], seed: int = 0) -> np.ndarray:
    """What is heard while `played` is played and for a second after, taken in frames; pushed in pieces."""
    path = EchoPath(delay_ms, gain_db, RATE_HZ, seed)
    sound = np.concatenate([played, np.zeros(RATE_HZ, np.float32)])
    for piece in np.split(sound, sorted(cuts)):
        path.push(piece)
    return np.concatenate([path.take(start, FRAME) for start in range(0, len(sound), FRAME)])


@given(st.lists(st.integers(0, len(PLAYED)), max_size=6), st.sampled_from([20.0, 60.0, 203.7]))
def test_pieces_give_what_the_whole_gives(cuts: list[int], delay_ms: float) -> None:
    delay = round(delay_ms * RATE_HZ / 1000)
    whole = 0.25 * np.convolve(bend(PLAYED), room_response(RATE_HZ, 0))
    given_back = heard(PLAYED, delay_ms, 20 * np.log10(0.25), cuts)
    assert not given_back[:delay].any()
    np.testing.assert_allclose(given_back[delay : delay + len(whole)], whole, atol=1e-5)
    assert np.abs(given_back[delay + len(whole) :]).max() < 1e-5


@pytest.mark.parametrize("gain_db", [-30.0, -12.0, 0.0])
def test_the_gain_is_that_of_the_energy(gain_db: float) -> None:
    quiet = PLAYED / 20  # too quiet to be bent
    energy = np.sum(heard(quiet, 60, gain_db, []) ** 2) / np.sum(quiet**2)
    assert 10 * np.log10(energy) == pytest.approx(gain_db, abs=1.0)


def test_the_tail_falls_by_60_db_and_is_another_one_for_another_seed() -> None:
    response = room_response(RATE_HZ, 0)
    parts = [10 * np.log10(np.mean(part**2)) for part in np.array_split(response[1:], 10)]
    assert parts[-1] - parts[0] == pytest.approx(-54, abs=3), "nine tenths of it lie between the middles"
    assert len(response) == TAIL_S * RATE_HZ
    np.testing.assert_array_equal(response, room_response(RATE_HZ, 0))
    assert not np.allclose(response, room_response(RATE_HZ, 1))


def test_only_loud_sound_is_bent() -> None:
    tone = np.sin(2 * np.pi * 500 * np.arange(RATE_HZ) / RATE_HZ)

    def third_harmonic(level: float) -> float:
        spectrum = np.abs(np.fft.rfft(bend(level * tone)))
        return float(spectrum[1500] / spectrum[500])

    assert third_harmonic(0.01) < 1e-4
    assert third_harmonic(0.5) == pytest.approx(0.04, abs=0.01)


def test_what_was_not_pushed_is_silent_and_late_sound_is_not_moved() -> None:
    path = EchoPath(20, 0, RATE_HZ)
    path.push(PLAYED[:FRAME])
    assert not path.take(0, FRAME).any()
    assert path.take(FRAME, FRAME).any()
    assert not path.take(2 * FRAME, FRAME).any()
    path.push(PLAYED[FRAME : 3 * FRAME])
    expected = heard(PLAYED[: 3 * FRAME], 20, 0, [])[3 * FRAME : 4 * FRAME]
    np.testing.assert_allclose(path.take(3 * FRAME, FRAME), expected, atol=1e-5)
