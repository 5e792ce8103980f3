"""Tiles hold what was put into them."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from voice_agent.reasoning.packed.layout import PackedWeight
from voice_agent.reasoning.packed.rounding import round_to_bits

shapes = st.tuples(st.integers(1, 40), st.integers(1, 5).map(lambda blocks: 32 * blocks))


def random_weight(rows: int, columns: int, bits: int, group: int, minimum: bool, seed: int = 0) -> PackedWeight:
    draw = torch.Generator().manual_seed(seed)
    codes = torch.randint(0, 1 << bits, (rows, columns), dtype=torch.uint8, generator=draw)
    scales = torch.rand(rows, columns // group, generator=draw) / 100
    minimums = torch.rand(rows, columns // group, generator=draw) / 10 if minimum else None
    return PackedWeight.pack(codes, scales, minimums, bits=bits, zero=0 if minimum else 1 << (bits - 1))


@given(shape=shapes, bits=st.sampled_from([4, 6, 8]), group=st.sampled_from([16, 32]), seed=st.integers(0, 99))
def test_packing_loses_nothing(shape: tuple[int, int], bits: int, group: int, seed: int) -> None:
    draw = torch.Generator().manual_seed(seed)
    codes = torch.randint(0, 1 << bits, shape, dtype=torch.uint8, generator=draw)
    scales = torch.rand(shape[0], shape[1] // group, generator=draw).half()
    packed = PackedWeight.pack(codes, scales, None, bits=bits, zero=0)
    assert packed.codes.nbytes == -(-shape[0] // 16) * 16 * shape[1] * bits // 8
    assert torch.equal(packed.unpacked_codes(), codes)
    assert torch.equal(packed.groups_of(packed.scales), scales.float())


@given(shape=shapes, bits=st.sampled_from([4, 6, 8]), group=st.sampled_from([16, 32]), minimum=st.booleans())
def test_rows_are_those_of_the_whole_matrix(shape: tuple[int, int], bits: int, group: int, minimum: bool) -> None:
    packed = random_weight(*shape, bits, group, minimum)
    ids = torch.arange(shape[0]).flip(0).repeat(2).view(2, -1)
    assert torch.equal(packed.take_rows(ids), packed.dequantize()[ids])


@given(rows=st.integers(1, 100), tiles=st.integers(1, 3))
def test_slices_are_the_whole(rows: int, tiles: int) -> None:
    packed = random_weight(rows, 32, 6, 16, True)
    assert torch.equal(torch.cat([part.dequantize() for part in packed.slices(tiles)]), packed.dequantize())


def test_what_a_code_means() -> None:
    codes = torch.arange(32, dtype=torch.uint8).remainder(16).repeat(2, 1)
    symmetric = PackedWeight.pack(codes, torch.tensor([[0.5], [2.0]]), None, bits=4, zero=8)
    assert torch.equal(symmetric.dequantize(), (codes.float() - 8) * torch.tensor([[0.5], [2.0]]))
    asymmetric = PackedWeight.pack(codes, torch.ones(2, 1), torch.tensor([[3.0], [0.25]]), bits=4, zero=0)
    assert torch.equal(asymmetric.dequantize(), codes - torch.tensor([[3.0], [0.25]]))


@pytest.mark.parametrize("spread", [1e-6, 1.0, 1e3])
def test_floats_are_rounded_to_half_a_step(spread: float) -> None:
    values = torch.randn(20, 64, generator=torch.Generator().manual_seed(1)) * spread
    step = values.abs().view(20, 2, 32).amax(-1, keepdim=True) / 127
    error = (round_to_bits(values, 8).dequantize() - values).view(20, 2, 32).abs()
    assert (error <= 0.6 * step + 1e-6).all()  # 0.5, and the rounding of the scale to float16


def test_zeros_stay_zeros() -> None:
    assert torch.equal(round_to_bits(torch.zeros(3, 32), 8).dequantize(), torch.zeros(3, 32))
