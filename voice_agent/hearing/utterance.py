"""The sound of one utterance while it grows.

    AudioFrame -> Utterance.append;  Utterance.until_worth_reading, Utterance.sound -> samples for the recogniser

One task appends, one task reads. Times in seconds on the conversation's clock, counted in samples.
"""

from __future__ import annotations

from collections.abc import Iterable

import anyio
import numpy as np

from ..events import AudioFrame
from ..settings import Hearing

TOLERANCE_S = 1e-4  # sums of frame lengths are not exact


class Utterance:
    """From a little before the onset to a little after the end.

    onset_s, end_s: where the voice began and stopped; end_s is None while it goes on.
    voiced_s: end of the newest voiced sound. start_s, sound_end_s: bounds of the sound that is kept.
    """

    def __init__(self, onset_s: float, frames: Iterable[AudioFrame], voiced_s: float, settings: Hearing) -> None:
        self.onset_s = onset_s
        self.end_s: float | None = None
        self.voiced_s = voiced_s
        self._settings = settings
        self._pause_s = settings.reading_pause_ms / 1000 - TOLERANCE_S
        self._frames = list(frames)
        self._changed = anyio.Event()

    @property
    def start_s(self) -> float:
        return self._frames[0].start_s

    @property
    def sound_end_s(self) -> float:
        return self._frames[-1].end_s

    def append(self, frame: AudioFrame, voiced_s: float) -> None:
        """One more frame; `voiced_s` is the end of the newest voiced sound, this frame included."""
        self._frames.append(frame)
        self.voiced_s = voiced_s
        self._changed.set()

    def end(self, end_s: float) -> list[AudioFrame]:
        """The voice stopped at `end_s`; returns the silent frames since, which may hold the onset of the next one."""
        self.end_s = self.voiced_s = end_s
        self._changed.set()
        return [frame for frame in self._frames if frame.start_s >= end_s]

    async def until_worth_reading(self, read_s: float) -> None:
        """Return when a reading of the sound up to `read_s` is out of date, or when the utterance has ended.

        Out of date: a whole period of new sound, or a pause that was not read to its proper length.
        """
        while self.end_s is None and not self._is_worth_reading(read_s):
            self._changed = anyio.Event()
            await self._changed.wait()

    def _is_worth_reading(self, read_s: float) -> bool:
        paused = self.sound_end_s >= self.voiced_s + self._pause_s
        if paused:
            return read_s < self.voiced_s + self._pause_s
        return self.sound_end_s - read_s >= self._settings.reading_period_s - TOLERANCE_S

    def is_read(self, read_s: float) -> bool:
        """Whether the voice has ended and a reading up to `read_s` heard all of it, with a little silence after."""
        return self.end_s is not None and read_s >= min(self.end_s + self._pause_s, self.sound_end_s)

    def drop_before(self, t_s: float) -> None:
        """Forget sound that need not be read again; at least the newest frame stays."""
        self._frames = [frame for frame in self._frames[:-1] if frame.end_s > t_s] + self._frames[-1:]

    def sound(self, longest_s: float) -> tuple[np.ndarray, float]:
        """The kept sound, at most `longest_s` of it: samples (n,) float32 and the time of their end."""
        end_s = self.start_s + longest_s
        frames = [frame for frame in self._frames if frame.end_s <= end_s + TOLERANCE_S]
        read = [frame.samples if frame.to_read is None else frame.to_read for frame in frames]
        return np.concatenate(read), frames[-1].end_s
