"""Packed linears on a GPU: the tiles of layout.py read as they are, decoded in registers, activations left alone.

    x (tokens, columns) float32, bfloat16 or float16, PackedWeight -> TritonKernel.multiply -> (tokens, rows), x's dtype

Up to four tokens (a decode step: thinker, writer, probe) are bound by the weights' way from memory, so a program takes
one tile of 16 rows, whose codes lie in one piece, and its threads read 16 neighbouring bytes each, twice at a time.
Qwen3-8B at 4 bits (codes, scale and minimum: 5 bits a weight; output layer 8.5) is 5.0 GB a step, 1.7 ms at 3 TB/s; to
decode a weight takes two instructions and each token one more, 1.4 ms of an H100's at three tokens. A layer of 4096
rows has 256 tiles for 132 processors, so 8 to 16 warps share a tile along its columns: some 2 MB are under way at a
time, what 3 TB/s times 0.7 us of latency asks for. Splitting a tile among programs instead would need a second pass, or
sums in an order that changes. More tokens (prefill, a probe's question) go to the tensor cores: tiles decoded, rounded
to x's type and multiplied.

No host synchronisation and a grid that follows from shapes: a CUDA graph can hold it. Sums are float32. Held to its
plain twin in Triton's interpreter; no time has been taken on a GPU so far: tile sizes are chosen by arithmetic.
"""

from __future__ import annotations

import torch
import triton
import triton.language as tl
from torch import Tensor

from ...errors import UnusableInput
from .layout import BLOCK_COLUMNS, TILE_ROWS, PackedWeight

INTERPRETED = tl.constexpr(triton.knobs.runtime.interpret)
DECODE_TOKENS = 4  # more would not stay in registers
WARP_BYTES = 512  # that a warp reads at once: 16 a thread
BYTES_UNDER_WAY = 2 << 20
MOST_WARPS = 16  # of one token; more tokens need more registers, so half as many
LINES = {4: 4, 6: 4, 8: 8}  # 32-bit words of a row in a block, those of the 6-bit layout's high bits left out


class TritonKernel:
    name = "triton"
    memory_factor = 1.1

    def __init__(self) -> None:
        if not torch.cuda.is_available() and not INTERPRETED.value:
            raise UnusableInput('the triton kernel needs a CUDA GPU: set [reasoning] kernel = "auto"')
        self.device = torch.device("cuda" if torch.cuda.is_available() else "cpu")

    def prepare(self, weight: PackedWeight) -> PackedWeight:
        return weight.to(self.device)

    def multiply(self, x: Tensor, form: PackedWeight, bias: Tensor | None) -> Tensor:
        # the interpreter cuts bits off where a GPU rounds
        y = x.new_empty(len(x), form.rows, dtype=torch.float32 if INTERPRETED.value else x.dtype)
        if len(x) <= DECODE_TOKENS:
            _launch_decode(x.contiguous(), form, bias, y)
        else:
            _launch_prefill(x, form, bias, y)
        return y.to(x.dtype)


def warps_of_decode(tokens: int, tiles: int, tile_bytes: int) -> int:
    """How many warps share a tile: enough bytes under way, no more than the tile has."""
    wanted = max(BYTES_UNDER_WAY // (tiles * WARP_BYTES), 4)
    most = max(tile_bytes // WARP_BYTES, 1)
    return min(triton.next_power_of_2(min(wanted, most)), MOST_WARPS if tokens == 1 else MOST_WARPS // 2)


def tile_of_prefill(tokens: int, rows: int) -> tuple[int, int]:
    """Tokens and rows of a program: few enough rows that a matrix of 4096 gives every processor one."""
    return min(max(triton.next_power_of_2(tokens), 16), 64), 32 if rows < 8192 else 64


def _launch_decode(x: Tensor, weight: PackedWeight, bias: Tensor | None, y: Tensor) -> None:
    tiles, blocks = weight.codes.shape[:2]
    lines = LINES[weight.bits]
    warps = warps_of_decode(len(x), tiles, blocks * lines * TILE_ROWS * 4)
    _decode[(tiles,)](
        x,
        weight.codes.view(torch.int32),
        weight.scales,
        weight.scales if weight.minimums is None else weight.minimums,
        weight.scales if bias is None else bias,
        y,
        weight.rows,
        blocks,
        float(weight.zero),
        BITS=weight.bits,
        GROUP=weight.group,
        MINIMUM=weight.minimums is not None,
        BIAS=bias is not None,
        TOKENS=len(x),
        LINES=lines,
        AT_ONCE=warps * WARP_BYTES // (TILE_ROWS * 4),
        num_warps=warps,
    )


def _launch_prefill(x: Tensor, weight: PackedWeight, bias: Tensor | None, y: Tensor) -> None:
    blocks = weight.codes.shape[1]
    lines = LINES[weight.bits]
    each = BLOCK_COLUMNS // lines
    # Bytes of a word are columns side by side: their columns of x are brought together once, so that both can be read
    # in stretches.
    planes = x.view(len(x), blocks * lines, each).permute(2, 0, 1).contiguous()
    token_tile, row_tile = tile_of_prefill(len(x), weight.rows)
    _prefill[triton.cdiv(weight.rows, row_tile), triton.cdiv(len(x), token_tile)](
        planes,
        weight.codes.view(torch.int32),
        weight.scales,
        weight.scales if weight.minimums is None else weight.minimums,
        weight.scales if bias is None else bias,
        y,
        len(x),
        weight.rows,
        blocks,
        float(weight.zero),
        BITS=weight.bits,
        GROUP=weight.group,
        MINIMUM=weight.minimums is not None,
        BIAS=bias is not None,
        LINES=lines,
        TOKEN_TILE=token_tile,
        ROW_TILE=row_tile,
        num_warps=4,
    )


# --- kernels -------------------------------------------------------------------------------------------------------


@triton.jit(do_not_specialize=["rows", "zero"])
def _decode(
    x,  # (tokens, 32 * blocks)
    words,  # (tiles, blocks, 16 * BITS) int32: four bytes of a row
    scales,  # (tiles, groups, 16) float16
    minimums,  # the same, read only with MINIMUM
    bias,  # (rows,), read only with BIAS
    y,  # (tokens, rows)
    rows,
    blocks,
    zero,
    BITS: tl.constexpr,
    GROUP: tl.constexpr,
    MINIMUM: tl.constexpr,
    BIAS: tl.constexpr,
    TOKENS: tl.constexpr,  # at most four
    LINES: tl.constexpr,
    AT_ONCE: tl.constexpr,
):
    tile = tl.program_id(0)
    lane = tl.arange(0, 16)[None, :]
    columns = 32 * blocks
    first_token = tl.zeros((AT_ONCE, 16), tl.float32)
    second_token, third_token, fourth_token = first_token, first_token, first_token
    for first in tl.range(0, blocks * LINES, AT_ONCE, loop_unroll_factor=2):
        line = first + tl.arange(0, AT_ONCE)
        there = line < blocks * LINES
        at = x + line * (32 // LINES)
        block = (tile * blocks + line // LINES)[:, None]
        own_line = (line % LINES)[:, None]
        begin = words + block.to(tl.int64) * (BITS * 16) + lane
        word = tl.load(begin + own_line * 16, mask=there[:, None], other=0)
        pairs = word
        if BITS == 6:  # a line of high bits serves two of low bits
            pairs = tl.load(begin + (64 + own_line // 2 * 16), mask=there[:, None], other=0) >> (4 * (own_line % 2))
        group = (block * 32 + own_line * (32 // LINES)) // GROUP * 16 + lane
        scale = tl.load(scales + group, mask=there[:, None], other=0.0).to(tl.float32)
        offset = scale * ((1 << BITS) + zero)
        if MINIMUM:
            offset += tl.load(minimums + group, mask=there[:, None], other=0.0).to(tl.float32)
        first_token += _of_token(at, there, word, pairs, scale, offset, BITS, LINES)
        if TOKENS > 1:
            second_token += _of_token(at + columns, there, word, pairs, scale, offset, BITS, LINES)
        if TOKENS > 2:
            third_token += _of_token(at + 2 * columns, there, word, pairs, scale, offset, BITS, LINES)
        if TOKENS > 3:
            fourth_token += _of_token(at + 3 * columns, there, word, pairs, scale, offset, BITS, LINES)
    row = tile * 16 + tl.arange(0, 16)
    start = tl.zeros((16,), tl.float32)
    if BIAS:
        start = tl.load(bias + row, mask=row < rows, other=0.0).to(tl.float32)
    tl.store(y + row, start + tl.sum(first_token, 0), mask=row < rows)
    if TOKENS > 1:
        tl.store(y + rows + row, start + tl.sum(second_token, 0), mask=row < rows)
    if TOKENS > 2:
        tl.store(y + 2 * rows + row, start + tl.sum(third_token, 0), mask=row < rows)
    if TOKENS > 3:
        tl.store(y + 3 * rows + row, start + tl.sum(fourth_token, 0), mask=row < rows)


@triton.jit
def _of_token(at, there, word, pairs, scale, offset, BITS: tl.constexpr, LINES: tl.constexpr):
    """What the columns of these words give one token: (AT_ONCE, 16); the compiler decodes words once for all tokens."""
    products = tl.zeros(word.shape, tl.float32)
    sums = tl.zeros(there.shape, tl.float32)
    for i in tl.static_range(32 // LINES):
        value = tl.load(at + i, mask=there, other=0.0).to(tl.float32)
        products += _based_code(word, pairs, i, BITS) * value[:, None]
        sums += value
    return scale * products - offset * sums[:, None]


@triton.jit
def _based_code(word, pairs, i: tl.constexpr, BITS: tl.constexpr):
    """Code number `i` of each word, plus 2^BITS, as float32: its exponent says 2^BITS, the code leads its fraction."""
    if BITS == 8:
        found = (_moved(word, 15 - 8 * i) & 0x7F8000) | 0x43800000
    elif BITS == 4:
        found = (_moved(word, 19 - 8 * (i % 4) - 4 * (i // 4)) & 0x780000) | 0x41800000
    else:
        low = _moved(word, 17 - 8 * (i % 4) - 4 * (i // 4)) & 0x1E0000
        found = low | (_moved(pairs, 21 - 8 * (i % 4) - 2 * (i // 4)) & 0x600000) | 0x42800000
    return found.to(tl.float32, bitcast=True)


@triton.jit
def _moved(word, left: tl.constexpr):
    """Shifted left, or right where `left` is negative."""
    return word << left if left >= 0 else word >> -left


@triton.jit(do_not_specialize=["tokens", "rows", "zero"])
def _prefill(
    planes,  # (32 / LINES, tokens, LINES * blocks): x, its columns ordered as the codes in a word
    words,  # the rest as in _decode
    scales,
    minimums,
    bias,
    y,
    tokens,
    rows,
    blocks,
    zero,
    BITS: tl.constexpr,
    GROUP: tl.constexpr,
    MINIMUM: tl.constexpr,
    BIAS: tl.constexpr,
    LINES: tl.constexpr,
    TOKEN_TILE: tl.constexpr,
    ROW_TILE: tl.constexpr,
):
    token = tl.program_id(1) * TOKEN_TILE + tl.arange(0, TOKEN_TILE)
    row = tl.program_id(0) * ROW_TILE + tl.arange(0, ROW_TILE)
    tile, lane = row // 16, row % 16
    lines = blocks * LINES
    total = tl.zeros((TOKEN_TILE, ROW_TILE), tl.float32)
    for first in range(0, lines, 16):
        line = first + tl.arange(0, 16)
        there = (line < lines)[:, None] & (row < rows)[None, :]
        begin = words + ((tile * blocks)[None, :] + (line // LINES)[:, None]).to(tl.int64) * (BITS * 16) + lane[None, :]
        word = tl.load(begin + (line % LINES * 16)[:, None], mask=there, other=0)
        pairs = word
        if BITS == 6:
            pairs = tl.load(begin + (64 + line % LINES // 2 * 16)[:, None], mask=there, other=0)
            pairs >>= (4 * (line % 2))[:, None]
        group = line * (32 // LINES) // GROUP
        at = ((tile * (blocks * (32 // GROUP)))[None, :] + group[:, None]) * 16 + lane[None, :]
        scale = tl.load(scales + at, mask=there, other=0.0).to(tl.float32)
        offset = scale * ((1 << BITS) + zero)
        if MINIMUM:
            offset += tl.load(minimums + at, mask=there, other=0.0).to(tl.float32)
        asked = (token < tokens)[:, None] & (line < lines)[None, :]
        columns = planes + token.to(tl.int64)[:, None] * lines + line[None, :]
        for i in tl.static_range(32 // LINES):
            weight = _based_code(word, pairs, i, BITS) * scale - offset
            value = tl.load(columns, mask=asked, other=0.0)
            total = _product(value, weight, total)
            columns += tokens.to(tl.int64) * lines
    if BIAS:
        total += tl.load(bias + row, mask=row < rows, other=0.0).to(tl.float32)[None, :]
    into = y + token.to(tl.int64)[:, None] * rows + row[None, :]
    tl.store(into, total, mask=(token < tokens)[:, None] & (row < rows)[None, :])


@triton.jit
def _product(value, weight, total):
    """value @ weight + total, with the weight in the value's type."""
    if INTERPRETED:  # its dot takes the bits of bfloat16 for whole numbers
        total = tl.dot(value.to(tl.float32), weight, total)
    elif value.dtype == tl.float32:
        total = tl.dot(value, weight, total, input_precision="ieee")
    else:
        total = tl.dot(value, weight.to(value.dtype), total)
    return total
