"""How attention of every row of a step over the blocks of its own view is computed. The choice is made here.

    choose_attention(name) -> AttentionKernel
    attend: query (heads, n, dim), key, value (kv_heads, n, dim) -> stored in the arena; (n, heads, value_dim)

    triton   fused for a GPU (triton_attention); other devices, types and very wide heads go to one of these two
    native   one call a layer for all rows, C++ built at set-up; CPU, float32 or bfloat16, the rest goes to plain
    plain    torch operations, any device: what the others are tested against

n: new tokens of all rows, flat. One softmax runs over all blocks of a view; causality among new tokens is seen to here.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from typing import Any, Protocol

import torch
from torch import Tensor

from ..errors import UnusableInput
from .cache_view import ReadSpan
from .packed.native_build import NATIVE_HINT, load_native
from .rotation import rotate
from .step_plan import RowPlan, StepPlan

NATIVE_TYPES = (torch.float32, torch.bfloat16)
TRITON_HINT = 'triton is not installed: install it (pip install triton; Linux only), or set [reasoning] kernel = "auto"'


@dataclass(frozen=True)
class Scoring:
    """What a layer does with its scores besides the softmax."""

    scale: float
    sliding_window: int | None = None  # keys a token sees, itself included; counts distance in the view
    softcap: float | None = None
    sinks: Tensor | None = None  # (heads,): one more logit per head that takes weight and gives no value


class AttentionKernel(Protocol):
    name: str

    def attend(self, plan: StepPlan, layer: int, query: Tensor, key: Tensor, value: Tensor, scoring: Scoring) -> Tensor:
        """Store the new keys and values, then attend."""
        ...


class PlainAttention:
    name = "plain"

    def attend(self, plan: StepPlan, layer: int, query: Tensor, key: Tensor, value: Tensor, scoring: Scoring) -> Tensor:
        keys, values = plan.arena.layer_for(layer, key, value)
        keys.index_copy_(1, plan.slots, key)
        values.index_copy_(1, plan.slots, value)
        out = query.new_empty(query.shape[1], query.shape[0], values.shape[-1])  # (n, heads, value_dim)
        cos, sin = (x[:, None, None] for x in plan.turn(layer))
        layout = plan.layout(layer)
        for row in plan.host_rows:
            new = slice(row.first, row.first + row.count)
            turned = rotate(query[:, new].float() * scoring.scale, cos[row.turns], sin[row.turns], layout)
            out[new] = _attend_row(turned, keys, values, row, scoring).to(query.dtype)
        return out


class NativeAttention:
    name = "native"

    def __init__(self, block_attention: Any) -> None:
        self._block_attention = block_attention
        self._plain = PlainAttention()

    def attend(self, plan: StepPlan, layer: int, query: Tensor, key: Tensor, value: Tensor, scoring: Scoring) -> Tensor:
        if query.device.type != "cpu" or query.dtype not in NATIVE_TYPES or not query.dtype == key.dtype == value.dtype:
            return self._plain.attend(plan, layer, query, key, value, scoring)
        keys, values = plan.arena.layer_for(layer, key, value)
        layout = plan.layout(layer)
        out: Tensor = self._block_attention(
            *(x if x.stride(-1) == 1 else x.contiguous() for x in (query, key, value)),
            keys,
            values,
            plan.row_table,
            plan.span_table,
            *plan.turn(layer),
            layout.start,
            layout.interleaved,
            scoring.scale,
            scoring.sliding_window or 0,
            scoring.softcap or 0.0,
            None if scoring.sinks is None else scoring.sinks.float(),
        )
        return out


def choose_attention(name: str) -> AttentionKernel:
    """The kernel that goes with the linears' kernel called `name`.

    'auto' is triton where there is a GPU and triton is installed, native where it was built, else plain; anything that
    is neither triton nor native is plain.

    Raises:
        UnusableInput: native was asked for by name and was not built, or triton and it is not installed.
    """
    if name == "triton" or (name == "auto" and torch.cuda.is_available() and find_spec("triton")):
        return _triton_attention()
    native = load_native() if name in ("auto", "native") else None
    if native is not None:
        return NativeAttention(native.block_attention)
    if name == "native":
        raise UnusableInput(NATIVE_HINT)
    return PlainAttention()


def _triton_attention() -> AttentionKernel:
    if not find_spec("triton"):
        raise UnusableInput(TRITON_HINT)
    from .triton_attention import TritonAttention  # not installed everywhere

    native = load_native()
    return TritonAttention(NativeAttention(native.block_attention) if native else PlainAttention())


# --- plain ---------------------------------------------------------------------------------------------------------


def _attend_row(turned: Tensor, keys: Tensor, values: Tensor, row: RowPlan, scoring: Scoring) -> Tensor:
    """turned (spans, heads, count, dim), keys, values (kv_heads, slots, dim) -> (count, heads, value_dim) float32."""
    spans, heads, count, dim = turned.shape
    kv_heads = keys.shape[0]
    grouped = turned.reshape(spans, kv_heads, -1, dim)  # (spans, kv_heads, group * count, dim)
    reads = [slice(s.slot, s.slot + s.length) for s in row.spans]
    reads[-1] = slice(reads[-1].start, reads[-1].stop + count)  # the row sees its own new tokens
    scores = torch.cat([torch.matmul(q, keys[:, r].float().mT) for q, r in zip(grouped, reads, strict=True)], dim=-1)
    scores = scores.view(heads, count, -1)
    if scoring.softcap is not None:
        scores = scoring.softcap * torch.tanh(scores / scoring.softcap)
    hidden = hidden_keys(row.spans, count, scoring.sliding_window)
    if hidden is not None:
        scores.masked_fill_(hidden.to(scores.device), float("-inf"))
    weights = _softmax(scores, scoring.sinks).view(kv_heads, -1, scores.shape[-1])
    pieces = weights.split([r.stop - r.start for r in reads], dim=-1)
    out = sum(torch.matmul(w, values[:, r].float()) for w, r in zip(pieces, reads, strict=True))
    assert isinstance(out, Tensor)
    return out.reshape(heads, count, -1).transpose(0, 1)


def _softmax(scores: Tensor, sinks: Tensor | None) -> Tensor:
    """Softmax over the last axis, a sink taking its share."""
    if sinks is None:
        return scores.softmax(dim=-1)
    sink = sinks.float()[:, None, None].expand(-1, scores.shape[1], 1)
    return torch.cat((scores, sink), dim=-1).softmax(dim=-1)[..., :-1]


def hidden_keys(spans: Sequence[ReadSpan], count: int, sliding_window: int | None) -> Tensor | None:
    """Which keys a row's new tokens must not see: (count, keys) bool, or None when they see everything.

    Hidden are new tokens of the row behind the one that asks, and keys outside the sliding window.
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
