"""Architectures of transformers as tiny random models, and whether blocks of each are exact.

    check(family, kernel) -> Verdict; scripts/check_architectures runs them all, test_architectures a few

Exact means: a text fed as blocks in reading order gives the logits of feeding it whole, and 64 decode steps of two
streams, earlier blocks growing in between, give those of the re-rotating twin.
"""

from __future__ import annotations

import copy
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor
from transformers import PreTrainedModel

from tests.reasoning.tiny_models import tiny_model
from voice_agent.errors import UnusableInput
from voice_agent.reasoning.cache_block import CacheArena
from voice_agent.reasoning.cache_view import View
from voice_agent.reasoning.rerotating_twin import ReRotatingTwin
from voice_agent.reasoning.self_check import check_blocks_equal_whole
from voice_agent.reasoning.token_stepper import Row, TokenStepper

LARGEST_ERROR = 1e-5  # relative, float32
WEIGHTS = 0.1  # their spread: attention is sharp, and float32 itself is off by 1e-6 only (at 0.2 by 6e-6)
DECODE_STEPS = 64
GROWS_EVERY = 16  # steps between two growths of an earlier block
VIEWS = {
    "preamble": ["preamble"],
    "user": ["preamble", "user"],
    "thoughts": ["preamble", "user", "thoughts"],
    "spoken": ["preamble", "user", "thoughts", "spoken"],
}


@dataclass(frozen=True)
class Family:
    """A model type, what its tiny configuration changes, and what must come of it."""

    kind: str
    what: str  # in a few words, for the table
    changes: Mapping[str, Any] = field(default_factory=dict)
    exact: bool = True
    view: int = 0  # more than 0: a view of so many tokens must be refused, one token less being exact
    beyond: str = ""  # what such a view meets


@dataclass(frozen=True)
class Verdict:
    """What came of a family.

    error: the largest relative one. refused: why the model was, or a view beyond the length it is exact over.
    unexpected: what of that is not as it should be.
    """

    error: float | None = None
    refused: str | None = None
    unexpected: str | None = None

    @property
    def as_expected(self) -> bool:
        return self.unexpected is None


def rope(kind: str, **more: Any) -> dict[str, Any]:
    return {"rope_parameters": {"rope_type": kind, "rope_theta": 10000.0, **more}}


def by_layer_type(**thetas: float) -> dict[str, Any]:
    return {"rope_parameters": {kind: {"rope_type": "default", "rope_theta": t} for kind, t in thetas.items()}}


SLIDING = {"sliding_window": 7}
ALTERNATING = {**SLIDING, "layer_types": ["sliding_attention", "full_attention", "sliding_attention"]}
EXPERTS = {"num_experts": 4, "num_local_experts": 4, "num_experts_per_tok": 2, "moe_intermediate_size": 48}
ROUTED = {**EXPERTS, "n_routed_experts": 4, "n_shared_experts": 1, "n_group": 1, "topk_group": 1}
LATENT = {
    "num_key_value_heads": 4,
    "head_dim": 8,
    "qk_nope_head_dim": 16,
    "qk_rope_head_dim": 8,
    "v_head_dim": 12,
    "q_lora_rank": 24,
    "kv_lora_rank": 32,
    "first_k_dense_replace": 1,
}
LONGROPE = {
    **rope(
        "longrope",
        factor=16.0,
        short_factor=[1.0, 1.1, 1.2, 1.3, 1.4, 1.5, 1.6, 1.7],
        long_factor=[2.0, 3.0, 4.0, 5.0, 6.0, 7.0, 8.0, 9.0],
        original_max_position_embeddings=256,
    ),
    "original_max_position_embeddings": 256,
}
YARN = rope("yarn", factor=4.0, original_max_position_embeddings=64)
YARN_WITHOUT_WINDOW = {
    "rope_parameters": {
        "sliding_attention": {"rope_type": "default", "rope_theta": 10000.0},
        "full_attention": YARN["rope_parameters"],
    }
}
LLAMA4 = {**EXPERTS, "intermediate_size_mlp": 96, "no_rope_layers": [1, 1, 0], "interleave_moe_layer_step": 2}
GPT2 = {"n_embd": 64, "n_layer": 2, "n_head": 4}

FAMILIES = [
    Family("llama", "half-split"),
    Family("llama", "yarn, attention scaling", YARN),
    Family(
        "llama",
        "llama3 frequencies",
        rope("llama3", factor=4.0, low_freq_factor=1.0, high_freq_factor=4.0, original_max_position_embeddings=64),
    ),
    Family("llama", "linear frequencies", rope("linear", factor=2.0)),
    Family("mistral", "every layer attends to all"),
    Family("mistral", "sliding window", SLIDING),
    Family("qwen2", "biases on queries, keys, values"),
    Family("qwen3", "norms before the rotation"),
    Family("qwen3_moe", "mixture of experts", EXPERTS),
    Family("gemma", "one key head", {"num_key_value_heads": 1}),
    Family("gemma2", "softcap, alternating window", {**ALTERNATING, "attn_logit_softcapping": 5.0}),
    Family(
        "gemma3_text",
        "theta and window by layer",
        {**ALTERNATING, **by_layer_type(sliding_attention=1e4, full_attention=1e6)},
    ),
    Family("phi3", "fused projections, part of the head", {"partial_rotary_factor": 0.5}),
    Family(
        "phi3", "longrope within its original length", LONGROPE, view=257, beyond="longrope beyond its original length"
    ),
    Family("phi", "half of the head", {"partial_rotary_factor": 0.5}),
    Family("stablelm", "a quarter of the head"),
    Family("nemotron", "half of the head"),
    Family("gpt_neox", "a quarter of the head"),
    Family("glm", "interleaved, half of the head"),
    Family("glm4", "interleaved, half of the head"),
    Family("cohere", "interleaved"),
    Family("cohere2", "interleaved with a window, else no positions", ALTERNATING),
    Family("ernie4_5", "interleaved"),
    Family("helium", "interleaved"),
    Family("smollm3", "a layer without positions", {"no_rope_layers": [1, 0, 1]}),
    Family(
        "llama4_text",
        "interleaved, a layer without positions, within a chunk",
        {**LLAMA4, "attention_chunk_size": 300},
        view=301,
        beyond="two chunks",
    ),
    Family("gpt_oss", "sinks, alternating window, yarn", {**EXPERTS, **ALTERNATING, **YARN}),
    Family("deepseek_v2", "latent attention", {**ROUTED, **LATENT, "topk_method": "greedy"}),
    Family("deepseek_v3", "latent attention, interleaved weights", {**ROUTED, **LATENT}),
    Family("deepseek_v3", "latent attention, half-split weights", {**ROUTED, **LATENT, "rope_interleave": False}),
    Family("olmo", "norms without weights"),
    Family("olmo2", "norms over all heads"),
    Family("olmo3", "yarn in layers without a window", {**ALTERNATING, **YARN_WITHOUT_WINDOW}),
    Family("exaone4", "rotation in layers with a window only", ALTERNATING),
    Family("granite", "scaled scores", {"attention_multiplier": 0.3}),
    Family("starcoder2", "sliding window", SLIDING),
    Family("seed_oss", "half-split"),
    Family("apertus", "llama3 frequencies"),
    Family("minimax_m2", "half of the head, mixture of experts", {**EXPERTS, "rotary_dim": 8}),
    Family("dots1", "mixture of experts, alternating window", {**ROUTED, **ALTERNATING, "first_k_dense_replace": 1}),
    Family("nanochat", "turns the other way, norm after the rotation without weights"),
    Family("arcee", "half-split"),
    Family("mixtral", "mixture of experts", EXPERTS),
    Family("qwen2_moe", "mixture of experts", {**EXPERTS, "shared_expert_intermediate_size": 48}),
    Family("olmoe", "mixture of experts", EXPERTS),
    Family("phimoe", "mixture of experts", EXPERTS),
    Family("ernie4_5_moe", "mixture of experts, interleaved", {**EXPERTS, "moe_num_experts": 4, "moe_k": 2}),
    Family("glm4_moe", "mixture of experts, half of the head", {**ROUTED, "first_k_dense_replace": 1}),
    Family("granitemoe", "mixture of experts", EXPERTS),
    Family("exaone_moe", "mixture of experts", EXPERTS),
    Family("cohere2_moe", "mixture of experts, interleaved with a window", {**EXPERTS, **ALTERNATING}),
    Family("gemma4_text", "theta and head width by layer", {"sliding_window": 7, "global_head_dim": 32}),
    Family("bitnet", "norm before the output"),
    Family("minicpm3", "latent attention", LATENT),
    Family("persimmon", "half of the head"),
    Family(
        "ministral3",
        "within the length from which queries are scaled",
        rope("yarn", factor=4.0, original_max_position_embeddings=300, llama_4_scaling_beta=0.1),
        view=301,
        beyond="beyond that length",
    ),
    Family("llama", "dynamic frequencies", rope("dynamic", factor=2.0), exact=False),
    Family("hunyuan_v1_dense", "norm after the rotation", exact=False),
    Family("hunyuan_v1_moe", "norm after the rotation", {**EXPERTS, "moe_topk": 2}, exact=False),
    Family("diffllama", "two attentions in a layer", exact=False),
    Family("gpt2", "absolute positions", GPT2, exact=False),
    Family("opt", "absolute positions", {"ffn_dim": 96, "word_embed_proj_dim": 64}, exact=False),
    Family("bloom", "position biases", {"n_head": 4, "n_layer": 2}, exact=False),
    Family("gptj", "a table of rotations", {**GPT2, "rotary_dim": 8}, exact=False),
    Family("falcon", "attention of its own", {"head_dim": ...}, exact=False),
    Family("mamba", "recurrent", exact=False),
    Family("mamba2", "recurrent", {"num_heads": 8, "head_dim": 16, "state_size": 8}, exact=False),
    Family("recurrent_gemma", "hybrid", exact=False),
    Family("jamba", "hybrid", EXPERTS, exact=False),
    Family("falcon_h1", "hybrid", exact=False),
    Family("qwen3_next", "hybrid", EXPERTS, exact=False),
    Family("lfm2", "hybrid", {"layer_types": ["conv", "full_attention", "conv"]}, exact=False),
]


def families(kind: str | None = None) -> list[Family]:
    """All families, or those of one model type."""
    return [family for family in FAMILIES if kind in (None, family.kind)]


def check(family: Family, kernel: str = "auto") -> Verdict:
    """Compare a tiny random model of the family over blocks with itself whole and with its twin."""
    whole = _randomised(tiny_model(family.kind, **{"initializer_range": WEIGHTS, **family.changes}))
    try:
        stepper = TokenStepper(copy.deepcopy(whole), kernel)
        check_blocks_equal_whole(stepper)
    except UnusableInput as refusal:
        return Verdict(refused=str(refusal), unexpected=f"is refused: {refusal}" if family.exact else None)
    error = float(torch.stack([_error_in_order(stepper, whole), *_errors_of_growth(stepper, whole)]).max())
    refused = _refused_view(stepper, family.view) if family.view else None
    unexpected = None
    if not family.exact:
        unexpected = "is not refused"
    elif not error <= LARGEST_ERROR:
        unexpected = f"is off by {error:.1e}"
    elif family.view and not refused:
        unexpected = f"takes a view of {family.view} tokens"
    return Verdict(error, refused, unexpected)


def _randomised(model: PreTrainedModel) -> PreTrainedModel:
    """Norms, biases and sinks too: at ones and zeros, faults with them would not show."""
    with torch.no_grad():
        for parameter in model.parameters():
            if parameter.dim() == 1:
                parameter.add_(0.3 * torch.randn(parameter.shape))
    return model


def _error_in_order(stepper: TokenStepper, whole: PreTrainedModel) -> Tensor:
    arena, blocks, got = CacheArena(), [], torch.empty(0)
    tokens, rest = _tokens(70, 1), _tokens(70, 1)
    for length in (25, 1, 44):
        blocks.append(arena.new_block(str(len(blocks))))
        text, rest = rest[:length], rest[length:]
        for at in range(0, length, 17):
            got = stepper.step([Row(View(tuple(blocks)), text[at : at + 17])])
    with torch.inference_mode():
        return _relative(got, whole(torch.tensor([tokens]), use_cache=False).logits[:, -1])


def _errors_of_growth(stepper: TokenStepper, whole: PreTrainedModel) -> Iterator[Tensor]:
    twin, arena = ReRotatingTwin(whole), CacheArena()
    blocks = {name: arena.new_block(name) for name in VIEWS}
    for fed in _script():
        got = stepper.step([Row(View(tuple(blocks[b] for b in VIEWS[name])), tokens) for name, tokens in fed.items()])
        yield _relative(got, twin.step([(VIEWS[name], tokens) for name, tokens in fed.items()]))


def _script() -> Iterator[dict[str, list[int]]]:
    """What each step feeds: prefill, then both streams a token each; now and then words for an earlier block."""
    for seed, (name, count) in enumerate({"preamble": 13, "user": 9, "thoughts": 3, "spoken": 2}.items()):
        yield {name: _tokens(count, seed)}
    for step in range(DECODE_STEPS):
        fed = {"thoughts": _tokens(1, 100 + step), "spoken": _tokens(1, 200 + step)}
        if step % GROWS_EVERY == GROWS_EVERY - 1:
            fed["user"] = _tokens(4, 300 + step)
        yield fed


def _refused_view(stepper: TokenStepper, length: int) -> str | None:
    """Why a view of so many tokens is refused, one token less being taken."""
    view = View((CacheArena().new_block("long"),))
    stepper.step([Row(view, _tokens(length - 1, 1), wanted=0)])
    try:
        stepper.step([Row(view, _tokens(1, 2))])
    except UnusableInput as refusal:
        return str(refusal)
    return None


def _tokens(count: int, seed: int) -> list[int]:
    return torch.randint(3, 200, (count,), generator=torch.Generator().manual_seed(seed)).tolist()


def _relative(got: Tensor, expected: Tensor) -> Tensor:
    return (got - expected).norm() / expected.norm()
