"""Would the writer still say what it has said? Its words are read once more behind the thoughts as they are now.

    SecondReader.due(writer, ...) -> Reading: tokens to feed;  Reading.choose(logits) -> what the model thinks of them
    SecondReader.take(answer)     -> where in the text the first number stands that it would now say otherwise

Only results are looked at: numbers that the user did not state. A number is contradicted where the model is sure of
another token than the one that was said. Nothing is calibrated: right numbers were said with a log probability above
-5.3, altered ones below -7.6 (measured, docs/benchmarks.md).
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from .prompts import Prompts
from .stated_numbers import number_spans, numbers_in
from .writer import Writer

UNLIKELY = -6.5  # log probability of what was said
SURE = -0.1  # log probability of what the model would say instead

_SENTENCE = re.compile(r"[.!?]\s+")


@dataclass(frozen=True)
class Reading:
    """Tokens to feed, and which of them are looked at.

    wanted: logits after the last tokens that are fed. looked_at: (index of the logits, token that was said) each;
    begins: where in the text each of them begins.
    """

    tokens: tuple[int, ...]
    wanted: int
    looked_at: tuple[tuple[int, int], ...]
    begins: tuple[int, ...]

    def choose(self, logits: Tensor) -> Tensor:
        """(wanted, vocabulary), or (vocabulary,) for one -> (looked at, 2): log probability of the said, the best."""
        indices, said = (torch.tensor(column, device=logits.device) for column in zip(*self.looked_at, strict=True))
        rows = logits.reshape(self.wanted, -1).log_softmax(-1).index_select(0, indices)
        return torch.stack([rows.gather(1, said[:, None])[:, 0], rows.amax(-1)], dim=-1)


class SecondReader:
    """`wrong_from`: where in the spoken text something stands that the thoughts contradict."""

    def __init__(self, prompts: Prompts, period: int) -> None:
        self.wrong_from: int | None = None
        self._cue = [*prompts.close_thoughts, *prompts.progress_cue]
        self._period = period
        self._thoughts = 0  # tokens, when it was read last
        self._read_at_end = False
        self._reading: Reading | None = None

    def hear(self, thoughts: int) -> None:
        """Words came in: whatever is thought next, nothing that was said before is held against it."""
        self._thoughts, self._read_at_end, self.wrong_from = thoughts, False, None

    def cut(self, length: int) -> None:
        """Only so much of the text has sounded."""
        self._read_at_end = False
        if self.wrong_from is not None and length <= self.wrong_from:
            self.wrong_from = None

    def due(self, writer: Writer, stated: str, thoughts: int, done: bool) -> Reading | None:
        """What is to be read again now: from time to time, and once when the thoughts are complete.

        stated: the words of the user, whose numbers are no results.
        """
        if self._read_at_end if done else thoughts - self._thoughts < self._period:
            return None
        self._thoughts, self._read_at_end = thoughts, done
        known = numbers_in(stated)
        spans = [(a, b) for a, b, value in number_spans(writer.spoken) if a >= writer.heard and value not in known]
        self._reading = plan_reading(writer.stream.pieces(), writer.spoken, spans, self._cue)
        return self._reading

    def take(self, answer: Sequence[float]) -> int | None:
        """answer: what the last reading's `choose` gave, flat."""
        assert self._reading is not None
        self.wrong_from = first_contradiction(self._reading, answer)
        return self.wrong_from


def plan_reading(
    pieces: Sequence[tuple[int, int, int]], text: str, spans: Sequence[tuple[int, int]], cue: Sequence[int]
) -> Reading | None:
    """The sentences that state results, behind a cue.

    pieces: (token, begin, end) of the written tokens in `text`. spans: (begin, end) of the numbers to look at. None:
    nothing is to be looked at.
    """
    looked_at = [i for i, (_, begin, end) in enumerate(pieces) if any(begin < b and a < end for a, b in spans)]
    if not looked_at:
        return None
    sentence = max((match.end() for match in _SENTENCE.finditer(text, 0, pieces[looked_at[0]][1])), default=0)
    first = next(i for i, (_, begin, end) in enumerate(pieces) if end > sentence)
    fed = [*cue, *(token for token, _, _ in pieces[first : looked_at[-1]])]
    before = looked_at[0]  # the logits in front of it are the first that are wanted
    return Reading(
        tokens=tuple(fed),
        wanted=looked_at[-1] - before + 1,
        looked_at=tuple((i - before, pieces[i][0]) for i in looked_at),
        begins=tuple(pieces[i][1] for i in looked_at),
    )


def first_contradiction(reading: Reading, answer: Sequence[float]) -> int | None:
    """answer: what `choose` gave, flat. Where in the text the contradicted number begins; None: nothing is wrong."""
    pairs = zip(answer[::2], answer[1::2], strict=True)
    wrong = [
        begin for begin, (said, best) in zip(reading.begins, pairs, strict=True) if said < UNLIKELY and best > SURE
    ]
    return min(wrong, default=None)
