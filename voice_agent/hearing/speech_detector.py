"""Decide when somebody starts and stops speaking.

    AudioFrame -> SpeechDetector.push -> [SpeechStarted | SpeechEnded]

webrtcvad and a level floor judge each frame; `SpeechRule`, which is pure, turns voiced frames into speech: enough of
them in a short window begin it, a stretch without any ends it. Does not know what is said. Times in seconds.
"""

from __future__ import annotations

from collections import deque

import numpy as np
import webrtcvad

from ..events import AudioFrame, SpeechEnded, SpeechStarted
from ..settings import Hearing

SpeechEvent = SpeechStarted | SpeechEnded


class SpeechRule:
    """Voiced or unvoiced frames of equal length in, starts and ends of speech out.

    `last_voiced_s` is the end of the newest voiced frame; `speaking` says on which side of it we are.
    """

    def __init__(self, settings: Hearing) -> None:
        self._needed = max(1, settings.speech_start_ms // settings.frame_ms)
        self._window: deque[tuple[bool, float]] = deque(maxlen=settings.speech_start_window_ms // settings.frame_ms)
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
        """No more frames, or silence: end the speech that is going on."""
        if not self.speaking:
            return []
        self.speaking = False
        return [SpeechEnded(end_s=self.last_voiced_s)]


class SpeechDetector:
    """webrtcvad with a level floor in front of a `SpeechRule`."""

    def __init__(self, settings: Hearing) -> None:
        self._settings = settings
        self._vad = webrtcvad.Vad(settings.detector_mode)
        self.rule = SpeechRule(settings)

    def push(self, frame: AudioFrame) -> list[SpeechEvent]:
        return self.rule.push(self._is_voiced(frame), frame.start_s, frame.end_s)

    def finish(self) -> list[SpeechEnded]:
        """No more frames."""
        return self.rule.finish()

    def _is_voiced(self, frame: AudioFrame) -> bool:
        # Judged first, whatever the level: webrtcvad follows the noise floor and must see every frame.
        voiced = self._vad.is_speech(to_int16(frame.samples).tobytes(), frame.rate_hz)
        return bool(voiced) and level_dbfs(frame.samples) >= self._settings.minimum_level_dbfs


def to_int16(samples: np.ndarray) -> np.ndarray:
    """float [-1, 1] -> int16, clipped."""
    return (np.clip(samples, -1.0, 1.0) * 32767.0).astype(np.int16)


def level_dbfs(samples: np.ndarray) -> float:
    """Root mean square in dB below full scale; -120 for digital silence."""
    power = float(np.mean(np.square(samples, dtype=np.float64))) if len(samples) else 0.0
    return 10.0 * float(np.log10(max(power, 1e-12)))
