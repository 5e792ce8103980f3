"""The trace: written at once, read back the same."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from voice_agent.clock import VirtualClock
from voice_agent.errors import UnusableInput
from voice_agent.events import AudioStopped, Gate, Interrupted, Paused, Resumed, Thought, Word
from voice_agent.record.trace import Trace, TraceLine, pauses_of, read_trace

EVENTS = [
    Word("caf\u00e9", 0.1, 0.123456789, final=True),
    Thought(' "60"\n', 3),
    Gate(1 / 3, 2 / 3, "think"),
    Interrupted(0, "noise"),
]


def test_a_line_is_on_disk_the_moment_its_event_happens(tmp_path: Path) -> None:
    path = tmp_path / "trace.jsonl"
    trace = Trace(path, VirtualClock())
    for count, event in enumerate(EVENTS, start=1):
        trace.record(event)
        assert read_trace(path) == trace.lines
        assert len(trace.lines) == count
    trace.close()
    first = json.loads(path.read_text(encoding="utf-8").splitlines()[0])
    assert list(first.items()) == [
        ("t", 0.0),
        ("kind", "word"),
        ("text", "caf\u00e9"),
        ("start_s", 0.1),
        ("end_s", 0.1235),
        ("final", True),
        ("doubtful", False),
        ("probability", 1.0),
    ]


def test_subscribers_see_every_line_and_may_record_in_turn(tmp_path: Path) -> None:
    trace = Trace(None, VirtualClock())
    seen: list[TraceLine] = []
    trace.subscribe(seen.append)
    trace.subscribe(lambda line: trace.record(Paused(1)) if line.kind == "thought" else None)
    trace.record(Thought("a", 1))
    assert [line.kind for line in seen] == ["thought", "paused"]
    assert seen == trace.lines


def test_what_comes_after_the_end_is_remembered_but_not_written(tmp_path: Path) -> None:
    trace = Trace(tmp_path / "trace.jsonl", VirtualClock())
    trace.close()
    trace.record(Paused(1))
    assert read_trace(tmp_path / "trace.jsonl") == []
    assert len(trace.lines) == 1


@pytest.mark.parametrize("line", ["{", "[]", '{"kind": "word"}', '{"t": "soon", "kind": "word"}'])
def test_a_broken_line_is_named(tmp_path: Path, line: str) -> None:
    path = tmp_path / "trace.jsonl"
    path.write_text('{"t": 0, "kind": "paused", "reply": 1}\n' + line + "\n")
    with pytest.raises(UnusableInput, match=r"trace\.jsonl, line 2"):
        read_trace(path)


def test_a_pause_ends_when_the_voice_resumes_or_its_reply_is_cleared() -> None:
    clock = VirtualClock()
    trace = Trace(None, clock)
    for event in (Paused(1), Resumed(1), Paused(1), AudioStopped(1), Paused(2)):
        trace.record(event)
    timed = [TraceLine(float(t), line.kind, line.fields) for t, line in enumerate(trace.lines)]
    assert list(pauses_of(timed)) == [(0.0, 1.0), (2.0, 3.0), (4.0, 4.0)]
