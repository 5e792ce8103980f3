"""The private stream: what it may choose next, and when it is over.

    choose(logits) -> token;  take(token) -> the text that it completes;  hear(words) -> it thinks again

It ends at an end-of-sequence token or when its budget is spent; words that come in bring a new budget.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from torch import Tensor

from ..settings import Reasoning
from .cache_view import View
from .modes import Mode
from .prompts import Prompts
from .sampling import NOTHING, Sampler, TokenSet
from .stream import Stream

CUT_OFF_LENGTH = 12  # characters by which the thinker's place is known again


class Thinker:
    """`done`: nothing is left to think, from the start where the mode thinks nothing."""

    def __init__(
        self,
        view: View,
        prompts: Prompts,
        tokenizer: Any,
        settings: Reasoning,
        mode: Mode,
        stop_tokens: frozenset[int],
        seed: int,
    ) -> None:
        cue = prompts.think_cue_behind_spoken if settings.thinker_reads_spoken else prompts.think_cue
        self.stream = Stream(view, cue, tokenizer)
        self.done = not mode.thinks
        self.budget_spent = False
        self.question_open = True  # more of it may come: no thought about it is the last
        self._text_when_heard = 0  # characters, when words last came in
        self._ends = stop_tokens | prompts.think_end
        self._not_yet_ending = TokenSet(self._ends)
        s = settings
        self._sampler = Sampler(s.thinker_temperature, s.thinker_top_p, s.thinker_greedy_above, seed=seed)
        self._most = mode.budget or settings.thinking_budget
        self._budget = self._most
        self._reconsider = settings.reconsider_tokens
        self._reconsider_until = 0  # tokens before which it may not end
        self._cut_off = ""  # the end of the text when words came in

    @property
    def text(self) -> str:
        return self.stream.text

    @property
    def sampled(self) -> int:
        return self.stream.sampled

    @property
    def begun(self) -> bool:
        return self.done or self.sampled > 0

    @property
    def text_since_heard(self) -> str:
        return self.text[self._text_when_heard :]

    def hear(self, told: Sequence[int]) -> None:
        """The user has said more: `told` of it, the thoughts go on."""
        self._cut_off = self.text[-CUT_OFF_LENGTH:]
        self.stream.interject(told)
        self._text_when_heard = len(self.text)
        self._budget = self.sampled + self._most
        self._reconsider_until = self.sampled + self._reconsider
        self.done = self.budget_spent = False

    def choose(self, logits: Tensor) -> Tensor:
        """logits: (vocabulary,) -> () int64."""
        considered = self.sampled >= self._reconsider_until and not self._is_where_it_was_cut_off()
        may_end = considered and not self.question_open
        return self._sampler.choose(logits, NOTHING if may_end else self._not_yet_ending)

    def take(self, token: int) -> str:
        """A token has been chosen; the text that it completes."""
        if token in self._ends:
            self.done = True
            return ""
        piece = self.stream.sample(token)
        if self.sampled >= self._budget:
            self.done = self.budget_spent = True
        return piece

    def _is_where_it_was_cut_off(self) -> bool:
        """Thinking the same again, a model ends where its turn was ended by words that came in: it copies that end."""
        return bool(self._cut_off) and self.text.endswith(self._cut_off)
