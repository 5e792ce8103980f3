"""Choose the next token from logits, on the device where they lie, and read all choices of a step back at once.

    Sampler.choose(logits, banned) -> token, a tensor;  read_back([token, (yes, no), ...]) -> numbers

Temperature 0 is greedy. Otherwise a hybrid: the likeliest token wherever the model is sure of it, and nucleus sampling
(Holtzman et al. 2020) where its distribution is flat. The random numbers come from a seeded generator on the host and
enter the arithmetic as plain numbers: the same seed draws the same on every device, and nothing waits for the device.
"""

from __future__ import annotations

import random
from collections.abc import Iterable, Sequence

import torch
from torch import Tensor

from ..errors import UnusableInput

LIKELIEST = 256  # tokens that a nucleus may hold: sorting a whole vocabulary takes longer than choosing


class TokenSet:
    """Tokens that logits are looked up by; kept on the device of the logits once they were needed there."""

    def __init__(self, tokens: Iterable[int]) -> None:
        self._tokens = sorted(tokens)
        self._there: Tensor | None = None

    def __bool__(self) -> bool:
        return bool(self._tokens)

    def on(self, device: torch.device) -> Tensor:
        """(tokens,) int64."""
        if self._there is None or self._there.device != device:
            self._there = torch.tensor(self._tokens, dtype=torch.int64, device=device)
        return self._there

    def probability(self, probabilities: Tensor) -> Tensor:
        """Their sum: (vocabulary,) -> ()."""
        return probabilities.index_select(0, self.on(probabilities.device)).sum()


NOTHING = TokenSet(())


class Sampler:
    """One stream's way of choosing, with its own random generator.

    temperature: 0 takes the likeliest token always. top_p: share of the probability from which is drawn, likeliest
    tokens first. greedy_above: from this probability of the likeliest token on it is taken without drawing; 1: never.

    Raises:
        UnusableInput: a value outside its range.
    """

    def __init__(
        self, temperature: float = 0.0, top_p: float = 0.9, greedy_above: float = 1.0, *, seed: int = 0
    ) -> None:
        for name, value, fits, range_ in (
            ("temperature", temperature, temperature >= 0.0, "0 (the likeliest token always) or more"),
            ("top_p", top_p, 0.0 < top_p <= 1.0, "above 0 and at most 1"),
            ("greedy_above", greedy_above, 0.0 <= greedy_above <= 1.0, "from 0 (always greedy) to 1 (never)"),
        ):
            if not fits:
                raise UnusableInput(f"[reasoning] {name} of thinker or writer is {value}, but must be {range_}")
        self.temperature = temperature
        self.top_p = top_p
        self.greedy_above = greedy_above
        self._random = random.Random(seed)

    def choose(self, logits: Tensor, banned: TokenSet = NOTHING) -> Tensor:
        """logits: (vocabulary,) float32 -> () int64 on their device. `banned` tokens are never chosen."""
        if banned:
            logits = logits.index_fill(0, banned.on(logits.device), float("-inf"))
        if self.temperature == 0.0:
            return logits.argmax()
        return self._nucleus(logits, self._random.random())

    def _nucleus(self, logits: Tensor, drawn: float) -> Tensor:
        """The token at which `drawn` (0..1) of the nucleus' probability is passed, or the likeliest if that is sure."""
        highest, tokens = logits.topk(min(LIKELIEST, len(logits)))
        heated = self.temperature
        probabilities = (highest / heated - (logits / heated).logsumexp(0)).exp()
        passed = probabilities.cumsum(0)
        inside = (passed - probabilities < self.top_p) & (probabilities > 0)
        aim = drawn * passed.masked_fill(~inside, 0.0).amax()
        index = torch.minimum((passed < aim).sum(), inside.sum() - 1)
        token = tokens.gather(0, index[None])[0]
        sure = (highest[0] - logits.logsumexp(0)).exp() >= self.greedy_above
        return torch.where(sure, tokens[0], token)


def log_likelihood(tokens: Sequence[int], logits: Tensor) -> Tensor:
    """Total log probability of `tokens`, natural: (1,). logits: (tokens, vocabulary) float32, (vocabulary,) for one."""
    rows = logits.reshape(len(tokens), -1)
    wanted = torch.tensor(tokens, device=logits.device)
    return rows.log_softmax(-1).gather(1, wanted[:, None]).sum()[None]


def read_back(chosen: Sequence[Tensor]) -> list[int | tuple[float, ...]]:
    """What a step chose, as numbers: () int64 -> a token, (n,) float32 -> n floats. The device is waited for once."""
    if not chosen:
        return []
    # float32 holds every whole number below 2**24, so every token of any vocabulary
    numbers = iter(torch.cat([choice.reshape(-1).float() for choice in chosen]).tolist())
    return [
        tuple(next(numbers) for _ in range(choice.numel())) if choice.is_floating_point() else int(next(numbers))
        for choice in chosen
    ]
