"""Decide when the user has finished.

    SpeechStarted | SpeechEnded | SilenceJudged | UtteranceRecognized -> EndOfTurn.push
    EndOfTurn.due_s -> when the turn ends

A turn ends after a silence, once everything in it has been recognised and some of it was words. How long the silence
must be is decided by how the speech before it sounded (turn_judge.py), by its words (turn_words.py) and by how sure the
last of them is (`silence_needed_s`, a table): short after a question that sounded complete, long after "a train
travels, um". Without a judgement a plain timer decides. Pure: knows neither clock nor task nor model. Times in seconds.
"""

from __future__ import annotations

from dataclasses import dataclass

from ..events import HearingEvent, SpeechEnded, SpeechStarted, TurnEnded, UtteranceRecognized
from ..settings import Settings
from .turn_words import is_unfinished, wants_answer


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
        self._last_word_probability = 1.0
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
                    self._last_word_probability = event.last_word_probability
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
        words = " ".join(self._words)
        return silence_needed_s(self._judgement.probability, words, self._last_word_probability, self._settings)

    def end(self) -> TurnEnded:
        """The turn is over: forget it. `end_s` is the end of its last words, not of a noise after them."""
        assert self._words_end_s is not None, "a turn without words cannot end"
        ended = TurnEnded(end_s=self._words_end_s)
        self._words_end_s = None
        self._words.clear()
        return ended


def silence_needed_s(probability: float | None, words: str, last_word_probability: float, settings: Settings) -> float:
    """How long the silence after `words` must last to end the turn.

    probability: that the turn is complete, from its sound; None: not known, a plain timer decides.
    words: of the whole turn, as recognised.
    last_word_probability: what the recogniser gave the last of them. An "uh", or an article that is cut off, is often
        read as another word that makes a sentence ("Could we arm?"), but seldom with confidence.
    """
    hearing = settings.hearing
    if probability is None:
        return settings.floor.turn_silence_s
    if is_unfinished(words):
        return hearing.unfinished_silence_s
    sure = last_word_probability >= hearing.last_word_sure_above
    if probability < hearing.turn_complete_above:
        may_be = probability >= hearing.turn_doubtful_above and words.rstrip().endswith("?") and sure
        return hearing.doubtful_silence_s if may_be else hearing.unfinished_silence_s
    return hearing.complete_silence_s if wants_answer(words) and sure else hearing.statement_silence_s
