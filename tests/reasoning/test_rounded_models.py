"""A transformers model whose linears are rounded when it is loaded gives what those rounded weights give."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch
from torch import nn
from transformers import AutoModelForCausalLM

from voice_agent.errors import UnusableInput
from voice_agent.reasoning.model_loading import load_language_model
from voice_agent.reasoning.packed import rounding, transformers_source
from voice_agent.reasoning.packed.in_place import pack_in_place
from voice_agent.reasoning.packed.kernels import PlainKernel
from voice_agent.reasoning.packed.linears import PackedEmbedding, PackedLinear
from voice_agent.reasoning.packed.rounding import round_to_bits
from voice_agent.reasoning.packed.transformers_source import bits_of_parameters, packed_folder
from voice_agent.settings import Reasoning

from .tiny_models import tiny_model
from .tiny_tokenizer import tiny_tokenizer

FAMILIES: dict[str, dict[str, Any]] = {
    "llama": {},
    "qwen2": {"tie_word_embeddings": True},  # one table for both ends, and biases
    "gpt_neox": {"tie_word_embeddings": False},  # other names, one linear for query, key and value
    "gemma3_text": {"tie_word_embeddings": True},  # a table that scales what is looked up
    "deepseek_v3": {  # a bias of its router that is a buffer
        "num_key_value_heads": 4,
        "q_lora_rank": 32,
        "kv_lora_rank": 32,
        "qk_rope_head_dim": 16,
        "qk_nope_head_dim": 16,
        "v_head_dim": 16,
        "n_routed_experts": 4,
        "n_group": 1,
        "topk_group": 1,
        "num_experts_per_tok": 2,
        "moe_intermediate_size": 32,
        "first_k_dense_replace": 1,
    },
}
IDS = torch.tensor([[5, 17, 40, 3, 99, 120, 7]])


def folder_of(kind: str, where: Path, **changes: Any) -> Path:
    folder = where / kind
    tiny_model(kind, **FAMILIES.get(kind, {}), **changes).save_pretrained(folder)
    tiny_tokenizer().save_pretrained(folder)
    return folder


def settings(weights: str, kernel: str = "plain", **changes: Any) -> Reasoning:
    return Reasoning(weights=weights, kernel=kernel, **changes)  # type: ignore[arg-type]


def logits(model: Any) -> torch.Tensor:
    with torch.inference_mode():
        return model(IDS).logits[0].float()  # type: ignore[no-any-return]


def relative_error(found: torch.Tensor, expected: torch.Tensor) -> float:
    return float((found - expected).norm() / expected.norm())


@pytest.mark.parametrize("weights", ["int8", "int4"])
@pytest.mark.parametrize("kind", FAMILIES)
def test_equals_the_dense_model_with_rounded_weights(kind: str, weights: str, tmp_path: Path) -> None:
    folder = folder_of(kind, tmp_path)
    expected = AutoModelForCausalLM.from_pretrained(folder).eval()
    bits = bits_of_parameters(expected, weights)
    with torch.no_grad():
        if kind == "gemma3_text":  # its table scales, so it stays; the output layer is rounded nevertheless
            expected.lm_head.weight = nn.Parameter(expected.lm_head.weight.clone())
        for name, parameter in expected.named_parameters():
            if name in bits:
                parameter.copy_(round_to_bits(parameter, bits[name]).dequantize())
    found = load_language_model(folder, settings=settings(weights))
    packed = [module for module in found.model.modules() if isinstance(module, PackedLinear | PackedEmbedding)]
    assert len(packed) == len(bits) + ("model.embed_tokens.weight" in bits)
    assert relative_error(logits(found.model), logits(expected)) < 1e-5


@pytest.mark.parametrize("kind", FAMILIES)
def test_packing_in_place_is_the_same(kind: str, tmp_path: Path) -> None:
    loaded = load_language_model(folder_of(kind, tmp_path), settings=settings("int4"))
    own = AutoModelForCausalLM.from_pretrained(tmp_path / kind).eval()
    pack_in_place(own, "int4", PlainKernel())
    assert torch.allclose(logits(own), logits(loaded.model), atol=1e-5)
    assert not any(type(module) is nn.Linear for module in own.modules())


def test_the_output_layer_has_eight_bits_and_a_table_of_its_own_stays() -> None:
    bits = bits_of_parameters(tiny_model("llama"), "int4")
    assert bits.pop("lm_head.weight") == 8
    assert set(bits.values()) == {4}
    assert "model.embed_tokens.weight" not in bits
    tied = bits_of_parameters(tiny_model("llama", tie_word_embeddings=True), "int4")
    assert tied.pop("model.embed_tokens.weight") == 8
    assert "lm_head.weight" not in tied
    assert tied == bits


def test_linears_that_no_group_fits_stay_dense(tmp_path: Path) -> None:
    folder = folder_of("llama", tmp_path, hidden_size=64, intermediate_size=80)
    layer = load_language_model(folder, settings=settings("int4")).model.model.layers[0].mlp
    assert isinstance(layer.up_proj, PackedLinear)
    assert isinstance(layer.down_proj, nn.Linear)


def test_fast_kernels_agree_with_the_plain_one(tmp_path: Path) -> None:
    folder = folder_of("qwen2", tmp_path)
    plain, fast, of_torch = (
        load_language_model(folder, settings=settings("int8", kernel)).model for kernel in ("plain", "auto", "torch")
    )
    assert relative_error(logits(fast), logits(plain)) < 0.05
    assert relative_error(logits(of_torch), logits(plain)) < 0.05


def test_the_second_load_needs_no_checkpoint(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = folder_of("llama", tmp_path)
    first = load_language_model(folder, settings=settings("int4"))
    monkeypatch.setattr(transformers_source, "TransformersSource", None)
    assert torch.equal(logits(load_language_model(folder, settings=settings("int4")).model), logits(first.model))
    packed = tmp_path / "llama.int4.packed"
    assert torch.equal(
        logits(load_language_model(packed, settings=Reasoning(kernel="plain")).model), logits(first.model)
    )


@pytest.mark.parametrize("change", ["other weights", "other rounding"])
def test_a_stale_copy_is_made_anew(change: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = folder_of("llama", tmp_path)
    before = load_language_model(folder, settings=settings("int8"))
    if change == "other weights":
        folder_of("llama", tmp_path, initializer_range=0.1)
    else:
        monkeypatch.setattr(transformers_source, "ROUNDING_VERSION", rounding.ROUNDING_VERSION + 1)
    written = (tmp_path / "llama.int8.packed" / "packed.json").read_text()
    after = load_language_model(folder, settings=settings("int8"))
    assert (tmp_path / "llama.int8.packed" / "packed.json").read_text() != written
    assert torch.equal(logits(after.model), logits(before.model)) == (change == "other rounding")


def test_where_the_copy_lies(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("VOICE_AGENT_MODELS", str(tmp_path / "models"))
    folder = tmp_path / "theirs" / "llama"
    folder.mkdir(parents=True)
    assert packed_folder(folder, "int4", "") == tmp_path / "theirs" / "llama.int4.packed"
    monkeypatch.setattr(transformers_source.os, "access", lambda *_: False)
    assert packed_folder(folder, "int4", "").parent == tmp_path / "models" / "packed"
    of_hub = packed_folder("Qwen/Qwen3-8B", "int8", "0123456789abcdef")
    assert of_hub == tmp_path / "models" / "packed" / "Qwen--Qwen3-8B-0123456789ab.int8.packed"


def test_what_cannot_be_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UnusableInput, match="cannot load the language model"):
        load_language_model(tmp_path / "nothing", settings=settings("int4"))
    folder = folder_of("llama", tmp_path)
    with pytest.raises(UnusableInput, match="leave \\[reasoning\\] device_map empty"):
        load_language_model(folder, settings=settings("int4", device_map="auto"))


@pytest.mark.parametrize("draw", [torch.randn, torch.rand], ids=["around zero", "above zero"])
def test_four_bits_choose_a_range_better_than_the_whole(draw: Any) -> None:
    values = draw(64, 256, generator=torch.Generator().manual_seed(2)) ** 3
    groups = values.unflatten(1, (-1, 32))
    low, high = groups.aminmax(dim=-1, keepdim=True)
    step = (high - low) / 15
    whole = (((groups - low) / step).round() * step + low).flatten(1)
    found = round_to_bits(values, 4).dequantize()
    assert relative_error(found, values) < 0.95 * relative_error(whole, values)


@pytest.mark.parametrize("bits", [8, 4])
def test_constant_groups_and_zeros_are_exact_to_half_precision(bits: int) -> None:
    values = torch.tensor([0.0, 1.0, -0.5, 1e-3, 100.0]).repeat_interleave(32)[None]
    assert torch.allclose(round_to_bits(values, bits).dequantize(), values, rtol=1e-3, atol=1e-7)


def test_rounding_a_few_rows_at_a_time_changes_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    values = torch.randn(50, 64, generator=torch.Generator().manual_seed(4))
    whole = round_to_bits(values, 4)
    monkeypatch.setattr(rounding, "AT_ONCE", 64 * 7)
    assert torch.equal(round_to_bits(values, 4).dequantize(), whole.dequantize())
