"""Attention of every row of a step over the blocks of its own view.

Registered with transformers under `NAME`; a model that uses it hands over queries and keys rotated at block-local
positions. What to read comes from the `StepPlan` in force, not from a mask: transformers passes none, so causality
among new tokens is seen to here. One softmax runs over all blocks of a view. This is the plain twin: torch operations
only, any device.

    query (1, heads, n, dim), key, value (1, kv_heads, n, dim) -> (1, n, heads, dim), n: new tokens of all rows, flat
"""

from __future__ import annotations

import contextvars
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import torch
from torch import nn
from transformers.modeling_utils import AttentionInterface

from .cache_block import CacheArena
from .cache_view import ReadSpan
from .rotation import Rotation, rotate

NAME = "voice_agent_blocks"


@dataclass(frozen=True)
class RowPlan:
    """One row of a step: its new tokens stand at flat indices [first, first + count); `spans` are as the step began."""

    first: int
    count: int
    spans: tuple[ReadSpan, ...]  # the last is the block that is written
    cos: torch.Tensor  # (spans, rotary_dim) float32: the further rotation for each span
    sin: torch.Tensor


@dataclass(frozen=True)
class StepPlan:
    """Everything attention needs to know of one step."""

    arena: CacheArena
    slots: torch.Tensor  # (n,) int64: where the new keys and values go
    rows: tuple[RowPlan, ...]


_plan: contextvars.ContextVar[StepPlan] = contextvars.ContextVar("voice_agent_step_plan")


@contextmanager
def in_force(plan: StepPlan) -> Iterator[None]:
    """Let attention calls of this thread follow `plan`."""
    token = _plan.set(plan)
    try:
        yield
    finally:
        _plan.reset(token)


def plan_row(first: int, count: int, spans: tuple[ReadSpan, ...], rotation: Rotation) -> RowPlan:
    """Fix the lengths and angles of one row at the start of a step."""
    cos, sin = rotation.cos_sin([span.shift for span in spans])
    return RowPlan(first, count, spans, cos, sin)


def register() -> None:
    """Make `NAME` known to transformers; calling it again changes nothing."""
    AttentionInterface.register(NAME, attend)


def attend(
    module: nn.Module,
    query: torch.Tensor,
    key: torch.Tensor,
    value: torch.Tensor,
    attention_mask: torch.Tensor | None,
    scaling: float | None = None,
    sliding_window: int | None = None,
    softcap: float | None = None,
    s_aux: torch.Tensor | None = None,
    **_: Any,
) -> tuple[torch.Tensor, None]:
    """The attention function of transformers' interface (transformers, integrations/sdpa_attention.py)."""
    plan = _plan.get()
    layer = module.layer_idx
    assert isinstance(layer, int)
    plan.arena.write(layer, plan.slots, key[0], value[0])
    keys, values = plan.arena.layer(layer)
    scale = query.shape[-1] ** -0.5 if scaling is None else scaling
    out = query.new_empty(query.shape[2], query.shape[1], values.shape[-1])  # (n, heads, value_dim)
    for row in plan.rows:
        new = slice(row.first, row.first + row.count)
        attended = _attend_row(query[0, :, new], keys, values, row, scale, sliding_window, softcap, s_aux)
        out[new] = attended.to(query.dtype)
    return out[None], None


def _attend_row(
    query: torch.Tensor,
    keys: torch.Tensor,
    values: torch.Tensor,
    row: RowPlan,
    scale: float,
    sliding_window: int | None,
    softcap: float | None,
    sinks: torch.Tensor | None,
) -> torch.Tensor:
    """query (heads, count, dim), keys and values (kv_heads, slots, dim) -> (count, heads, value_dim) float32."""
    heads, count, dim = query.shape
    kv_heads = keys.shape[0]
    turned = rotate(query.float() * scale, row.cos[:, None, None], row.sin[:, None, None])  # (spans, heads, count, dim)
    grouped = turned.reshape(len(row.spans), kv_heads, -1, dim)  # (spans, kv_heads, group * count, dim)
    reads = [slice(s.slot, s.slot + s.length) for s in row.spans]
    reads[-1] = slice(reads[-1].start, reads[-1].stop + count)  # the row sees its own new tokens
    scores = torch.cat([torch.matmul(q, keys[:, r].float().mT) for q, r in zip(grouped, reads, strict=True)], dim=-1)
    scores = scores.view(heads, count, -1)
    if softcap is not None:
        scores = softcap * torch.tanh(scores / softcap)
    hidden = hidden_keys(row.spans, count, sliding_window)
    if hidden is not None:
        scores.masked_fill_(hidden.to(scores.device), float("-inf"))
    weights = _softmax(scores, sinks).view(kv_heads, -1, scores.shape[-1])
    pieces = weights.split([r.stop - r.start for r in reads], dim=-1)
    out = sum(torch.matmul(w, values[:, r].float()) for w, r in zip(pieces, reads, strict=True))
    assert isinstance(out, torch.Tensor)
    return out.reshape(heads, count, -1).transpose(0, 1)


def _softmax(scores: torch.Tensor, sinks: torch.Tensor | None) -> torch.Tensor:
    """Softmax over the last axis; a sink is one more logit per head that takes weight and gives no value."""
    if sinks is None:
        return scores.softmax(dim=-1)
    sink = sinks.float()[:, None, None].expand(-1, scores.shape[1], 1)
    return torch.cat((scores, sink), dim=-1).softmax(dim=-1)[..., :-1]


def hidden_keys(spans: Sequence[ReadSpan], count: int, sliding_window: int | None) -> torch.Tensor | None:
    """Which keys a row's new tokens must not see: (count, keys) bool, or None when they see everything.

    Hidden are new tokens of the row behind the one that asks, and keys outside the sliding window, which counts
    distance in the view.
    """
    own = spans[-1]
    span_of_view = own.position + own.length + count
    if count == 1 and (sliding_window is None or span_of_view <= sliding_window):
        return None
    asks = torch.arange(count)[:, None] + own.position + own.length
    stands = torch.cat([torch.arange(s.length) + s.position for s in spans] + [asks[:, 0]])[None]
    hidden = stands > asks
    if sliding_window is not None:
        hidden |= stands <= asks - sliding_window
    return hidden
