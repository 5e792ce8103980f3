"""What the floor is told besides hearing's events, and what it asks the conversation to do.

Frozen values without behaviour, as in events.py; they travel between floor.py and conversation.py only. Turns are
numbered from 1, so are the questions about relevance; a report about an older one is dropped by its number.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from .events import (
    Interrupted,
    SpeechEnded,
    SpeechStarted,
    TurnEnded,
    TypedLine,
    UtteranceRecognized,
    Word,
)

# --- what the conversation reports besides hearing's events -----------------------------------------------------------


@dataclass(frozen=True)
class AnswerEnded:
    """Answer `turn` is over: nothing is left to write or to play. `asked`: its last sounded words were a question."""

    turn: int
    asked: bool = False


@dataclass(frozen=True)
class RelevanceTold:
    """The answer to `AskRelevance(number)`: nats a token; None: it could not be told."""

    number: int
    gain: float | None


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


@dataclass(frozen=True)
class AskRelevance:
    """Ask the reasoner how much these words belong to the running answer; `RelevanceTold(number)` tells."""

    number: int
    text: str


FloorEvent = (
    SpeechStarted | SpeechEnded | Word | UtteranceRecognized | TurnEnded | TypedLine | AnswerEnded | RelevanceTold
)
Action = PausePlayback | ResumePlayback | Hear | ThinkAhead | EndTurn | Inject | StopAnswer | AskRelevance | Interrupted
