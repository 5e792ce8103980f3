"""`talk`: what is typed, what is shown, what is recorded, and a whole conversation on a card that is a thread."""

from __future__ import annotations

import asyncio
import io
import json
import os
import pty
import sys
import termios
import threading
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import soundfile
from hypothesis import given
from hypothesis import strategies as st
from rich.console import Console
from rich.live import Live

from voice_agent.clock import VirtualClock
from voice_agent.errors import UnusableInput
from voice_agent.events import AudioFrame
from voice_agent.parts import Parts
from voice_agent.record.recording import Recording
from voice_agent.record.trace import TraceLine, read_trace
from voice_agent.settings import load_settings
from voice_agent.talk import run_talk, session
from voice_agent.talk.devices import choose_device
from voice_agent.talk.keyboard import LineEditor, typing
from voice_agent.talk.live_sound import LiveRecording
from voice_agent.talk.screen import Entry, Screen
from voice_agent.talk.terminal import HINTS, PlainView, Rooms, TerminalView, open_view

from .whole_conversation import broken

# --- typing -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("typed", "lines", "left"),
    [
        pytest.param("hello\nthere", ["hello"], "there", id="a line and the next"),
        pytest.param("  \n\r", [], "", id="blank lines are nothing"),
        pytest.param("helo\x7flo\n", ["hello"], "", id="backspace"),
        pytest.param("wrong\x15right\n", ["right"], "", id="ctrl-u"),
        pytest.param("two words\x17\n", ["two"], "", id="ctrl-w"),
        pytest.param("a\x1b[D\x1b[1;5Cb\x1bOPc\x1bxd", [], "abcd", id="keys that are not letters"),
        pytest.param("stop\x1b\nx", ["stop"], "x", id="escape swallows no other key"),
        pytest.param("\x04", ["/quit"], "", id="ctrl-d"),
        pytest.param("draft\x04", [], "draft", id="ctrl-d in a line"),
        pytest.param("grün 数\n", ["grün 数"], "", id="any script"),
    ],
)
def test_keys_edit_a_line(typed: str, lines: list[str], left: str) -> None:
    editor = LineEditor()
    assert editor.push(typed) == lines
    assert editor.text == left


@given(st.text(st.sampled_from("ab \n\x7f\x15\x17\x1b[O5~é"), max_size=20))
def test_typed_letter_by_letter_is_typed_at_once(typed: str) -> None:
    whole, streamed = LineEditor(), LineEditor()
    assert [line for letter in typed for line in streamed.push(letter)] == whole.push(typed)
    assert streamed.text == whole.text


def test_a_terminal_does_not_echo_and_is_put_back() -> None:
    master, slave = pty.openpty()
    before = termios.tcgetattr(slave)

    async def main() -> str:
        typed: asyncio.Future[str] = asyncio.get_running_loop().create_future()
        with os.fdopen(slave, closefd=False) as stream, typing(stream, typed.set_result):
            assert not termios.tcgetattr(slave)[3] & (termios.ECHO | termios.ICANON)
            os.write(master, "ü".encode())
            return await typed

    assert asyncio.run(main()) == "ü"
    assert termios.tcgetattr(slave) == before
    os.close(master)
    os.close(slave)


def test_input_that_is_none_or_over_changes_nothing() -> None:
    async def main() -> None:
        with typing(None, pytest.fail), open(os.devnull) as nothing, typing(nothing, pytest.fail):
            await asyncio.get_running_loop().run_in_executor(None, lambda: None)

    asyncio.run(main())


# --- the screen -------------------------------------------------------------------------------------------------------


def line(t: float, kind: str, **fields: Any) -> TraceLine:
    return TraceLine(t, kind, fields)


def word(t: float, text: str, final: bool = True) -> TraceLine:
    return line(t, "word", text=text, start_s=t, end_s=t, final=final)


def feed(screen: Screen, *lines: TraceLine) -> list[Entry]:
    return [entry for one in lines for entry in screen.push(one)]


QUESTION = (
    word(1.0, "How"),
    word(1.1, "fast?"),
    line(1.2, "speech_ended", end_s=1.0),
    line(2.0, "turn_ended", end_s=1),
)
ANSWER = (
    line(2.1, "thought", text="Hm.", step=1),
    line(2.2, "written", text="It goes eighty.", step=2, reply=1),
    line(2.5, "audio_started", reply=1),
    line(2.9, "sounded", text="It goes", reply=1),
)


def test_a_guess_is_replaced_and_then_final() -> None:
    screen = Screen()
    feed(screen, word(1.0, "How"), word(1.0, "fat", final=False), word(1.0, "his", final=False))
    assert (screen.heard, screen.guess) == ("How", "fat his")
    feed(screen, word(1.6, "fast", final=False))
    assert screen.guess == "fast"
    feed(screen, word(2.2, "fast"))
    assert (screen.heard, screen.guess) == ("How fast", "")


def test_question_and_answer_become_lines() -> None:
    screen = Screen()
    assert feed(screen, *QUESTION) == [Entry("you", "How fast?")]
    assert feed(screen, *ANSWER) == []
    assert (screen.thoughts, screen.sounded, screen.unsounded) == ("Hm.", "It goes", " eighty.")
    assert screen.thoughts_per_s(2.2) == 0.5
    ended = feed(screen, line(3.3, "sounded", text=" eighty.", reply=1), line(3.4, "audio_stopped", reply=1))
    assert ended == [Entry("assistant", "It goes eighty.", "1.5 s")]
    assert (screen.sounded, screen.unsounded, screen.thoughts_per_s(9.0)) == ("", "", 0.0)


def test_a_correction_shows_what_was_said_what_came_in_and_what_was_not_said() -> None:
    screen = Screen()
    feed(screen, *QUESTION, *ANSWER)
    entries = feed(
        screen,
        word(3.0, "Sorry, ninety."),
        line(3.1, "interrupted", reply=1, reason="correction"),
        line(3.1, "audio_stopped", reply=1),
        line(3.1, "retracted", text=" eigh", reply=1),
        line(3.1, "retracted", text="ty.", reply=1),
        line(3.2, "injected", text="Sorry, ninety.", step=9),
    )
    assert entries == [
        Entry("assistant", "It goes ...", "1.5 s"),
        Entry("you", "Sorry, ninety.", "correction"),
        Entry("unsaid", "eighty."),
    ]
    assert ">> Sorry, ninety." in screen.thoughts


def test_a_back_channel_leaves_the_answer_alone() -> None:
    screen = Screen()
    feed(screen, *QUESTION, *ANSWER)
    entries = feed(screen, word(3.0, "Uh huh."), line(3.1, "interrupted", reply=1, reason="back-channel"))
    assert entries == [Entry("you", "Uh huh.", "back-channel")]
    assert screen.sounded == "It goes"
    assert screen.finish() == [Entry("assistant", "It goes ...", "1.5 s")]


def test_a_typed_line_is_shown_at_once_or_with_its_verdict() -> None:
    screen = Screen()
    assert screen.typed("Hello", 1.0, over_answer=False) == [Entry("you", "Hello", "typed")]
    assert screen.typed("Stop", 2.0, over_answer=True) == []
    assert feed(screen, line(2.0, "interrupted", reply=0, reason="stop")) == [Entry("you", "Stop", "stop")]


# --- the terminal -----------------------------------------------------------------------------------------------------

ROOMS = Rooms(level_dbfs=-30.0, muted=False, floor="answering", backlog_s=1.25, dropped_frames=0, late_blocks=2)


def picture(screen: Screen, height: int = 30, typed: str = "") -> list[str]:
    console = Console(file=io.StringIO(), force_terminal=True, width=80, height=height, color_system=None)
    view = TerminalView(Live(console=console), screen)
    with console.capture() as drawn:
        console.print(view._picture(ROOMS, typed, 3.0))
    return drawn.get().splitlines()


def test_the_picture_keeps_its_height_and_shows_the_end_of_everything() -> None:
    full = Screen(heard="word " * 100 + "last heard", thoughts="a thought\n" * 50 + "last\x1b[2J thought")
    feed(full, line(1.0, "written", text="said " * 80 + "soon", step=1, reply=1))
    shown = picture(full, typed="x" * 200 + "typed")
    assert len(shown) == len(picture(Screen())) <= 14
    text = "\n".join(shown)
    for end in ("last heard", "last [2J thought", "soon", "typed▏", "1.2 s ahead", "▮▮▮▮▮▮▯▯▯▯", "2 crackles", HINTS):
        assert end in text
    assert len(picture(full, height=10)) <= 10


def test_others_cannot_tear_the_picture_and_are_not_lost(capfd: pytest.CaptureFixture[str]) -> None:
    file = io.StringIO()
    console = Console(file=file, force_terminal=True, width=80, color_system=None)
    with open_view(console, Screen()) as view:
        view.draw(ROOMS, "", 0.0)
        os.write(2, b"underrun occurred\nunderrun occurred\n")
    assert capfd.readouterr().err == ""
    assert file.getvalue().endswith("underrun occurred (2 x)\n")


# --- devices and recording --------------------------------------------------------------------------------------------


class Cards:
    """A module like sounddevice with a headset and a loudspeaker; its streams are threads that call back at once."""

    PortAudioError = type("PortAudioError", (Exception,), {})

    def __init__(self) -> None:
        self.default = SimpleNamespace(device=(0, 1))
        self.refuses = False
        self.opens = True
        self._refusals = 0  # after a loss: the first time that it is looked again, nothing is there
        self.streams: list[_Stream] = []

    def query_devices(self, device: object = None, kind: object = None) -> Any:
        keys = ("index", "name", "max_input_channels", "max_output_channels", "default_samplerate")
        rows = ((0, "Headset", 1, 1, 16_000.0), (1, "Loudspeaker", 0, 2, 22_050.0))
        return [dict(zip(keys, row, strict=True)) for row in rows]

    def check_input_settings(self, device: object = None, *_: object, **__: object) -> None:
        if self.refuses:
            raise self.PortAudioError("Device unavailable")

    check_output_settings = check_input_settings

    def InputStream(self, **options: Any) -> _Stream:
        return self._open(options, np.zeros((options["blocksize"], 1), np.float32))

    OutputStream = InputStream

    def _terminate(self) -> None:
        assert not any(stream._card.is_alive() for stream in self.streams)

    def _initialize(self) -> None:
        self.opens, self._refusals = self._refusals > 0, self._refusals + 1

    def _open(self, options: dict[str, Any], block: np.ndarray) -> _Stream:
        if not self.opens:
            raise self.PortAudioError("Device unavailable")
        self.streams.append(_Stream(options, block))
        return self.streams[-1]


class _Stream:
    """Calls back at the pace of its rate until it is left; `active` is what PortAudio would say."""

    def __init__(self, options: dict[str, Any], block: np.ndarray) -> None:
        self.active = True
        self._options, self._block = options, block
        self._left = threading.Event()
        self._card = threading.Thread(target=self._play)

    def __enter__(self) -> _Stream:
        self._card.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._left.set()
        self._card.join()

    def _play(self) -> None:
        status = SimpleNamespace(output_underflow=False)
        while not self._left.wait(len(self._block) / self._options["samplerate"]):
            self._options["callback"](self._block, len(self._block), None, status)


@pytest.fixture
def cards(monkeypatch: pytest.MonkeyPatch) -> Cards:
    module = Cards()
    monkeypatch.setitem(sys.modules, "sounddevice", module)  # type: ignore[arg-type]
    return module


def test_devices_by_default_by_number_and_by_name(cards: Cards) -> None:
    assert choose_device("output", None).name == "Loudspeaker"
    assert choose_device("output", 0).name == "Headset"
    assert choose_device("input", "head").name == "Headset"
    with pytest.raises(UnusableInput, match="no loudspeaker 'kitchen': choose --output-device among 0 'Headset', 1 'L"):
        choose_device("output", "kitchen")
    with pytest.raises(UnusableInput, match="no microphone '1': choose --input-device among 0 'Headset'"):
        choose_device("input", 1)


def test_no_device_and_a_busy_one_are_known_before_models_load(cards: Cards, monkeypatch: pytest.MonkeyPatch) -> None:
    cards.refuses = True
    with pytest.raises(UnusableInput, match=r"'Headset' cannot be opened \(Device unavailable\)"):
        talk(None)
    monkeypatch.setattr(cards, "query_devices", list)
    with pytest.raises(UnusableInput, match="no microphone was found"):
        talk(None)


def test_a_folder_that_cannot_be_made_is_said(cards: Cards, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(UnusableInput, match=r"cannot record into .*file.*: choose another folder"):
        talk(tmp_path / "file")


def test_both_channels_are_placed_by_the_clock(tmp_path: Path) -> None:
    clock = VirtualClock()
    with Recording(tmp_path / "sound.wav", left_rate_hz=1000, right_rate_hz=1000) as recording:
        live = LiveRecording(recording, clock)
        clock._now_s = 1.0
        live.right(np.full(100, 0.5, np.float32))
        clock._now_s = 1.3  # late, but the card's buffer played on
        live.right(np.full(100, 0.5, np.float32))
        live.left(AudioFrame(0.5, 1000, np.full(100, 0.25, np.float32)))
        clock._now_s = 3.0
        live.right(np.full(100, 0.5, np.float32))
    sound, _ = soundfile.read(tmp_path / "sound.wav")
    loud = sound[:, 1] > 0.4
    assert np.flatnonzero(np.diff(loud.astype(int))).tolist() == [999, 1199, 2999]
    assert abs(int(np.argmax(sound[:, 0] > 0.2)) - 500) < 10


@pytest.mark.parametrize("heard_meanwhile", [True, False])
def test_a_loudspeaker_that_was_away_goes_on_at_its_time(heard_meanwhile: bool, tmp_path: Path) -> None:
    clock = VirtualClock()
    with Recording(tmp_path / "sound.wav", left_rate_hz=500, right_rate_hz=1000) as recording:
        live = LiveRecording(recording, clock)
        for second in range(20):
            clock._now_s = second + 1.0
            if heard_meanwhile or not 5 <= second < 15:
                live.left(AudioFrame(float(second), 500, np.full(500, 0.25 if second == 19 else 0.0, np.float32)))
            if not 3 <= second < 18:
                live.right(np.full(1000, 0.5 if second == 19 else 0.0, np.float32))
    sound, _ = soundfile.read(tmp_path / "sound.wav")
    assert len(sound) == pytest.approx(20_000, abs=1000)
    assert int(np.argmax(sound[:, 0] > 0.2)) == pytest.approx(19_000, abs=20)
    assert int(np.argmax(sound[:, 1] > 0.4)) == pytest.approx(19_000, abs=1000)  # its buffer may be as long


# --- the whole --------------------------------------------------------------------------------------------------------


def talk(out: Path | None) -> int:
    return run_talk(
        settings=load_settings("tiny"), input_device=None, output_device=None, out=out, mode="direct", seed=0
    )


@pytest.fixture
def keyboard(monkeypatch: pytest.MonkeyPatch) -> Iterator[int]:
    """Standard input is a pipe; the end to type into."""
    reading, typing_end = os.pipe()
    with os.fdopen(reading) as stream:
        monkeypatch.setattr(sys, "stdin", stream)
        yield typing_end
    os.close(typing_end)


def when_logged(monkeypatch: pytest.MonkeyPatch, act: Callable[[Entry], None]) -> None:
    log = PlainView.log

    def log_and_act(view: PlainView, entries: Iterable[Entry]) -> None:
        shown = list(entries)
        log(view, shown)
        for entry in shown:
            act(entry)

    monkeypatch.setattr(PlainView, "log", log_and_act)


def test_a_typed_line_is_answered_aloud_and_recorded(
    cards: Cards,
    keyboard: int,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
) -> None:
    def leave(entry: Entry) -> None:
        if entry.who == "assistant":
            os.write(keyboard, b"/mute\n/quit\n")

    when_logged(monkeypatch, leave)
    os.write(keyboard, b"What is two plus three?\n")
    assert talk(tmp_path) == 0
    shown = capfd.readouterr().out
    assert "\nyou (typed): What is two plus three?\nassistant (" in shown
    assert {file.name for file in tmp_path.iterdir()} == {
        "conversation.wav",
        "trace.jsonl",
        "summary.json",
        "timeline.png",
    }
    summary = json.loads((tmp_path / "summary.json").read_text())
    assert summary["time"] == "real"
    assert summary["turns"][0]["user_text"] == "What is two plus three?"
    sound, _ = soundfile.read(tmp_path / "conversation.wav")
    assert np.abs(sound[:, 1]).max() > 0.05
    assert not any(stream.active and stream._card.is_alive() for stream in cards.streams)


@pytest.mark.parametrize("lost", [16_000, 22_050], ids=["microphone", "loudspeaker"])
def test_a_device_that_vanishes_is_waited_for(
    lost: int,
    cards: Cards,
    keyboard: int,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
) -> None:
    def unplug() -> None:
        for stream in cards.streams:
            stream.active = stream._options["samplerate"] != lost

    def act(entry: Entry) -> None:
        if entry.who == "assistant":
            os.write(keyboard, b"/quit\n") if len(cards.streams) > 2 else unplug()
        elif "is back" in entry.text:
            os.write(keyboard, b"And now?\n")

    when_logged(monkeypatch, act)
    os.write(keyboard, b"Hello.\n")
    assert talk(tmp_path) == 0
    name = "microphone 'Headset' stopped delivering" if lost == 16_000 else "device 'Loudspeaker' stopped taking"
    shown = capfd.readouterr().out.splitlines()
    notes = [line for line in shown if line.startswith("note: ")]
    assert [name in notes[0], notes[1:]] == [True, ["note: the sound device is back"]]
    lines = read_trace(tmp_path / "trace.jsonl")
    assert [line.kind for line in lines if line.kind in ("failed", "recovered")] == ["failed", "recovered"]
    first, second = json.loads((tmp_path / "summary.json").read_text())["turns"]
    assert first["sounded_text"]
    assert second["sounded_text"]


def test_a_part_that_breaks_ends_it_with_everything_written(
    cards: Cards, keyboard: int, parts: Parts, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    os.write(keyboard, b"Hello.\n")
    with broken(parts, "voice") as damaged:
        monkeypatch.setattr(session, "load_parts", lambda *_: damaged)
        with pytest.raises(UnusableInput, match=r"voice: RuntimeError: pulled the plug; what was recorded until then"):
            talk(tmp_path)
    assert read_trace(tmp_path / "trace.jsonl")[-1].kind == "failed"
    assert json.loads((tmp_path / "summary.json").read_text())["turns"][0]["user_text"] == "Hello."
    assert soundfile.info(tmp_path / "conversation.wav").duration > 0.0
