"""Speech over an answer, at any moment of it: false alarms cost no word, a stop stays, a cut ends at what was heard.

Words come as hearing would send them, so that their moment can be drawn; all that is behind the floor is real.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from voice_agent.clock import VirtualClock
from voice_agent.conversation import Conversation
from voice_agent.events import SpeechEnded, SpeechStarted, TurnEnded, UtteranceRecognized, Word
from voice_agent.parts import Parts
from voice_agent.record.trace import TraceLine

from .whole_conversation import Held, hold, script_of

QUESTION = "Tell me a story about twelve apples."
ASKED_S = 1.5  # when it is typed
READ_S = 0.2  # from the end of an utterance to its words
FALSE_ALARMS = ("Uh-huh.", "", "Mum, look!", "Ha ha.", "Okay, got it.")
Saying = tuple[float, str, float]  # seconds after the end of the last one, words, seconds that they last


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("interrupted")


@pytest.fixture(scope="module")
def undisturbed(parts: Parts, folder: Path) -> str:
    """What sounds when nobody speaks over it."""
    return text(interrupted(parts, folder, ()).lines, "sounded")


def interrupted(parts: Parts, folder: Path, sayings: Sequence[Saying], *, mode: str = "direct", then: str = "") -> Held:
    """A conversation in which the answer is spoken over; `then`: a line that is typed at the end."""

    async def speak(conversation: Conversation, clock: VirtualClock) -> None:
        await clock.sleep_until(ASKED_S)
        conversation.type_line(QUESTION)
        for gap_s, words, lasted_s in sayings:
            await clock.sleep_until(clock.now_s() + gap_s)
            begin_s = clock.now_s()
            conversation._to_floor.send_nowait(SpeechStarted(begin_s))
            await clock.sleep_until(begin_s + lasted_s)
            conversation._to_floor.send_nowait(SpeechEnded(begin_s + lasted_s))
            await clock.sleep_until(begin_s + lasted_s + READ_S)
            for word in words.split():
                conversation._to_floor.send_nowait(Word(word, begin_s, begin_s + lasted_s, final=True))
            conversation._to_floor.send_nowait(UtteranceRecognized(words, begin_s, begin_s + lasted_s))
            conversation._to_floor.send_nowait(TurnEnded(begin_s + lasted_s))
        if then:
            await clock.sleep_until(clock.now_s() + 5.0)
            conversation.type_line(then)

    script = script_of(folder, {"audio": "stop.flac", "at": 0.0})  # into silence: it means nothing
    return hold(script, parts, folder, mode=mode, beside=speak)


def of(lines: Sequence[TraceLine], *kinds: str) -> list[TraceLine]:
    return [line for line in lines if line.kind in kinds]


def text(lines: Sequence[TraceLine], kind: str) -> str:
    return "".join(line["text"] for line in of(lines, kind))


def sayings(words: Sequence[str]) -> st.SearchStrategy[list[Saying]]:
    return st.lists(st.tuples(st.floats(0.0, 4.0), st.sampled_from(words), st.floats(0.1, 1.4)), min_size=1, max_size=3)


@settings(max_examples=6)
@given(said=sayings(FALSE_ALARMS))
def test_after_false_alarms_every_word_sounds_once(
    said: list[Saying], undisturbed: str, parts: Parts, folder: Path
) -> None:
    over = interrupted(parts, folder, said)
    assert undisturbed.strip()
    assert text(over.lines, "sounded") == undisturbed
    assert not of(over.lines, "retracted", "injected", "failed")
    paused = False
    for line in of(over.lines, "paused", "resumed", "sounded"):
        assert paused is (line.kind == "resumed"), "it is silent from a pause to its end"
        paused = line.kind == "paused"
    assert len(of(over.lines, "paused")) == len(of(over.lines, "resumed"))
    assert over.remembered().strip() == undisturbed.strip()


@pytest.mark.parametrize(("mode", "gap_s"), [("direct", 0.9), ("async", 2.0)])
def test_after_a_stop_nothing_is_said_until_the_next_question(
    mode: str, gap_s: float, parts: Parts, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("voice_agent.replay.scripted_sound._IDLE_S", 10.0)  # it stays open through the silences
    said = [(gap_s, "Okay, stop please.", 0.6), (6.0, "Uh-huh.", 0.4), (6.0, "", 0.3)]
    over = interrupted(parts, folder, said, mode=mode, then="What is two plus two?")
    (stop,) = (at for at, line in enumerate(over.lines) if line.kind == "interrupted")
    assert over.lines[stop]["reason"] == "stop"
    second_began_s = over.conversation.turns[1].began_s
    quiet = [line for line in over.lines[stop:] if line.t < second_began_s]
    assert second_began_s - over.lines[stop].t > 15.0
    assert len(of(quiet, "thought")) <= 1, "that of the step in flight"
    assert not of(quiet, "written", "clause", "sounded", "audio_started", "paused", "resumed")
    after = [line for line in over.lines if line.t >= second_began_s]
    assert text(after, "sounded").strip()
    assert min(line["reply"] for line in of(after, "written")) > max(line["reply"] for line in of(quiet, "retracted"))


@settings(max_examples=5)
@given(gap_s=st.floats(0.4, 3.0), words=st.sampled_from(["Sorry, I meant ten apples.", "And in a small town?"]))
def test_after_a_cut_the_answer_goes_on_behind_the_last_word_that_was_heard(
    gap_s: float, words: str, parts: Parts, folder: Path
) -> None:
    over = interrupted(parts, folder, [(gap_s, words, 1.2)])
    cut = next(at for at, line in enumerate(over.lines) if line.kind == "interrupted")
    before, after = over.lines[:cut], over.lines[cut:]
    assert over.lines[cut]["reason"] in ("correction", "question")
    assert text(after, "injected") == words
    heard, taken_back = text(before, "sounded"), text(over.lines, "retracted")
    assert (heard + taken_back).strip() == text(before, "written").strip(), "nothing is lost between the two"
    assert over.remembered().rstrip() == (heard + text(after, "sounded")).rstrip()
    assert text(after, "sounded").strip() == text(after, "written").strip(), "only new words sound"
