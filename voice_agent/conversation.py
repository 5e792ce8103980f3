"""The map: the rooms of one conversation, the bounded streams between them, and the one task group that runs them.

    sound -> frames -> listen -> hearing events -+-> floor -> reasoner -> clauses -> speak -> loudspeaker -> sound
                                    typed lines -+      hear, inject, cut, stop          pause, resume, clear
                                      relevance -+      ask relevance

Everything that may happen is decided elsewhere: turn-taking in floor.py, thinking and writing in reasoning/. Here the
decisions are carried out. Streams are bounded and a full one makes its writer wait, but for two: the microphone drops
frames, and a full voice closes the speak gate while thinking goes on.
"""

from __future__ import annotations

import asyncio
import dataclasses
import threading
from collections import deque
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator, Sequence
from contextlib import aclosing, contextmanager
from dataclasses import dataclass, field
from typing import Any, Protocol

import anyio
from anyio.streams.memory import MemoryObjectReceiveStream, MemoryObjectSendStream

from .clock import Clock
from .errors import PartFailed, UnusableInput
from .events import (
    AnswerEvent,
    AudioFrame,
    AudioStopped,
    Clause,
    Done,
    Failed,
    Gate,
    HearingEvent,
    Injected,
    Interrupted,
    PlaybackEvent,
    ReplyEnd,
    Retracted,
    Sounded,
    Thought,
    TypedLine,
    Underrun,
    UtteranceRecognized,
    Withdrawn,
    Written,
)
from .floor import Floor
from .floor_values import (
    Action,
    AnswerEnded,
    AskRelevance,
    EndTurn,
    FloorEvent,
    Hear,
    Inject,
    PausePlayback,
    Playing,
    RelevanceTold,
    ResumePlayback,
    StopAnswer,
    ThinkAhead,
)
from .hearing.echo_canceller import EchoCanceller, cancel_echo
from .hearing.listening import listen
from .parts import Parts
from .record.summary import TurnRecord
from .record.trace import Trace
from .settings import Settings
from .speaking.clause_splitter import SENTENCE_END, ClauseSplitter
from .speaking.loudspeaker import Loudspeaker
from .speaking.speaking import speak
from .speaking.spoken_form import spoken_form

FLOOR_EVENTS = 256  # waiting for the floor, which only decides: it never gets far behind
VOICE_FULL = 0.75  # share of the clause stream from which on the gate stays closed
WORD_S = 0.35  # a written word that is not sound yet, in seconds of backlog


class Sound(Protocol):
    """A microphone, real or scripted: sends frames until its end, then closes the stream."""

    async def run(self, frames: MemoryObjectSendStream[AudioFrame]) -> None: ...


@dataclass
class _Turn:
    """One turn as the summary will know it."""

    number: int  # as the floor counts
    began_s: float
    heard: list[str] = field(default_factory=list)
    sounded: str = ""
    gap: str = ""  # white space behind the words before a cut, which still stands before the words that come next
    done: Done | None = None

    def record(self) -> TurnRecord:
        thinking, spoken = (self.done.thinking_tokens, self.done.spoken_tokens) if self.done else (0, 0)
        return TurnRecord(" ".join(self.heard), self.began_s, thinking, spoken)


class Conversation:
    """Everything of one conversation but where its sound comes from and goes to.

    The loudspeaker must be pulled by whoever plays it (a device, or a scripted sound card); `run` does the rest.
    """

    def __init__(self, parts: Parts, settings: Settings, *, clock: Clock, trace: Trace, mode: str, seed: int) -> None:
        self._parts, self._settings, self._clock, self._trace, self._mode = parts, settings, clock, trace, mode
        self.failure: Failed | None = None
        self.floor = Floor(settings.floor)
        self.loudspeaker = Loudspeaker(parts.voice.rate_hz, self._playback_event)
        self._canceller: EchoCanceller | None = None
        if settings.hearing.echo_canceller != "off":
            self._canceller = EchoCanceller(settings.hearing, self.loudspeaker.rate_hz, trace.record)
            self.loudspeaker.tap = self._canceller.played
        from .reasoning.engine import Engine  # imported while the parts were loaded (parts.py)
        from .reasoning.reasoner import AsyncReasoner

        engine = Engine(
            parts.language.model,
            kernel=settings.reasoning.kernel,
            cuda_graphs=settings.reasoning.cuda_graphs,
            clock=clock,
            worker=parts.workers.language,
            costs=settings.costs,
            start_cache=parts.language.start_cache,
        )
        self.reasoner = AsyncReasoner(
            engine, parts.language.tokenizer, settings=settings.reasoning, record=trace.record, seed=seed
        )
        self.reasoner.backlog_s = self._backlog_s
        self.reasoner.voicing = lambda: self._sounding_reply is not None
        self.reasoner.voice_full = self._voice_is_full
        self._splitter = ClauseSplitter(settings.speaking)
        self._turns: list[_Turn] = []
        self._heard: list[str] = []  # words of the open question
        self._overlong = False  # what the user says now: told once
        self._unvoiced_words = 0  # written, not yet sound
        self._sounding_reply: int | None = None  # a reply with written words whose last sound has not been played
        self._playback: deque[PlaybackEvent] = deque()  # told, not yet taken in
        self._thread = threading.get_ident()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._to_floor, self._floor_events = anyio.create_memory_object_stream[FloorEvent](FLOOR_EVENTS)
        self._to_weigh, self._doubtful = anyio.create_memory_object_stream[AskRelevance](FLOOR_EVENTS)
        self._to_voice, self._clauses = anyio.create_memory_object_stream[Clause | ReplyEnd](
            settings.speaking.clause_stream_capacity
        )

    # --- from outside --------------------------------------------------------------------------------------------

    @property
    def turns(self) -> list[TurnRecord]:
        """The turns that were answered, or are being answered."""
        return [turn.record() for turn in self._turns]

    @property
    def is_idle(self) -> bool:
        """Nobody speaks, no question is open, nothing is thought, written or played."""
        waiting = self._floor_events.statistics().current_buffer_used
        busy = self.floor.answering or self.floor.user_has_floor or self._sounding_reply is not None
        return not busy and not waiting and self.loudspeaker.backlog_s <= 0.0

    def type_line(self, text: str) -> None:
        """A line typed by the user: a whole turn, or words over a running answer."""
        self._to_floor.send_nowait(TypedLine(text))

    async def warm_up(self) -> None:
        """Read the preamble in, so that the first answer need not wait for it.

        Raises:
            UnusableInput: the language model breaks at it.
        """
        try:
            await self.reasoner.warm_up()
        except Exception as error:
            raise UnusableInput(
                f"the language model '{self._settings.models.language}' broke at its first words "
                f"({type(error).__name__}: {error}): choose another profile, or see what 'voice-agent doctor' finds"
            ) from error

    async def run(self, sound: Sound, beside: Sequence[Callable[[], Coroutine[Any, Any, None]]] = ()) -> None:
        """Converse until `sound` ends. A part that breaks ends it too, and is named in `failure` and in the trace.

        beside: further tasks of the same conversation, such as an output device; cancelled with it.
        """
        self._loop = asyncio.get_running_loop()
        try:
            async with anyio.create_task_group() as tasks:
                for task in (self._decide, self._weigh, self._reason, self._voice, *beside):
                    tasks.start_soon(task)
                await self._hear(sound)
                tasks.cancel_scope.cancel()
        except* PartFailed as group:
            error = _first(group)
            self.failure = Failed(error.part, str(error))
            self._trace.record(self.failure)
        finally:
            self.close()

    def close(self) -> None:
        """End the streams; `run` does it, so only a conversation that was never run needs this."""
        floor, weighed = (self._to_floor, self._floor_events), (self._to_weigh, self._doubtful)
        for stream in (*floor, *weighed, self._to_voice, self._clauses):
            stream.close()

    # --- the tasks -----------------------------------------------------------------------------------------------

    async def _hear(self, sound: Sound) -> None:
        to_ears, frames = anyio.create_memory_object_stream[AudioFrame](self._settings.hearing.frame_stream_capacity)
        to_floor, heard = anyio.create_memory_object_stream[HearingEvent](FLOOR_EVENTS)
        async with anyio.create_task_group() as tasks:
            if self._canceller is not None:
                with_echo = frames
                without_echo, frames = anyio.create_memory_object_stream[AudioFrame](0)
                tasks.start_soon(cancel_echo, with_echo, without_echo, self._canceller)
            tasks.start_soon(self._forward, heard)
            tasks.start_soon(
                lambda: listen(
                    frames,
                    to_floor,
                    recognizer=self._parts.recognizer,
                    clock=self._clock,
                    worker=self._parts.workers.recognizer,
                    judge=self._parts.turn_judge,
                    judge_worker=self._parts.workers.turn_judge,
                    settings=self._settings,
                    record=self._trace.record,
                )
            )
            await sound.run(to_ears)

    async def _forward(self, heard: MemoryObjectReceiveStream[HearingEvent]) -> None:
        """What was heard, to the trace and to the floor."""
        async with heard:
            async for event in heard:
                if not isinstance(event, UtteranceRecognized):
                    self._trace.record(event)
                await self._to_floor.send(event)

    async def _decide(self) -> None:
        async for event in self._floor_events:
            with _part("conversation"):
                self._push(event)

    def _push(self, event: FloorEvent) -> None:
        written = self.loudspeaker.playing_text
        # An echo may be read back as it was said ("seven minus four") or as it was written.
        playing = Playing(self.loudspeaker.reply or 0, f"{written} {spoken_form(written).text}" if written else "")
        for action in self.floor.push(event, playing):
            self._act(action)
        if self.floor.answering and not (self._turns and self._turns[-1].number == self.floor.turn):
            self._push(AnswerEnded(self.floor.turn))  # no word of the question was taken in: there is nothing to answer

    async def _weigh(self) -> None:
        """Words that may have been for somebody else: how much do they belong to the running answer?"""
        async for asked in self._doubtful:
            with _part("reasoning"):
                gain = await self.reasoner.relevance(asked.text)
            await self._to_floor.send(RelevanceTold(asked.number, gain))

    async def _reason(self) -> None:
        """One answer after the other; each is opened by the first words of its question."""
        while True:
            event: AnswerEvent | None = None
            try:
                with _part("reasoning"):
                    async with aclosing(self.reasoner.answer(mode=self._mode)) as events:
                        async for event in events:
                            self._take(event)
            finally:
                if not isinstance(event, Done) and (turn := self._undone()):  # it was closed in the middle
                    turn.done = self.reasoner.last_done

    async def _voice(self) -> None:
        await speak(
            self._current_clauses(),
            self.loudspeaker,
            voice=self._parts.voice,
            clock=self._clock,
            worker=self._parts.workers.voice,
            costs=self._settings.costs,
            record=self._trace.record,
            is_current=lambda reply: reply == self.reasoner.reply,
        )

    async def _current_clauses(self) -> AsyncIterator[Clause | ReplyEnd]:
        """The clause stream; a clause counts as backlog until the next one is asked for, when it has become sound."""
        async for clause in self._clauses:
            yield clause
            if isinstance(clause, Clause):
                self._unvoiced_words = max(0, self._unvoiced_words - _words(clause.text))
                self.reasoner.wake()  # it may have waited for room

    # --- what the floor decides ----------------------------------------------------------------------------------

    def _act(self, action: Action) -> None:
        match action:
            case PausePlayback():
                self.loudspeaker.pause()
                self.reasoner.user_speaking = True
            case ResumePlayback():
                self.loudspeaker.resume()
                self.reasoner.user_speaking = False
            case Hear(text):
                self._heard += self._taken_in(text)
            case ThinkAhead():
                self.reasoner.think_ahead()
            case EndTurn(number):
                if self._heard:
                    self._turns.append(_Turn(number, self._clock.now_s(), self._heard))
                    self.reasoner.end_turn()
                self._heard, self._overlong = [], False
            case Inject(text=text):
                self._cut_to_what_sounded()
                self._turns[-1].heard += self._taken_in(text)
            case StopAnswer():
                self._cut_to_what_sounded()
                self.reasoner.stop()
            case AskRelevance():
                self._to_weigh.send_nowait(action)
            case Interrupted():
                self._trace.record(action)
        self.reasoner.wake()

    def _taken_in(self, text: str) -> list[str]:
        """These words, or none where the context has no room for them, which is said."""
        try:
            self.reasoner.hear(text)
        except UnusableInput as refused:
            if not self._overlong:
                self._trace.record(Failed("question", str(refused)))
            self._overlong = True
            return []
        self._overlong = False
        return [text]

    def _cut_to_what_sounded(self) -> None:
        """Take back every word that was not heard; what the reasoner writes next is a new reply."""
        turn, reply = self._turns[-1], self.reasoner.reply
        taken_back = self.loudspeaker.clear(reply)
        self._take_in_playback()  # words that a sound card's thread has just played count as heard
        unmade = self.reasoner.spoken[len(turn.sounded) + len(taken_back) :]
        if unmade.strip():
            self._trace.record(Retracted(unmade, reply))
        self._splitter.clear()
        self.reasoner.cut_spoken(turn.sounded)
        turn.gap += self.reasoner.spoken[len(turn.sounded) :]
        turn.sounded = self.reasoner.spoken
        self._unvoiced_words, self._sounding_reply = 0, None
        self.reasoner.user_speaking = False

    # --- what the reasoner says ----------------------------------------------------------------------------------

    def _take(self, event: AnswerEvent) -> None:
        match event:
            case Written(text=text, reply=reply):
                self._trace.record(event)
                self._sounding_reply = reply
                left_s = self._backlog_s()
                self._unvoiced_words += _words(text)
                for clause in self._splitter.push(text, left_s):
                    self._send(Clause(clause, reply, "model"))
            case ReplyEnd(reply):
                for clause in self._splitter.flush():
                    self._send(Clause(clause, reply, "model"))
                self._to_voice.send_nowait(event)
            case Withdrawn(reply=reply) if reply == self.reasoner.reply:
                self._cut_to_what_sounded()
                if self.floor.paused:
                    self._act(PausePlayback())  # the cut ended the pause, and somebody still speaks
            case Thought() | Injected() | Gate():
                self._trace.record(event)
            case Done():
                self._take_in_playback()
                if turn := self._undone():
                    turn.done = event
                    # At once, not behind what was heard meanwhile: that must not be put into an answer that is over.
                    self._push(AnswerEnded(turn.number, turn.sounded.rstrip().endswith("?")))

    def _undone(self) -> _Turn | None:
        """The turn that is being answered; a stopped one still is when the next has been asked for already."""
        return next((turn for turn in self._turns if turn.done is None), None)

    def _send(self, clause: Clause) -> None:
        self._trace.record(clause)
        self._to_voice.send_nowait(clause)

    def _backlog_s(self) -> float:
        """Without the words of an open clause, which wait for words themselves: a writer must not wait for those."""
        return self.loudspeaker.backlog_s + WORD_S * max(0, self._unvoiced_words - _words(self._splitter.open))

    def _voice_is_full(self) -> bool:
        waiting = self._clauses.statistics()
        return waiting.current_buffer_used >= VOICE_FULL * waiting.max_buffer_size

    # --- what the loudspeaker says -------------------------------------------------------------------------------

    def _playback_event(self, event: PlaybackEvent) -> None:
        """Called in order: in the event loop's thread, or in a sound device's, where it is pulled."""
        self._playback.append(event)
        if threading.get_ident() == self._thread:
            self._take_in_playback()
        elif self._loop is not None:
            self._loop.call_soon_threadsafe(self._take_in_playback)

    def _take_in_playback(self) -> None:
        """In the event loop's thread; whoever must know what has sounded calls it, the loop does it soon."""
        while self._playback:
            self._played(self._playback.popleft())

    def _played(self, event: PlaybackEvent) -> None:
        if isinstance(event, Underrun) and (
            not self._unvoiced_words or SENTENCE_END.search(self._turns[-1].sounded.rstrip())
        ):
            return  # silence while thinking, or between two sentences: no gap in the sound
        if isinstance(event, Sounded):
            turn = self._turns[-1]
            turn.sounded += event.text
            event, turn.gap = dataclasses.replace(event, text=turn.gap + event.text), ""
        self._trace.record(event)
        if isinstance(event, AudioStopped) and event.reply == self._sounding_reply:
            self._sounding_reply = None
            self.reasoner.wake()


def _words(text: str) -> int:
    return len(text.split())


@contextmanager
def _part(name: str) -> Iterator[None]:
    """An error in here is that part's failure."""
    try:
        yield
    except Exception as error:
        raise error if isinstance(error, PartFailed) else PartFailed(name, error) from error


def _first(group: BaseExceptionGroup[PartFailed]) -> PartFailed:
    """The first single error of a group of groups."""
    error: PartFailed | BaseExceptionGroup[PartFailed] = group
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    return error
