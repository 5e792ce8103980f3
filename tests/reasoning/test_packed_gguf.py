"""Blocks read as codes mean what the gguf package says they mean."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from voice_agent.reasoning.packed.gguf_blocks import BLOCK_TYPES, packed_from_blocks

gguf = pytest.importorskip("gguf")

HALVES = {"Q6_K": (208,)}  # where a block keeps its float16 numbers, if not in its first two or four bytes
TWO_HALVES = {"Q4_1", "Q5_1", "Q4_K", "Q5_K"}


def random_blocks(kind: str, rows: int, columns: int) -> np.ndarray:
    """Any bytes are codes; only the float16 numbers must be ordinary ones."""
    draw = np.random.default_rng(7)
    _, block_bytes = gguf.GGML_QUANT_SIZES[gguf.GGMLQuantizationType[kind]]
    blocks = draw.integers(0, 256, (rows * columns // BLOCK_TYPES[kind].weights, block_bytes), dtype=np.uint8)
    for at in HALVES.get(kind, (0, 2) if kind in TWO_HALVES else (0,)):
        numbers = draw.uniform(1e-3, 1e-2, len(blocks)).astype(np.float16)
        blocks[:, at : at + 2] = numbers.view(np.uint8).reshape(-1, 2)
    return blocks.reshape(rows, -1)


@pytest.mark.parametrize("kind", BLOCK_TYPES)
def test_blocks_equal_the_reference(kind: str) -> None:
    raw = random_blocks(kind, rows=24, columns=512)
    expected = torch.from_numpy(gguf.dequantize(raw, gguf.GGMLQuantizationType[kind]))
    found = packed_from_blocks(raw, kind).dequantize()
    # Scales that are products of two numbers are rounded to float16 once; the others are float16 already.
    tolerance = 5e-4 if kind.endswith("_K") else 0.0
    assert (found - expected).norm() <= tolerance * expected.norm()
