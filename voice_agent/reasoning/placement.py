"""On which devices a model's parts lie.

input_device(model) -> where token ids must be for the model to look them up
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn

from .packed.linears import PackedEmbedding


def input_device(embeddings: nn.Module) -> torch.device:
    """The device of a model's input embeddings: dense, packed, or moved there by accelerate when they are called."""
    hook = getattr(embeddings, "_hf_hook", None)
    executes_on = getattr(hook, "execution_device", None)
    if executes_on is not None:
        return torch.device(executes_on)
    if isinstance(embeddings, PackedEmbedding):
        return embeddings.device
    weight = getattr(embeddings, "weight", None)
    return weight.device if isinstance(weight, Tensor) else torch.device("cpu")


def is_spread(model: Any) -> bool:
    """Whether its layers lie on several devices, memory and disk included."""
    return len(set(getattr(model, "hf_device_map", {}).values())) > 1
