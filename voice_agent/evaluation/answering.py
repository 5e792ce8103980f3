"""One question to one reasoner, heard by a voice of declared speed: what was thought and said, and when.

    ask(reasoner, clock, question, mode) -> Answered

In virtual time a conversation has a clock of its own, which only its own steps move, each by its declared cost: what is
said is then the same whether it runs alone or beside others, on an idle machine or on a busy one. The voice stands for
the loudspeaker: written words take their time to sound, and the reasoner is told how much still waits. Seconds count
from the end of the question.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from time import monotonic
from typing import Protocol

from ..clock import WallClock
from ..events import Done, Injected, ModelCall, Thought, Withdrawn, Written
from ..reasoning.reasoner import AsyncReasoner
from ..reasoning.stated_numbers import may_grow, number_spans, numbers_in
from ..settings import DeclaredCosts

CHARACTERS_PER_S = 15.0  # of the declared voice, as the bundled one speaks


class Timekeeper(Protocol):
    """What a reasoner is made with: its time, and who hears of its steps."""

    def now_s(self) -> float: ...

    def charge(self, call: ModelCall) -> None: ...

    def restart(self) -> None:
        """The question has ended: seconds count from here."""
        ...


@dataclass
class DeclaredTime:
    """A conversation's own time."""

    costs: DeclaredCosts
    _now_s: float = 0.0

    def restart(self) -> None:
        self._now_s = 0.0

    def now_s(self) -> float:
        return self._now_s

    def charge(self, call: ModelCall) -> None:
        self._now_s += self.costs.step_s(call.tokens)


class MeasuredTime(WallClock):
    """The wall clock, for conversations that run alone."""

    def restart(self) -> None:
        self._start_s = monotonic()

    def charge(self, call: ModelCall) -> None:
        """Time passes by itself."""


@dataclass
class DeclaredVoice:
    """Sounds what is written, at once and at an even pace; remembers how long it was silent."""

    end_s: float = 0.0  # when everything said so far has sounded; in the beginning the end of the question
    silences_s: list[float] = field(default_factory=list)
    _kept: int = 0  # characters that had sounded when the voice was stopped
    _pieces: list[tuple[float, int]] = field(default_factory=list)  # since then: start, length in characters

    def say(self, text: str, now_s: float) -> None:
        start_s = max(now_s, self.end_s)
        self.silences_s.append(start_s - self.end_s)
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
    total_delay_s: float  # silence before and between what sounded, as the method's paper adds it up
    longest_silence_s: float


async def ask(
    reasoner: AsyncReasoner, time: Timekeeper, question: str, mode: str, interjection: Interjection | None = None
) -> Answered:
    """Put one question to a fresh reasoner and listen until the answer is over.

    interjection: stops the voice, cuts the spoken words back to what has sounded, and is heard.
    """
    await reasoner.warm_up()
    time.restart()
    voice = DeclaredVoice()
    reasoner.backlog_s = lambda: voice.backlog_s(time.now_s())
    thoughts: list[Piece] = []
    written: list[Piece] = []
    injected_step: int | None = None
    first_written_s: float | None = None
    async for event in reasoner.answer(question, mode=mode):
        match event:
            case Thought():
                thoughts.append(Piece(event.text, event.step))
                if interjection and len(thoughts) == interjection.after_thoughts:
                    reasoner.cut_spoken(reasoner.spoken[: voice.sounded(time.now_s())])
                    voice.stop(time.now_s(), len(reasoner.spoken))
                    reasoner.hear(interjection.words)
            case Written() if event.reply == reasoner.reply:  # what was written before a cut is gone
                written.append(Piece(event.text, event.step))
                first_written_s = time.now_s() if first_written_s is None else first_written_s
                voice.say(event.text, time.now_s())
            case Withdrawn() if event.reply == reasoner.reply:
                reasoner.cut_spoken(reasoner.spoken[: voice.sounded(time.now_s())])
                voice.stop(time.now_s(), len(reasoner.spoken))
            case Injected():
                injected_step = event.step
            case Done():
                return Answered(
                    event,
                    tuple(thoughts),
                    tuple(written),
                    injected_step,
                    first_written_s,
                    time.now_s(),
                    sum(voice.silences_s),
                    max(voice.silences_s, default=time.now_s()),
                )
    raise AssertionError("an answer ends with Done")


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
