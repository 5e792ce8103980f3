"""What the blocks of a GGUF tensor hold: codes, scales and minimums, without going through floats.

    raw block bytes (rows, bytes a row), type name -> quantised(...) -> PackedWeight

Types with a reader of their own keep their codes exactly; their scales are products of two numbers, rounded to float16
once (at most 2^-11 of a step). Every other type that the gguf package can dequantise is rounded to 8 bits (rounding).
Block layouts: ggml's ggml-common.h, as written down in gguf/quants.py.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch

from .layout import PackedWeight

U8 = np.ndarray  # uint8 (blocks, bytes of a part)


@dataclass(frozen=True)
class BlockType:
    """How a type is stored: `parts` are the byte lengths of a block's fields, `read` makes codes and groups of them."""

    parts: tuple[int, ...]
    weights: int  # per block
    bits: int
    zero: int
    read: Callable[..., tuple[np.ndarray, np.ndarray, np.ndarray | None]]


def _nibbles(packed: U8, run: int) -> np.ndarray:
    """Runs of `run` bytes hold `run` low nibbles, then `run` high ones."""
    runs = packed.reshape(len(packed), -1, 1, run) >> np.array([0, 4], np.uint8).reshape(1, 1, 2, 1)
    return (runs & np.uint8(15)).reshape(len(packed), -1)


def _half(raw: U8) -> np.ndarray:
    return np.ascontiguousarray(raw).view(np.float16).astype(np.float32)


def _q4_0(d: U8, qs: U8) -> tuple[np.ndarray, np.ndarray, None]:
    return _nibbles(qs, 16), _half(d), None


def _q4_1(d: U8, m: U8, qs: U8) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    return _nibbles(qs, 16), _half(d), -_half(m)


def _fifth_bit(qh: U8) -> np.ndarray:
    return np.unpackbits(np.ascontiguousarray(qh), axis=1, bitorder="little") << np.uint8(4)


def _q5_0(d: U8, qh: U8, qs: U8) -> tuple[np.ndarray, np.ndarray, None]:
    return _nibbles(qs, 16) | _fifth_bit(qh), _half(d), None


def _q5_1(d: U8, m: U8, qh: U8, qs: U8) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    return _nibbles(qs, 16) | _fifth_bit(qh), _half(d), -_half(m)


def _q8_0(d: U8, qs: U8) -> tuple[np.ndarray, np.ndarray, None]:
    return qs ^ np.uint8(128), _half(d), None  # two's complement to offset 128


def _six_bit_pairs(packed: U8) -> tuple[np.ndarray, np.ndarray]:
    """The eight scales and minimums of a super-block, 6 bits each, in 12 bytes."""
    d, m, rest = packed[:, 0:4], packed[:, 4:8], packed[:, 8:12]
    scales = np.concatenate([d & 63, (rest & 15) | ((d >> 2) & 48)], axis=1)
    minimums = np.concatenate([m & 63, (rest >> 4) | ((m >> 2) & 48)], axis=1)
    return scales.astype(np.float32), minimums.astype(np.float32)


def _q4_k(d: U8, dmin: U8, packed: U8, qs: U8) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    scales, minimums = _six_bit_pairs(packed)
    return _nibbles(qs, 32), _half(d) * scales, _half(dmin) * minimums


def _q5_k(d: U8, dmin: U8, packed: U8, qh: U8, qs: U8) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    scales, minimums = _six_bit_pairs(packed)
    high = (qh[:, None, :] >> np.arange(8, dtype=np.uint8)[None, :, None]) & np.uint8(1)
    return _nibbles(qs, 32) | (high << np.uint8(4)).reshape(len(qh), -1), _half(d) * scales, _half(dmin) * minimums


def _q6_k(ql: U8, qh: U8, scales: U8, d: U8) -> tuple[np.ndarray, np.ndarray, None]:
    high = qh.reshape(len(qh), 2, 1, 32) >> np.array([0, 2, 4, 6], np.uint8).reshape(1, 1, 4, 1)
    codes = _nibbles(ql, 64) | ((high & np.uint8(3)) << np.uint8(4)).reshape(len(qh), -1)
    return codes, _half(d) * np.ascontiguousarray(scales).view(np.int8), None


BLOCK_TYPES = {
    "Q4_0": BlockType((2, 16), 32, bits=4, zero=8, read=_q4_0),
    "Q4_1": BlockType((2, 2, 16), 32, bits=4, zero=0, read=_q4_1),
    "Q5_0": BlockType((2, 4, 16), 32, bits=6, zero=16, read=_q5_0),
    "Q5_1": BlockType((2, 2, 4, 16), 32, bits=6, zero=0, read=_q5_1),
    "Q8_0": BlockType((2, 32), 32, bits=8, zero=128, read=_q8_0),
    "Q4_K": BlockType((2, 2, 12, 128), 256, bits=4, zero=0, read=_q4_k),
    "Q5_K": BlockType((2, 2, 12, 32, 128), 256, bits=6, zero=0, read=_q5_k),
    "Q6_K": BlockType((128, 64, 16, 2), 256, bits=6, zero=32, read=_q6_k),
}


def packed_from_blocks(raw: np.ndarray, type_name: str) -> PackedWeight:
    """raw: uint8 (rows, bytes a row) of a type in BLOCK_TYPES."""
    kind = BLOCK_TYPES[type_name]
    rows = raw.shape[0]
    blocks = raw.reshape(-1, sum(kind.parts))
    fields = np.split(blocks, np.cumsum(kind.parts)[:-1], axis=1)
    codes, scales, minimums = kind.read(*fields)
    return PackedWeight.pack(
        torch.from_numpy(codes.reshape(rows, -1)),
        torch.from_numpy(scales.reshape(rows, -1)),
        None if minimums is None else torch.from_numpy(minimums.reshape(rows, -1)),
        bits=kind.bits,
        zero=kind.zero,
    )
