"""One question to one reasoner, heard by a voice of declared speed: what was thought and said, and when.

    ask(reasoner, clock, question, mode) -> Answered

In virtual time a conversation has a clock of its own, which only its own steps move, each by its declared cost: what is
said is then the same whether it runs alone or beside others, on an idle machine or on a busy one. The voice stands for
the loudspeaker: written words take their time to sound, and the reasoner is told how much still waits. How long a
listener waits is worked out beside it, clause by clause (delay). Seconds count from the end of the question.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from time import monotonic
from typing import Protocol

from ..clock import WallClock
from ..events import AnswerEvent, Done, Injected, ModelCall, Rated, ReplyEnd, Thought, Withdrawn, Written
from ..reasoning.modes import parse_mode
from ..reasoning.prompts import FILLER, OPENED
from ..reasoning.reasoner import AsyncReasoner
from ..reasoning.stated_numbers import may_grow, number_spans, numbers_in
from ..reasoning.writer import sentence_end
from ..settings import DeclaredCosts, Speaking
from .delay import CHARACTERS_PER_S, ClauseVoice


class Timekeeper(Protocol):
    """What a reasoner is made with: its time, and who hears of its steps."""

    def now_s(self) -> float: ...

    def charge(self, call: ModelCall) -> None: ...

    def restart(self) -> None:
        """The question has ended: seconds count from here."""
        ...

    @property
    def steps_s(self) -> Sequence[float]:
        """When each step since then was over."""
        ...


@dataclass
class DeclaredTime:
    """A conversation's own time."""

    costs: DeclaredCosts
    steps_s: list[float] = field(default_factory=list)
    _now_s: float = 0.0

    def restart(self) -> None:
        self._now_s = 0.0
        self.steps_s.clear()

    def now_s(self) -> float:
        return self._now_s

    def charge(self, call: ModelCall) -> None:
        self._now_s += self.costs.step_s(call.tokens)
        self.steps_s.append(self._now_s)


class MeasuredTime(WallClock):
    """The wall clock, for conversations that run alone."""

    def __init__(self) -> None:
        super().__init__()
        self.steps_s: list[float] = []

    def restart(self) -> None:
        self._start_s = monotonic()
        self.steps_s.clear()

    def charge(self, call: ModelCall) -> None:
        """Time passes by itself."""
        self.steps_s.append(self.now_s())


@dataclass
class DeclaredVoice:
    """Sounds what is written, at once and at an even pace: what the reasoner knows of the loudspeaker."""

    end_s: float = 0.0  # when everything said so far has sounded; in the beginning the end of the question
    _kept: int = 0  # characters that had sounded when the voice was stopped
    _pieces: list[tuple[float, int]] = field(default_factory=list)  # since then: start, length in characters

    def say(self, text: str, now_s: float) -> None:
        start_s = max(now_s, self.end_s)
        self._pieces.append((start_s, len(text)))
        self.end_s = start_s + len(text) / CHARACTERS_PER_S

    def backlog_s(self, now_s: float) -> float:
        return max(0.0, self.end_s - now_s)

    def sounded(self, now_s: float) -> int:
        """Characters that have sounded."""
        return self._kept + sum(
            min(length, max(0, int((now_s - start_s) * CHARACTERS_PER_S))) for start_s, length in self._pieces
        )

    def stop(self, now_s: float, kept: int) -> None:
        """Fall silent; what has not sounded never will. kept: characters that count as heard."""
        self._kept, self._pieces, self.end_s = kept, [], now_s


@dataclass(frozen=True)
class Piece:
    """Text and the step that gave it."""

    text: str
    step: int


@dataclass(frozen=True)
class Interjection:
    """Words that the user says in mid-thought: after so many pieces of thought, which are mostly tokens."""

    words: str
    after_thoughts: int


@dataclass(frozen=True)
class Answered:
    """What one answer was. Times are seconds from the end of the question."""

    done: Done
    thoughts: tuple[Piece, ...]
    written: tuple[Piece, ...]
    injected_step: int | None
    first_written_s: float | None
    took_s: float
    total_delay_s: (
        float  # silence before and between what sounded, as the method's paper adds it up; took_s if nothing did
    )
    longest_silence_s: float
    first_token_s: float | None = None  # the writer's first token, whether given out or not
    first_audible_s: float | None = None
    first_informative_s: float | None = None  # of the first clause behind a filler, or behind the question told back
    stall_s: float = 0.0  # of the total delay, what lies within the answer
    total_delay_fast_s: float = 0.0  # with an infinitely fast voice
    stall_fast_s: float = 0.0
    withdrawn: tuple[str, ...] = ()  # at every withdrawal, what of the answer had sounded by then
    log_likelihoods: tuple[float, ...] = ()  # of the texts that were to be rated


async def ask(
    reasoner: AsyncReasoner,
    time: Timekeeper,
    question: str,
    mode: str,
    interjection: Interjection | None = None,
    *,
    rate: Sequence[str] = (),
    speaking: Speaking | None = None,
    costs: DeclaredCosts | None = None,
) -> Answered:
    """Put one question to a fresh reasoner and listen until the answer is over.

    interjection: stops the voice, cuts the spoken words back to what has sounded, and is heard. rate: texts whose
    likelihood in place of the last words is asked for. speaking, costs: how the answer is cut into clauses and how long
    each takes to be made; the defaults are the cpu profile's.
    """
    await reasoner.warm_up()
    time.restart()
    speaking = speaking or Speaking()
    clauses = ClauseVoice(speaking, costs or DeclaredCosts()), ClauseVoice.infinitely_fast(speaking)
    listener = _Listener(reasoner, time, *clauses, interjection)
    reasoner.backlog_s = lambda: listener.voice.backlog_s(time.now_s())
    async for event in reasoner.answer(question, mode=mode, rate=rate):
        if isinstance(event, Done):
            return listener.answered(event, no_news(event.spoken, mode))
        listener.take(event)
    raise AssertionError("an answer ends with Done")


@dataclass
class _Listener:
    """Who asked: hears the answer, may interject, and remembers when what was said."""

    reasoner: AsyncReasoner
    time: Timekeeper
    real: ClauseVoice
    fast: ClauseVoice
    interjection: Interjection | None
    voice: DeclaredVoice = field(default_factory=DeclaredVoice)
    thoughts: list[Piece] = field(default_factory=list)
    written: list[Piece] = field(default_factory=list)
    withdrawn: list[str] = field(default_factory=list)
    injected_step: int | None = None
    first_written_s: float | None = None
    log_likelihoods: tuple[float, ...] = ()

    def take(self, event: AnswerEvent) -> None:
        now_s = self.time.now_s()
        match event:
            case Thought():
                self.thoughts.append(Piece(event.text, event.step))
                if self.interjection and len(self.thoughts) == self.interjection.after_thoughts:
                    self._fall_silent(now_s)
                    self.reasoner.hear(self.interjection.words)
            case Written() if event.reply == self.reasoner.reply:  # what was written before a cut is gone
                self.written.append(Piece(event.text, event.step))
                self.first_written_s = now_s if self.first_written_s is None else self.first_written_s
                for voice in (self.voice, self.real, self.fast):
                    voice.say(event.text, now_s)
            case Withdrawn() if event.reply == self.reasoner.reply:
                self._fall_silent(now_s)
                self.withdrawn.append(self.reasoner.spoken)
            case Injected():
                self.injected_step = event.step
            case ReplyEnd():
                self._finish(now_s)
            case Rated():
                self.log_likelihoods = event.log_likelihoods

    def answered(self, done: Done, no_news: int) -> Answered:
        """no_news: characters at the beginning that the listener knew, or that say nothing."""
        took_s, first_step = self.time.now_s(), done.first_written_step
        self._finish(took_s)  # of an answer that ran out of tokens
        return Answered(
            done,
            tuple(self.thoughts),
            tuple(self.written),
            self.injected_step,
            self.first_written_s,
            took_s,
            total_delay_s=_or(self.real.total_delay_s(), took_s),
            longest_silence_s=max((chunk.delay_s for chunk in self.real.chunks), default=took_s),
            first_token_s=None if first_step is None else self.time.steps_s[first_step - 1],
            first_audible_s=self.real.first_s(),
            first_informative_s=self.real.first_s(no_news),
            stall_s=_or(self.real.stall_s(), 0.0),
            total_delay_fast_s=_or(self.fast.total_delay_s(), took_s),
            stall_fast_s=_or(self.fast.stall_s(), 0.0),
            withdrawn=tuple(self.withdrawn),
            log_likelihoods=self.log_likelihoods,
        )

    def _fall_silent(self, now_s: float) -> None:
        self.reasoner.cut_spoken(self.reasoner.spoken[: self.voice.sounded(now_s)])
        self.voice.stop(now_s, len(self.reasoner.spoken))
        self.real.stop(now_s)
        self.fast.stop(now_s)

    def _finish(self, now_s: float) -> None:
        self.real.finish(now_s)
        self.fast.finish(now_s)


def _or(seconds: float | None, otherwise_s: float) -> float:
    return otherwise_s if seconds is None else seconds


def no_news(spoken: str, mode: str) -> int:
    """Characters at the beginning of an answer that are a canned filler, or tell the question back."""
    if parse_mode(mode).filler:
        return len(FILLER)
    if not spoken.startswith(OPENED):
        return 0
    end = sentence_end(spoken, 0)
    return len(spoken[:end].rstrip())


def spoke_ahead(answered: Answered, question: str, stated: Fraction) -> bool:
    """Whether the answer's number was spoken before the thoughts had it; one that the question holds cannot be."""
    if stated in numbers_in(question):
        return False
    spoken_step = first_step_with(answered.written, {stated})
    thought_step = first_step_with(answered.thoughts, {stated})
    return spoken_step is not None and (thought_step is None or spoken_step < thought_step)


def first_step_with(pieces: Sequence[Piece], numbers: set[Fraction]) -> int | None:
    """The step at which the text first stated one of the numbers, whole."""
    text = ""
    for piece in pieces:
        text += piece.text
        if any(value in numbers and not may_grow(text, end) for _, end, value in number_spans(text)):
            return piece.step
    return pieces[-1].step if numbers & numbers_in(text) else None
