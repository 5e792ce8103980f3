"""Tiny random models of several architectures, float32, made in milliseconds."""

from __future__ import annotations

from typing import Any

import torch
from transformers import AutoConfig, AutoModelForCausalLM, PreTrainedModel

SHAPE: dict[str, Any] = {
    "vocab_size": 211,
    "hidden_size": 64,
    "intermediate_size": 96,
    "num_hidden_layers": 3,
    "num_attention_heads": 4,
    "num_key_value_heads": 2,
    "head_dim": 16,
    "max_position_embeddings": 4096,
    "tie_word_embeddings": False,
    "pad_token_id": 0,
    "bos_token_id": 1,
    "eos_token_id": 2,
}


def tiny_model(kind: str, **changes: Any) -> PreTrainedModel:
    """A random model; weights are larger than usual so that attention is sharp and errors show.

    A change to `...` leaves a setting out.
    """
    torch.manual_seed(7)
    wanted = {**SHAPE, "initializer_range": 0.2, **changes}
    config = AutoConfig.for_model(kind, **{name: value for name, value in wanted.items() if value is not ...})
    return AutoModelForCausalLM.from_config(config, attn_implementation="eager").float().eval().requires_grad_(False)
