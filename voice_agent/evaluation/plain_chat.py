"""A question answered as by any chat program: the model's own template, one stream, greedy, nothing of ours around it.

    PlainChat(engine, tokenizer, ...).ask(question) -> Outright

The engine is the one under test, so its weights, kernels and rounding are those of the modes; any number of questions
share its steps.
"""

from __future__ import annotations

from typing import Any

from ..reasoning.cache_view import View
from ..reasoning.engine import Engine, Feed
from ..reasoning.prompts import stop_tokens
from ..reasoning.sampling import Sampler
from .outright import Outright


class PlainChat:
    """most_tokens: of an answer. prefill_chunk: tokens that one step reads."""

    def __init__(self, engine: Engine, tokenizer: Any, *, most_tokens: int, prefill_chunk: int) -> None:
        self._engine, self._tokenizer = engine, tokenizer
        self._most_tokens, self._prefill_chunk = most_tokens, prefill_chunk
        self._ends = stop_tokens(tokenizer, engine.model)
        self._choose = Sampler().choose  # the likeliest token

    async def ask(self, question: str) -> Outright:
        """The whole answer."""
        view, said = View((self._engine.arena.new_block("chat"),)), list[int]()
        try:
            with self._engine.taking_part():
                token = await self._read(view, self._asked(question))
                while token not in self._ends:
                    said.append(token)
                    if len(said) == self._most_tokens:
                        break
                    token = await self._step(view, (token,))
        finally:
            self._engine.arena.release(view.own)
        text = self._tokenizer.decode(said, skip_special_tokens=True)
        return Outright(text, len(said), finished=len(said) < self._most_tokens)

    def _asked(self, question: str) -> list[int]:
        messages = [{"role": "user", "content": question}]
        text = self._tokenizer.apply_chat_template(messages, tokenize=False, add_generation_prompt=True)
        return list(self._tokenizer(text, add_special_tokens=False).input_ids)

    async def _read(self, view: View, tokens: list[int]) -> int:
        """Read a text in chunks; the token chosen behind it."""
        for at in range(0, len(tokens), self._prefill_chunk):
            token = await self._step(view, tuple(tokens[at : at + self._prefill_chunk]))
        return token

    async def _step(self, view: View, tokens: tuple[int, ...]) -> int:
        (token,), _ = await self._engine.launch([Feed("chat", view, tokens, self._choose)])
        return int(token)
