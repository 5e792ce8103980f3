"""Decide when the user has finished.

    SpeechStarted | SpeechEnded | SilenceJudged | UtteranceRecognized -> EndOfTurn.push
    EndOfTurn.due_s -> when the turn ends

A turn ends after a silence, once everything in it has been recognised and some of it was words. How long the silence
must be is decided by how the speech before it sounded (turn_judge.py) and by its words (`silence_needed_s`, a table):
short after a question that sounded complete, long after "a train travels, um". Without a judgement a plain timer
decides. Pure: knows neither clock nor task nor model. Times in seconds.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from ..events import HearingEvent, SpeechEnded, SpeechStarted, TurnEnded, UtteranceRecognized
from ..settings import Settings
from .word_agreement import SENTENCE_ENDS, plain_text


def _set(words: str) -> frozenset[str]:
    return frozenset(words.split())


_OPENERS = _set(  # a sentence that begins so wants an answer, with a question mark or without
    "what what's who who's whose which why how how's is isn't are aren't was were am do does don't did didn't can "
    "can't could would will won't should shall may has have had tell explain give show describe list name write read "
    "help find calculate compute compare define translate summarize repeat say count spell solve let's please teach "
    "remind recommend suggest continue go stop wait sorry actually no yes hello hi thanks"
)
_LEAD_INS = _set("and but so okay ok um uh oh well hey now then right alright")
_HANGING = _set(  # nobody stops at such a word
    "a an the and or but because than my your his its our their um umm uh uhm er erm hmm mm every"
)
_HANGING_IN_STATEMENTS = _set(  # but "where are you from?" and "what is it?" are questions
    "of to in on at by from with for between into about is are was were has have had if when while that which who what "
    "how why where i we"
)


@dataclass(frozen=True)
class SilenceJudged:
    """How the speech sounded before the silence that began at `since_s`: probability that the turn is complete.

    probability: 0..1; None when it could not be judged.
    """

    since_s: float
    probability: float | None


TurnEvent = HearingEvent | SilenceJudged


class EndOfTurn:
    """The turn that is being spoken. judged: whether a `SilenceJudged` follows every `SpeechEnded`."""

    def __init__(self, settings: Settings, judged: bool) -> None:
        self._settings, self.judged = settings, judged
        self._speaking = False
        self._unrecognized = 0  # utterances that ended and have not been read to the end
        self._voice_end_s = 0.0
        self._words_end_s: float | None = None
        self._words: list[str] = []
        self._judgement: SilenceJudged | None = None

    def push(self, event: TurnEvent) -> None:
        """Take note of what was heard; words and earlier ends of turns change nothing."""
        match event:
            case SpeechStarted():
                self._speaking = True
            case SpeechEnded():
                self._speaking = False
                self._unrecognized += 1
                self._voice_end_s = event.end_s
            case UtteranceRecognized():
                self._unrecognized -= 1
                if event.text:
                    self._words_end_s = event.end_s
                    self._words.append(event.text)
            case SilenceJudged():
                self._judgement = event

    def due_s(self) -> float | None:
        """When the turn ends if nothing more is heard; None while that cannot be said."""
        if self._speaking or self._unrecognized or self._words_end_s is None:
            return None
        return self._voice_end_s + self._silence_s()

    def _silence_s(self) -> float:
        if not self.judged:
            return self._settings.floor.turn_silence_s
        if self._judgement is None or self._judgement.since_s != self._voice_end_s:
            return self._settings.hearing.unfinished_silence_s  # until the judgement comes
        return silence_needed_s(self._judgement.probability, " ".join(self._words), self._settings)

    def end(self) -> TurnEnded:
        """The turn is over: forget it. `end_s` is the end of its last words, not of a noise after them."""
        assert self._words_end_s is not None, "a turn without words cannot end"
        ended = TurnEnded(end_s=self._words_end_s)
        self._words_end_s = None
        self._words.clear()
        return ended


def silence_needed_s(probability: float | None, words: str, settings: Settings) -> float:
    """How long the silence after `words` must last to end the turn.

    probability: that the turn is complete, from its sound; None: not known, a plain timer decides.
    words: of the whole turn, as recognised.
    """
    hearing = settings.hearing
    if probability is None:
        return settings.floor.turn_silence_s
    if is_unfinished(words):
        return hearing.unfinished_silence_s
    if probability < hearing.turn_complete_above:
        may_be = probability >= hearing.turn_doubtful_above and words.rstrip().endswith("?")
        return hearing.doubtful_silence_s if may_be else hearing.unfinished_silence_s
    return hearing.complete_silence_s if wants_answer(words) else hearing.statement_silence_s


def is_unfinished(words: str) -> bool:
    """Whether the words break off: at an "um", at an article, or without the full stop of a sentence."""
    text = words.rstrip()
    last = plain_text(text).rpartition(" ")[2]
    if not text.endswith(SENTENCE_ENDS) or text.endswith("..."):
        return True
    return last in _HANGING or (last in _HANGING_IN_STATEMENTS and not wants_answer(text))


def wants_answer(words: str) -> bool:
    """Whether the last sentence is a question or a request; after a mere statement most often one follows."""
    sentence = _last_sentence(words)
    opening = next((word for word in plain_text(sentence).split() if word not in _LEAD_INS), "")
    return sentence.endswith("?") or opening in _OPENERS


def _last_sentence(text: str) -> str:
    sentences = re.findall(r"[^.!?]+[.!?]*", re.sub(r"(?<=\d)\.(?=\d)", ",", text.strip()))
    return sentences[-1] if sentences else ""
