"""Choose the next token from logits.

Temperature 0 is greedy; otherwise nucleus sampling (Holtzman et al. 2020) from a seeded generator, so that the same
seed gives the same words.
"""

from __future__ import annotations

import torch


class Sampler:
    """One stream's way of choosing, with its own random generator."""

    def __init__(self, temperature: float = 0.0, top_p: float = 0.9, seed: int = 0) -> None:
        self.temperature = temperature
        self.top_p = top_p
        self._generator = torch.Generator().manual_seed(seed)

    def choose(self, logits: torch.Tensor, banned: frozenset[int] = frozenset()) -> int:
        """logits: (vocabulary,) float32. `banned` tokens are never chosen."""
        if banned:
            logits = logits.clone()
            logits[list(banned)] = float("-inf")
        if self.temperature == 0.0:
            return int(logits.argmax())
        probabilities, tokens = (logits.cpu() / self.temperature).softmax(-1).sort(descending=True)
        outside = probabilities.cumsum(-1) - probabilities >= self.top_p
        probabilities[outside] = 0.0
        return int(tokens[torch.multinomial(probabilities, 1, generator=self._generator)])
