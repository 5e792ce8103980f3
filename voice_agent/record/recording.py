"""The conversation as sound: left what the microphone got, right what the loudspeaker played, both by position.

    Recording.left(samples), Recording.right(samples) -> conversation.wav, 16-bit stereo at the loudspeaker's rate

Written to disk as it comes, so a long talk needs no more memory than a short one, and a talk that breaks off leaves
what was said so far. The left channel is resampled on the way. Called from one thread at a time for each channel.
"""

from __future__ import annotations

import threading
from pathlib import Path
from types import TracebackType

import numpy as np
import soundfile
import soxr

from ..errors import UnusableInput

_LONGEST_LEAD_S = 5.0  # a channel that lags further behind (its device is gone) is filled with silence


class Recording:
    """A growing stereo file; use it as a context manager, so that it is closed however the conversation ends."""

    def __init__(self, path: Path, *, left_rate_hz: int, right_rate_hz: int) -> None:
        self.rate_hz = right_rate_hz
        self._resampler = soxr.ResampleStream(left_rate_hz, right_rate_hz, 1, dtype="float32")
        self._left, self._right = _Channel(), _Channel()
        self._left_in = 0  # samples at the microphone's rate, silence included
        self._left_share = left_rate_hz / right_rate_hz
        self._lock = threading.Lock()
        try:
            self._file: soundfile.SoundFile | None = soundfile.SoundFile(
                path, "w", samplerate=right_rate_hz, channels=2, subtype="PCM_16"
            )
        except soundfile.LibsndfileError as error:
            raise UnusableInput(f"cannot write {path}: {error.error_string}; choose another output folder") from error

    def left(self, samples: np.ndarray, position: int | None = None) -> None:
        """Microphone sound at its own rate. `position`: sample at which it begins; a gap before it becomes silence."""
        with self._lock:
            gap = max(0, position - self._left_in) if position is not None else 0
            padded = np.concatenate([np.zeros(gap, np.float32), samples]) if gap else samples
            self._left_in += len(padded)
            self._left.add(self._resampler.resample_chunk(padded))
            self._write()

    def right(self, samples: np.ndarray) -> None:
        """Loudspeaker sound, in order without gaps."""
        with self._lock:
            self._right.add(samples)
            self._write()

    @property
    def right_samples(self) -> int:
        """All of the right channel so far, with the silence that stands for what did not come."""
        with self._lock:
            return self._right.length

    @property
    def seconds_waiting(self) -> float:
        """Sound of one channel that is held back because the other's has not come."""
        return max(self._left.waiting, self._right.waiting) / self.rate_hz

    def close(self) -> None:
        """Write the rest, the shorter channel filled with silence; may be called twice."""
        with self._lock:
            if self._file is None:
                return
            self._left.add(self._resampler.resample_chunk(np.zeros(0, np.float32), last=True))
            self._write(fill=True)
            self._file.close()
            self._file = None

    def __enter__(self) -> Recording:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()

    def _write(self, fill: bool = False) -> None:
        if self._file is None:
            return  # the last sound of a device that closes after the file has nowhere to go
        longest = max(self._left.waiting, self._right.waiting)
        shortest = min(self._left.waiting, self._right.waiting)
        n = longest if fill else max(shortest, longest - int(_LONGEST_LEAD_S * self.rate_hz))
        if n:
            self._left_in += round(max(0, n - self._left.waiting) * self._left_share)
            stereo = np.stack([self._left.take(n), self._right.take(n)], axis=1)  # (n, 2)
            self._file.write(np.clip(stereo, -1.0, 1.0))


class _Channel:
    """Samples of one side that wait for the other."""

    def __init__(self) -> None:
        self._chunks: list[np.ndarray] = []
        self.waiting = 0
        self.length = 0  # of all that was added, or stood for it

    def add(self, samples: np.ndarray) -> None:
        if len(samples):
            self._chunks.append(np.array(samples, dtype=np.float32))  # a sound card reuses its buffer
            self.waiting += len(samples)
            self.length += len(samples)

    def take(self, n: int) -> np.ndarray:
        """(n,) samples; silence where too few wait."""
        self.length += max(0, n - self.waiting)
        joined = np.concatenate([*self._chunks, np.zeros(max(0, n - self.waiting), np.float32)])
        rest = joined[n:]
        self._chunks, self.waiting = [rest] if len(rest) else [], len(rest)
        return joined[:n]


def read_channels(path: Path) -> tuple[np.ndarray, np.ndarray, int]:
    """A finished conversation.wav: what the microphone got and what was played, (n,) float32 each, and their rate."""
    samples, rate_hz = soundfile.read(path, dtype="float32", always_2d=True)
    left, right = np.ascontiguousarray(samples.T)
    return left, right, int(rate_hz)
