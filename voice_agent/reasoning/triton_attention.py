"""Attention of all rows of a step over their block tables, fused for a GPU in Triton.

    TritonAttention.attend: query (heads, n, dim), key, value (kv_heads, n, dim) -> (n, heads, value_dim)

Two launches a layer after the new keys and values are stored:

    _attend_part   one program per (tile of a row's queries, kv head, part of the view): rotates the query in float32
                   for each block it meets and reads that block's keys where they lie, all heads of a group together
    _merge_parts   one program per (token, head): joins the parts by their log-sum-exp, lets a sink take its share

What a row reads comes from the step's tables in device memory alone. The grid follows the numbers of rows and new
tokens and the device's size, never lengths or offsets, and nothing here waits for the device, so that a step with fixed
tables can be captured in a CUDA graph; programs that find no work end at once.

Queries and weights meet half-precision keys and values as sums of two half-precision numbers (high and low part), so
that tensor cores lose nothing of float32; a decode step waits for memory, not for the second product.

Held to its plain twin in Triton's interpreter, on the CPU; scripts/check_gpu does the same on a GPU and takes times. No
time has been taken on a GPU so far: tile sizes are chosen by arithmetic.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

import torch
import triton
import triton.language as tl
from torch import Tensor

from .attention_kernels import AttentionKernel, Scoring
from .step_plan import StepPlan

TYPES = (torch.float32, torch.bfloat16, torch.float16)
LARGEST_DIM = 256  # a tile of wider heads does not fit in shared memory
LEAST_ROWS, LEAST_SPANS = 4, 16  # what the tables are read as at least: one compiled kernel for usual steps
LARGEST_PARTS = 64
NO_WINDOW = 1 << 30

INTERPRETED = tl.constexpr(triton.knobs.runtime.interpret)
LOG2E = tl.constexpr(1.4426950408889634)
NOTHING = tl.constexpr(-1.0e30)  # the score of no key at all; finite, so that differences are
FAR = tl.constexpr(1 << 30)  # stands behind every view


class TritonAttention:
    """Attention on a GPU; what the kernel does not know (other devices, types, very wide heads) goes to `otherwise`."""

    name = "triton"

    def __init__(self, otherwise: AttentionKernel) -> None:
        self._otherwise = otherwise

    def attend(self, plan: StepPlan, layer: int, query: Tensor, key: Tensor, value: Tensor, scoring: Scoring) -> Tensor:
        if not _known(query, key, value):
            return self._otherwise.attend(plan, layer, query, key, value, scoring)
        keys, values = plan.arena.layer_for(layer, key, value)
        keys.index_copy_(1, plan.slots, key)
        values.index_copy_(1, plan.slots, value)
        return _attend(plan, layer, query if query.stride(-1) == 1 else query.contiguous(), keys, values, scoring)


@dataclass(frozen=True)
class Tiling:
    """How the work is cut; follows from shapes, not from what the tables say."""

    tiles: int  # of (token, head) pairs, enough for any way in which the tokens fall to the rows
    pairs: int  # in a tile
    keys: int  # read at a time
    parts: int  # of a view, merged afterwards
    warps: int
    stages: int


def tiling(rows: int, n: int, group: int, kv_heads: int, widest: int, item_bytes: int, processors: int) -> Tiling:
    """Tiles for `n` new tokens of `rows` rows; widest: the larger head dimension, a power of two."""
    each = -(-n * group // rows)
    half = item_bytes == 2
    pairs = 16  # the least that tensor cores take
    if half and widest <= 128:  # wider heads and float32 would not fit
        pairs = 16 if each <= 16 else 32 if each <= 32 else 64
    tiles = rows + n * group // pairs
    parts = triton.next_power_of_2(max(1, 2 * processors // (tiles * kv_heads)))
    warps = 4 if half and pairs == 16 and widest <= 128 else 8
    keys = 64 if half and warps == 4 else 32
    return Tiling(tiles, pairs, keys, min(parts, LARGEST_PARTS), warps, stages=1 + 2 * half)


def _attend(plan: StepPlan, layer: int, query: Tensor, keys: Tensor, values: Tensor, scoring: Scoring) -> Tensor:
    heads, n, dim = query.shape
    kv_heads, slots, value_dim = values.shape
    rows, group = len(plan.row_table), heads // kv_heads
    padded, value_padded = (max(16, triton.next_power_of_2(d)) for d in (dim, value_dim))
    cut = tiling(rows, n, group, kv_heads, max(padded, value_padded), keys.element_size(), _processors(query.device))
    (cos, sin), layout = plan.turn(layer), plan.layout(layer)
    sums = query.new_empty(cut.parts, n, heads, value_dim, dtype=torch.float32)
    peaks = query.new_empty(cut.parts, n, heads, dtype=torch.float32)
    weights = torch.empty_like(peaks)
    _attend_part[cut.tiles, kv_heads, cut.parts](
        query,
        keys,
        values,
        plan.row_table,
        plan.span_table,
        cos,
        sin,
        sums,
        peaks,
        weights,
        query.stride(0),
        query.stride(1),
        rows,
        n,
        heads,
        slots,
        scoring.sliding_window or NO_WINDOW,
        scoring.scale,
        scoring.softcap or 0.0,
        CAPPED=bool(scoring.softcap),
        TWO_PARTS=keys.dtype != torch.float32,
        DIM=dim,
        VALUE_DIM=value_dim,
        ROTARY_START=layout.start,
        ROTARY_PAIRS=cos.shape[1],
        INTERLEAVED=layout.interleaved,
        PADDED=padded,
        VALUE_PADDED=value_padded,
        ROWS=max(LEAST_ROWS, triton.next_power_of_2(rows)),
        SPANS=max(LEAST_SPANS, triton.next_power_of_2(plan.most_spans)),
        PAIRS=cut.pairs,
        KEYS=cut.keys,
        num_warps=cut.warps,
        num_stages=cut.stages,
    )
    # the interpreter cuts bits off where a GPU rounds
    out = query.new_empty(n, heads, value_dim, dtype=torch.float32 if INTERPRETED.value else query.dtype)
    _merge_parts[n, heads](
        sums,
        peaks,
        weights,
        peaks if scoring.sinks is None else scoring.sinks,
        out,
        n,
        heads,
        SINKS=scoring.sinks is not None,
        VALUE_DIM=value_dim,
        VALUE_PADDED=value_padded,
        PARTS=cut.parts,
    )
    return out.to(query.dtype)


# --- kernels -------------------------------------------------------------------------------------------------------


@triton.jit(do_not_specialize=["rows", "n", "heads", "window"])
def _attend_part(
    query,  # (heads, n, DIM), its first two strides follow
    keys,  # (kv_heads, slots, DIM)
    values,  # (kv_heads, slots, VALUE_DIM)
    row_table,  # (rows, 4): first new token, count, range of spans
    span_table,  # (spans, 3): slot, length, position in the view
    cos,  # (spans, ROTARY_PAIRS) float32
    sin,
    sums,  # (parts, n, heads, VALUE_DIM) float32: values weighed by 2^(score - peak)
    peaks,  # (parts, n, heads) float32: largest score, in powers of two
    weights,  # (parts, n, heads) float32: sum of 2^(score - peak)
    head_stride,
    token_stride,
    rows,
    n,
    heads,
    slots,
    window,
    scale,
    softcap,
    CAPPED: tl.constexpr,
    TWO_PARTS: tl.constexpr,
    DIM: tl.constexpr,
    VALUE_DIM: tl.constexpr,
    ROTARY_START: tl.constexpr,
    ROTARY_PAIRS: tl.constexpr,
    INTERLEAVED: tl.constexpr,
    PADDED: tl.constexpr,
    VALUE_PADDED: tl.constexpr,
    ROWS: tl.constexpr,
    SPANS: tl.constexpr,
    PAIRS: tl.constexpr,
    KEYS: tl.constexpr,
):
    kv_head, part = tl.program_id(1), tl.program_id(2)
    group = heads // tl.num_programs(1)
    row, tile = _tile_of_row(tl.program_id(0), row_table, rows, group, ROWS, PAIRS)
    if row < rows:
        first = tl.load(row_table + 4 * row).to(tl.int32)
        count = tl.load(row_table + 4 * row + 1).to(tl.int32)
        begin = tl.load(row_table + 4 * row + 2).to(tl.int32)
        end = tl.load(row_table + 4 * row + 3).to(tl.int32)
        pair = tile * PAIRS + tl.arange(0, PAIRS)
        token, head = pair // group, kv_head * group + pair % group
        asked = token < count
        own = span_table + 3 * (end - 1)
        before = (tl.load(own + 1) + tl.load(own + 2)).to(tl.int32)  # the row's first new token stands here
        asks_at = before + token

        # A part is a stretch of the view: of what this tile's tokens can see, in as many equal stretches as parts.
        seen_to = before + tl.minimum((tile * PAIRS + PAIRS - 1) // group, count - 1) + 1
        seen_from = tl.maximum(before + tile * PAIRS // group - window + 1, 0)
        share = tl.cdiv(tl.cdiv(seen_to - seen_from, tl.num_programs(2)), KEYS) * KEYS
        low = seen_from + part * share
        high = tl.minimum(low + share, seen_to)
        span = begin + tl.arange(0, SPANS)
        starts = tl.load(span_table + 3 * span + 2, mask=span < end, other=FAR)
        first_span = begin + tl.sum((starts <= low).to(tl.int32), 0) - 1
        end_span = begin + tl.sum((starts < high).to(tl.int32), 0)

        d = tl.arange(0, PADDED)
        turning = (d >= ROTARY_START) & (d < ROTARY_START + 2 * ROTARY_PAIRS)
        if INTERLEAVED:
            turned_by = (d - ROTARY_START) // 2
            is_first, apart = (d - ROTARY_START) % 2 == 0, 1
        else:
            is_first, apart = d < ROTARY_START + ROTARY_PAIRS, ROTARY_PAIRS
            turned_by = tl.where(is_first, d - ROTARY_START, d - ROTARY_START - ROTARY_PAIRS)
        partner = tl.where(turning, tl.where(is_first, d + apart, d - apart), d)
        at = query + head[:, None] * head_stride + (first + token)[:, None] * token_stride
        there = asked[:, None] & (d < DIM)[None]
        plain = tl.load(at + d[None], mask=there, other=0.0).to(tl.float32) * scale
        across = tl.load(at + partner[None], mask=there, other=0.0).to(tl.float32) * scale
        across = tl.where(is_first[None], -across, across)

        v = tl.arange(0, VALUE_PADDED)
        peak = tl.full((PAIRS,), NOTHING, tl.float32)
        weight = tl.zeros((PAIRS,), tl.float32)
        total = tl.zeros((PAIRS, VALUE_PADDED), tl.float32)
        for index in range(first_span, end_span):
            turn_cos = tl.load(cos + index * ROTARY_PAIRS + turned_by, mask=turning, other=1.0)
            turn_sin = tl.load(sin + index * ROTARY_PAIRS + turned_by, mask=turning, other=0.0)
            turned = plain * turn_cos[None] + across * turn_sin[None]
            slot = tl.load(span_table + 3 * index)
            starts_at = tl.load(span_table + 3 * index + 2).to(tl.int32)
            ends_at = starts_at + tl.load(span_table + 3 * index + 1).to(tl.int32)
            stop = tl.minimum(high, tl.where(index == end - 1, high, ends_at))  # the own block has the new tokens too
            slot_of_zero = kv_head.to(tl.int64) * slots + slot - starts_at
            for start in range(tl.maximum(low, starts_at), stop, KEYS):
                stands_at = start + tl.arange(0, KEYS)
                stored = stands_at < stop
                slot_at = (slot_of_zero + stands_at)[:, None]
                key = tl.load(keys + slot_at * DIM + d[None], mask=stored[:, None] & (d < DIM)[None], other=0.0)
                score = _product(turned, tl.trans(key), TWO_PARTS)
                if CAPPED:
                    score = softcap * _tanh(score / softcap)
                visible = (stands_at[None] <= asks_at[:, None]) & (stands_at[None] > asks_at[:, None] - window)
                visible &= stored[None]
                score = tl.where(visible, score * LOG2E, NOTHING)
                higher = tl.maximum(peak, tl.max(score, 1))
                weighed = tl.where(visible, tl.exp2(score - higher[:, None]), 0.0)
                shrink = tl.exp2(peak - higher)
                value_there = stored[:, None] & (v < VALUE_DIM)[None]
                value = tl.load(values + slot_at * VALUE_DIM + v[None], mask=value_there, other=0.0)
                total = total * shrink[:, None] + _product(weighed, value, TWO_PARTS)
                weight = weight * shrink + tl.sum(weighed, 1)
                peak = higher

        result = (part * n + first + token) * heads + head
        tl.store(peaks + result, peak, mask=asked)
        tl.store(weights + result, weight, mask=asked)
        into = sums + result.to(tl.int64)[:, None] * VALUE_DIM + v[None]
        tl.store(into, total, mask=asked[:, None] & (v < VALUE_DIM)[None])


@triton.jit
def _tile_of_row(tile, row_table, rows, group, ROWS: tl.constexpr, PAIRS: tl.constexpr):
    """Which row tile number `tile` of the step belongs to, and which of that row's tiles it is; row >= rows: none."""
    index = tl.arange(0, ROWS)
    counts = tl.load(row_table + 4 * index + 1, mask=index < rows, other=0).to(tl.int32)
    tiles = (counts * group + PAIRS - 1) // PAIRS
    passed = tl.cumsum(tiles, 0) <= tile
    return tl.sum(passed.to(tl.int32), 0), tile - tl.sum(tl.where(passed, tiles, 0), 0)


@triton.jit
def _product(left, right, TWO_PARTS: tl.constexpr):
    """left (float32) @ right, in float32 also where `right` is half as wide."""
    if TWO_PARTS:
        high = left.to(right.dtype)
        low = (left - high.to(tl.float32)).to(right.dtype)
        if INTERPRETED:  # its dot takes the bits of bfloat16 for whole numbers
            high, low, right = high.to(tl.float32), low.to(tl.float32), right.to(tl.float32)
        product = tl.dot(high, right, tl.dot(low, right))
    else:
        product = tl.dot(left, right, input_precision="ieee")
    return product


@triton.jit
def _tanh(x):
    shrunk = tl.exp(-2.0 * tl.abs(x))  # never overflows
    return tl.where(x < 0, shrunk - 1.0, 1.0 - shrunk) / (1.0 + shrunk)


@triton.jit(do_not_specialize=["n", "heads"])
def _merge_parts(
    sums,
    peaks,
    weights,
    sinks,  # (heads,), read only with SINKS
    out,  # (n, heads, VALUE_DIM)
    n,
    heads,
    SINKS: tl.constexpr,
    VALUE_DIM: tl.constexpr,
    VALUE_PADDED: tl.constexpr,
    PARTS: tl.constexpr,
):
    token, head = tl.program_id(0), tl.program_id(1)
    v = tl.arange(0, VALUE_PADDED)
    part = (tl.arange(0, PARTS) * n + token) * heads + head
    peak = tl.load(peaks + part)
    highest = tl.max(peak, 0)
    if SINKS:
        sink = tl.load(sinks + head).to(tl.float32) * LOG2E
        highest = tl.maximum(highest, sink)
    factor = tl.exp2(peak - highest)
    weight = tl.sum(factor * tl.load(weights + part), 0)
    if SINKS:
        weight += tl.exp2(sink - highest)
    there = (v < VALUE_DIM)[None]
    total = tl.load(sums + part.to(tl.int64)[:, None] * VALUE_DIM + v[None], mask=there, other=0.0)
    merged = tl.sum(factor[:, None] * total, 0) / weight
    tl.store(out + (token * heads + head) * VALUE_DIM + v, merged, mask=v < VALUE_DIM)


# --- what fits -----------------------------------------------------------------------------------------------------


def _known(query: Tensor, key: Tensor, value: Tensor) -> bool:
    here = query.is_cuda or INTERPRETED.value
    same_type = query.dtype == key.dtype == value.dtype and query.dtype in TYPES
    return here and same_type and max(query.shape[-1], value.shape[-1]) <= LARGEST_DIM


@cache
def _processors(device: torch.device) -> int:
    return torch.cuda.get_device_properties(device).multi_processor_count if device.type == "cuda" else 4
