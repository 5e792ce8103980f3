"""When things happened: from a trace, and from a line that holds it."""

from __future__ import annotations

import json
from typing import Any

import pytest

from voice_agent.evaluation.report.sources import Kept
from voice_agent.evaluation.report.timeline import Stretch, of_line, of_trace
from voice_agent.record.trace import TraceLine


def at(t: float, kind: str, **fields: Any) -> TraceLine:
    return TraceLine(t, kind, fields)


TRACE = [
    at(0.6, "speech_started", onset_s=0.5),
    at(2.2, "word", text="How", start_s=0.5, end_s=0.9, final=True),
    at(2.2, "word", text="fast?", start_s=1.0, end_s=1.9, final=True),
    at(2.2, "speech_ended", end_s=2.0),
    at(2.4, "turn_ended", end_s=2.0),
    at(2.5, "thought", text="Let us ", step=1),
    at(2.6, "thought", text="see.", step=2),
    at(2.7, "written", text="Well.", step=3, reply=1),
    at(3.0, "audio_started", reply=1),
    at(3.5, "sounded", text="Well.", reply=1),
    at(3.6, "audio_stopped", reply=1),
    at(4.0, "thought", text=" Done.", step=30),
    at(4.1, "audio_started", reply=1),
    at(5.0, "sounded", text=" 80.", reply=1),
    at(5.1, "audio_stopped", reply=1),
]


def test_seconds_count_from_the_end_of_the_question() -> None:
    assert [(s.lane, round(s.start_s, 3), round(s.end_s, 3), s.text) for s in of_trace(TRACE)] == [
        ("user", -1.5, 0.0, "How fast?"),
        ("thoughts", 0.5, 0.65, "Let us see."),
        ("thoughts", 2.0, 2.05, " Done."),
        ("written", 0.7, 0.75, "Well."),
        ("audible", 1.0, 1.6, "Well."),
        ("audible", 2.1, 3.1, " 80."),
    ]


def test_a_line_holds_what_the_trace_told() -> None:
    stretches = of_trace(TRACE)
    values = json.loads(json.dumps({"timeline": [stretch.to_json() for stretch in stretches]}))
    held = of_line(Kept(values, "x.jsonl", 2, "a"))
    assert held is not None
    assert [s.to_json() for s in held] == [s.to_json() for s in stretches]


@pytest.mark.parametrize(
    "timeline", [None, [], "x", [["thoughts", 1.0]], [["beside", 0.0, 1.0, "x"]], [[1, "a", 2, 3]]]
)
def test_a_line_that_holds_none(timeline: Any) -> None:
    assert of_line(Kept({"timeline": timeline}, "x.jsonl", 2, "a")) is None


def test_nothing_happened() -> None:
    assert of_trace([]) == ()
    assert Stretch("user", 0.0, 1.0, "x").to_json() == ["user", 0.0, 1.0, "x"]
