"""The bundled scenarios through every real room in virtual time; runs of files and folders, good and bad."""

from __future__ import annotations

import json
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any, cast
from xml.etree import ElementTree

import pytest
import soundfile

from voice_agent.errors import UnusableInput
from voice_agent.events import ModelCall
from voice_agent.parts import Parts
from voice_agent.record.trace import Trace, TraceLine, read_trace
from voice_agent.replay import runner
from voice_agent.replay.observation import Observation
from voice_agent.replay.runner import Played, Time, play, run_replay
from voice_agent.replay.script import Script
from voice_agent.replay.scripted_sound import ScriptedSound
from voice_agent.settings import Settings

from ..whole_conversation import SHORT, TINY, Fed, broken, bundled, watched_steps, with_own_workers, write_scenario

QUESTION = {"audio": "train_question.flac", "at": 0.5}
GREETING = {"audio": "hello.flac", "at": 0.5}


class Run:
    """One bundled scenario, played."""

    def __init__(self, played: Played, fed: list[Fed]) -> None:
        self.played, self.fed, self.summary = played, fed, played.summary
        self.lines = read_trace(played.folder / "trace.jsonl")

    def of(self, *kinds: str) -> list[TraceLine]:
        return [line for line in self.lines if line.kind in kinds]

    def text(self, kind: str) -> str:
        return "".join(line["text"] for line in self.of(kind))

    def first(self, kind: str) -> int:
        return next(index for index, line in enumerate(self.lines) if line.kind == kind)


@pytest.fixture(scope="module")
def runs(parts: Parts, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Run]:
    played = {}
    for name in ("plain", "correction", "stop", "back_channel", "greeting"):
        with watched_steps() as fed:
            folder = tmp_path_factory.mktemp(name)
            one = play(bundled(name), parts, TINY, folder, time="virtual", mode="async", seed=0)
        played[name] = Run(one, fed)
    return played


@pytest.fixture(params=["plain", "correction", "stop", "back_channel", "greeting"])
def run(request: pytest.FixtureRequest, runs: dict[str, Run]) -> Run:
    return runs[request.param]


def test_a_question_that_is_spoken_is_answered_aloud(run: Run) -> None:
    assert run.played.failure is None
    (turn,) = run.summary["turns"]
    assert turn["user_text"]
    assert turn["sounded_text"].strip() == run.text("sounded").strip() != ""
    assert turn["first_written_s"] < turn["first_audio_s"]
    assert turn["thinking_tokens"] > 0
    assert turn["spoken_tokens"] > 0


def test_every_step_follows_what_it_is_made_of(run: Run) -> None:
    aloud = ["written", "clause", "audio_started", "sounded", "audio_stopped"]
    for then in ("turn_ended", "thought"):  # whichever comes first: pauses are thought in
        path = ["speech_started", "word", "speech_ended", then, *aloud]
        firsts = [run.first(kind) for kind in path]
        assert firsts == sorted(firsts)
    times = [line.t for line in run.lines]
    assert times == sorted(times)
    steps = [line["step"] for line in run.of("thought")]
    assert steps == sorted(set(steps)), "thoughts go on, they do not begin again"


def test_four_files_are_written(run: Run) -> None:
    folder = run.played.folder
    assert {path.name for path in folder.iterdir()} == {
        "conversation.wav",
        "trace.jsonl",
        "summary.json",
        "timeline.png",
    }
    assert soundfile.info(folder / "conversation.wav").channels == 2
    assert (folder / "timeline.png").read_bytes().startswith(b"\x89PNG")
    assert json.loads((folder / "summary.json").read_text()) == run.summary
    assert run.played.seconds == soundfile.info(folder / "conversation.wav").duration
    assert run.played.seconds >= run.lines[-1].t - run.lines[0].t - 0.1


def test_the_summary_has_the_keys_of_the_contract(run: Run) -> None:
    summary = run.summary
    assert list(summary) == [
        *("profile", "time", "mode", "device", "turns", "interruptions", "llm", "peak_rss_mb", "expectations"),
    ]
    for turn in summary["turns"]:
        assert list(turn) == [
            *("user_text", "sounded_text", "first_audio_s", "first_written_s"),
            *("thinking_tokens", "spoken_tokens", "stall_s"),
        ]
    for interruption in summary["interruptions"]:
        assert list(interruption) == ["turn", "kind", "stop_s", "injected_s", "reflected_s"]
    assert list(summary["llm"]) == ["steps", "step_ms_p50", "step_ms_p95"]
    assert (summary["profile"], summary["time"], summary["mode"]) == ("tiny", "virtual", "async")
    assert [list(result) for result in summary["expectations"]] == [["name", "ok", "value"]] * len(
        summary["expectations"]
    )


def test_no_token_is_encoded_twice(run: Run) -> None:
    """A row goes on where its block ended; only the spoken words are cut back, and each question of the gate goes."""
    for block in ("preamble", "user", "thoughts"):
        end = 0
        for fed in (fed for fed in run.fed if fed.block == block):
            assert fed.start in (end, max(0, end - 1)), "at most the last token is fed again, to choose once more"
            end = fed.start + fed.tokens
    fed_in_all = sum(fed.tokens for fed in run.fed if fed.block not in ("first", "second", "third"))
    assert fed_in_all == sum(line["tokens"] for line in run.of("model_call") if line["which"] == "language")


def test_a_correction_enters_the_running_thoughts(runs: dict[str, Run]) -> None:
    run = runs["correction"]
    (injected,) = run.of("injected")
    assert "90" in injected["text"]
    assert [interruption["kind"] for interruption in run.summary["interruptions"]] == ["correction"]
    assert 0.0 <= run.summary["interruptions"][0]["injected_s"] < 1.0
    at = run.lines.index(injected)
    before, after = ([line for line in part if line.kind == "thought"] for part in (run.lines[:at], run.lines[at:]))
    assert before
    assert after
    assert len(before) + len(after) <= run.summary["turns"][0]["thinking_tokens"]
    assert run.summary["turns"][0]["user_text"].endswith(injected["text"])


def test_after_a_correction_only_new_tokens_are_fed(runs: dict[str, Run]) -> None:
    run = runs["correction"]
    at = run.first("injected")
    thoughts = [fed for fed in run.fed if fed.block == "thoughts"]
    heard = [fed for fed in thoughts if fed.tokens > 1][-1]  # the last long row: pending token, words, cue
    after = thoughts[thoughts.index(heard) + 1 :]
    assert heard.start == sum(fed.tokens for fed in thoughts[: thoughts.index(heard)])
    assert {fed.tokens for fed in after} == {1}
    question = [fed for fed in run.fed if fed.block == "user"][-1]  # the words stand in the question too
    calls = [i for i, line in enumerate(run.lines) if line.kind == "model_call" and line["which"] == "language"]
    last = max(call for call in calls if call < at)
    told_of, read = (run.lines[call] for call in calls[calls.index(last) :][:2])
    assert told_of["tokens"] == question.tokens
    assert heard.tokens <= read["tokens"] <= 2 * heard.tokens, "the same in both streams, and nothing else again"


def test_stop_means_stop(runs: dict[str, Run]) -> None:
    run = runs["stop"]
    (stop,) = run.summary["interruptions"]
    assert stop["kind"] == "stop"
    assert stop["stop_s"] <= 0.5
    after = [line.kind for line in run.lines[run.first("interrupted") :]]
    assert not {*after} & {"written", "clause", "sounded", "audio_started", "resumed"}
    assert after.count("thought") <= 1, "that of the step in flight"
    assert (run.text("sounded") + run.text("retracted")).rstrip() == run.text("written").rstrip()
    assert [result["ok"] for result in run.summary["expectations"]] == [True, True, True]


def test_a_back_channel_is_heard_out(runs: dict[str, Run]) -> None:
    run = runs["back_channel"]
    assert [interruption["kind"] for interruption in run.summary["interruptions"]] == ["back-channel"]
    (paused,), (resumed,) = run.of("paused"), run.of("resumed")
    assert paused["reply"] == resumed["reply"]
    assert paused.t < resumed.t
    assert not [line for line in run.of("sounded") if paused.t < line.t < resumed.t]
    assert run.text("sounded") == run.text("clause") == run.text("written"), "every word once"
    assert not run.of("retracted", "injected")


def test_the_same_conversation_gives_the_same_bytes(runs: dict[str, Run], parts: Parts, tmp_path: Path) -> None:
    play(bundled("stop"), parts, TINY, tmp_path, time="virtual", mode="async", seed=0)
    for name in ("trace.jsonl", "conversation.wav"):
        assert (tmp_path / name).read_bytes() == (runs["stop"].played.folder / name).read_bytes()


@pytest.mark.parametrize("mode", ["think", "think:6", "direct"])
def test_modes_of_answering(mode: str, parts: Parts, tmp_path: Path) -> None:
    played = play(bundled("greeting"), parts, SHORT, tmp_path, time="virtual", mode=mode, seed=0)
    lines = read_trace(tmp_path / "trace.jsonl")
    thoughts, written = ([line.t for line in lines if line.kind == kind] for kind in ("thought", "written"))
    assert played.summary["mode"] == mode
    assert played.summary["turns"][0]["sounded_text"].strip()
    if mode == "direct":
        assert not thoughts
        assert played.summary["turns"][0]["thinking_tokens"] == 0
    else:
        assert max(thoughts) <= min(written)
        assert played.summary["turns"][0]["thinking_tokens"] <= (6 if mode == "think:6" else 40)
    assert not [line for line in lines if line.kind == "gate"]


# --- what breaks -----------------------------------------------------------------------------------------------------


def replay(path: Path, out: Path, baseline: Path | None = None, junit: Path | None = None) -> int:
    return run_replay(
        path, settings=SHORT, out=out, time="virtual", mode="async", seed=0, baseline=baseline, junit=junit
    )


@pytest.mark.parametrize(
    ("which", "part"), [("recognizer", "recognizer"), ("voice", "voice"), ("language model", "reasoning")]
)
def test_a_part_that_breaks_ends_the_conversation_and_is_named(
    which: str, part: str, parts: Parts, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    scenario, out = write_scenario(tmp_path, [QUESTION]), tmp_path / "out"
    with broken(parts, which) as damaged:
        monkeypatch.setattr(runner, "load_parts", lambda settings, **others: damaged)
        with pytest.raises(UnusableInput) as raised:
            replay(scenario, out, junit=tmp_path / "junit.xml")
    assert f"made here broke off: {part}: RuntimeError: pulled the plug" in str(raised.value)
    assert str(out) in str(raised.value)
    lines = read_trace(out / "trace.jsonl")
    assert [line["part"] for line in lines if line.kind == "failed"] == [part]
    assert lines[-1].kind == "failed"
    assert soundfile.info(out / "conversation.wav").duration == pytest.approx(lines[-1].t, abs=0.5)
    assert [result["ok"] for result in json.loads((out / "summary.json").read_text())["expectations"]] == [False]
    assert (out / "timeline.png").exists()
    assert 'failures="1"' in (tmp_path / "junit.xml").read_text()


@pytest.fixture
def interruptible() -> Iterator[None]:
    """SIGINT as in a terminal: a shell starts what it runs in the background with the signal ignored."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.mark.usefixtures("interruptible")
def test_an_interrupted_run_leaves_what_was_recorded(
    parts: Parts, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    record = Trace.record

    def interrupt_at_third_reading(self: Trace, event: ModelCall) -> None:
        record(self, event)
        if sum(line.kind == "model_call" and line["which"] == "recognizer" for line in self.lines) == 3:
            signal.raise_signal(signal.SIGINT)

    monkeypatch.setattr(Trace, "record", interrupt_at_third_reading)
    with pytest.raises(KeyboardInterrupt):
        play(bundled("plain"), parts, SHORT, tmp_path, time="virtual", mode="async", seed=0)
    lines = read_trace(tmp_path / "trace.jsonl")
    assert soundfile.info(tmp_path / "conversation.wav").duration == pytest.approx(lines[-1].t, abs=0.5)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        pytest.param(None, "no scenario at .*: give a", id="missing"),
        pytest.param("name: x\nuser: [{audio: gone.wav, at: 0}]", "there is no sound file .*gone.wav", id="no sound"),
        pytest.param("name: x\nuser: [{audio: a.wav, at: 0}]\ntime: 3", "unknown key 'time'", id="unknown key"),
        pytest.param("name: x\nuser: [{audio: a.wav, after: hope}]", "unknown event 'hope'", id="impossible trigger"),
    ],
)
def test_a_bad_scenario_is_one_sentence_before_any_model_is_loaded(
    text: str | None, said: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(runner, "load_parts", lambda settings, **others: pytest.fail("loaded the models"))
    scenario = tmp_path / "bad.yaml"
    if text is not None:
        scenario.write_text(text)
    with pytest.raises(UnusableInput, match=said):
        replay(scenario, tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_two_scenarios_of_one_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(runner, "load_parts", lambda settings, **others: pytest.fail("loaded the models"))
    first = write_scenario(tmp_path / "scenarios", [{"audio": "hello.flac", "at": 0.5}], name="the same")
    first.with_name("copy.yaml").write_text(first.read_text())
    with pytest.raises(UnusableInput, match=r"the_same\.yaml has the name of .*copy\.yaml, 'the same': give each its"):
        replay(first.parent, tmp_path / "out")


def test_a_folder_without_scenarios(tmp_path: Path) -> None:
    with pytest.raises(UnusableInput, match="holds no scenario: its scenarios must be files named"):
        replay(tmp_path, tmp_path / "out")


def test_an_output_folder_that_is_a_file(parts: Parts, tmp_path: Path) -> None:
    (tmp_path / "out").write_text("in the way")
    with pytest.raises(UnusableInput, match=r"cannot record into .*out"):
        play(bundled("greeting"), parts, SHORT, tmp_path / "out", time="virtual", mode="async", seed=0)


def test_a_folder_against_a_baseline(
    parts: Parts, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(runner, "load_parts", lambda settings, **others: with_own_workers(parts))
    folder, out = tmp_path / "scenarios", tmp_path / "out"
    write_scenario(folder, [GREETING], name="one")
    write_scenario(folder, [GREETING], name="two", expect={"first_audio_within_s": 3.0})
    baseline, junit = tmp_path / "baseline.json", tmp_path / "junit.xml"
    monkeypatch.setenv("COLUMNS", "120")

    assert replay(folder, out, baseline, junit) == 0
    figures = json.loads(baseline.read_text())
    assert figures.keys() == {"one", "two"}
    assert (out / "one" / "summary.json").exists()
    assert (out / "two" / "timeline.png").exists()
    suites = {suite.get("name"): suite for suite in ElementTree.parse(junit).getroot()}
    assert suites["two"].get("tests") == "2"
    assert suites["two"].get("failures") == "0"
    shown = capsys.readouterr().out
    assert "all met" in shown
    assert "takeover rate" in shown
    assert json.loads((out / "measures.json").read_text())["takeover rate"] == {"value": 1.0, "of": 2}

    figures["one"]["turn 1 first_audio_s"] /= 2
    baseline.write_text(json.dumps(figures))
    assert replay(folder, out, baseline, junit) == 1
    summary = json.loads((out / "one" / "summary.json").read_text())
    assert [result["ok"] for result in summary["expectations"]] == [False]
    suites = {suite.get("name"): suite for suite in ElementTree.parse(junit).getroot()}
    assert (suites["one"].get("failures"), suites["two"].get("failures")) == ("1", "0")
    assert json.loads(baseline.read_text()) == figures, "a baseline does not follow what it judges"


def test_a_scenario_may_ask_for_the_wall_clock(parts: Parts, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(runner, "load_parts", lambda settings, **others: with_own_workers(parts))
    times = {}

    def noted(script: Script, parts: Parts, settings: Settings, out: Path, *, time: Time, **how: Any) -> Played:
        times[script.scenario.name] = time
        return Played(
            script.scenario.name,
            out,
            {"turns": [], "interruptions": [], "expectations": [], "mode": "async", "time": time},
            Observation(),
            cast(ScriptedSound, None),  # nobody asks
            1.0,
            None,
        )

    monkeypatch.setattr(runner, "play", noted)
    write_scenario(tmp_path / "scenarios", [GREETING], name="one")
    write_scenario(tmp_path / "scenarios", [GREETING], name="two", real_time=True)
    (tmp_path / "out").mkdir()
    assert replay(tmp_path / "scenarios", tmp_path / "out") == 0
    assert times == {"one": "virtual", "two": "real"}


def test_an_expectation_that_fails_is_status_1(parts: Parts, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(runner, "load_parts", lambda settings, **others: with_own_workers(parts))
    scenario = write_scenario(tmp_path, [GREETING], expect={"finally_says": ["rhinoceros"]})
    assert replay(scenario, tmp_path / "out") == 1
