"""The Triton kernel of packed linears equals the plain one: on a GPU, or interpreted on the CPU.

In a process of its own for the reason given in triton_equality.py: test_triton_linears.py runs it interpreted,
scripts/check_gpu on a GPU.
"""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.reasoning.test_packed_layout import random_weight
from tests.reasoning.test_rounded_models import folder_of
from tests.reasoning.test_rounded_models import settings as rounded
from tests.reasoning.triton_equality import logits_of_steps
from voice_agent.reasoning.model_loading import load_language_model
from voice_agent.reasoning.packed.kernels import PlainKernel, choose_kernel
from voice_agent.reasoning.packed.layout import PackedWeight
from voice_agent.reasoning.packed.linears import PackedEmbedding, PackedLinear
from voice_agent.reasoning.packed.triton_linears import DECODE_TOKENS, TritonKernel
from voice_agent.reasoning.token_stepper import TokenStepper

REPEATABLE = settings(derandomize=True, deadline=None, database=None)
KINDS = [  # bits, group, minimum
    (4, 32, True),
    (4, 32, False),
    (4, 16, True),
    (6, 32, True),
    (6, 16, False),
    (8, 32, False),
    (8, 16, True),
]


@pytest.fixture(scope="module")
def kernel() -> TritonKernel:
    found = choose_kernel("triton")
    assert isinstance(found, TritonKernel)
    return found


def relative_error(kernel: TritonKernel, weight: PackedWeight, x: torch.Tensor, bias: torch.Tensor | None) -> float:
    torch.backends.cuda.matmul.allow_tf32 = False
    plain = PlainKernel(kernel.device)
    x, bias = x.to(kernel.device), None if bias is None else bias.to(kernel.device)
    expected = plain.multiply(x.float(), plain.prepare(weight.to(kernel.device)), bias)
    found = kernel.multiply(x, kernel.prepare(weight), bias)
    assert found.dtype == x.dtype
    assert found.shape == expected.shape
    return float((found.float() - expected).norm() / expected.norm())


def inputs(tokens: int, columns: int, seed: int = 0) -> torch.Tensor:
    x = torch.randn(tokens, columns, generator=torch.Generator().manual_seed(seed))
    x[:, : columns // 2] += 3  # activations need not lie around zero
    return x


@pytest.mark.parametrize("tokens", [1, 2, 3, DECODE_TOKENS, DECODE_TOKENS + 1, 8, 33])
@pytest.mark.parametrize("kind", KINDS, ids=str)
def test_triton_equals_plain(kind: tuple[int, int, bool], tokens: int, kernel: TritonKernel) -> None:
    weight = random_weight(40, 160, *kind)
    bias = torch.randn(40, generator=torch.Generator().manual_seed(3)) * 10
    assert relative_error(kernel, weight, inputs(tokens, 160), bias) <= 1e-5


@settings(REPEATABLE, max_examples=15)
@given(
    kind=st.sampled_from(KINDS),
    rows=st.integers(1, 90),
    blocks=st.integers(1, 40),
    tokens=st.one_of(st.integers(1, DECODE_TOKENS), st.integers(1, 40)),
    biased=st.booleans(),
    seed=st.integers(0, 99),
)
def test_triton_equals_plain_at_any_size(
    kind: tuple[int, int, bool], rows: int, blocks: int, tokens: int, biased: bool, seed: int, kernel: TritonKernel
) -> None:
    weight = random_weight(rows, 32 * blocks, *kind, seed=seed)
    bias = torch.ones(rows) if biased else None
    assert relative_error(kernel, weight, inputs(tokens, 32 * blocks, seed), bias) <= 1e-5


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16])
@pytest.mark.parametrize("kind", [(4, 32, True), (6, 16, False), (8, 32, False)], ids=str)
@pytest.mark.parametrize("tokens", [2, 20])
def test_triton_equals_plain_in_half_precision(
    tokens: int, kind: tuple[int, int, bool], dtype: torch.dtype, kernel: TritonKernel
) -> None:
    """The result is rounded to x's type, and in prefill the weights are."""
    assert relative_error(kernel, random_weight(64, 256, *kind), inputs(tokens, 256).to(dtype), None) <= 5e-3


def test_a_row_of_tokens_gets_the_same_alone_and_beside_others(kernel: TritonKernel) -> None:
    weight, x = kernel.prepare(random_weight(64, 512, 4, 32, True)), inputs(4, 512).to(kernel.device)
    together = kernel.multiply(x, weight, None)
    assert torch.equal(together, torch.cat([kernel.multiply(row[None], weight, None) for row in x]))


def test_modules(kernel: TritonKernel) -> None:
    weight = random_weight(37, 64, 8, 32, False)
    x = inputs(6, 64).view(2, 3, 64).to(kernel.device)
    assert PackedLinear(weight, None, kernel)(x).shape == (2, 3, 37)
    table = PackedEmbedding(weight.to(kernel.device), torch.bfloat16)
    ids = torch.tensor([[0, 36, 7]], device=kernel.device)
    assert torch.equal(table(ids).cpu(), weight.dequantize()[[0, 36, 7]][None].bfloat16())


@pytest.mark.parametrize("weights", ["int8", "int4"])
def test_a_loaded_model_gives_the_same_logits(weights: str, tmp_path: Path) -> None:
    """Token table, output layer, prefill and decode steps over blocks, attention in Triton too."""
    folder = folder_of("qwen2", tmp_path)
    fast, plain = (
        TokenStepper(load_language_model(folder, settings=rounded(weights, kernel, dtype="float32")).model, kernel)
        for kernel in ("triton", "plain")
    )
    assert any(isinstance(module, PackedLinear) for module in fast.model.modules())
    expected = logits_of_steps(plain)
    assert float((logits_of_steps(fast) - expected).norm() / expected.norm()) <= 1e-5


@pytest.mark.skipif(not torch.cuda.is_available(), reason="a CUDA graph needs a GPU")
@pytest.mark.parametrize("tokens", [1, 3, 12])
def test_a_graph_can_hold_it(tokens: int, kernel: TritonKernel) -> None:
    weight, x = kernel.prepare(random_weight(64, 512, 4, 32, True)), inputs(tokens, 512).to(kernel.device)
    expected = kernel.multiply(x, weight, None)
    graph = torch.cuda.CUDAGraph()
    with torch.cuda.graph(graph):
        found = kernel.multiply(x, weight, None)
    graph.replay()
    assert torch.equal(found, expected)
