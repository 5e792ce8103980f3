"""What a scripted microphone hears: the user's clips, noise, and the loudspeaker's echo.

    Mixer.place(clip, start); Mixer.play_back(right); Mixer.next(n) -> (n,) float32

Positions are samples at the microphone's rate, counted from the start.
"""

from __future__ import annotations

import numpy as np
import soxr

from .echo_path import EchoPath
from .scenario import Echo


class Mixer:
    """Sums its sources sample by sample; what is too loud is clipped, as in a real converter."""

    def __init__(self, rate_hz: int, noise: np.ndarray | None, echo: Echo | None, loudspeaker_rate_hz: int) -> None:
        self._noise = noise
        # "QQ" lags by less than a sample, so that the shortest delay of a scenario (20 ms) is always at hand
        self._resampler = soxr.ResampleStream(loudspeaker_rate_hz, rate_hz, 1, dtype="float32", quality="QQ")
        self._echo = _echo_path(echo, rate_hz) if echo else None
        self._placed: list[tuple[int, np.ndarray]] = []  # (position of the first sample, samples)
        self.position = 0

    def place(self, samples: np.ndarray, start: int) -> None:
        """Let `samples` sound from position `start` on, which must not be past."""
        assert start >= self.position, f"a clip at {start} is late: position {self.position} is already out"
        self._placed.append((start, samples))

    @property
    def speaking(self) -> bool:
        """Whether a clip is still to be heard."""
        return bool(self._placed)

    def play_back(self, right: np.ndarray) -> None:
        """What the loudspeaker played in the frame that `next` is about to give."""
        if self._echo:
            self._echo.push(self._resampler.resample_chunk(right.astype(np.float32)))

    def next(self, n: int) -> np.ndarray:
        """The following (n,) samples, float32 in [-1, 1]."""
        mixed = np.zeros(n, np.float32)
        for start, samples in self._placed:
            begin, end = max(start, self.position), min(start + len(samples), self.position + n)
            if begin < end:
                mixed[begin - self.position : end - self.position] += samples[begin - start : end - start]
        if self._noise is not None:
            mixed += np.take(self._noise, np.arange(self.position, self.position + n), mode="wrap")
        if self._echo:
            mixed += self._echo.take(self.position, n)
        self.position += n
        self._placed = [(start, samples) for start, samples in self._placed if start + len(samples) > self.position]
        return np.clip(mixed, -1.0, 1.0)


def _echo_path(echo: Echo, rate_hz: int) -> EchoPath:
    """Another distance is another place in the room: its tail is drawn anew."""
    return EchoPath(echo.delay_ms, echo.gain_db, rate_hz, seed=round(echo.delay_ms))
