"""The native attention kernel equals its plain twin, over random views, shapes and extras."""

from __future__ import annotations

from dataclasses import dataclass, replace

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.reasoning.tiny_models import tiny_model
from voice_agent.errors import UnusableInput
from voice_agent.reasoning import attention_kernels
from voice_agent.reasoning.attention_kernels import (
    AttentionKernel,
    NativeAttention,
    PlainAttention,
    Scoring,
    choose_attention,
)
from voice_agent.reasoning.cache_block import CacheArena, CacheBlock
from voice_agent.reasoning.cache_view import View, read_spans
from voice_agent.reasoning.packed.native_build import load_native
from voice_agent.reasoning.rotation import Kind, Layout, Rotation
from voice_agent.reasoning.step_plan import RowStep, StepPlan, lay_out, plan_step
from voice_agent.reasoning.token_stepper import TokenStepper


@dataclass(frozen=True)
class Shape:
    """One attention layer, and the step that it is asked for."""

    kv_heads: int = 2
    group: int = 6
    dim: int = 128
    value_dim: int = 128
    rotary_dim: int | None = None  # all of dim; 0: a layer without positions
    rotary_at_end: bool = False
    interleaved: bool = False
    shared: tuple[int, ...] = (31, 200)  # lengths of blocks that all rows read
    own: tuple[int, ...] = (5, 17)  # length of each row's own block
    counts: tuple[int, ...] = (1, 1)  # new tokens of each row
    dtype: torch.dtype = torch.float32
    sliding_window: int | None = None
    softcap: float | None = None
    sinks: bool = False
    across: bool = False  # queries and keys as (tokens, heads, dim) seen across, as models hand them over


@pytest.fixture(scope="module")
def native() -> AttentionKernel:
    if load_native() is None:
        pytest.skip("the native kernel is not built here (scripts/setup builds it)")
    return choose_attention("native")


def shapes() -> st.SearchStrategy[Shape]:
    rows = st.integers(1, 3)
    dims = st.sampled_from([16, 24, 64, 80, 96, 128, 256])
    return rows.flatmap(
        lambda n: st.builds(
            Shape,
            kv_heads=st.integers(1, 3),
            group=st.integers(1, 8),
            dim=dims,
            value_dim=dims,
            rotary_dim=st.sampled_from([None, 0, 4, 8, 16]),
            rotary_at_end=st.booleans(),
            interleaved=st.booleans(),
            shared=st.lists(st.integers(0, 300), max_size=5).map(tuple),
            own=st.tuples(*[st.integers(0, 90)] * n),
            counts=st.tuples(*[st.one_of(st.just(1), st.integers(1, 70))] * n),
            sliding_window=st.one_of(st.none(), st.integers(1, 200)),
            softcap=st.one_of(st.none(), st.floats(0.5, 50)),
            sinks=st.booleans(),
            across=st.booleans(),
        )
    )


def attend(shape: Shape, kernel: AttentionKernel, seed: int = 0) -> tuple[torch.Tensor, CacheArena]:
    """What the kernel gives for a step of random keys, values and queries; the arena holds the new ones then."""
    torch.manual_seed(seed)
    arena = CacheArena()
    shared = [block_of(arena, length) for length in shape.shared]
    views = [View((*shared, block_of(arena, length))) for length in shape.own]
    for view, count in zip(views, shape.counts, strict=True):
        view.own.reserve(count)
    n = sum(shape.counts)
    key, value = drawn(shape, shape.kv_heads, n, shape.dim), drawn(shape, shape.kv_heads, n, shape.value_dim)
    query = drawn(shape, shape.kv_heads * shape.group, n, shape.dim)
    for stored in arena.layer_for(0, key, value):
        stored.copy_(torch.randn(stored.shape))
    sinks = torch.randn(shape.kv_heads * shape.group) * 3 if shape.sinks else None
    scoring = Scoring(shape.dim**-0.5 * 3, shape.sliding_window, shape.softcap, sinks)
    return kernel.attend(plan_of(shape, arena, views), 0, query, key, value, scoring), arena


def block_of(arena: CacheArena, length: int) -> CacheBlock:
    block = arena.new_block("")
    block.reserve(length)
    block.tokens = [0] * length
    return block


def drawn(shape: Shape, heads: int, tokens: int, dim: int) -> torch.Tensor:
    """(heads, tokens, dim)"""
    if shape.across:
        return torch.randn(tokens, heads, dim).to(shape.dtype).transpose(0, 1)
    return torch.randn(heads, tokens, dim).to(shape.dtype)


def plan_of(shape: Shape, arena: CacheArena, views: list[View]) -> StepPlan:
    turning = shape.dim if shape.rotary_dim is None else shape.rotary_dim
    layout = Layout(shape.dim - turning if shape.rotary_at_end else 0, shape.interleaved)
    rotation = Rotation([Kind(10000.0 ** -torch.linspace(0, 1, turning // 2), layout)], {0: 0})
    rows = [RowStep([0] * count, read_spans(view)) for count, view in zip(shape.counts, views, strict=True)]
    return plan_step(arena, lay_out(rows, rotation), rotation, rotation.device)


def assert_equal(shape: Shape, native: AttentionKernel, tolerance: float) -> None:
    got, arena = attend(shape, native)
    expected, expected_arena = attend(shape, PlainAttention())
    assert got.shape == expected.shape
    assert got.dtype == expected.dtype
    assert float((got.float() - expected.float()).norm() / expected.float().norm()) <= tolerance
    empty = torch.empty(0)
    for stored, wanted in zip(arena.layer_for(0, empty, empty), expected_arena.layer_for(0, empty, empty), strict=True):
        assert torch.equal(stored, wanted)


@pytest.mark.parametrize(
    "shape",
    [
        Shape(),
        Shape(counts=(64, 1), across=True),
        Shape(shared=(900, 1100, 3, 0, 2000), counts=(1, 3), own=(700, 0)),
        Shape(shared=(900, 0, 40), sliding_window=128, counts=(70, 1)),
        Shape(kv_heads=1, group=60, dim=64, value_dim=512, own=(9,), counts=(3,)),
        Shape(rotary_dim=64, interleaved=True),
        Shape(kv_heads=8, group=1, dim=192, value_dim=128, rotary_dim=64, rotary_at_end=True),
        Shape(rotary_dim=0),
    ],
)
def test_native_equals_plain(shape: Shape, native: AttentionKernel) -> None:
    assert_equal(shape, native, 1e-5)


@settings(max_examples=150)
@given(shape=shapes())
def test_native_equals_plain_over_random_views(shape: Shape, native: AttentionKernel) -> None:
    assert_equal(shape, native, 1e-5)


@settings(max_examples=30)
@given(shape=shapes())
def test_native_equals_plain_in_bfloat16(shape: Shape, native: AttentionKernel) -> None:
    """Both compute in float32, so that they differ by the last rounding only."""
    assert_equal(replace(shape, dtype=torch.bfloat16), native, 3e-3)


def test_the_number_of_threads_changes_no_bit(native: AttentionKernel) -> None:
    shape = Shape(shared=(900, 1100), counts=(1, 60))
    before = torch.get_num_threads()
    try:
        results = []
        for threads in (1, 2, 3):
            torch.set_num_threads(threads)
            results.append(attend(shape, native)[0])
    finally:
        torch.set_num_threads(before)
    assert torch.equal(results[0], results[1])
    assert torch.equal(results[0], results[2])


def test_types_that_native_does_not_know_go_to_the_plain_twin(native: AttentionKernel) -> None:
    shape = Shape(dtype=torch.float64)
    assert torch.equal(attend(shape, native)[0], attend(shape, PlainAttention())[0])


@pytest.mark.parametrize("name", ["plain", "torch"])
def test_native_can_be_switched_off_by_name(name: str) -> None:
    assert TokenStepper(tiny_model("llama"), name).attention.name == "plain"


def test_auto_is_native_where_it_was_built(native: AttentionKernel) -> None:
    assert isinstance(choose_attention("auto"), NativeAttention)


def test_without_a_library_auto_is_plain_and_native_says_what_to_do(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(attention_kernels, "load_native", lambda: None)
    assert choose_attention("auto").name == "plain"
    with pytest.raises(UnusableInput, match=r"run './scripts/setup'"):
        choose_attention("native")
