"""One stream of tokens: what it reads, what it has written, what it has yet to feed.

The newest sampled token is *pending*: it is not in its block until it is fed. Interjected tokens join the pending
ones and are fed with them, in that order, once. `_ends` maps tokens to text, so that a stream can be cut back at a
character. No model here.
"""

from __future__ import annotations

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
        self.interjected = False
        self.pending: list[int] = list(cue)
        self._text = TextStream(tokenizer)
        self._cue = len(cue)
        self._tokens: list[int] = list(cue)  # fed or pending, in order
        self._ends: list[int] = []  # text length after each token behind the cue
        self._joint = ""  # goes before the next text when tokens from outside stand between

    @property
    def text(self) -> str:
        return self._text.text

    def fed(self, count: int) -> None:
        """The first `count` pending tokens now stand in the block."""
        del self.pending[:count]

    def sample(self, token: int) -> str:
        """A token has been chosen; it becomes pending. Returns the text that it completes."""
        piece = self._text.push(token)
        if piece and self._joint:
            piece, self._joint = self._text.insert_before(piece, self._joint), ""
        self._append([token])
        self.sampled += 1
        return piece

    def interject(self, tokens: Sequence[int]) -> None:
        """Tokens from outside, fed behind what is pending; they are no text of this stream."""
        self._text.restart(self.text)
        self._joint = " " if self.text and not self.text[-1].isspace() else ""
        self.interjected = True
        self._append(tokens)

    def end_sentence(self) -> None:
        """A space after the last word, so that whoever voices the text knows that the sentence is whole."""
        if self._ends and not self.text[-1].isspace():
            self._text.restart(self.text + " ")
            self._ends[-1] += 1

    def reopen(self, cue: Sequence[int]) -> None:
        """Begin with another cue; only before anything was written."""
        assert not self._ends, "a stream that has begun cannot be given another cue"
        self.view.own.truncate(0)
        self._cue, self._tokens, self.pending = len(cue), list(cue), list(cue)

    def rewind(self, length: int) -> None:
        """Cut back to the last token boundary within the first `length` characters of the text.

        The last remaining token is fed again, so that the next one is chosen by what can be read then.
        """
        while length < len(self.text) and self.text[length].isspace():
            length += 1
        keep = bisect_right(self._ends, length)
        in_block = min(self._cue + keep - 1, self.view.own.length)
        self.view.own.truncate(in_block)
        del self._tokens[self._cue + keep :], self._ends[keep:]
        self.pending = self._tokens[in_block:]
        self._text.restart(self.text[: self._ends[-1] if self._ends else 0])
        self._joint = ""

    def _append(self, tokens: Sequence[int]) -> None:
        self.pending.extend(tokens)
        self._tokens.extend(tokens)
        self._ends.extend([len(self.text)] * len(tokens))
