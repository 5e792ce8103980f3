"""`talk` through a sound card: PortAudio, ALSA and PulseAudio are real, and so is the time."""

from __future__ import annotations

import json
import re
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from voice_agent.hearing.word_recognizer import WordRecognizer
from voice_agent.record.trace import read_trace
from voice_agent.settings import Hearing

from .sound_card import PATIENCE_S, Card, Lines, skip_without_pulseaudio, sound_cards

pytestmark = pytest.mark.sound_card
FIXTURES = Path(__file__).resolve().parents[1] / "audio_fixtures"
AUDIBLE_DBFS = -40.0


class Talk:
    """A running `voice-agent talk`: what it prints, and its keyboard."""

    def __init__(self, process: subprocess.Popen) -> None:
        assert process.stdout is not None
        self._process, self.lines = process, Lines(process.stdout)

    def type(self, line: str) -> None:
        assert self._process.stdin is not None
        self._process.stdin.write(line + "\n")
        self._process.stdin.flush()

    def quit(self) -> int:
        self.type("/quit")
        return self._process.wait(PATIENCE_S)

    def end(self) -> None:
        self._process.terminate()
        self._process.wait(PATIENCE_S)
        self.lines.join()


@pytest.fixture
def cards() -> Iterator[tuple[Card, Card, dict[str, str]]]:
    skip_without_pulseaudio()
    with tempfile.TemporaryDirectory(prefix="cards-") as folder, sound_cards(Path(folder)) as both:
        yield both


@contextmanager
def talking(microphone: Card, loudspeaker: Card, environment: dict[str, str], out: Path) -> Iterator[Talk]:
    """From the moment at which both of its streams are open."""
    command = [sys.executable, "-m", "voice_agent", "talk", "--profile", "tiny", "--mode", "direct", "--out", str(out)]
    with (
        microphone.streams() as listening,
        loudspeaker.streams() as playing,
        subprocess.Popen(
            command,
            env=environment,
            text=True,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
        ) as process,
    ):
        talk = Talk(process)
        try:
            talk.lines.wait_for("ready: microphone 'default', loudspeaker 'default'")
            listening.wait_for("'new' on source-output")
            playing.wait_for("'new' on sink-input")
            yield talk
        finally:
            talk.end()


def words(text: str) -> list[str]:
    return re.findall(r"[a-z]{3,}", text.lower())


def test_a_question_that_is_spoken_is_answered_aloud(
    cards: tuple[Card, Card, dict[str, str]], recognizer_folder: Path, tmp_path: Path
) -> None:
    microphone, loudspeaker, _ = cards
    with talking(*cards, tmp_path) as talk, loudspeaker.recording() as recording:
        microphone.play(FIXTURES / "tides_question.flac")
        recording.wait_until_louder_than(AUDIBLE_DBFS)
        talk.lines.wait_for("assistant (")
        assert talk.quit() == 0
    turn, *_ = json.loads((tmp_path / "summary.json").read_text())["turns"]
    assert "explain" in words(turn["user_text"])
    sound = recording.samples
    heard = words(" ".join(word.text for word in WordRecognizer.load(recognizer_folder, Hearing()).read(sound)))
    said = words(turn["sounded_text"])
    assert sum(word in heard for word in said) >= 0.7 * len(said) > 0


def test_devices_that_disappear_and_return_are_waited_for(
    cards: tuple[Card, Card, dict[str, str]], tmp_path: Path
) -> None:
    microphone, loudspeaker, _ = cards
    with talking(*cards, tmp_path) as talk:
        with loudspeaker.recording() as recording:
            talk.type("Why does the sea have tides?")
            recording.wait_until_louder_than(AUDIBLE_DBFS)
            loudspeaker.unplug()
        talk.lines.wait_for("note: the output device 'default' stopped taking sound")
        loudspeaker.plug_in()
        with loudspeaker.recording() as recording:
            recording.wait_until_louder_than(AUDIBLE_DBFS)  # what was left of the answer
            talk.lines.wait_for("note: the sound device is back")
            talk.lines.wait_for("assistant (")
        microphone.unplug()
        talk.lines.wait_for("note: the microphone 'default' stopped delivering sound")
        microphone.plug_in()
        talk.lines.wait_for("note: the sound device is back")
        with loudspeaker.recording() as recording:
            microphone.play(FIXTURES / "hello.flac")
            talk.lines.wait_for("you: Hello")
            recording.wait_until_louder_than(AUDIBLE_DBFS)
            talk.lines.wait_for("assistant (")
        assert talk.quit() == 0
    lines = read_trace(tmp_path / "trace.jsonl")
    told = [line.kind for line in lines if line.kind in ("failed", "recovered")]
    assert told == ["failed", "recovered"] * 2
    written = "".join(line["text"] for line in lines if line.kind == "written" and line["reply"] == 1)
    sounded = "".join(line["text"] for line in lines if line.kind == "sounded" and line["reply"] == 1)
    assert sounded.strip() == written.strip()
