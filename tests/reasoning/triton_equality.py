"""The Triton kernel equals its plain twin, over random views, shapes and extras: on a GPU, or interpreted on the CPU.

Triton reads TRITON_INTERPRET when it is first imported, and most of torch's users import it, so this file has a process
of its own: test_triton_attention.py runs it interpreted, scripts/check_gpu on a GPU.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.reasoning.recorded_step import ByTables
from tests.reasoning.test_attention_kernels import Shape, assert_equal, attend, drawn
from tests.reasoning.test_blocks_equal_whole import YARN, relative_error
from tests.reasoning.test_step_graph import TINY, VIEWS, Conversation, recorded
from tests.reasoning.tiny_models import tiny_model
from voice_agent.reasoning.attention_kernels import AttentionKernel, PlainAttention, choose_attention
from voice_agent.reasoning.cache_block import CacheArena
from voice_agent.reasoning.cache_view import View
from voice_agent.reasoning.step_plan import StepPlan
from voice_agent.reasoning.token_stepper import Row, TokenStepper

REPEATABLE = settings(derandomize=True, deadline=None, database=None)


@pytest.fixture(scope="module")
def kernel() -> AttentionKernel:
    return choose_attention("triton")


@pytest.fixture(scope="module", autouse=True)
def on_the_gpu_where_there_is_one() -> Iterator[None]:
    with torch.device("cuda" if torch.cuda.is_available() else "cpu"):
        yield


def shapes() -> st.SearchStrategy[Shape]:
    """As for the native kernel, with few different dimensions (each costs a compilation) and shorter blocks."""
    dims = st.sampled_from([64, 80, 128])
    return st.integers(1, 3).flatmap(
        lambda rows: st.builds(
            Shape,
            kv_heads=st.integers(1, 2),
            group=st.integers(1, 5),
            dim=dims,
            value_dim=dims,
            rotary_dim=st.sampled_from([None, 0, 32]),
            rotary_at_end=st.booleans(),
            interleaved=st.booleans(),
            shared=st.lists(st.integers(0, 100), max_size=5).map(tuple),
            own=st.tuples(*[st.integers(0, 90)] * rows),
            counts=st.tuples(*[st.one_of(st.just(1), st.integers(1, 20))] * rows),
            sliding_window=st.one_of(st.none(), st.integers(1, 200)),
            softcap=st.one_of(st.none(), st.floats(0.5, 50)),
            sinks=st.booleans(),
            across=st.booleans(),
        )
    )


EXAMPLES = {
    "decode": Shape(group=3),
    "one row of one token with nothing to read": Shape(shared=(), own=(0,), counts=(1,)),
    "llama": Shape(kv_heads=4, group=4, dim=64, value_dim=64),
    "injection beside decode": Shape(group=2, counts=(1, 12)),
    "prefill": Shape(kv_heads=1, group=2, shared=(90,), own=(70,), counts=(64,), across=True),
    "three rows, many blocks": Shape(
        kv_heads=1, group=5, shared=(70, 1, 3, 0, 90) * 4, own=(0, 9, 33), counts=(1, 1, 8)
    ),
    "partial rotation": Shape(rotary_dim=32, dim=80, value_dim=80),
    "wide heads": Shape(kv_heads=1, group=2, dim=256, value_dim=256, counts=(1, 20)),
    "interleaved rotation": Shape(interleaved=True, rotary_dim=64, counts=(2, 1)),
    "no rotation": Shape(rotary_dim=0),
    "dimensions apart, rotation at the end": Shape(
        kv_heads=4, group=1, dim=192, value_dim=128, rotary_dim=64, rotary_at_end=True
    ),
    "window": Shape(kv_heads=1, group=2, shared=(300, 0, 40), sliding_window=128, counts=(40, 1)),
    "window of one": Shape(sliding_window=1, counts=(5, 1)),
    "softcap": Shape(softcap=30.0, counts=(3, 1)),
    "sinks": Shape(sinks=True, sliding_window=128),
}


@pytest.mark.parametrize("shape", EXAMPLES.values(), ids=EXAMPLES)
def test_triton_equals_plain(shape: Shape, kernel: AttentionKernel) -> None:
    assert_equal(shape, kernel, 1e-5)


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16])
@pytest.mark.parametrize("example", ["decode", "prefill", "wide heads"])
def test_triton_equals_plain_in_half_precision(example: str, dtype: torch.dtype, kernel: AttentionKernel) -> None:
    assert_equal(replace(EXAMPLES[example], dtype=dtype), kernel, 3e-3)


@settings(REPEATABLE, max_examples=20)
@given(shape=shapes())
def test_triton_equals_plain_over_random_views(shape: Shape, kernel: AttentionKernel) -> None:
    assert_equal(shape, kernel, 1e-5)


@settings(REPEATABLE, max_examples=8)
@given(shape=shapes())
def test_triton_equals_plain_in_bfloat16(shape: Shape, kernel: AttentionKernel) -> None:
    """Both compute in float32, so that they differ by the last rounding only."""
    assert_equal(replace(shape, dtype=torch.bfloat16), kernel, 3e-3)


@pytest.mark.parametrize("shape", [Shape(dtype=torch.float64), Shape(kv_heads=1, value_dim=512)])
def test_what_triton_does_not_know_goes_to_the_other_kernel(shape: Shape, kernel: AttentionKernel) -> None:
    assert_equal(shape, kernel, 1e-5)
    assert drawn(shape, 1, 1, shape.dim).dtype == attend(shape, kernel)[0].dtype


@pytest.mark.parametrize(("kind", "changes"), [("llama", YARN), ("mistral", {"sliding_window": 7})])
def test_a_model_gives_the_same_logits(kind: str, changes: dict[str, Any]) -> None:
    """Two rows over a shared block: a text in chunks, words beside a token, a token each."""
    got, expected = (logits_of_steps(TokenStepper(tiny_model(kind, **changes), name)) for name in ("triton", "plain"))
    assert relative_error(got, expected) <= 1e-5


def logits_of_steps(stepper: TokenStepper) -> torch.Tensor:
    arena = CacheArena()
    text, thoughts, spoken = (arena.new_block(name) for name in ("text", "thoughts", "spoken"))
    stepper.step([Row(View((text,)), range(20, 40))])
    thinker, writer = View((text, thoughts)), View((text, thoughts, spoken))
    steps = [[Row(thinker, range(50, 62)), Row(writer, [7])], [Row(thinker, [8]), Row(writer, [9])]]
    return torch.cat([stepper.step(rows) for rows in steps])


def test_replayed_steps_give_the_logits_of_eager_ones(kernel: AttentionKernel) -> None:
    """On a GPU out of CUDA graphs, on the CPU out of a recording: streams grow, one is cut, a block moves."""
    model = tiny_model("qwen3", **TINY, num_attention_heads=2, num_key_value_heads=1)
    stepper = TokenStepper(model, "triton")
    if stepper.graphs is None:
        stepper, _ = recorded(model, ByTables(kernel))
    eager, replayed = conversations = Conversation(TokenStepper(model, "plain")), Conversation(stepper)
    for conversation in conversations:
        conversation.step([(("preamble",), [5] * 9, 0), (("user",), [7] * 30, 0)])
    for step in range(4):
        for streams in (["thoughts"], ["thoughts", "spoken"]):
            rows = [(VIEWS[stream], [11 + step], 1) for stream in streams]
            assert relative_error(replayed.step(rows), eager.step(rows)) <= 1e-4
        for conversation in conversations:
            conversation.cut("spoken", 0.5)
            conversation.step([(("preamble", "user"), [8], 0)])
    assert stepper.graphs is not None
    assert stepper.graphs.captured(replayed.arena) == 3


def test_rows_of_the_tables_that_hold_nothing_change_nothing(kernel: AttentionKernel) -> None:
    """A captured step keeps tables of a fixed size; rows without tokens fill them up."""

    class WithEmptyRow:
        name = "with an empty row"

        def attend(self, plan: StepPlan, *arguments: Any) -> torch.Tensor:
            empty = plan.row_table.new_tensor([[0, 0, len(plan.span_table), len(plan.span_table)]])
            filled = torch.cat((plan.row_table[:1], empty, plan.row_table[1:], empty, empty))
            return kernel.attend(replace(plan, tables=plan.tables._replace(row_table=filled)), *arguments)

    shape = Shape(counts=(3, 1))
    assert torch.allclose(attend(shape, WithEmptyRow())[0], attend(shape, PlainAttention())[0], atol=1e-5)
