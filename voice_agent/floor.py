"""Who may speak: a table of states and events, pure, without clock or model.

    hearing's events, typed lines, the answer's end -> Floor.push -> actions for conversation.py

An *utterance* reaches from SpeechStarted to its UtteranceRecognized; the next one may begin before the last is
recognised, so they wait in a queue and every word belongs to the oldest. One that begins while nothing is being
answered belongs to the user's question: its words are handed on as they become final. One that overlaps an answer
pauses the voice at once and is judged when it is recognised (overlap.py). Where its words do not tell whether they were
for the assistant, the language model is asked how much they belong to what it is thinking about (`AskRelevance`), and
the overlap stays open until `RelevanceTold` comes, or until the user does something that needs no asking: then the
words count as meant. Whatever happens, after every event the voice is paused exactly while somebody speaks over an
answer or is not yet understood (`_settle`), and every overlap ends in one `Interrupted`.

Turns are numbered from 1: `EndTurn(n)` asks for answer n, `AnswerEnded(n)` reports its last sound, or that it was
stopped; reports about older answers are dropped by their number.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from enum import Enum

from . import settings
from .addressee import may_be_for_others
from .events import Interrupted, InterruptionKind, SpeechStarted, TurnEnded, TypedLine, UtteranceRecognized, Word
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
from .overlap import is_trivial, judge, may_become_trivial

_SILENCE = Playing()


class State(Enum):
    """Read off the floor's bookkeeping, never stored."""

    LISTENING = "nothing is being answered"
    ANSWERING = "an answer is being thought or spoken, the user is silent"
    OVERLAP = "the user speaks, or has spoken and is not yet understood, while an answer is in progress"


@dataclass
class _Utterance:
    """One stretch of the user's speech that is not yet recognised in full."""

    over: Playing | None  # what it overlaps; None: it belongs to the question
    words: list[str] = field(default_factory=list)  # final ones that were not handed on


@dataclass
class _Asked:
    """Words over the running answer about which the model was asked, and what they are if they were meant."""

    number: int
    text: str
    kind: InterruptionKind
    reply: int
    turn_ended: bool = False  # since then


@dataclass
class Floor:
    """The bookkeeping of turn-taking; `push` is its only way in. `playing` need be right only while an answer is on."""

    settings: settings.Floor
    turn: int = 0  # number of the newest answer
    answering: bool = False
    paused: bool = False
    asked: bool = False  # the last answer ended with a question: now "okay" is an answer
    open: deque[_Utterance] = field(default_factory=deque)  # oldest first
    asked_about: deque[_Asked] = field(default_factory=deque)  # oldest first; while an answer is on only
    questions: int = 0  # that were ever asked about such words
    topic: str = ""  # the user's words that are being answered
    handed_on: bool = False  # words of the open question went out
    held: list[str] = field(default_factory=list)  # its first words while they may still be a mere "okay" or "stop"

    @property
    def state(self) -> State:
        if not self.answering:
            return State.LISTENING
        return State.OVERLAP if self.open or self.asked_about else State.ANSWERING

    @property
    def user_has_floor(self) -> bool:
        """Somebody speaks, or a question is begun and not complete: the conversation is not idle."""
        return bool(self.open or self.handed_on or self.held)

    def push(self, event: FloorEvent, playing: Playing = _SILENCE) -> list[Action]:
        """What is to be done about `event`, in order; `playing` is what sounds at this moment."""
        handle = _TABLE.get((self.state, type(event)))
        actions = handle(self, event, playing) if handle else []
        if any(isinstance(action, Inject | StopAnswer) for action in actions):
            self.paused = False  # clearing the loudspeaker ended the pause
        return actions + self._settle()

    def _settle(self) -> list[Action]:
        paused = self.state is State.OVERLAP
        if paused == self.paused:
            return []
        self.paused = paused
        return [PausePlayback() if paused else ResumePlayback()]

    # --- utterances ---

    def _begin_question(self, event: SpeechStarted, playing: Playing) -> list[Action]:
        self.open.append(_Utterance(over=None))
        return []

    def _begin_overlap(self, event: SpeechStarted, playing: Playing) -> list[Action]:
        self.open.append(_Utterance(over=playing))
        return []

    def _collect_word(self, event: Word, playing: Playing) -> list[Action]:
        if not event.final or not event.text.strip():
            return []
        if not self.open:  # hearing may split what it heard as it likes; no word is lost for it
            self.open.append(_Utterance(over=playing if self.answering else None))
        utterance = self.open[0]
        utterance.words.append(event.text.strip())
        if self.answering or utterance.over:
            return []  # judged as a whole
        words, utterance.words = utterance.words, []
        return self._hear(words)

    def _finish_utterance(self, event: UtteranceRecognized, playing: Playing) -> list[Action]:
        if not self.open:
            self.open.append(_Utterance(over=playing if self.answering else None))
        utterance = self.open.popleft()
        if utterance.over is None:
            return self._finish_question_part(utterance, playing)
        text = " ".join(utterance.words) or event.text.strip()
        heard_over = Playing(utterance.over.reply or playing.reply, f"{utterance.over.text} {playing.text}")
        kind = judge(text, event.end_s - event.start_s, heard_over.text, self.settings, event.doubtful)
        if self._needs_asking(kind, text, heard_over):
            self.questions += 1
            self.asked_about.append(_Asked(self.questions, text, kind, heard_over.reply))
            return [AskRelevance(self.questions, text)]
        return self._resolve(kind, text, heard_over.reply)

    def _finish_question_part(self, utterance: _Utterance, playing: Playing) -> list[Action]:
        """Speech that began as a question; what of it came after that question was closed joins the answer."""
        if not utterance.words:
            pauses = self.settings.think_ahead and self.handed_on and not self.answering and not self.open
            return [ThinkAhead()] if pauses else []
        text = " ".join(utterance.words)
        return self._resolve(judge(text, float("inf"), playing.text, self.settings), text, playing.reply)

    def _resolve(self, kind: InterruptionKind, text: str, reply: int) -> list[Action]:
        """Say what an overlap was, and act on it; what was said before it and is not told yet counts as meant."""
        waits = kind in ("back-channel", "noise", "echo", "not-to-me")
        return ([] if waits else self._take_for_meant()) + self._act_on(kind, text, reply)

    def _act_on(self, kind: InterruptionKind, text: str, reply: int) -> list[Action]:
        actions: list[Action] = [Interrupted(reply, kind)]
        if not self.answering:  # the answer ended under it: it opens the next turn
            worth_hearing = kind in ("correction", "question") or (self.asked and kind in ("back-channel", "stop"))
            return actions + (self._hear(text.split()) if worth_hearing else [])
        if kind == "stop":
            self.answering = False
            self.asked = False
            return [*actions, StopAnswer(self.turn)]
        if kind == "correction" or kind == "question":
            self.topic = f"{self.topic} {text}"
            return [*actions, Inject(self.turn, text, kind)]
        return actions

    # --- words that may have been for somebody else ---

    def _needs_asking(self, kind: InterruptionKind, text: str, over: Playing) -> bool:
        open_to_doubt = kind in ("correction", "question") and may_be_for_others(text, f"{self.topic} {over.text}")
        return self.answering and self.settings.probe_relevance and open_to_doubt

    def _take_what_was_told(self, event: RelevanceTold, playing: Playing) -> list[Action]:
        told = next((asked for asked in self.asked_about if asked.number == event.number), None)
        if told is None:
            return []  # it was settled without
        self.asked_about.remove(told)
        for_others = event.gain is not None and event.gain < self.settings.not_to_me_below
        return self._act_on("not-to-me" if for_others else told.kind, told.text, told.reply)

    def _take_for_meant(self) -> list[Action]:
        """Wait for nothing any more: no word may be lost, and words keep their order."""
        taken = list(self.asked_about)
        self.asked_about.clear()
        return [action for asked in taken for action in self._act_on(asked.kind, asked.text, asked.reply)]

    def _note_turn_end(self, event: TurnEnded, playing: Playing) -> list[Action]:
        for asked in self.asked_about:
            asked.turn_ended = True
        return []

    # --- the question ---

    def _hear(self, words: list[str]) -> list[Action]:
        """Hand words on, but hold the first ones back while they may be all there is: "Okay.", "Stop."."""
        self.held += words
        if not self.handed_on and not self.asked and may_become_trivial(" ".join(self.held)):
            return []
        return self._hand_on()

    def _hand_on(self) -> list[Action]:
        text, self.held = " ".join(self.held), []
        self.topic = f"{self.topic} {text}" if self.handed_on else text
        self.handed_on = self.handed_on or bool(text)
        return [Hear(text)] if text else []

    def _end_question(self, event: FloorEvent, playing: Playing) -> list[Action]:
        if self._forget_trivial():
            return []
        heard = self._hand_on()
        return heard + self._open_answer() if self.handed_on else []

    def _forget_trivial(self) -> bool:
        """Whether all that was heard of the question needs no answer, a mere "stop" into the silence; it is dropped."""
        trivial = not self.handed_on and not self.asked and is_trivial(" ".join(self.held))
        if trivial:
            self.held = []
        return trivial

    def _open_answer(self) -> list[Action]:
        self.turn += 1
        self.answering, self.handed_on, self.asked = True, False, False
        return [EndTurn(self.turn)]

    # --- typed lines and the answer's end ---

    def _typed_question(self, event: TypedLine, playing: Playing) -> list[Action]:
        text = event.text.strip()
        if not text or (judge(text, 0.0, "", self.settings) == "stop" and not self.user_has_floor and not self.asked):
            return []
        self._forget_trivial()
        self.held.append(text)
        return self._hand_on() + self._open_answer()

    def _typed_over_answer(self, event: TypedLine, playing: Playing) -> list[Action]:
        text = event.text.strip()
        return self._resolve(judge(text, 0.0, "", self.settings), text, playing.reply) if text else []

    def _end_answer(self, event: AnswerEnded, playing: Playing) -> list[Action]:
        if event.turn != self.turn:
            return []
        self.answering = False
        self.asked = event.asked
        turn_ended = bool(self.asked_about) and self.asked_about[-1].turn_ended and not self.open
        actions = self._take_for_meant()
        return actions + (self._end_question(event, playing) if turn_ended else [])


_Handler = Callable[..., list[Action]]  # (floor, its row's event, what sounds)

# fmt: off
_TABLE: dict[tuple[State, type], _Handler] = {
    # state           event                 what is done            (SpeechEnded, and what is not listed: nothing)
    (State.LISTENING, SpeechStarted):       Floor._begin_question,
    (State.LISTENING, Word):                Floor._collect_word,
    (State.LISTENING, UtteranceRecognized): Floor._finish_utterance,
    (State.LISTENING, TurnEnded):           Floor._end_question,
    (State.LISTENING, TypedLine):           Floor._typed_question,

    (State.ANSWERING, SpeechStarted):       Floor._begin_overlap,
    (State.ANSWERING, Word):                Floor._collect_word,
    (State.ANSWERING, UtteranceRecognized): Floor._finish_utterance,
    (State.ANSWERING, TypedLine):           Floor._typed_over_answer,
    (State.ANSWERING, AnswerEnded):         Floor._end_answer,

    (State.OVERLAP,   SpeechStarted):       Floor._begin_overlap,
    (State.OVERLAP,   Word):                Floor._collect_word,
    (State.OVERLAP,   UtteranceRecognized): Floor._finish_utterance,
    (State.OVERLAP,   RelevanceTold):       Floor._take_what_was_told,
    (State.OVERLAP,   TurnEnded):           Floor._note_turn_end,
    (State.OVERLAP,   TypedLine):           Floor._typed_over_answer,
    (State.OVERLAP,   AnswerEnded):         Floor._end_answer,
}
# fmt: on
