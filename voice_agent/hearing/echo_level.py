"""Is what the microphone hears louder than what is being played can make it?

    EchoLevel.push(played dBFS, heard dBFS) -> True: it is no echo, let it pass. Once per 10 ms; pure

A canceller that has not heard enough yet, or whose loudspeaker is a headphone, takes the user for echo and silences the
first words spoken over an answer. But the echo of the last half second is never louder than its loudest 10 ms and the
path's gain, which half a second of playing tells to 2 dB; what exceeds both is the user, and needs no cancelling.
"""

from __future__ import annotations

from collections import deque

HELD = 20  # steps that pass behind one that was too loud: soft consonants follow loud vowels
WINDOW = 50  # steps: the longest delay with most of the room's tail
SILENT_DBFS = -60.0  # nothing is being played
QUIET_DBFS = -30.0  # too quiet to tell the path's gain from the room's noise
MARGIN_DB = 5.0  # true echoes exceeded what had been seen by up to 2 dB, the first half second apart
FALL_DB = 0.005  # a step: a path that became weaker, or a user who spoke while it was learnt
RISE_DB = 0.12  # a step: a path that became stronger looks like somebody who never stops


class EchoLevel:
    """`gain_db` is the highest that was seen of heard above played; None until enough was played."""

    def __init__(self) -> None:
        self.gain_db: float | None = None
        self._played: deque[float] = deque(maxlen=WINDOW)
        self._first: list[float] = []
        self._held = 0

    def push(self, played_dbfs: float, heard_dbfs: float) -> bool:
        self._played.append(played_dbfs)
        loudest = max(self._played)
        if loudest < SILENT_DBFS:
            self._held = 0
            return True
        above = heard_dbfs - max(loudest, QUIET_DBFS)
        if self.gain_db is None:
            if loudest >= QUIET_DBFS:
                self._begin(above)
            return False
        excess = above - self.gain_db
        if loudest >= QUIET_DBFS:
            self.gain_db += RISE_DB if excess > MARGIN_DB else max(excess, -FALL_DB)
        self._held = HELD if excess > MARGIN_DB else max(0, self._held - 1)
        return self._held > 0

    def _begin(self, above: float) -> None:
        self._first.append(above)
        if len(self._first) == WINDOW:
            self.gain_db = max(self._first)
