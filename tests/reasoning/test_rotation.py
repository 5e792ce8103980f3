"""Rotations compose, in every layout; a query turned further meets keys where they stand."""

from __future__ import annotations

import pytest
import torch

from voice_agent.errors import UnusableInput
from voice_agent.reasoning.cache_block import CacheArena
from voice_agent.reasoning.cache_view import ReadSpan
from voice_agent.reasoning.rotation import Bound, Kind, Layout, Rotation, rotate
from voice_agent.reasoning.step_plan import RowStep, lay_out, plan_step

FREQUENCIES = torch.tensor([1.0, 0.3, 0.02, 0.004])
LAYOUTS = [Layout(), Layout(interleaved=True), Layout(start=5), Layout(start=5, interleaved=True)]


def turned(x: torch.Tensor, positions: int, layout: Layout) -> torch.Tensor:
    ((cos, sin),) = Rotation([Kind(FREQUENCIES, layout)], {0: 0}).turns(torch.tensor([positions]))
    return rotate(x, cos, sin, layout)


@pytest.mark.parametrize("layout", LAYOUTS)
def test_a_pair_turns_as_one_complex_number(layout: Layout) -> None:
    x = torch.randn(3, 13)
    expected = x.clone()
    for i, frequency in enumerate(FREQUENCIES):
        one = layout.start + (2 * i if layout.interleaved else i)
        other = one + (1 if layout.interleaved else 4)
        z = torch.complex(x[:, one], x[:, other]) * torch.polar(torch.tensor(1.0), 7 * frequency)
        expected[:, one], expected[:, other] = z.real, z.imag
    assert torch.allclose(turned(x, 7, layout), expected, atol=1e-6)


@pytest.mark.parametrize("layout", LAYOUTS)
def test_rotations_compose_over_thousands_of_positions(layout: Layout) -> None:
    x = torch.randn(3, 13)
    assert torch.allclose(turned(turned(x, 30_001, layout), -29_990, layout), turned(x, 11, layout), atol=1e-6)


def test_each_layer_turns_in_its_own_way() -> None:
    kinds = [Kind(FREQUENCIES), Kind(FREQUENCIES * 0.1, Layout(2)), Kind(FREQUENCIES[:0])]
    rotation = Rotation(kinds, {0: 1, 1: 0, 2: 2})
    numbers = lay_out([RowStep([5], (ReadSpan(0, 3, 0, 3), ReadSpan(32, 0, 3, 0)))], rotation)
    plan = plan_step(CacheArena(), numbers, rotation, rotation.device)
    assert torch.allclose(plan.turn(0)[0], torch.stack((FREQUENCIES * 0.3, FREQUENCIES * 0)).cos())
    assert torch.allclose(plan.turn(1)[1], torch.stack((FREQUENCIES * 3, FREQUENCIES * 0)).sin())
    assert plan.turn(2)[0].shape == (2, 0)
    assert (plan.layout(0).start, plan.layout(1).start) == (2, 0)


def test_a_view_beyond_what_is_exact_is_refused() -> None:
    rotation = Rotation([Kind(FREQUENCIES)], {0: 0}, exact_to=Bound(100, "as is said"))
    spans = (ReadSpan(0, 90, 0, 90), ReadSpan(96, 8, 90, 0))
    lay_out([RowStep([5, 6], spans)], rotation)
    with pytest.raises(UnusableInput, match=r"a view of 101 tokens: .* to 100 \(as is said\); set .* to at most 100"):
        lay_out([RowStep([5], spans[:1]), RowStep([5, 6, 7], spans)], rotation)
