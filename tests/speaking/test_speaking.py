"""The room's task in virtual time: order, stale replies, declared costs, and a voice that breaks."""

from collections.abc import AsyncIterator
from pathlib import Path

import numpy as np
import pytest

from voice_agent.clock import VirtualClock, Worker, run_in_virtual_time
from voice_agent.errors import PartFailed
from voice_agent.events import (
    AudioStarted,
    AudioStopped,
    Clause,
    ClauseAudio,
    ModelCall,
    PlaybackEvent,
    ReplyEnd,
    Sounded,
)
from voice_agent.settings import DeclaredCosts, Speaking
from voice_agent.speaking.clause_splitter import ClauseSplitter
from voice_agent.speaking.loudspeaker import Loudspeaker
from voice_agent.speaking.speaking import speak
from voice_agent.speaking.voice import Voice

COSTS = DeclaredCosts(clause_base_ms=50.0, clause_ms_per_s=100.0)


@pytest.fixture(scope="module")
def voice(voice_path: Path) -> Voice:
    return Voice.load(voice_path, Speaking(noise_scale=0.0, noise_w_scale=0.0))


async def stream(*items: Clause | ReplyEnd) -> AsyncIterator[Clause | ReplyEnd]:
    for item in items:
        yield item


def say(
    voice: Voice, *items: Clause | ReplyEnd, stale: tuple[int, ...] = ()
) -> tuple[Loudspeaker, list[ModelCall], float]:
    """Run the task over `items`; returns the loudspeaker, the calls it recorded and the virtual seconds it took."""
    loudspeaker = Loudspeaker(voice.rate_hz, lambda _: None)
    calls: list[ModelCall] = []

    async def main(clock: VirtualClock) -> float:
        worker = Worker("voice")
        try:
            await speak(
                stream(*items),
                loudspeaker,
                voice=voice,
                clock=clock,
                worker=worker,
                costs=COSTS,
                record=calls.append,
                is_current=lambda reply: reply not in stale,
            )
        finally:
            worker.close()
        return clock.now_s()

    return loudspeaker, calls, run_in_virtual_time(main)


def test_a_written_reply_sounds_word_for_word(voice: Voice) -> None:
    written = "So, **60 km** in 45 min: the speed is 80 km/h. It's that fast."
    splitter = ClauseSplitter(Speaking())
    clauses = [Clause(text, 1, "model") for text in splitter.push(written) + splitter.flush()]
    loudspeaker, calls, took_s = say(voice, *clauses, ReplyEnd(1))
    events: list[PlaybackEvent] = []
    loudspeaker.notify = events.append
    sound_s = loudspeaker.backlog_s
    assert took_s == pytest.approx(0.05 * len(clauses) + 0.1 * sound_s)
    assert [(call.which, call.tokens) for call in calls] == [("voice", len(c.text.split())) for c in clauses]
    assert sum(call.ms for call in calls) == pytest.approx(1000 * took_s)
    while loudspeaker.reply is not None or loudspeaker.playing:
        loudspeaker.pull(512)
    assert "".join(event.text for event in events if isinstance(event, Sounded)) == written
    assert [type(event) for event in events if not isinstance(event, Sounded)] == [AudioStarted, AudioStopped]


def test_stale_replies_are_not_made(voice: Voice) -> None:
    loudspeaker, calls, _ = say(voice, Clause("Old.", 1, "model"), Clause("New.", 2, "model"), stale=(1,))
    assert len(calls) == 1
    assert loudspeaker.clear() == "New."


def test_a_reply_that_turns_stale_while_it_is_made_is_dropped(voice: Voice) -> None:
    stale: list[int] = []

    class Slow(Voice):
        def __init__(self) -> None:
            self.rate_hz = voice.rate_hz

        def synthesize(self, clause: Clause) -> ClauseAudio:
            stale.append(clause.reply)
            return voice.synthesize(clause)

    loudspeaker, calls, _ = say(Slow(), Clause("Too late.", 1, "model"), stale=stale)  # type: ignore[arg-type]
    assert (len(calls), loudspeaker.backlog_s) == (1, 0.0)


def test_a_broken_voice_is_named() -> None:
    class Broken(Voice):
        def __init__(self) -> None:
            self.rate_hz = 100

        def synthesize(self, clause: Clause) -> ClauseAudio:
            return ClauseAudio(clause, 0, np.zeros(1 // len(clause.text[:0])), ())

    with pytest.raises(PartFailed, match="voice: ZeroDivisionError") as caught:
        say(Broken(), Clause("Hello.", 1, "model"))
    assert caught.value.part == "voice"
