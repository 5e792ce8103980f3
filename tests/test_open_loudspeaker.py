"""Conversations in which the microphone hears the loudspeaker: it does not interrupt itself, the user can."""

from __future__ import annotations

import dataclasses
from pathlib import Path

from voice_agent.parts import Parts
from voice_agent.record.trace import TraceLine

from .whole_conversation import SHORT, Held, hold, script_of

QUESTION = {"audio": "tides_question.flac", "at": 0.5}
STOPS_AFTER_S = (1.0, 1.4, 1.6, 1.8, 2.0)
ECHO = {"delay_ms": 60, "gain_db": -12}
OFF = dataclasses.replace(SHORT, hearing=dataclasses.replace(SHORT.hearing, echo_canceller="off"))


def of(held: Held, kind: str) -> list[TraceLine]:
    return [line for line in held.lines if line.kind == kind]


def test_an_open_loudspeaker_does_not_interrupt_itself(parts: Parts, tmp_path: Path) -> None:
    held = hold(script_of(tmp_path, QUESTION, echo=ECHO), parts, tmp_path / "out")
    assert of(held, "sounded")
    assert not of(held, "paused") + of(held, "interrupted") + of(held, "failed")


def test_without_a_canceller_it_does(parts: Parts, tmp_path: Path) -> None:
    """Else the test above would show nothing."""
    held = hold(script_of(tmp_path, QUESTION, echo=ECHO, lasts_s=9.0), parts, tmp_path / "out", settings=OFF)
    assert of(held, "paused")


def test_stop_is_heard_through_the_echo(parts: Parts, tmp_path: Path) -> None:
    """What the assistant says at that moment may hide the word once."""
    obeyed = 0
    for after_s in STOPS_AFTER_S:
        stop = {"audio": "stop.flac", "after": f"assistant_audio + {after_s}"}
        held = hold(script_of(tmp_path, QUESTION, stop, echo=ECHO), parts, tmp_path / f"out_{after_s}")
        reasons = [line["reason"] for line in of(held, "interrupted")]
        assert len(reasons) == 1, after_s  # whatever was understood, the assistant fell silent
        if reasons == ["stop"]:
            obeyed += 1
            assert not [line for line in held.lines[held.kinds().index("interrupted") :] if line.kind == "sounded"]
    assert obeyed >= len(STOPS_AFTER_S) - 1
