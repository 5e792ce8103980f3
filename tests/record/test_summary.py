"""The figures of a conversation, on sound and events laid out by hand."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from voice_agent.record.sound_levels import Levels
from voice_agent.record.summary import ClipTruth, TurnRecord, summarize
from voice_agent.record.timeline import draw_timeline
from voice_agent.record.trace import TraceLine
from voice_agent.replay.expectations import evaluate
from voice_agent.replay.observation import Observation
from voice_agent.replay.scenario import Expect

RATE_HZ = 1000


def sound(*loud: tuple[float, float], lasts_s: float = 20.0) -> np.ndarray:
    """Silence with a hum from one second to another."""
    samples = np.zeros(int(lasts_s * RATE_HZ), np.float32)
    for start_s, end_s in loud:
        samples[int(start_s * RATE_HZ) : int(end_s * RATE_HZ)] = 0.2
    return samples


def line(t: float, kind: str, **fields: Any) -> TraceLine:
    return TraceLine(t, kind, fields)


CORRECTION = [
    line(2.7, "thought", text="60 / 0.75", step=1),
    line(3.2, "written", text="It is", step=5, reply=1),
    line(3.4, "clause", text="It is eighty, so", reply=1, source="model"),
    line(3.5, "audio_started", reply=1),
    line(4.1, "sounded", text="It is ", reply=1),
    line(4.65, "speech_started", onset_s=4.55),
    line(4.65, "paused", reply=1),
    line(6.4, "speech_ended", end_s=6.2),
    line(6.8, "interrupted", reply=1, reason="correction"),
    line(6.8, "audio_stopped", reply=1),
    line(6.8, "retracted", text="eighty, so", reply=1),
    line(7.0, "injected", text="I meant ninety.", step=30),
    line(7.1, "model_call", which="language", rows=2, tokens=2, ms=80.0),
    line(7.2, "model_call", which="language", rows=2, tokens=2, ms=100.0),
    line(7.3, "model_call", which="language", rows=1, tokens=64, ms=900.0),
    line(7.4, "model_call", which="voice", rows=2, tokens=3, ms=5.0),
    line(7.5, "written", text="One hundred twenty.", step=40, reply=2),
    line(8.0, "audio_started", reply=2),
    line(9.0, "sounded", text="One hundred ", reply=2),
    line(11.0, "sounded", text="twenty.", reply=2),
]
TRUTH = [ClipTruth(1, "How fast?", 0.5, 1.5), ClipTruth(2, "I meant ninety.", 4.5, 6.2)]
SOUND = sound((3.5, 4.7), (8.0, 9.0), (10.0, 11.0))


def summary_of(lines: list[TraceLine], right: np.ndarray, truth: list[ClipTruth] = TRUTH) -> dict[str, Any]:
    return summarize(
        lines,
        turns=[TurnRecord("How fast?", 2.5, 50, 7)],
        truth=truth,
        right=right,
        rate_hz=RATE_HZ,
        origin_s=0.0,
        profile="cpu",
        time="real",
        mode="async",
        device="cpu",
        peak_rss_mb=1.23,
    )


def test_the_figures_of_a_correction() -> None:
    summary = summary_of(CORRECTION, SOUND)
    assert summary["turns"] == [
        {
            "user_text": "How fast?",
            "sounded_text": "It is One hundred twenty.",
            "first_audio_s": 2.0,
            "first_written_s": 1.7,
            "thinking_tokens": 50,
            "spoken_tokens": 7,
            "stall_s": pytest.approx(3.3 - (6.8 - 4.65 - 0.05) + 1.0),  # without what the user's own pause took
        }
    ]
    (interruption,) = summary["interruptions"]
    assert interruption == {
        "turn": 1,
        "kind": "correction",
        "stop_s": pytest.approx(0.2),
        "injected_s": pytest.approx(0.8),
        "reflected_s": pytest.approx(1.8),
    }
    assert summary["llm"] == {"steps": 3, "step_ms_p50": 90.0, "step_ms_p95": 99.0}


def test_without_a_script_the_detectors_times_stand_for_the_true_ones() -> None:
    summary = summary_of(CORRECTION, SOUND, truth=[])
    assert summary["interruptions"][0]["stop_s"] == pytest.approx(0.15)
    assert summary["turns"][0]["first_audio_s"] == pytest.approx(1.0), "no speech before: from the turn's beginning"


def test_a_typed_question_ends_when_it_is_entered() -> None:
    turns = [TurnRecord("How fast?", 2.5, 50, 7), TurnRecord("And how far?", 15.0, 10, 4)]
    lines = [*CORRECTION, line(15.5, "written", text="Sixty.", step=60, reply=3)]
    lines.append(line(15.6, "clause", text="Sixty.", reply=3, source="model"))
    right = SOUND + sound((16.0, 17.0))
    summary = summarize(
        lines, turns=turns, truth=TRUTH, right=right, rate_hz=RATE_HZ, origin_s=0.0, profile="cpu", time="real",
        mode="async", device="", peak_rss_mb=1.0,
    )  # fmt: skip
    assert [turn["first_audio_s"] for turn in summary["turns"]] == [2.0, 1.0]


def test_a_filler_is_not_the_first_audio() -> None:
    filler = line(3.3, "clause", text="It is ", reply=1, source="filler")
    lines = sorted([filler, *CORRECTION], key=lambda each: each.t)
    assert summary_of(lines, sound((3.5, 4.0), (4.3, 4.7), (8.0, 9.0)))["turns"][0]["first_audio_s"] == 2.8


def test_what_rightly_went_on_and_what_was_silent_have_no_stop_time() -> None:
    back_channel = [line(4.65, "speech_started", onset_s=4.55), line(5.0, "interrupted", reply=1, reason="noise")]
    assert summary_of(back_channel, SOUND)["interruptions"][0]["stop_s"] is None
    assert summary_of(CORRECTION, sound((8.0, 9.0)))["interruptions"][0]["stop_s"] is None


@pytest.mark.parametrize(
    ("loud", "from_s", "expected"),
    [
        (((1.0, 2.0),), 1.5, 2.0),
        (((1.0, 2.0), (2.3, 3.0)), 1.5, 3.0),  # a gap between words is no silence
        (((1.0, 2.0), (2.5, 3.0)), 1.5, 2.0),
        (((1.0, 2.0), (5.0, 6.0)), 3.0, None),
        (((3.1, 4.0),), 3.0, 4.0),  # set in before anybody could react
        (((3.3, 4.0),), 3.0, None),
        ((), 1.0, None),
    ],
)
def test_when_a_sound_falls_silent(loud: tuple, from_s: float, expected: float | None) -> None:
    silent_s = Levels(sound(*loud), RATE_HZ).falls_silent_s(from_s)
    assert silent_s == (None if expected is None else pytest.approx(expected, abs=0.006))


@pytest.mark.parametrize(
    ("expect", "ok"),
    [
        ({"first_audio_within_s": 2.1}, True),
        ({"first_audio_within_s": 1.9}, False),
        ({"stops_within_s": 0.3}, True),
        ({"stops_within_s": 0.1}, False),
        ({"finally_says": ["120"]}, True),
        ({"finally_says": ["20"]}, False),
        ({"finally_says": ["120", "miles"]}, False),
        ({"never_says_after_interruption": ["80"]}, True),
        ({"never_says_after_interruption": ["120"]}, False),
        ({"interruptions": ["correction"]}, True),
        ({"interruptions": []}, False),
        ({"resumes": True}, False),
        ({"silent_after_stop": True}, False),
    ],
)
def test_expectations(expect: dict[str, Any], ok: bool) -> None:
    (result,) = evaluate(Expect(**expect), summary_of(CORRECTION, SOUND), CORRECTION, Observation())
    assert result["name"] == next(iter(expect))
    assert result["ok"] is ok


def test_an_answer_that_goes_on_after_a_back_channel_resumes() -> None:
    aside = [line(4.7, "interrupted", reply=1, reason="back-channel")]
    went_on = [*aside, line(5.0, "sounded", text="eighty", reply=1)]
    for lines, ok in ((aside, False), (went_on, True)):
        assert evaluate(Expect(resumes=True), summary_of(lines, SOUND), lines, Observation())[0]["ok"] is ok


def test_the_picture_is_drawn_for_any_conversation(tmp_path: Path) -> None:
    thoughts = [line(0.1 * step, "thought", text=" $x$ \u4e2d\U0001f600 thought", step=step) for step in range(100)]
    for name, lines in (("full", [*thoughts, *CORRECTION]), ("empty", [])):
        summary = summary_of(lines, SOUND)
        path = tmp_path / f"{name}.png"
        draw_timeline(path, lines, summary, name=name, left=SOUND, right=SOUND, rate_hz=RATE_HZ)
        width_px = int.from_bytes(path.read_bytes()[16:20])
        assert width_px == 1600
