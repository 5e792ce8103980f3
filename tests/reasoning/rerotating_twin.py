"""A plain twin of blocks and views: every key is physically rotated to its view position, then attended whole.

It keeps the *unrotated* keys of each block by asking the model's own layers, and replays the same order of writing:
keys and values of a token are those it had when it was written. Slow on purpose; llama-like models only.
"""

from __future__ import annotations

import importlib
from collections.abc import Sequence

import torch
from torch import nn


class ReRotatingTwin:
    def __init__(self, model: nn.Module) -> None:
        self.model = model
        self.base = model.model
        self.apply_rope = importlib.import_module(type(model).__module__).apply_rotary_pos_emb
        self.kept: dict[str, list[list[torch.Tensor]]] = {}  # block -> layer -> [keys, values] (kv_heads, length, dim)

    @torch.no_grad()
    def step(self, rows: Sequence[tuple[list[str], list[int]]]) -> list[torch.Tensor]:
        """Each row: (names of its view, new tokens for the last of them) -> logits after its last token.

        Rows of a step read each other's blocks as they stood when the step began.
        """
        results, additions = [], []
        for names, tokens in rows:
            logits, new = self._row(names, tokens)
            results.append(logits)
            additions.append((names[-1], new))
        for name, new in additions:
            old = self.kept.get(name)
            self.kept[name] = (
                new
                if old is None
                else [
                    [torch.cat((a, b), dim=1) for a, b in zip(o, n, strict=True)] for o, n in zip(old, new, strict=True)
                ]
            )
        return results

    def _row(self, names: list[str], tokens: list[int]) -> tuple[torch.Tensor, list[list[torch.Tensor]]]:
        before = [self.kept[name] for name in names if name in self.kept]
        past = sum(block[0][0].shape[1] for block in before)
        count = len(tokens)
        positions = torch.arange(past + count)[None]
        hidden = self.base.embed_tokens(torch.tensor([tokens]))
        cos, sin = self.base.rotary_emb(hidden, positions)
        new = []
        for index, layer in enumerate(self.base.layers):
            residual, x = hidden, layer.input_layernorm(hidden)
            attention = layer.self_attn
            q, k, v = (self._heads(attention, proj, x) for proj in ("q", "k", "v"))
            new.append([k[0], v[0]])
            keys = torch.cat([block[index][0] for block in before] + [k[0]], dim=1)[None]
            values = torch.cat([block[index][1] for block in before] + [v[0]], dim=1)[None]
            _, keys = self.apply_rope(keys, keys, cos, sin)
            q, _ = self.apply_rope(q, q, cos[:, past:], sin[:, past:])
            groups = q.shape[1] // keys.shape[1]
            scores = q @ keys.repeat_interleave(groups, 1).mT * attention.scaling
            distance = positions[0, past:, None] - positions[0][None]
            hidden_keys = distance < 0
            window = getattr(attention, "sliding_window", None) or getattr(attention.config, "sliding_window", None)
            if window is not None and getattr(attention.config, "use_sliding_window", True):
                hidden_keys |= distance >= window
            scores = scores.masked_fill(hidden_keys, float("-inf"))
            out = scores.softmax(-1) @ values.repeat_interleave(groups, 1)
            hidden = residual + attention.o_proj(out.transpose(1, 2).flatten(2))
            hidden = hidden + layer.mlp(layer.post_attention_layernorm(hidden))
        return self.model.lm_head(self.base.norm(hidden))[0, -1], new

    @staticmethod
    def _heads(attention: nn.Module, proj: str, x: torch.Tensor) -> torch.Tensor:
        shaped = getattr(attention, f"{proj}_proj")(x).unflatten(-1, (-1, attention.head_dim))
        norm = getattr(attention, f"{proj}_norm", None)
        return (norm(shaped) if norm is not None else shaped).transpose(1, 2)
