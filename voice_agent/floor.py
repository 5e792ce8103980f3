"""Who may speak: a table of states and events, pure, without clock or model.

    hearing's events, typed lines, the answer's end -> Floor.push -> actions for conversation.py

An *utterance* reaches from SpeechStarted to its UtteranceRecognized; the next one may begin before the last is
recognised, so they wait in a queue and every word belongs to the oldest. One that begins while nothing is being
answered belongs to the user's question: its words are handed on as they become final. One that overlaps an answer
pauses the voice at once and is judged when it is recognised (overlap.py). Whatever happens, after every event the voice
is paused exactly while somebody speaks over an answer (`_settle`), and every overlap ends in one `Interrupted`.

Turns are numbered from 1: `EndTurn(n)` asks for answer n, `AnswerEnded(n)` reports its last sound, or that it was
stopped; reports about older answers are dropped by their number.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from enum import Enum
from typing import Literal

from . import settings
from .events import (
    Interrupted,
    SpeechEnded,
    SpeechStarted,
    TurnEnded,
    TypedLine,
    UtteranceRecognized,
    Word,
)
from .overlap import is_trivial, judge, may_become_trivial


class State(Enum):
    """Read off the floor's bookkeeping, never stored."""

    LISTENING = "nothing is being answered"
    ANSWERING = "an answer is being thought or spoken, the user is silent"
    OVERLAP = "the user speaks, or has spoken and is not yet understood, while an answer is in progress"


# --- what the conversation reports besides hearing's events -----------------------------------------------------------


@dataclass(frozen=True)
class AnswerEnded:
    """Answer `turn` is over: nothing is left to write or to play. `asked`: its last sounded words were a question."""

    turn: int
    asked: bool = False


@dataclass(frozen=True)
class Playing:
    """What sounds: `reply` (0: nothing of the answer so far) and the words just heard and about to be, as voiced."""

    reply: int = 0
    text: str = ""


# --- what the conversation is asked to do -----------------------------------------------------------------------------


@dataclass(frozen=True)
class PausePlayback:
    """Hold the loudspeaker where it is; what is enqueued meanwhile waits."""


@dataclass(frozen=True)
class ResumePlayback:
    """Let the loudspeaker go on where it is."""


@dataclass(frozen=True)
class Hear:
    """Words of the user's open question, in order, each once."""

    text: str


@dataclass(frozen=True)
class ThinkAhead:
    """The user pauses within the open question, or has ended it: it may be thought about."""


@dataclass(frozen=True)
class EndTurn:
    """The question is complete: answer it, as answer number `turn`."""

    turn: int


@dataclass(frozen=True)
class Inject:
    """Cut the spoken words back to what sounded, clear the loudspeaker, put the words into the running thoughts.

    Clearing ends a pause; where somebody still speaks, PausePlayback follows.
    """

    turn: int
    text: str
    kind: Literal["correction", "question"]


@dataclass(frozen=True)
class StopAnswer:
    """Clear the loudspeaker, which ends a pause, and end the answer; the floor is the user's again at once."""

    turn: int
    reason: Literal["stop"] = "stop"


FloorEvent = SpeechStarted | SpeechEnded | Word | UtteranceRecognized | TurnEnded | TypedLine | AnswerEnded
Action = PausePlayback | ResumePlayback | Hear | ThinkAhead | EndTurn | Inject | StopAnswer | Interrupted


@dataclass
class _Utterance:
    """One stretch of the user's speech that is not yet recognised in full."""

    over: Playing | None  # what it overlaps; None: it belongs to the question
    words: list[str] = field(default_factory=list)  # final ones that were not handed on


@dataclass
class Floor:
    """The bookkeeping of turn-taking; `push` is its only way in. `playing` need be right only while an answer is on."""

    settings: settings.Floor
    turn: int = 0  # number of the newest answer
    answering: bool = False
    paused: bool = False
    asked: bool = False  # the last answer ended with a question: now "okay" is an answer
    open: deque[_Utterance] = field(default_factory=deque)  # oldest first
    handed_on: bool = False  # words of the open question went out
    held: list[str] = field(default_factory=list)  # its first words while they may still be a mere "okay" or "stop"

    @property
    def state(self) -> State:
        if not self.answering:
            return State.LISTENING
        return State.OVERLAP if self.open else State.ANSWERING

    @property
    def user_has_floor(self) -> bool:
        """Somebody speaks, or a question is begun and not complete: the conversation is not idle."""
        return bool(self.open or self.handed_on or self.held)

    def push(self, event: FloorEvent, playing: Playing = Playing()) -> list[Action]:
        """What is to be done about `event`, in order; `playing` is what sounds at this moment."""
        handle = _TABLE.get((self.state, type(event)))
        actions = handle(self, event, playing) if handle else []
        if any(isinstance(action, Inject | StopAnswer) for action in actions):
            self.paused = False  # clearing the loudspeaker ended the pause
        return actions + self._settle()

    def _settle(self) -> list[Action]:
        paused = self.answering and bool(self.open)
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
        return self._resolve(text, event.end_s - event.start_s, heard_over, event.doubtful)

    def _finish_question_part(self, utterance: _Utterance, playing: Playing) -> list[Action]:
        """Speech that began as a question; what of it came after that question was closed joins the answer."""
        if not utterance.words:
            pauses = self.settings.think_ahead and self.handed_on and not self.answering and not self.open
            return [ThinkAhead()] if pauses else []
        return self._resolve(" ".join(utterance.words), float("inf"), playing)

    def _resolve(self, text: str, lasted_s: float, over: Playing, doubtful: bool = False) -> list[Action]:
        """Say what an overlap was, and act on it."""
        kind = judge(text, lasted_s, over.text, self.settings, doubtful)
        actions: list[Action] = [Interrupted(over.reply, kind)]
        if not self.answering:  # the answer ended under it: it opens the next turn
            worth_hearing = kind in ("correction", "question") or (self.asked and kind in ("back-channel", "stop"))
            return actions + (self._hear(text.split()) if worth_hearing else [])
        if kind == "stop":
            self.answering = False
            self.asked = False
            return [*actions, StopAnswer(self.turn)]
        if kind == "correction" or kind == "question":
            return [*actions, Inject(self.turn, text, kind)]
        return actions

    # --- the question ---

    def _hear(self, words: list[str]) -> list[Action]:
        """Hand words on, but hold the first ones back while they may be all there is: "Okay.", "Stop."."""
        self.held += words
        if not self.handed_on and not self.asked and may_become_trivial(" ".join(self.held)):
            return []
        return self._hand_on()

    def _hand_on(self) -> list[Action]:
        text, self.held = " ".join(self.held), []
        self.handed_on = self.handed_on or bool(text)
        return [Hear(text)] if text else []

    def _end_question(self, event: TurnEnded, playing: Playing) -> list[Action]:
        if not self.handed_on and not self.asked and is_trivial(" ".join(self.held)):
            self.held = []
            return []
        heard = self._hand_on()
        return heard + self._open_answer() if self.handed_on else []

    def _open_answer(self) -> list[Action]:
        self.turn += 1
        self.answering, self.handed_on, self.asked = True, False, False
        return [EndTurn(self.turn)]

    # --- typed lines and the answer's end ---

    def _typed_question(self, event: TypedLine, playing: Playing) -> list[Action]:
        text = event.text.strip()
        if not text or (judge(text, 0.0, "", self.settings) == "stop" and not self.user_has_floor and not self.asked):
            return []
        self.held.append(text)
        return self._hand_on() + self._open_answer()

    def _typed_over_answer(self, event: TypedLine, playing: Playing) -> list[Action]:
        text = event.text.strip()
        return self._resolve(text, 0.0, Playing(playing.reply, "")) if text else []

    def _end_answer(self, event: AnswerEnded, playing: Playing) -> list[Action]:
        if event.turn != self.turn:
            return []
        self.answering = False
        self.asked = event.asked
        return []


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
    (State.OVERLAP,   TypedLine):           Floor._typed_over_answer,
    (State.OVERLAP,   AnswerEnded):         Floor._end_answer,
}
# fmt: on
