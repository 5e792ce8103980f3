"""Echo or user, by level alone."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from voice_agent.hearing.echo_level import HELD, MARGIN_DB, QUIET_DBFS, WINDOW, EchoLevel

VOICE = [-15.0, -22.0, -18.0, -35.0, -20.0]  # dBFS per 10 ms, again and again
NOISE = -65.0


def learnt(gain_db: float, delay: int = 6, steps: int = 200) -> tuple[EchoLevel, list[bool]]:
    """After `steps` of playing into a path of so much gain and delay; and what passed meanwhile."""
    level = EchoLevel()
    played = [VOICE[at % len(VOICE)] for at in range(steps)]
    heard = [NOISE] * delay + [max(NOISE, one + gain_db) for one in played]
    return level, [level.push(*step) for step in zip(played, heard, strict=False)]


@given(st.floats(-60, 0), st.integers(1, 30))
def test_an_echo_never_passes(gain_db: float, delay: int) -> None:
    level, passed = learnt(gain_db, delay)
    assert not any(passed)
    assert level.gain_db is not None
    assert level.gain_db <= max(gain_db, NOISE - QUIET_DBFS) + 1e-6


@pytest.mark.parametrize("gain_db", [-80, -30, -12])
def test_whoever_is_louder_than_any_echo_passes_with_what_follows(gain_db: float) -> None:
    level, _ = learnt(gain_db)
    loud = -15.0 + max(gain_db, NOISE + 15) + MARGIN_DB + 1
    assert level.push(-20.0, loud)
    after = [level.push(-20.0, NOISE) for _ in range(HELD + 5)]
    assert after == [True] * (HELD - 1) + [False] * 6


def test_where_nothing_is_played_everything_passes() -> None:
    level = EchoLevel()
    assert all(level.push(-120.0, heard) for heard in (-20.0, -65.0, -3.0))
    assert not level.push(-20.0, -30.0), "playing began: what comes now may be its echo"
    assert not any(level.push(-120.0, -30.0) for _ in range(WINDOW - 1)), "the room still sounds"
    assert level.push(-120.0, -30.0)


def test_a_user_who_spoke_while_the_path_was_learnt_is_forgotten() -> None:
    level = EchoLevel()
    for _ in range(WINDOW):
        level.push(-20.0, -20.0)
    assert not level.push(-20.0, -20.0)
    for _ in range(6000):  # a minute of playing into headphones
        level.push(-20.0, NOISE)
    assert level.push(-20.0, -20.0)


def test_a_path_that_became_stronger_is_an_echo_again_within_two_seconds() -> None:
    level, _ = learnt(-30.0)
    passed = [level.push(-15.0, -25.0) for _ in range(200)]
    assert passed[0]
    assert not passed[-1]
