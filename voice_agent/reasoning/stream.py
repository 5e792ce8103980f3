"""One stream of tokens: what it reads, what it has written, what it has yet to feed.

A stream keeps the tokens that shall stand in its block; the block holds those that the model has read. The newest
chosen token is *pending*: it is not in the block until it is fed. Interjected tokens are fed behind it, in that order,
once. Words may be interjected, and the text cut, while a step is in flight: `unfed` brings the block into line before
the next one, and whoever took the step compares `changes`, because its choice no longer follows. No model here.
"""

from __future__ import annotations

import math
from bisect import bisect_right
from collections.abc import Sequence
from typing import Any

from .cache_view import View
from .text_stream import TextStream


class Stream:
    """Thinker or writer: a view, a cue that opens it, and the text written after the cue."""

    def __init__(self, view: View, cue: Sequence[int], tokenizer: Any) -> None:
        self.view = view
        self.sampled = 0
        self.changes = 0  # how often something else than a choice has changed the tokens
        self._text = TextStream(tokenizer)
        self._cue = len(cue)
        self._tokens: list[int] = list(cue)  # what shall stand in the block, in order
        self._chosen: list[bool] = []  # of each token behind the cue: by this stream, not from outside
        self._ends: list[float] = []  # text length once it is out; infinite while a character is incomplete
        self._joint = ""  # goes before the next text when tokens from outside stand between

    @property
    def text(self) -> str:
        return self._text.text

    @property
    def kept(self) -> int:
        """Chosen tokens that have not been taken back."""
        return sum(self._chosen)

    @property
    def interjected(self) -> bool:
        """Tokens from outside stand behind the cue."""
        return not all(self._chosen)

    @property
    def fresh(self) -> bool:
        """Nothing has been chosen since the cue or the last interjection."""
        return not (self._chosen and self._chosen[-1])

    def unfed(self) -> list[int]:
        """The tokens that have yet to be fed; call it between two steps only.

        The block is cut back to what still stands of it.
        """
        return self.view.own.keep(self._tokens)

    def last_again(self) -> list[int]:
        """Take the last token out of the block, to feed it again: the next one is to be chosen once more."""
        self.view.own.truncate(len(self._tokens) - 1)
        return self._tokens[-1:]

    def sample(self, token: int) -> str:
        """A token has been chosen; it becomes pending. Returns the text that it completes."""
        piece = self._text.push(token)
        if piece and self._joint:
            piece, self._joint = self._text.insert_before(piece, self._joint), ""
        self._append([token], chosen=True, end=math.inf)
        if piece:
            self._settle()
        self.sampled += 1
        return piece

    def interject(self, tokens: Sequence[int]) -> None:
        """Tokens from outside, fed behind what is pending; they are no text of this stream."""
        self._settle()
        self._append(tokens, chosen=False, end=len(self.text))
        self._go_on_after(self.text)

    def take_back(self, count: int) -> None:
        """Take back the last `count` tokens that were interjected; nothing has been chosen since."""
        assert not any(self._chosen[-count:]), "only interjected tokens are taken back"
        del self._tokens[-count:], self._chosen[-count:], self._ends[-count:]
        self._go_on_after(self.text)

    def choose_again(self) -> None:
        """Whatever is being chosen now does not count."""
        self.changes += 1

    def end_sentence(self) -> None:
        """A space after the last word, so that whoever voices the text knows that the sentence is whole."""
        if self.text and not self.text[-1].isspace():
            self._ends[-1] = math.inf  # it now ends behind the space, with whatever was incomplete
            self._go_on_after(self.text + " ")
            self._settle()

    def reopen(self, cue: Sequence[int]) -> None:
        """Begin with another cue; only before any text was written."""
        assert not self.text, "a stream that has begun cannot be given another cue"
        self._cue, self._tokens, self._chosen, self._ends = len(cue), list(cue), [], []
        self._go_on_after("")

    def pieces(self) -> list[tuple[int, int, int]]:
        """(token, begin, end) of every chosen token whose text is out, begin and end in the text."""
        found, begin = [], 0
        for token, chosen, end in zip(self._tokens[self._cue :], self._chosen, self._ends, strict=True):
            if end == math.inf:
                break
            if chosen:
                found.append((token, begin, int(end)))
            begin = int(end)
        return found

    def boundary(self, length: int) -> int:
        """The last token boundary within the first `length` characters of the text."""
        kept = bisect_right(self._ends, length)
        return int(self._ends[kept - 1]) if kept else 0

    def tokens_within(self, length: int) -> list[int]:
        """Every token, the cue's and interjected ones too, up to the first `length` characters of the text."""
        return self._tokens[: self._cue + bisect_right(self._ends, length)]

    def rewind(self, length: int) -> None:
        """Cut back to the last token boundary within the first `length` characters of the text."""
        kept = bisect_right(self._ends, length)
        del self._tokens[self._cue + kept :], self._chosen[kept:], self._ends[kept:]
        self._go_on_after(self.text[: int(self._ends[-1]) if self._ends else 0])

    def _append(self, tokens: Sequence[int], *, chosen: bool, end: float) -> None:
        self._tokens.extend(tokens)
        self._chosen.extend([chosen] * len(tokens))
        self._ends.extend([end] * len(tokens))

    def _settle(self) -> None:
        """Everything written so far is out."""
        for i in range(len(self._ends) - 1, -1, -1):
            if self._ends[i] != math.inf:
                break
            self._ends[i] = len(self.text)

    def _go_on_after(self, text: str) -> None:
        self.changes += 1
        self._text.restart(text, [] if self.fresh else self._tokens[-1:])
        self._joint = " " if self.fresh and text and not text[-1].isspace() else ""
