"""How much memory a model and its cache take, known before anything is loaded.

    config, "stored" | "int8" | "int4", context tokens -> memory_need -> MemoryNeed(weight_bytes, cache_bytes)

Counted are weights as they lie in memory (packed ones with their scales) and keys and values in bfloat16, not the
activations of a step (some tens of MB) nor what CUDA itself takes (about 0.5 GB).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import torch

from .packed.layout import TILE_ROWS
from .packed.rounding import GROUP
from .packed.transformers_source import bits_of_parameters

HALF_BYTES = 2  # of a bfloat16 or float16 number


@dataclass(frozen=True)
class MemoryNeed:
    weight_bytes: int
    cache_bytes: int

    @property
    def bytes(self) -> int:
        return self.weight_bytes + self.cache_bytes


def memory_need(config: Any, weights: str, context_tokens: int) -> MemoryNeed:
    """What a bfloat16 model of this configuration needs on one device.

    config: of transformers; weights: as in the settings; the cache is that of ordinary attention: every layer with
    keys and values of `head_dim` for its key-value heads.
    """
    from transformers import AutoModelForCausalLM

    with torch.device("meta"):
        model = AutoModelForCausalLM.from_config(config, dtype=torch.bfloat16)
    bits = {} if weights == "stored" else bits_of_parameters(model, weights)
    names = {name for name, _ in model.named_parameters()} | bits.keys()  # a shared table may be kept beside its copy
    weight_bytes = sum(_bytes(model.get_parameter(name).shape, bits.get(name)) for name in names)
    text = config.get_text_config()
    head_dim = getattr(text, "head_dim", None) or text.hidden_size // text.num_attention_heads
    kv_heads = getattr(text, "num_key_value_heads", None) or text.num_attention_heads
    token_bytes = 2 * HALF_BYTES * text.num_hidden_layers * kv_heads * head_dim
    return MemoryNeed(weight_bytes, token_bytes * context_tokens)


def _bytes(shape: torch.Size, bits: int | None) -> int:
    """8 bits have a scale per group, 4 bits a minimum as well."""
    if bits is None:
        return shape.numel() * HALF_BYTES
    rows, columns = -(-shape[0] // TILE_ROWS) * TILE_ROWS, shape[1]
    group_bytes = GROUP * bits // 8 + (HALF_BYTES if bits == 8 else 2 * HALF_BYTES)
    return rows * columns // GROUP * group_bytes
