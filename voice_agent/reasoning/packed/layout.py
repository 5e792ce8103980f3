"""A quantised weight matrix in the one layout that decoding and prefill share.

    codes 0..2^bits-1 (rows, columns), scales per group of columns -> PackedWeight.pack -> tiles
    PackedWeight.dequantize, take_rows -> float32: what the tiles mean; every kernel is tested against it

A weight is `scale * (code - zero)`, or `scale * code - minimum` where the source has a minimum per group. Rows are cut
into tiles of 16 (one 32-bit lane of a 512-bit register each), columns into blocks of 32; inside a block four
consecutive columns of a row share a lane, as the integer dot product of AVX-512 VNNI wants them:

    8 bits   byte[v][row][i]           = code of column 4v + i            v 0..7
    4 bits   byte[j][row][i] low, high = code of column 8j + i, 8j + 4 + i  j 0..3
    6 bits   the 4-bit block of the low bits, then byte[h][row][i]: bits 2v.. = high bits of column 16h + 4v + i

Knows nothing of files or models. Shapes stand where tensors are made; rows that fill the last tile weigh nothing.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

import torch
from torch import Tensor

TILE_ROWS = 16
BLOCK_COLUMNS = 32
LAYOUT_VERSION = 1


@dataclass(frozen=True)
class PackedWeight:
    """One weight matrix (rows, columns) in tiles; see the module's text.

    codes: uint8 (tiles, columns / 32, bits * 64); scales, minimums: float16 (tiles, columns / group, 16).
    """

    codes: Tensor
    scales: Tensor
    minimums: Tensor | None
    rows: int
    columns: int
    bits: int  # 4, 6 or 8
    group: int  # columns that share a scale: 16 or 32
    zero: int  # the code that means nothing at all; 0 where there are minimums

    @classmethod
    def pack(cls, codes: Tensor, scales: Tensor, minimums: Tensor | None, *, bits: int, zero: int) -> PackedWeight:
        """codes: uint8 (rows, columns); scales, minimums: (rows, columns / group)."""
        rows, columns = codes.shape
        group = columns // scales.shape[1]
        assert bits in (4, 6, 8)
        assert group in (16, 32)
        assert columns % BLOCK_COLUMNS == 0
        missing = -rows % TILE_ROWS
        if missing:
            codes = torch.nn.functional.pad(codes, (0, 0, 0, missing))
        tiles, blocks = codes.shape[0] // TILE_ROWS, columns // BLOCK_COLUMNS
        quads = codes.contiguous().view(torch.int32).view(tiles, TILE_ROWS, blocks, 8)  # four columns in each number
        lanes = quads.permute(0, 2, 3, 1).contiguous().view(torch.uint8)  # (tiles, blocks, 8, 16 * 4)
        return cls(
            codes=_narrow(lanes, bits).reshape(tiles, blocks, bits * 64).contiguous(),
            scales=_tile_groups(scales, missing),
            minimums=None if minimums is None else _tile_groups(minimums, missing),
            rows=rows,
            columns=columns,
            bits=bits,
            group=group,
            zero=zero,
        )

    @property
    def nbytes(self) -> int:
        return sum(t.nbytes for t in (self.codes, self.scales, self.minimums) if t is not None)

    def to(self, device: torch.device) -> PackedWeight:
        """The same weight on `device`."""
        minimums = None if self.minimums is None else self.minimums.to(device)
        return replace(self, codes=self.codes.to(device), scales=self.scales.to(device), minimums=minimums)

    def unpacked_codes(self) -> Tensor:
        """uint8 (rows, columns)."""
        tiles, blocks = self.codes.shape[:2]
        lanes = _widen(self.codes, self.bits)  # (tiles, blocks, 8, 64)
        quads = lanes.view(torch.int32).view(tiles, blocks, 8, TILE_ROWS).permute(0, 3, 1, 2).contiguous()
        return quads.view(torch.uint8).view(tiles * TILE_ROWS, self.columns)[: self.rows]

    def groups_of(self, tiled: Tensor) -> Tensor:
        """Scales or minimums as float32 (rows, columns / group)."""
        return tiled.permute(0, 2, 1).reshape(-1, self.columns // self.group)[: self.rows].float()

    def dequantize(self) -> Tensor:
        """float32 (rows, columns)."""
        values = (self.unpacked_codes().float() - self.zero).view(self.rows, -1, self.group)
        values *= self.groups_of(self.scales)[..., None]
        if self.minimums is not None:
            values -= self.groups_of(self.minimums)[..., None]
        return values.view(self.rows, self.columns)

    def take_rows(self, ids: Tensor) -> Tensor:
        """The rows `ids` (any shape) dequantised: float32 (*ids.shape, columns)."""
        flat = ids.reshape(-1)
        tiles, lanes = flat // TILE_ROWS, flat % TILE_ROWS
        blocks = self.codes.shape[1]
        own = self.codes.view(-1, blocks, self.bits, TILE_ROWS, 4)[tiles, :, :, lanes]  # (n, blocks, bits, 4)
        codes = _widen(own.reshape(len(flat), blocks, -1), self.bits).reshape(len(flat), -1, self.group)
        values = (codes.float() - self.zero) * self.scales[tiles, :, lanes].float()[..., None]
        if self.minimums is not None:
            values -= self.minimums[tiles, :, lanes].float()[..., None]
        return values.view(*ids.shape, self.columns)

    def slices(self, tiles: int = 256) -> Iterator[PackedWeight]:
        """The same rows in shorter matrices, for what would otherwise take several times the memory."""
        for start in range(0, len(self.codes), tiles):
            part = slice(start, start + tiles)
            yield replace(
                self,
                codes=self.codes[part],
                scales=self.scales[part],
                minimums=None if self.minimums is None else self.minimums[part],
                rows=min(self.rows, (start + tiles) * TILE_ROWS) - start * TILE_ROWS,
            )


def _tile_groups(values: Tensor, missing: int) -> Tensor:
    padded = torch.nn.functional.pad(values, (0, 0, 0, missing)) if missing else values
    return padded.to(torch.float16).view(-1, TILE_ROWS, values.shape[1]).permute(0, 2, 1).contiguous()


def _narrow(lanes: Tensor, bits: int) -> Tensor:
    """(..., 8, n) bytes of one code each -> (..., bits * n) bytes, lane order kept."""
    if bits == 8:
        return lanes.flatten(-2)
    low = (lanes & 15).unflatten(-2, (4, 2))
    nibbles = (low[..., 0, :] | (low[..., 1, :] << 4)).flatten(-2)
    if bits == 4:
        return nibbles
    high = (lanes >> 4).unflatten(-2, (2, 4))
    pairs = high[..., 0, :] | (high[..., 1, :] << 2) | (high[..., 2, :] << 4) | (high[..., 3, :] << 6)
    return torch.cat([nibbles, pairs.flatten(-2)], dim=-1)


def _widen(codes: Tensor, bits: int) -> Tensor:
    """The inverse of `_narrow`: (..., bits * n) -> (..., 8, n)."""
    n = codes.shape[-1] // bits
    if bits == 8:
        return codes.unflatten(-1, (8, n))
    nibbles = codes[..., : 4 * n].unflatten(-1, (4, n))
    low = torch.stack([nibbles & 15, nibbles >> 4], dim=-2).flatten(-3, -2)
    if bits == 4:
        return low
    pairs = codes[..., 4 * n :].unflatten(-1, (2, n))
    high = torch.stack([(pairs >> shift) & 3 for shift in (0, 2, 4, 6)], dim=-2).flatten(-3, -2)
    return low | (high << 4)
