"""Models whose keys cannot stay where they are get an error that says why; the others pass the self-check."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import nn
from transformers import AutoConfig, AutoModelForCausalLM

from tests.reasoning.tiny_models import tiny_model
from voice_agent.reasoning.rotation import UnsupportedModel
from voice_agent.reasoning.self_check import check_blocks_equal_whole, tolerance_of
from voice_agent.reasoning.token_stepper import TokenStepper


def checked(model: Any) -> None:
    check_blocks_equal_whole(TokenStepper(model, "plain"))


def rope(kind: str, **more: float) -> dict[str, Any]:
    return {"rope_parameters": {"rope_type": kind, "rope_theta": 10000.0, "factor": 2.0, **more}}


@pytest.mark.parametrize(
    ("kind", "changes"),
    [
        ("llama", {}),
        ("llama", rope("linear")),
        ("llama", rope("yarn", original_max_position_embeddings=64)),
        ("mistral", {"sliding_window": 7}),
        ("qwen2", {}),
        ("qwen3", {}),
        ("phi3", {}),
        ("stablelm", {}),  # rotates a part of each head
        ("olmo2", {}),
        ("granite", {}),
    ],
)
def test_supported(kind: str, changes: dict[str, Any]) -> None:
    checked(tiny_model(kind, **changes))


@pytest.mark.parametrize(
    ("kind", "changes", "sentence"),
    [
        ("llama", rope("dynamic"), "llama: rope type 'dynamic' changes its frequencies with length"),
        (
            "glm",
            {},
            "glm: over shared blocks its logits differ from the whole text's",
        ),  # rotates neighbours, not halves
        ("cohere", {}, "cohere: over shared blocks its logits differ"),
        ("gemma3_text", {}, "gemma3_text: found 1 rotary modules with plain frequencies, expected one"),
    ],
)
def test_refused(kind: str, changes: dict[str, Any], sentence: str) -> None:
    with pytest.raises(UnsupportedModel, match=sentence):
        checked(tiny_model(kind, **changes))


def test_a_model_without_rotations() -> None:
    config = AutoConfig.for_model("gpt2", vocab_size=211, n_embd=64, n_layer=2, n_head=4)
    with pytest.raises(UnsupportedModel, match="gpt2: found 0 rotary modules"):
        checked(AutoModelForCausalLM.from_config(config).eval())


def test_a_model_is_checked_once_for_each_kernel(monkeypatch: pytest.MonkeyPatch) -> None:
    model, calls = tiny_model("llama"), []
    stepper = TokenStepper(model, "plain")
    model.register_forward_hook(lambda *_: calls.append(1))
    check_blocks_equal_whole(stepper)
    first = len(calls)
    check_blocks_equal_whole(TokenStepper(model, "plain"))
    assert (first, len(calls)) == (4, 4)
    stepper.attention.name = "another"  # type: ignore[misc]
    check_blocks_equal_whole(stepper)
    assert len(calls) == 8


def test_a_failed_check_fails_again() -> None:
    model = tiny_model("glm")
    for _ in range(2):
        with pytest.raises(UnsupportedModel, match="differ"):
            checked(model)


def test_logits_that_are_no_numbers_are_refused() -> None:
    model = tiny_model("llama")
    model.lm_head.weight = nn.Parameter(torch.full_like(model.lm_head.weight, float("nan")), requires_grad=False)
    with pytest.raises(UnsupportedModel, match="differ from the whole text's by nan"):
        checked(model)


@pytest.mark.parametrize(("dtype", "allowed"), [(torch.float32, 1e-4), (torch.float16, 2e-2), (torch.bfloat16, 5e-2)])
def test_rounding_is_allowed_for_by_dtype(dtype: torch.dtype, allowed: float) -> None:
    assert tolerance_of(tiny_model("llama").to(dtype)) == allowed
