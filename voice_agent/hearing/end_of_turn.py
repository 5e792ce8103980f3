"""Decide when the user has finished.

    SpeechStarted | SpeechEnded | UtteranceRecognized -> EndOfTurn.push;  EndOfTurn.due_s -> when the turn ends

A turn ends `silence_s` after the last voiced sound, once everything in it has been recognised and some of it was
words. Pure: knows neither clock nor task. Times in seconds.
"""

from __future__ import annotations

from ..events import HearingEvent, SpeechEnded, SpeechStarted, TurnEnded, UtteranceRecognized


class EndOfTurn:
    """The turn that is being spoken."""

    def __init__(self, silence_s: float) -> None:
        self._silence_s = silence_s
        self._speaking = False
        self._unrecognized = 0  # utterances that ended and have not been read to the end
        self._voice_end_s = 0.0
        self._words_end_s: float | None = None

    def push(self, event: HearingEvent) -> None:
        """Take note of what was heard; words and earlier ends of turns change nothing."""
        if isinstance(event, SpeechStarted):
            self._speaking = True
        elif isinstance(event, SpeechEnded):
            self._speaking = False
            self._unrecognized += 1
            self._voice_end_s = event.end_s
        elif isinstance(event, UtteranceRecognized):
            self._unrecognized -= 1
            if event.text:
                self._words_end_s = event.end_s

    def due_s(self) -> float | None:
        """When the turn ends if nothing more is heard; None while that cannot be said."""
        if self._speaking or self._unrecognized or self._words_end_s is None:
            return None
        return self._voice_end_s + self._silence_s

    def end(self) -> TurnEnded:
        """The turn is over: forget it. `end_s` is the end of its last words, not of a noise after them."""
        assert self._words_end_s is not None, "a turn without words cannot end"
        ended = TurnEnded(end_s=self._words_end_s)
        self._words_end_s = None
        return ended
