"""Do words that were heard belong to this conversation? How much more likely they are in it than somewhere else.

    RelevanceProbe.ask(words, tell)      -> later: tell(gain), or tell(None) where it cannot be told
    RelevanceProbe.plan(name, view, ...) -> two rows of the next step: the words here, and the words somewhere else
    RelevanceProbe.take(row, likelihood) -> what those rows chose

gain: the mean natural log probability a token of the words as the user's next turn, behind the memory as it is now,
minus the same of the words as what is overheard in a room where people talk and the television is on; nats a token.
Above 0 they are likelier here: a likelihood ratio, which needs no calibration to begin with. (A small model that is
asked outright whether words were meant for it tells next to nothing, and a mere greeting as the other place tells
less: docs/benchmarks.md.) What follows from a gain is the floor's business.

Questions are asked one at a time, oldest first; one whose memory was cut under it is asked again. Knows no asyncio.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial

from .cache_view import View
from .engine import Feed
from .prompts import Prompts
from .sampling import log_likelihood

ROWS = ("heard", "unspoken", "overheard")  # views: behind what was spoken, behind the thoughts alone, somewhere else
MOST_TOKENS = 32  # of the words: a longer utterance is told by its beginning, so that no step grows without end


@dataclass(frozen=True)
class _Asked:
    words: tuple[int, ...]
    tell: Callable[[float | None], None]


class RelevanceProbe:
    """The questions that wait.

    elsewhere: the view of "overheard". Its block may be shared: it keeps its cue from one question to the next.
    """

    def __init__(self, elsewhere: View, prompts: Prompts) -> None:
        self._elsewhere_view = elsewhere
        self._elsewhere = prompts.overheard
        self._cues = {"heard": prompts.spoken_break, "unspoken": prompts.thoughts_break}
        self._words = prompts.words
        self._waiting: deque[_Asked] = deque()
        self._likelihoods: dict[str, float] = {}  # of the oldest question, by row

    def ask(self, words: str, tell: Callable[[float | None], None]) -> None:
        """`tell` is called once, between two steps."""
        self._waiting.append(_Asked(tuple(self._words(words)[:MOST_TOKENS]), tell))

    def plan(self, name: str, view: View, changes: int, soon: bool = False) -> list[Feed]:
        """The rows of the oldest question; none where nothing is asked.

        name: "heard" or "unspoken", behind whose `view` the words are put. changes: as `Feed` has them. soon: somebody
        speaks, so a question may come: what does not depend on it is read in ahead, once.
        """
        if not view.lengths[-2]:
            self.end()  # nothing was thought or said that they could belong to
        if not self._waiting:
            elsewhere = self._elsewhere_view
            ahead = tuple(self._elsewhere[elsewhere.own.length : -1]) if soon else ()
            return [Feed("overheard", elsewhere, ahead)] if ahead else []
        self._likelihoods.clear()
        view.own.truncate(0)  # what it stands behind has changed since
        here = self._row(name, view, self._cues[name], changes)
        return [here, self._row("overheard", self._elsewhere_view, self._elsewhere, changes)]

    def take(self, row: str, likelihood: float) -> None:
        """likelihood: total natural log probability of the words, of a row as planned last."""
        self._likelihoods[row] = likelihood
        if len(self._likelihoods) == 2:
            elsewhere = self._likelihoods.pop("overheard")
            (here,) = self._likelihoods.values()
            asked = self._waiting.popleft()
            asked.tell((here - elsewhere) / len(asked.words))

    def end(self) -> None:
        """Nobody can be told any more: the answer is over."""
        while self._waiting:
            self._waiting.popleft().tell(None)

    def _row(self, name: str, view: View, cue: Sequence[int], changes: int) -> Feed:
        words = self._waiting[0].words
        cue = [*view.own.keep(cue[:-1]), cue[-1]]  # its last token is fed in any case: the first word's odds follow it
        return Feed(name, view, (*cue, *words[:-1]), partial(log_likelihood, words), len(words), changes)
