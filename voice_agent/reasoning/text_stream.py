"""Tokens to text as they come, whole characters only.

A token may end inside a character, and a token's text may depend on its neighbours (spaces); so the last few tokens
are decoded together and text that may still change is held back. Special tokens never become text.

    TextStream.push(token) -> newly certain text
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

UNFINISHED = "\ufffd"  # what an incomplete UTF-8 sequence decodes to


@dataclass
class TextStream:
    """The text of a growing token list, given out piece by piece."""

    tokenizer: Any
    text: str = ""  # everything given out
    _window: list[int] = field(default_factory=list)  # tokens decoded together
    _given: int = 0  # how many of them have been given out

    def push(self, token: int) -> str:
        """Add a token; the text that has become certain."""
        self._window.append(token)
        before = self._decode(self._window[: self._given])
        after = self._decode(self._window)
        if after.endswith(UNFINISHED) or len(after) <= len(before):
            return ""
        piece = after[len(before) :]
        self._window, self._given = self._window[self._given :], len(self._window) - self._given
        self.text += piece
        return piece

    def insert_before(self, piece: str, joint: str) -> str:
        """Put `joint` before the piece that was given out last, unless it begins with a space itself."""
        if piece[0].isspace():
            return piece
        self.text = self.text[: len(self.text) - len(piece)] + joint + piece
        return joint + piece

    def restart(self, text: str, context: Sequence[int] = ()) -> None:
        """Forget pending tokens; go on after `text`, whose last tokens are `context`."""
        self.text, self._window, self._given = text, list(context), len(context)

    def _decode(self, tokens: list[int]) -> str:
        if not tokens:
            return ""
        return str(self.tokenizer.decode(tokens, skip_special_tokens=True, clean_up_tokenization_spaces=False))
