"""The scripted sound card against a small assistant, in virtual time."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import anyio
import numpy as np
import pytest
import soundfile

from voice_agent.clock import VirtualClock, run_in_virtual_time
from voice_agent.record.recording import Recording
from voice_agent.record.sound_levels import Levels
from voice_agent.record.summary import summarize
from voice_agent.record.timeline import draw_timeline
from voice_agent.record.trace import Trace, read_trace
from voice_agent.replay.expectations import evaluate
from voice_agent.replay.observation import Observation
from voice_agent.replay.script import Script, make_script
from voice_agent.replay.scripted_sound import ScriptedSound

from .scripted_assistant import ANSWER, Assistant, ToneSpeaker

RATE_HZ = 16_000
SCENARIO = """
name: stop mid-answer
user:
  - {audio: question.wav, at: 0.5}
  - {audio: stop.wav, after: assistant_audio + 1.2}
expect: {stops_within_s: 0.3, silent_after_stop: true, interruptions: [stop]}
"""


@dataclass
class Run:
    sound: ScriptedSound
    assistant: Assistant
    script: Script
    folder: Path

    def summary(self) -> dict:
        stereo, rate_hz = soundfile.read(self.folder / "conversation.wav", dtype="float32")
        return summarize(
            read_trace(self.folder / "trace.jsonl"),
            turns=self.assistant.turns,
            truth=self.sound.truth,
            right=stereo[:, 1],
            rate_hz=rate_hz,
            origin_s=self.sound.origin_s,
            profile="tiny",
            time="virtual",
            mode="async",
            device="cpu",
            peak_rss_mb=1.0,
        )


def tone(seconds: float, lead_s: float = 0.1) -> np.ndarray:
    """Speech for those who hear by loudness: `lead_s` of silence, then a hum."""
    times = np.arange(int(seconds * RATE_HZ)) / RATE_HZ
    hum = 0.2 * np.sin(2 * np.pi * 150 * times)
    return np.concatenate([np.zeros(int(lead_s * RATE_HZ)), hum]).astype(np.float32)


def play(folder: Path, scenario: str = SCENARIO, capacity: int = 500) -> Run:
    folder.mkdir(parents=True, exist_ok=True)
    soundfile.write(folder / "question.wav", tone(1.0), RATE_HZ)
    soundfile.write(folder / "stop.wav", tone(0.4), RATE_HZ)
    soundfile.write(folder / "hiss.wav", np.random.default_rng(0).normal(0, 0.1, RATE_HZ // 2), RATE_HZ)
    (folder / "scenario.yaml").write_text(scenario)
    script = make_script(folder / "scenario.yaml", lambda text: tone(0.1 * len(text)), RATE_HZ)

    async def converse(clock: VirtualClock) -> Run:
        trace, speaker = Trace(folder / "trace.jsonl", clock), ToneSpeaker()
        assistant = Assistant(clock, trace, speaker)
        path = folder / "conversation.wav"
        with Recording(path, left_rate_hz=RATE_HZ, right_rate_hz=speaker.rate_hz) as recording:
            sound = ScriptedSound(
                script, speaker, clock=clock, trace=trace, recording=recording, is_idle=assistant.is_idle
            )
            send, receive = anyio.create_memory_object_stream(capacity)
            async with anyio.create_task_group() as tasks, receive:
                tasks.start_soon(sound.run, send)
                await assistant.run(receive)
        trace.close()
        return Run(sound, assistant, script, folder)

    return run_in_virtual_time(converse)


def test_the_same_scenario_twice_leaves_the_same_bytes(tmp_path: Path) -> None:
    noisy = SCENARIO + "noise: {file: hiss.wav, snr_db: 30}\necho: {delay_ms: 60, gain_db: -40}\n"
    first, second = play(tmp_path / "a", noisy), play(tmp_path / "b", noisy)
    for name in ("trace.jsonl", "conversation.wav"):
        assert (first.folder / name).read_bytes() == (second.folder / name).read_bytes()
    assert first.sound.truth == second.sound.truth


def test_triggers_fire_at_their_event_and_the_truth_is_exact_to_the_sample(tmp_path: Path) -> None:
    run = play(tmp_path)
    question, stop = run.sound.truth
    assert (question.onset_s, question.end_s) == pytest.approx((0.6, 1.6), abs=0.011)
    started = next(line.t for line in read_trace(tmp_path / "trace.jsonl") if line.kind == "audio_started")
    assert stop.onset_s == pytest.approx(started + 1.2 + 0.1, abs=0.011)
    left, rate_hz = soundfile.read(tmp_path / "conversation.wav", dtype="float32")
    heard_s = Levels(left[:, 0], rate_hz).first_loud_s(question.end_s + 0.1)
    assert heard_s == pytest.approx(stop.onset_s, abs=0.011)


def test_summary_and_expectations_of_a_stop(tmp_path: Path) -> None:
    run = play(tmp_path)
    summary, lines = run.summary(), read_trace(tmp_path / "trace.jsonl")
    (interruption,) = summary["interruptions"]
    assert interruption["kind"] == "stop"
    assert 0.0 < interruption["stop_s"] < 0.1, "the tone ends within a few frames of the onset"
    (turn,) = summary["turns"]
    assert turn["first_audio_s"] == pytest.approx(1.32, abs=0.05), "0.3 s of silence and 1 s of thought"
    thoughts = sum(line.kind == "thought" for line in lines)
    assert summary["llm"] == {"steps": thoughts, "step_ms_p50": 70.0, "step_ms_p95": 70.0}
    results = evaluate(run.script.scenario.expect, summary, lines, Observation(), run.sound.never_triggered)
    assert [(result["name"], result["ok"]) for result in results] == [
        ("stops_within_s", True),
        ("interruptions", True),
        ("silent_after_stop", True),
    ]
    draw_timeline(
        tmp_path / "timeline.png",
        lines,
        summary,
        name="stop",
        left=np.zeros(1000, np.float32),
        right=np.zeros(1000, np.float32),
        rate_hz=100,
    )
    assert (tmp_path / "timeline.png").stat().st_size > 10_000


def test_an_item_that_waits_for_the_end_of_the_answer_comes_after_it(tmp_path: Path) -> None:
    run = play(tmp_path, SCENARIO.replace("assistant_audio + 1.2", "assistant_end + 0.5"))
    stopped = [line.t for line in read_trace(tmp_path / "trace.jsonl") if line.kind == "audio_stopped"]
    assert run.sound.truth[1].onset_s == pytest.approx(stopped[0] + 0.6, abs=0.03)
    assert run.summary()["turns"][0]["sounded_text"] == ANSWER


def test_an_item_whose_event_never_comes_is_reported_and_the_conversation_ends(tmp_path: Path) -> None:
    run = play(tmp_path, SCENARIO.replace("expect:", "  - {audio: stop.wav, after: assistant_audio}\nexpect:"))
    assert run.sound.never_triggered == [3]
    results = evaluate(run.script.scenario.expect, run.summary(), [], Observation(), run.sound.never_triggered)
    assert results[0] == {"name": "item 3 is triggered", "ok": False, "value": "never triggered"}


def test_a_conversation_ends_at_lasts_s_even_if_it_is_not_idle(tmp_path: Path) -> None:
    play(tmp_path, SCENARIO + "lasts_s: 3.6\n")
    frames, rate_hz = soundfile.read(tmp_path / "conversation.wav")
    assert len(frames) == int(3.6 * rate_hz)


def test_the_microphone_never_waits(tmp_path: Path) -> None:
    script = make_script_of_one(tmp_path)

    async def nobody_listens(clock: VirtualClock) -> tuple[ScriptedSound, int]:
        trace = Trace(None, clock)
        with Recording(tmp_path / "x.wav", left_rate_hz=RATE_HZ, right_rate_hz=22_050) as recording:
            sound = ScriptedSound(
                script, ToneSpeaker(), clock=clock, trace=trace, recording=recording, is_idle=lambda: True
            )
            send, receive = anyio.create_memory_object_stream(10)
            async with receive:
                await sound.run(send)
                return sound, receive.statistics().current_buffer_used

    sound, waiting = run_in_virtual_time(nobody_listens)
    assert waiting == 10
    assert sound.dropped + waiting == pytest.approx((0.5 + 1.1 + 2.0) * 50, abs=1)


def make_script_of_one(folder: Path) -> Script:
    (folder / "one.yaml").write_text("name: one\nuser: [{say: long words, at: 0.5}]\n")
    return make_script(folder / "one.yaml", lambda _: tone(1.0), RATE_HZ)
