"""Round the linears of a model that is in memory already.

    model, "int8" | "int4", kernel -> pack_in_place -> the same model, its linears packed

For a model of one's own, or one with random weights that is to be timed; what `load_language_model` loads is kept
packed on disk instead.
"""

from __future__ import annotations

from typing import Any

from torch import nn

from .kernels import Kernel
from .linears import PackedEmbedding, PackedLinear
from .rounding import round_to_bits
from .transformers_source import bits_of_parameters


def pack_in_place(model: Any, weights: str, kernel: Kernel) -> None:
    """Replace module after module, so that two copies of the model never exist.

    model: of transformers, on the kernel's device; weights: as in the settings, "int8" or "int4".
    """
    bits = bits_of_parameters(model, weights)
    head, shared = model.get_output_embeddings(), None
    for name, module in list(model.named_modules()):
        rounded_to = bits.get(f"{name}.weight")
        if rounded_to is not None:
            packed = round_to_bits(module.weight.detach(), rounded_to)
        elif module is head and shared is not None:
            packed = shared
        else:
            continue
        if isinstance(module, nn.Embedding):
            shared = packed
            model.set_submodule(name, PackedEmbedding(packed.to(kernel.device), module.weight.dtype))
        else:
            bias = None if module.bias is None else module.bias.detach().float()
            model.set_submodule(name, PackedLinear(packed, bias, kernel))
