"""How layers rotate is found out from the model alone; what cannot be placed anew is refused with its reason."""

from __future__ import annotations

from typing import Any

import pytest
import torch

from tests.reasoning.architectures import ALTERNATING, FAMILIES, Family, by_layer_type, rope
from tests.reasoning.tiny_models import tiny_model
from voice_agent.reasoning.rotation import Layout, Rotation, UnsupportedModel
from voice_agent.reasoning.rotation_probe import find_rotation

ALL_ALIKE = {0: 0, 1: 0, 2: 0}
BY_TYPE = {0: 0, 1: 1, 2: 0}


def found(kind: str, dtype: torch.dtype = torch.float32, **changes: Any) -> Rotation:
    return find_rotation(tiny_model(kind, **changes).to(dtype))


def latent() -> dict[str, Any]:
    return dict(next(f.changes for f in FAMILIES if f.kind == "deepseek_v3"))


@pytest.mark.parametrize(
    ("kind", "changes", "kinds", "layers"),
    [
        ("llama", {}, [(8, Layout())], ALL_ALIKE),
        ("stablelm", {}, [(2, Layout())], ALL_ALIKE),
        ("glm", {}, [(4, Layout(interleaved=True))], ALL_ALIKE),
        ("deepseek_v3", latent(), [(4, Layout(start=16))], ALL_ALIKE),
        ("smollm3", {"no_rope_layers": [1, 0, 1]}, [(8, Layout()), (0, Layout())], BY_TYPE),
        ("cohere2", ALTERNATING, [(8, Layout(interleaved=True)), (0, Layout())], BY_TYPE),
    ],
)
def test_what_is_found(
    kind: str, changes: dict[str, Any], kinds: list[tuple[int, Layout]], layers: dict[int, int]
) -> None:
    rotation = found(kind, **changes)
    assert [(len(k.frequencies), k.layout) for k in rotation.kinds] == kinds
    assert rotation.layers == layers


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16, torch.float16])
def test_each_layer_finds_its_own_theta(dtype: torch.dtype) -> None:
    rotation = found("gemma3_text", dtype, **ALTERNATING, **by_layer_type(sliding_attention=1e4, full_attention=1e6))
    assert rotation.layers == BY_TYPE
    for kind, theta in zip(rotation.kinds, (1e4, 1e6), strict=True):
        assert torch.allclose(kind.frequencies, theta ** -torch.linspace(0, 7 / 8, 8), rtol=1e-2)


def test_frequencies_that_differ_in_slow_pairs_only_are_told_apart_in_half_precision() -> None:
    """olmo3: yarn in layers without a window, which leaves the fast pairs alone; heads and theta as of the 7B."""
    yarn = {"rope_type": "yarn", "rope_theta": 5e5, "factor": 8.0, "original_max_position_embeddings": 8192}
    by_type = {"sliding_attention": {"rope_type": "default", "rope_theta": 5e5}, "full_attention": yarn}
    changes = {"head_dim": 128, "max_position_embeddings": 65536, "rope_parameters": by_type, **ALTERNATING}
    rotation = found("olmo3", torch.bfloat16, **changes)
    assert rotation.layers == BY_TYPE
    plain, slowed = (kind.frequencies for kind in rotation.kinds)
    assert torch.equal(plain[:19], slowed[:19])
    assert torch.allclose(plain[-8:], slowed[-8:] * 8, rtol=1e-2)


def test_nanochat_turns_the_other_way() -> None:
    assert bool((found("nanochat").kinds[0].frequencies < 0).all())


def test_attention_scaling_is_not_part_of_the_rotation() -> None:
    yarn = rope("yarn", factor=4.0, original_max_position_embeddings=64, attention_factor=3.0)
    (cos, _), *_ = found("llama", **yarn).turns(torch.tensor([0]))
    assert torch.equal(cos, torch.ones(1, 8))


@pytest.mark.parametrize(
    ("kind", "changes", "sentence"),
    [
        ("llama", rope("dynamic", factor=2.0), "llama: rope type 'dynamic' changes its frequencies with length"),
        ("hunyuan_v1_dense", {}, "hunyuan_v1_dense: positions do more to .* layer 0 than to rotate them"),
        ("diffllama", {}, "diffllama: attends more than once in a layer"),
        ("falcon", {"head_dim": ...}, "falcon: layer 0 does not attend through transformers' attention interface"),
        ("gpt2", {"n_embd": 64, "n_layer": 2, "n_head": 4}, r"gpt2: has no rotary embedding \(RoPE\)"),
        ("mamba", {}, "mamba: .* 'linear_attention': they are recurrent, .*; choose another model"),
        ("lfm2", {"layer_types": ["conv", "full_attention", "conv"]}, "lfm2: .* 'conv': a convolution ties tokens"),
    ],
)
def test_what_is_refused(kind: str, changes: dict[str, Any], sentence: str) -> None:
    with pytest.raises(UnsupportedModel, match=sentence):
        randomised_norms(Family(kind, "", changes))


def randomised_norms(family: Family) -> None:
    """With weights of one a norm after the rotation would do no harm."""
    model = tiny_model(family.kind, **family.changes)
    for name, parameter in model.named_parameters():
        if "norm" in name:
            parameter.add_(0.3 * torch.randn(parameter.shape))
    find_rotation(model)


def test_tokens_that_meet_outside_attention_are_noticed() -> None:
    model = tiny_model("llama")
    model.model.layers[1].mlp.register_forward_hook(lambda _module, _inputs, out: out.cumsum(1))
    with pytest.raises(UnsupportedModel, match="what layer 2 makes of a token depends on the tokens before it"):
        find_rotation(model)


def test_a_refused_model_keeps_its_attention() -> None:
    model = tiny_model("diffllama")
    with pytest.raises(UnsupportedModel):
        find_rotation(model)
    assert model(torch.tensor([[5, 6, 7]])).logits.shape == (1, 3, 211)


def test_a_window_that_attention_is_not_told_is_noticed() -> None:
    model = tiny_model("llama")
    model.config.sliding_window = 7
    with pytest.raises(UnsupportedModel, match=r"layer 0 does not tell attention its sliding window \(7\)"):
        find_rotation(model)


@pytest.mark.parametrize(
    ("kind", "longest"), [("llama", None), ("phi3", 256), ("llama4_text", 300), ("ministral3", 300)]
)
def test_how_long_a_view_may_be(kind: str, longest: int | None) -> None:
    family = next(f for f in FAMILIES if f.kind == kind and (longest is None or f.view))
    bound = found(kind, **family.changes).exact_to
    assert (bound and bound.tokens) == longest
