"""Decide when somebody starts and stops speaking.

    AudioFrame -> SpeechDetector.push -> [SpeechStarted | SpeechEnded]

voicing.py judges each stretch of sound; `SpeechRule`, which is pure, turns voiced stretches into speech: enough of
them in a short window begin it, a time without any ends it. Does not know what is said. Times in seconds.
"""

from __future__ import annotations

from collections import deque

from ..events import AudioFrame, SpeechEnded, SpeechStarted
from ..settings import Hearing
from .voicing import voicing_of

SpeechEvent = SpeechStarted | SpeechEnded


class SpeechRule:
    """Voiced or unvoiced stretches of `length_ms` in, starts and ends of speech out.

    `last_voiced_s` is the end of the newest voiced stretch; `speaking` says on which side of it we are.
    """

    def __init__(self, settings: Hearing, length_ms: int) -> None:
        self._needed = max(1, settings.speech_start_ms // length_ms)
        window = max(self._needed, settings.speech_start_window_ms // length_ms)
        self._window: deque[tuple[bool, float]] = deque(maxlen=window)
        self._silence_s = settings.speech_end_ms / 1000
        self.speaking = False
        self.last_voiced_s = 0.0

    def push(self, voiced: bool, start_s: float, end_s: float) -> list[SpeechEvent]:
        if voiced:
            self.last_voiced_s = end_s
        if self.speaking:
            if end_s - self.last_voiced_s < self._silence_s - 1e-6:
                return []
            return [*self.finish()]
        self._window.append((voiced, start_s))
        onsets = [at_s for was_voiced, at_s in self._window if was_voiced]
        if len(onsets) < self._needed:
            return []
        self.speaking = True
        self._window.clear()
        return [SpeechStarted(onset_s=onsets[0])]

    def finish(self) -> list[SpeechEnded]:
        """No more sound, or silence: end the speech that is going on."""
        if not self.speaking:
            return []
        self.speaking = False
        return [SpeechEnded(end_s=self.last_voiced_s)]


class SpeechDetector:
    """The voicing that the settings name, in front of a `SpeechRule`."""

    def __init__(self, settings: Hearing) -> None:
        self._voicing = voicing_of(settings)
        self.rule = SpeechRule(settings, self._voicing.length_ms)

    def push(self, frame: AudioFrame) -> list[SpeechEvent]:
        return [
            event
            for stretch in self._voicing.push(frame)
            for event in self.rule.push(stretch.voiced, stretch.start_s, stretch.end_s)
        ]

    def finish(self) -> list[SpeechEnded]:
        """No more frames."""
        return self.rule.finish()
