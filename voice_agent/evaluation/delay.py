"""When a written answer sounds, and how long the listener waits: the delay as the method's paper adds it up.

    ClauseVoice.say(text, now_s) ... finish(now_s) -> chunks: start_s, lasts_s, delay_s

Text is cut into chunks, here the clauses that are voiced. Chunk i is ready at r_i, when its last word has been written
and it has been synthesised, one clause after the other; it lasts d_i. It starts at start_i = max(end_{i-1}, r_i), the
delay before it is start_i - end_{i-1}, and the total delay is the sum of these, from the end of the user's words on
("Asynchronous Reasoning", arXiv 2512.10931). With an infinitely fast voice d_i and the synthesis are 0, so the total
delay is the time of the last words. Seconds count from the end of the question. Pure.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field, replace

from ..settings import DeclaredCosts, Speaking
from ..speaking.clause_splitter import ClauseSplitter

CHARACTERS_PER_S = 15.0  # of the declared voice, as the bundled one speaks
AT_ONCE = DeclaredCosts(clause_base_ms=0.0, clause_ms_per_s=0.0)


@dataclass(frozen=True)
class Chunk:
    """A clause as it sounds. `begins`: at which character of everything that was said; `delay_s`: silence before it."""

    begins: int
    start_s: float
    lasts_s: float
    delay_s: float

    @property
    def end_s(self) -> float:
        return self.start_s + self.lasts_s


@dataclass
class ClauseVoice:
    """Sounds what is written, clause by clause.

    characters_per_s: infinite where sounding takes no time. costs: what synthesis takes.
    """

    speaking: Speaking
    costs: DeclaredCosts
    characters_per_s: float = CHARACTERS_PER_S
    chunks: list[Chunk] = field(default_factory=list)
    _made_s: float = 0.0  # when the last clause had been synthesised
    _said: int = 0  # characters of the clauses so far
    _splitter: ClauseSplitter = field(init=False)

    def __post_init__(self) -> None:
        self._splitter = ClauseSplitter(self.speaking)

    @classmethod
    def infinitely_fast(cls, speaking: Speaking) -> ClauseVoice:
        """A voice that takes no time."""
        return cls(speaking, AT_ONCE, math.inf)

    def say(self, text: str, now_s: float) -> None:
        """Words that have just been written."""
        left_s = self.chunks[-1].end_s - now_s if self.chunks else 0.0
        for clause in self._splitter.push(text, left_s):
            self._sound(clause, now_s)

    def finish(self, now_s: float) -> None:
        """Nothing more will be written: the open clause is the last."""
        for clause in self._splitter.flush():
            self._sound(clause, now_s)

    def stop(self, now_s: float) -> None:
        """Fall silent: what has not begun never sounds, what sounds is cut off."""
        self._splitter.clear()
        self._made_s = min(self._made_s, now_s)
        self.chunks = [
            replace(chunk, lasts_s=min(chunk.lasts_s, now_s - chunk.start_s))
            for chunk in self.chunks
            if chunk.start_s <= now_s
        ]

    def first_s(self, begins: int = 0) -> float | None:
        """When the first clause from that character on sounds; None: none does."""
        return next((chunk.start_s for chunk in self.chunks if chunk.begins >= begins), None)

    def total_delay_s(self) -> float | None:
        """The sum of all delays; None where nothing sounds."""
        return sum(chunk.delay_s for chunk in self.chunks) if self.chunks else None

    def stall_s(self) -> float | None:
        """The silence within the answer: of every delay but the first."""
        return sum(chunk.delay_s for chunk in self.chunks[1:]) if self.chunks else None

    def _sound(self, clause: str, now_s: float) -> None:
        lasts_s = len(clause) / self.characters_per_s
        made_s = (self.costs.clause_base_ms + self.costs.clause_ms_per_s * lasts_s) / 1000
        self._made_s = max(now_s, self._made_s) + made_s
        end_s = self.chunks[-1].end_s if self.chunks else 0.0
        start_s = max(end_s, self._made_s)
        self.chunks.append(Chunk(self._said, start_s, lasts_s, start_s - end_s))
        self._said += len(clause)
