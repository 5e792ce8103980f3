"""A model that transformers spreads over devices reads blocks as it does on one.

Real movement on a machine without GPUs: accelerate keeps layers in files and brings each in when it is called.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch
from transformers import AutoModelForCausalLM

from voice_agent.errors import UnusableInput
from voice_agent.reasoning import model_loading
from voice_agent.reasoning.cache_block import CacheArena
from voice_agent.reasoning.cache_view import View, read_spans
from voice_agent.reasoning.model_loading import load_language_model
from voice_agent.reasoning.self_check import check_blocks_equal_whole
from voice_agent.reasoning.step_plan import RowStep, lay_out, plan_step
from voice_agent.reasoning.token_stepper import Row, TokenStepper
from voice_agent.settings import Reasoning

from .test_rounded_models import folder_of
from .tiny_models import tiny_model

MAPS: dict[str, Any] = {
    "all in memory": {"": "cpu"},
    "layers in files": {
        "model.embed_tokens": "cpu",
        "model.rotary_emb": "cpu",
        "model.layers.0": "cpu",
        "model.layers.1": "disk",
        "model.layers.2": "disk",
        "model.norm": "cpu",
        "lm_head": "disk",
    },
    "token table in a file": {"model.embed_tokens": "disk", "model.rotary_emb": "cpu", "model.layers": "cpu"}
    | {"model.norm": "cpu", "lm_head": "cpu"},
}
TEXT = list(range(20, 40))


def chosen_tokens(stepper: TokenStepper) -> tuple[list[list[int]], torch.Tensor]:
    """Twenty greedy steps of two rows over a shared block, and the last logits."""
    arena = CacheArena()
    text, thoughts, spoken = (arena.new_block(name) for name in ("text", "thoughts", "spoken"))
    stepper.step([Row(View((text,)), TEXT)])
    views, pending, chosen = (View((text, thoughts)), View((text, thoughts, spoken))), [7, 9], []
    for _ in range(20):
        logits = stepper.step([Row(view, [token]) for view, token in zip(views, pending, strict=True)])
        pending = logits.argmax(-1).tolist()
        chosen.append(pending)
    return chosen, logits


@pytest.mark.parametrize("device_map", MAPS.values(), ids=MAPS)
@pytest.mark.parametrize("kind", ["llama", "mistral"])
def test_the_same_tokens_as_on_one_device(kind: str, device_map: Any, tmp_path: Path) -> None:
    pytest.importorskip("accelerate")
    folder = folder_of(kind, tmp_path)
    whole = AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32)
    spread = AutoModelForCausalLM.from_pretrained(
        folder, dtype=torch.float32, device_map=device_map, offload_folder=tmp_path / "offloaded"
    )
    offloaded = {name for name, parameter in spread.named_parameters() if parameter.is_meta}
    assert bool(offloaded) == ("disk" in device_map.values())
    stepper = TokenStepper(spread)
    check_blocks_equal_whole(stepper)
    (chosen, logits), (expected, expected_logits) = chosen_tokens(stepper), chosen_tokens(TokenStepper(whole))
    assert chosen == expected
    assert torch.allclose(logits, expected_logits, atol=1e-5)
    assert {name for name, parameter in spread.named_parameters() if parameter.is_meta} == offloaded


def test_a_plan_is_moved_to_a_layers_device_once_a_step() -> None:
    stepper = TokenStepper(tiny_model("llama"))
    arena = CacheArena()
    view = View((arena.new_block("text"),))
    view.own.reserve(3)
    numbers = lay_out([RowStep([4, 5, 6], read_spans(view))], stepper.rotation)
    plan = plan_step(arena, numbers, stepper.rotation, torch.device("cpu"))
    assert plan.on(torch.device("cpu")) is plan
    moved = plan.on(torch.device("meta"))  # a device that any machine has
    assert moved is plan.on(torch.device("meta"))
    assert {tensor.device.type for tensor in (*moved.tables, *moved.turn(0))} == {"meta"}
    assert [table.shape for table in moved.tables] == [table.shape for table in plan.tables]


def test_the_setting_reaches_transformers(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("accelerate")
    folder = folder_of("llama", tmp_path)
    asked: list[Any] = []
    from_pretrained = AutoModelForCausalLM.from_pretrained

    def noting(*arguments: Any, **named: Any) -> Any:
        asked.append(named["device_map"])
        return from_pretrained(*arguments, **named)

    monkeypatch.setattr(AutoModelForCausalLM, "from_pretrained", noting)
    assert load_language_model(folder, settings=Reasoning(device_map="auto")).facts.device == "cpu"
    assert load_language_model(folder, settings=Reasoning()).facts.device == "cpu"
    assert asked == ["auto", None]
    with pytest.raises(UnusableInput, match="device_map"):
        load_language_model(folder, settings=Reasoning(device_map="everywhere"))
    monkeypatch.setattr(model_loading, "find_spec", lambda _: None)
    with pytest.raises(UnusableInput, match="pip install accelerate"):
        load_language_model(folder, settings=Reasoning(device_map="auto"))
