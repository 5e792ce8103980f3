"""Find out how each layer of a model rotates, by asking the model.

    model -> find_rotation -> Rotation, or UnsupportedModel with the reason

One forward pass feeds the same token at several positions while attention answers nothing, so that the queries and
keys of a layer differ by their rotation alone. Each layer is matched with the frequencies that the model's rotary
modules hold, in every layout and either direction, and with no rotation at all. A layer that fits none (a norm after
the rotation, queries scaled by position) and a model whose tokens meet elsewhere than in attention are refused, as is
what placing_limits knows. Whether the match is right is asked again of logits (self_check).
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from transformers import PreTrainedModel

from . import attention
from .attention_kernels import Scoring
from .placement import input_device
from .placing_limits import ANOTHER, exact_to, layer_types, refuse_unplaceable
from .rotation import Kind, Layout, Rotation, UnsupportedModel, rotate

TOKEN = 5  # any
LONGEST = 1 << 17  # positions asked for where the configuration names no length
# Relative error of queries and keys against the rotated first ones; half precision rounds them, cosines and sines.
TOLERANCE = {torch.float32: 1e-4, torch.float64: 1e-4, torch.float16: 5e-3, torch.bfloat16: 3e-2}


@dataclass(frozen=True)
class _Call:
    """One layer's call of attention."""

    module: nn.Module
    heads: Tensor  # (heads + kv_heads, positions, head_dim): queries and keys
    sliding_window: int | None


def find_rotation(model: PreTrainedModel) -> Rotation:
    """How every layer of `model` rotates; its attention is ours from now on (attention.NAME).

    Raises:
        UnsupportedModel: blocks of this model cannot be placed anew exactly; the sentence says why. The model is left
            as it was.
    """
    refuse_unplaceable(model)
    before = model.config._attn_implementation
    attention.register()
    model.set_attn_implementation(attention.NAME)
    try:
        return _found(model)
    except UnsupportedModel:
        model.set_attn_implementation(before)
        raise


@torch.inference_mode()
def _found(model: PreTrainedModel) -> Rotation:
    config = model.config.get_text_config()
    frequencies = _frequencies(model)
    bound = exact_to(config)
    longest = min(n for n in (bound and bound.tokens, getattr(config, "max_position_embeddings", None), LONGEST) if n)
    positions = [0, 0, 1, 5, longest // 7, longest - 1]
    calls = _calls_of_layers(model, positions)
    _refuse_other_windows(model, calls)
    kinds: list[Kind] = []
    layers: dict[int, int] = {}
    for layer, kind in sorted(_matches(calls, positions, frequencies, config.model_type).items()):
        if kind not in kinds:
            kinds.append(kind)
        layers[layer] = kinds.index(kind)
    return Rotation(kinds, layers, bound)


def _frequencies(model: PreTrainedModel) -> list[Tensor]:
    """What the rotary modules hold, each once: (pairs,) float32, radians per position."""
    found: list[Tensor] = []
    device = input_device(model.get_input_embeddings())
    for name, buffer in model.named_buffers():
        if name.endswith("inv_freq") and not name.endswith("original_inv_freq") and buffer.dim() == 1:
            fresh = buffer.to(device, torch.float32, copy=True)  # longrope overwrites its own
            if not any(torch.equal(fresh, other) for other in found):
                found.append(fresh)
    if not found:
        raise UnsupportedModel(
            f"{model.config.model_type}: has no rotary embedding (RoPE) with frequencies of its own (inv_freq), and "
            f"without one blocks cannot be re-placed; {ANOTHER}"
        )
    return found


def _calls_of_layers(model: PreTrainedModel, positions: Sequence[int]) -> dict[int, _Call]:
    """What every layer hands to attention for one token at `positions`; attention answers with zeros."""
    name, calls = model.config.model_type, defaultdict[int, list[_Call]](list)

    def answer(module: nn.Module, query: Tensor, key: Tensor, value: Tensor, scoring: Scoring) -> Tensor:
        layer = module.layer_idx
        assert isinstance(layer, int)
        calls[layer].append(_Call(module, torch.cat((query, key)), scoring.sliding_window))
        return query.new_zeros(query.shape[1], query.shape[0], value.shape[-1])

    device = input_device(model.get_input_embeddings())
    with attention.answered_by(answer):
        model(
            input_ids=torch.full((1, len(positions)), TOKEN, device=device),
            position_ids=torch.tensor([positions], device=device),
            use_cache=False,
            logits_to_keep=1,
        )
    silent = [layer for layer in range(model.config.get_text_config().num_hidden_layers) if layer not in calls]
    if silent:
        raise UnsupportedModel(
            f"{name}: layer {silent[0]} does not attend through transformers' attention interface, so blocks cannot be "
            f"shared there; {ANOTHER}"
        )
    if any(len(of_layer) > 1 for of_layer in calls.values()):
        raise UnsupportedModel(
            f"{name}: attends more than once in a layer, and a block keeps one set of keys and values; {ANOTHER}"
        )
    return {layer: of_layer[0] for layer, of_layer in calls.items()}


def _refuse_other_windows(model: PreTrainedModel, calls: dict[int, _Call]) -> None:
    """Raises UnsupportedModel where attention is not told what a mask would say: it gets none."""
    config = model.config.get_text_config()
    types = layer_types(config)
    for layer, call in calls.items():
        window = getattr(config.per_layer_config[layer], "sliding_window", None)
        slides = types[layer] == "sliding_attention" if layer < len(types) else bool(window)
        if (call.sliding_window or None) != (window if slides else None):
            raise UnsupportedModel(
                f"{config.model_type}: layer {layer} does not tell attention its sliding window ({window}), so that "
                f"blocks cannot keep to it; {ANOTHER}"
            )
        if not getattr(call.module, "is_causal", True):
            raise UnsupportedModel(f"{config.model_type}: layer {layer} is not causal, so it cannot write; {ANOTHER}")


def _matches(
    calls: dict[int, _Call], positions: Sequence[int], frequencies: Sequence[Tensor], name: str
) -> dict[int, Kind]:
    """Each layer's way of rotating: the one that leaves the least error."""
    alike: dict[torch.Size, list[int]] = defaultdict(list)
    for layer, call in calls.items():
        alike[call.heads.shape].append(layer)
    found = {}
    for shape, layers in alike.items():
        tolerance = TOLERANCE[calls[layers[0]].heads.dtype]
        heads = torch.stack([calls[layer].heads.to(frequencies[0].device).float() for layer in layers])
        candidates = _candidates(frequencies, shape[-1])
        errors = torch.stack([_error(heads, kind, positions) for kind in candidates])  # (candidates, layers)
        least, best = errors.min(0)
        for layer, at, error, index in zip(layers, heads, least.tolist(), best.tolist(), strict=True):
            if not torch.allclose(at[:, 0], at[:, 1], rtol=tolerance, atol=tolerance * float(at.abs().max())):
                raise UnsupportedModel(
                    f"{name}: what layer {layer} makes of a token depends on the tokens before it otherwise than by "
                    f"attention, so blocks cannot be re-placed; {ANOTHER}"
                )
            if not error <= tolerance:
                raise UnsupportedModel(
                    f"{name}: positions do more to the queries and keys of layer {layer} than to rotate them (a norm "
                    f"after the rotation, or a scaling): off by {error:.0e}, so blocks cannot be re-placed; {ANOTHER}"
                )
            found[layer] = candidates[index]
    return found


def _candidates(frequencies: Sequence[Tensor], dim: int) -> list[Kind]:
    """Every way in which heads of `dim` entries may turn; not turning comes first."""
    kinds = [Kind(frequencies[0][:0])]
    for each in frequencies:
        spare = dim - 2 * len(each)
        layouts = {Layout(start, interleaved) for start in (0, spare) for interleaved in (False, True)}
        if spare >= 0:
            kinds += [Kind(turned, layout) for layout in sorted(layouts, key=str) for turned in (each, -each)]
    return kinds


def _error(heads: Tensor, kind: Kind, positions: Sequence[int]) -> Tensor:
    """heads (layers, heads, positions, dim) against their first ones, rotated: (layers,), relative."""
    # float32 as in the models, whose own rounding at large positions must not count
    angles = torch.tensor(positions, dtype=torch.float32, device=heads.device)[:, None] * kind.frequencies
    expected = rotate(heads[:, :, :1].expand_as(heads), angles.cos(), angles.sin(), kind.layout)
    return (heads - expected).flatten(1).norm(dim=1) / heads.flatten(1).norm(dim=1)
