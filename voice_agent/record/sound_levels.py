"""Where a channel is loud: the measurements that the summary makes on the loudspeaker's samples.

    Levels(samples, rate_hz) -> first_loud_s, falls_silent_s, silences; -40 dBFS parts sound from silence
Times are seconds from the first sample.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator

import numpy as np

AUDIBLE = 0.01  # -40 dBFS
_LASTING_SILENCE_S = 0.4  # longer than the gaps between spoken words
_REACTION_S = 0.2  # sound that sets in so soon after the user's onset could not yet be held back
_WINDOW_S = 0.005


class Levels:
    """Loudness of one channel in windows of 5 ms."""

    def __init__(self, samples: np.ndarray, rate_hz: int) -> None:
        self.window_s = max(1, int(_WINDOW_S * rate_hz)) / rate_hz
        window = round(self.window_s * rate_hz)
        padded = np.concatenate([np.abs(samples), np.zeros(-len(samples) % window, np.float32)])
        self._loud = np.flatnonzero(padded.reshape(-1, window).max(axis=1) > AUDIBLE)  # indices of loud windows

    def first_loud_s(self, from_s: float, to_s: float = np.inf) -> float | None:
        """Start of the first loud window within the times."""
        at = int(np.searchsorted(self._loud, from_s / self.window_s - 1e-9))
        if at == len(self._loud):
            return None
        loud_s = float(self._loud[at]) * self.window_s
        return loud_s if loud_s < to_s else None

    def falls_silent_s(self, from_s: float) -> float | None:
        """When the sound that goes on at `from_s`, or sets in within 0.2 s, gives way to a lasting silence.

        None: nothing was sounding. Gaps shorter than 0.4 s, as between words, belong to the sound.
        """
        loud = self._loud * self.window_s
        gaps = np.flatnonzero(np.diff(loud) > _LASTING_SILENCE_S)
        stretches = np.split(loud, gaps + 1) if len(loud) else []
        for start, end in ((stretch[0], stretch[-1] + self.window_s) for stretch in stretches):
            if end > from_s:
                return float(end) if start <= from_s + _REACTION_S else None
        return None

    def silences(self, from_s: float, to_s: float, longer_than_s: float) -> Iterator[tuple[float, float]]:
        """Stretches without sound between the first and the last loud window within the times."""
        loud = self._loud * self.window_s
        inside = loud[(loud >= from_s) & (loud < to_s)]
        for before, after in itertools.pairwise(inside):
            if after - before - self.window_s > longer_than_s:
                yield float(before) + self.window_s, float(after)
