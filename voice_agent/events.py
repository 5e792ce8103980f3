"""Every value that travels between rooms.

Frozen dataclasses with units in their names; times are seconds on the conversation's clock, which starts at 0 when the
microphone opens. A class listed in `TRACED` is also a kind of line in trace.jsonl: the kind is the class name in snake
case, the fields are the class's fields (docs of the format: README, "Trace"). Standard library only.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:  # numpy is a name for the type checker only: the reasoning room runs without it
    import numpy as np

ClauseSource = Literal["model", "filler"]
InterruptionKind = Literal["stop", "correction", "question", "back-channel", "noise", "echo", "not-to-me"]


# --- hearing -------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class AudioFrame:
    """A short stretch of microphone sound; `start_s` is when its first sample was taken."""

    start_s: float
    rate_hz: int
    samples: np.ndarray  # (n,) float32 in [-1, 1], mono
    to_read: np.ndarray | None = None  # (n,) as words are best read from it, where that is not `samples`
    muted: bool = False  # silence in place of what was heard

    @property
    def end_s(self) -> float:
        return self.start_s + len(self.samples) / self.rate_hz


@dataclass(frozen=True)
class SpeechStarted:
    """Somebody speaks; `onset_s` is where the speech began, a little before it could be known."""

    onset_s: float


@dataclass(frozen=True)
class SpeechEnded:
    """The speech paused; `end_s` is where its last voiced sound stopped, a little before it could be known."""

    end_s: float


@dataclass(frozen=True)
class Word:
    """One recognised word. `final`: it will not be revised. `doubtful`: the recogniser was far from sure of it.

    probability: what the recogniser gave the word, 0..1.
    """

    text: str
    start_s: float
    end_s: float
    final: bool
    doubtful: bool = False
    probability: float = 1.0


@dataclass(frozen=True)
class UtteranceRecognized:
    """All words from one `SpeechStarted` to its `SpeechEnded`; empty text means that no word was in it.

    doubtful: the recogniser was far from sure of every word. last_word_probability: what it gave the last one, 0..1.
    """

    text: str
    start_s: float
    end_s: float
    doubtful: bool = False
    last_word_probability: float = 1.0


@dataclass(frozen=True)
class TurnEnded:
    """The user has finished: silence after the last recognised word."""

    end_s: float


@dataclass(frozen=True)
class TypedLine:
    """A line typed instead of spoken: a whole turn at once."""

    text: str


# --- reasoning -----------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Thought:
    """Text the thinker has just written; private, never voiced. `step` counts the answer's model steps."""

    text: str
    step: int


@dataclass(frozen=True)
class Written:
    """Text the writer has just written, to be voiced. `reply` changes whenever the spoken words are cut."""

    text: str
    step: int
    reply: int


@dataclass(frozen=True)
class Injected:
    """The user's words have entered the running thoughts."""

    text: str
    step: int


@dataclass(frozen=True)
class Withdrawn:
    """What was written from the first `start` characters of the answer on is no longer meant.

    Whoever plays it takes back what has not sounded yet and tells the reasoner (`cut_spoken`); what has sounded will be
    put right.
    """

    start: int
    reply: int


@dataclass(frozen=True)
class Gate:
    """One decision of the speak gate: probabilities of yes and no, and what was decided."""

    yes: float
    no: float
    decision: Literal["speak", "think"]


@dataclass(frozen=True)
class Rated:
    """How likely other last words would have been: total natural log probability of each text that was asked about."""

    log_likelihoods: tuple[float, ...]


@dataclass(frozen=True)
class Done:
    """The answer is complete. `reason`: 'finished', 'stopped' (by the user) or 'budget' (tokens ran out)."""

    reason: Literal["finished", "stopped", "budget"]
    thoughts: str
    spoken: str
    thinking_tokens: int
    spoken_tokens: int
    steps: int
    first_written_step: int | None


@dataclass(frozen=True)
class ModelCall:
    """One call of a model: `which` is 'language', 'recognizer' or 'voice'; `rows` x tokens went in, `ms` it took."""

    which: str
    rows: int
    tokens: int
    ms: float


# --- speaking ------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Clause:
    """A stretch of written words long enough to be voiced on its own, exactly as the model wrote it."""

    text: str
    reply: int
    source: ClauseSource


@dataclass(frozen=True)
class ReplyEnd:
    """No more clauses of this reply will come; follows the last of them through the same stream."""

    reply: int


@dataclass(frozen=True)
class WordTiming:
    """Where a written word stands in its clause's sound: written[start:end] has sounded once `end_sample` played."""

    start: int
    end: int
    end_sample: int


@dataclass(frozen=True)
class ClauseAudio:
    """A clause as sound, with the sample at which each written word has sounded."""

    clause: Clause
    rate_hz: int
    samples: np.ndarray  # (n,) float32 in [-1, 1], mono
    words: tuple[WordTiming, ...]


@dataclass(frozen=True)
class AudioStarted:
    """The first audible sample of a reply left the loudspeaker."""

    reply: int


@dataclass(frozen=True)
class AudioStopped:
    """The loudspeaker has nothing more of this reply to play (it ran out, or was cleared)."""

    reply: int


@dataclass(frozen=True)
class Paused:
    reply: int


@dataclass(frozen=True)
class Resumed:
    reply: int


@dataclass(frozen=True)
class Sounded:
    """Written words that have now been heard in full, in order, each once."""

    text: str
    reply: int


@dataclass(frozen=True)
class Retracted:
    """Written words that were taken back before they sounded."""

    text: str
    reply: int


@dataclass(frozen=True)
class Underrun:
    """The loudspeaker ran dry inside a reply that goes on."""

    reply: int


# --- the whole conversation ----------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Interrupted:
    """The user spoke over a reply (`reply` 0: over the silent thinking before one); `reason` says what it was."""

    reply: int
    reason: InterruptionKind


@dataclass(frozen=True)
class Failed:
    """A part broke: the conversation ends with what was written so far, or goes on without it; `error` says which."""

    part: str
    error: str


@dataclass(frozen=True)
class Recovered:
    """A part that had failed works again."""

    part: str


HearingEvent = SpeechStarted | SpeechEnded | Word | UtteranceRecognized | TurnEnded
PlaybackEvent = AudioStarted | AudioStopped | Paused | Resumed | Sounded | Retracted | Underrun
AnswerEvent = Thought | Written | Withdrawn | Injected | Gate | ReplyEnd | Rated | Done
Traced = (
    SpeechStarted
    | SpeechEnded
    | TurnEnded
    | Word
    | Injected
    | Thought
    | Written
    | Gate
    | Clause
    | AudioStarted
    | AudioStopped
    | Paused
    | Resumed
    | Sounded
    | Retracted
    | Interrupted
    | Underrun
    | Failed
    | Recovered
    | ModelCall
)


def kind_of(event: object) -> str:
    """`AudioStarted(...)` -> 'audio_started', the kind of its line in the trace."""
    return re.sub(r"(?<!^)(?=[A-Z])", "_", type(event).__name__).lower()
