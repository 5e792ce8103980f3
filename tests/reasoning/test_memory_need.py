"""The profiles' models fit the GPUs they are named after; checked without weights, on the meta device."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from transformers import AutoConfig

from voice_agent.reasoning.memory_need import memory_need
from voice_agent.reasoning.model_loading import load_language_model
from voice_agent.settings import PROFILES

from .test_rounded_models import FAMILIES, folder_of, settings
from .tiny_models import tiny_model

SHAPES: dict[str, dict[str, Any]] = {  # config.json of the hub's repositories
    "qwen3-8b": {
        "hidden_size": 4096,
        "intermediate_size": 12288,
        "num_hidden_layers": 36,
        "num_attention_heads": 32,
    },
    "qwen3-32b": {
        "hidden_size": 5120,
        "intermediate_size": 25600,
        "num_hidden_layers": 64,
        "num_attention_heads": 64,
    },
}
CUDA_BYTES = 1e9  # its context, and the activations of a step


def config_of(model: str) -> Any:
    shape = {"vocab_size": 151936, "num_key_value_heads": 8, "head_dim": 128, "tie_word_embeddings": False}
    return AutoConfig.for_model("qwen3", **shape, **SHAPES[model])


@pytest.mark.parametrize(
    ("model", "weights", "most_gb"),
    [
        ("qwen3-8b", "int8", 12),
        ("qwen3-8b", "int4", 12),
        ("qwen3-32b", "int8", 48),
        ("qwen3-32b", "int4", 48),
    ],
)
def test_rounded_models_fit_with_sixteen_thousand_tokens(model: str, weights: str, most_gb: float) -> None:
    assert memory_need(config_of(model), weights, 16_384).bytes <= most_gb * 1e9


@pytest.mark.parametrize(("model", "weight_bytes"), [("qwen3-8b", 16381470720), ("qwen3-32b", 65524246528)])
def test_stored_weights_are_what_the_hub_holds(model: str, weight_bytes: int) -> None:
    """Sizes of the checkpoints' files, as the manifest names them."""
    assert memory_need(config_of(model), "stored", 0).weight_bytes == pytest.approx(weight_bytes, rel=1e-4)


@pytest.mark.parametrize("profile", [name for name in PROFILES if name.startswith("gpu-")])
def test_a_profile_fits_its_gpu(profile: str) -> None:
    chosen = PROFILES[profile]
    gpu_bytes = float(profile.removeprefix("gpu-").removesuffix("gb")) * 1e9
    need = memory_need(config_of(chosen.models.language), chosen.reasoning.weights, chosen.reasoning.context_tokens)
    assert need.bytes + CUDA_BYTES <= gpu_bytes


def test_a_cache_token_has_a_key_and_a_value_for_every_layer() -> None:
    assert memory_need(config_of("qwen3-8b"), "stored", 1).cache_bytes == 36 * 8 * 128 * 2 * 2


@pytest.mark.parametrize("weights", ["int8", "int4"])
@pytest.mark.parametrize("kind", ["llama", "qwen2", "gemma3_text"])
def test_what_is_foretold_is_what_is_loaded(kind: str, weights: str, tmp_path: Path) -> None:
    """Weights read in place: what the native and the Triton kernel hold."""
    config = tiny_model(kind, **FAMILIES[kind]).config
    loaded = load_language_model(folder_of(kind, tmp_path), settings=settings(weights, "auto", dtype="bfloat16"))
    if loaded.facts.kernel not in ("native", "triton"):
        pytest.skip(f"the {loaded.facts.kernel} kernel keeps a form of its own")
    assert loaded.facts.weight_bytes == pytest.approx(memory_need(config, weights, 0).weight_bytes, rel=0.02)
