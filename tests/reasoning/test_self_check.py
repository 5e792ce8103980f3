"""The self-check: what would reason wrongly is refused, and a model is asked once."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
import torch
from torch import nn

from tests.reasoning.architectures import EXPERTS
from tests.reasoning.tiny_models import tiny_model
from voice_agent.reasoning.rotation import Layout, Rotation, UnsupportedModel
from voice_agent.reasoning.self_check import check_blocks_equal_whole, tolerance_of
from voice_agent.reasoning.token_stepper import TokenStepper


def checked(model: Any) -> None:
    check_blocks_equal_whole(TokenStepper(model, "plain"))


def wrongly(rotation: Rotation, **changes: Any) -> Rotation:
    return Rotation([replace(kind, **changes) for kind in rotation.kinds], rotation.layers)


@pytest.mark.parametrize(
    "mistake",
    [
        lambda found: wrongly(found, layout=Layout(interleaved=True)),
        lambda found: wrongly(found, layout=Layout(start=1), frequencies=found.kinds[0].frequencies[1:]),
        lambda found: wrongly(found, frequencies=-found.kinds[0].frequencies),
        lambda found: wrongly(found, frequencies=found.kinds[0].frequencies * 1.01),
        lambda found: wrongly(found, frequencies=found.kinds[0].frequencies[:0]),
    ],
    ids=["layout", "start", "direction", "frequencies", "none"],
)
def test_a_wrong_rotation_is_caught_however_often_it_is_checked(mistake: Callable[[Rotation], Rotation]) -> None:
    stepper = TokenStepper(tiny_model("llama"), "plain")
    stepper.rotation = mistake(stepper.rotation)
    for _ in range(2):
        with pytest.raises(UnsupportedModel, match="llama: over shared blocks its logits differ from the whole text's"):
            check_blocks_equal_whole(stepper)


@pytest.mark.parametrize(("dtype", "allowed"), [(torch.float32, 1e-4), (torch.float16, 2e-1), (torch.bfloat16, 2e-1)])
def test_where_rounding_may_choose_another_expert_a_wrong_rotation_is_caught_still(
    dtype: torch.dtype, allowed: float
) -> None:
    model = tiny_model("qwen3_moe", **EXPERTS).to(dtype)
    assert tolerance_of(model) == allowed
    checked(model)
    stepper = TokenStepper(tiny_model("qwen3_moe", **EXPERTS).to(dtype), "plain")
    stepper.rotation = wrongly(stepper.rotation, layout=Layout(interleaved=True))
    with pytest.raises(UnsupportedModel, match="differ from the whole text's"):
        check_blocks_equal_whole(stepper)


def test_a_model_is_checked_once_for_each_kernel(monkeypatch: pytest.MonkeyPatch) -> None:
    model, calls = tiny_model("llama"), []
    stepper = TokenStepper(model, "plain")
    model.register_forward_hook(lambda *_: calls.append(1))
    check_blocks_equal_whole(stepper)
    first = len(calls)
    check_blocks_equal_whole(TokenStepper(model, "plain"))
    assert len(calls) == first + 1  # the second stepper asks how the model rotates
    stepper.attention.name = "another"  # type: ignore[misc]
    check_blocks_equal_whole(stepper)
    assert len(calls) > first + 1


def test_logits_that_are_no_numbers_are_refused() -> None:
    model = tiny_model("llama")
    model.lm_head.weight = nn.Parameter(torch.full_like(model.lm_head.weight, float("nan")), requires_grad=False)
    with pytest.raises(UnsupportedModel, match="differ from the whole text's by nan"):
        checked(model)


@pytest.mark.parametrize(("dtype", "allowed"), [(torch.float32, 1e-4), (torch.float16, 2e-2), (torch.bfloat16, 5e-2)])
def test_rounding_is_allowed_for_by_dtype(dtype: torch.dtype, allowed: float) -> None:
    assert tolerance_of(tiny_model("llama").to(dtype)) == allowed
