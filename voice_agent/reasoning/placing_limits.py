"""What a model's configuration says against placing its keys anew, and up to which length it can be done.

    model -> refuse_unplaceable: UnsupportedModel with the reason, or nothing
    config -> exact_to: the longest view and what comes beyond it, or None

Only what no forward pass can show stands here; how layers rotate is asked of the model itself (rotation_probe).
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from transformers import PreTrainedModel

from .rotation import Bound, UnsupportedModel

COMPOSING_ROPE_TYPES = frozenset({"default", "linear", "llama3", "yarn", "proportional", "longrope"})
ATTENDING_LAYER_TYPES = frozenset({"full_attention", "sliding_attention", "chunked_attention"})
WHY_NOT = {  # layers of other types (transformers, configuration_utils.py, ALLOWED_ATTN_LAYER_TYPES)
    "linear_attention": "they are recurrent, and a state has no positions that could be moved",
    "hybrid": "they are recurrent beside their attention, and a state has no positions that could be moved",
    "hybrid_sliding": "they are recurrent beside their attention, and a state has no positions that could be moved",
    "conv": "a convolution ties tokens to their neighbours",
}
ANY_OTHER = "what they read does not follow from the positions of queries and keys alone"
ANOTHER = "choose another model (README, Supported models)"


def refuse_unplaceable(model: PreTrainedModel) -> None:
    """Raises UnsupportedModel for recurrent and sparse layers and for rope types whose rotations do not compose."""
    config = model.config.get_text_config()
    name = config.model_type
    others = sorted(set(layer_types(config)) - ATTENDING_LAYER_TYPES)
    if others:
        raise UnsupportedModel(
            f"{name}: blocks cannot be shared with layers of type '{others[0]}': {WHY_NOT.get(others[0], ANY_OTHER)}; "
            f"{ANOTHER}"
        )
    if getattr(model, "_is_stateful", False):
        raise UnsupportedModel(
            f"{name}: blocks cannot be shared with recurrent layers: a state has no positions that could be moved; "
            f"{ANOTHER}"
        )
    for rope in _ropes(config):
        kind = rope.get("rope_type", "default")
        if kind not in COMPOSING_ROPE_TYPES:
            raise UnsupportedModel(
                f"{name}: rope type '{kind}' changes its frequencies with length, so blocks cannot be re-placed "
                f"exactly; load it with rope type 'yarn' or 'linear', or {ANOTHER}"
            )


def exact_to(config: Any) -> Bound | None:
    """The longest view over which nothing depends on absolute positions; None where nothing ever does."""
    bounds: list[Bound] = []
    for rope in _ropes(config):
        if rope.get("rope_type") == "longrope":
            bounds.append(Bound(rope["original_max_position_embeddings"], "longrope has other frequencies beyond it"))
        if rope.get("llama_4_scaling_beta"):  # ministral3, mistral4
            bounds.append(Bound(rope["original_max_position_embeddings"], "queries are scaled by position beyond it"))
    if getattr(config, "attn_temperature_tuning", False):  # llama4, layers without rotation
        bounds.append(Bound(int(config.floor_scale) - 1, "queries are scaled by position beyond it"))
    if "chunked_attention" in layer_types(config):  # llama4
        bounds.append(Bound(config.attention_chunk_size, "attention is cut into chunks of that length"))
    return min(bounds, key=lambda bound: bound.tokens, default=None)


def layer_types(config: Any) -> list[str]:
    """The type of each layer's attention; empty where all layers are alike."""
    return list(getattr(config, "layer_types", None) or [])


def _ropes(config: Any) -> Iterator[dict[str, Any]]:
    """The rope parameters of the model, or of each of its layer types."""
    parameters = getattr(config, "rope_parameters", None) or {}
    nested = [value for value in parameters.values() if isinstance(value, dict)]
    yield from nested or [parameters]
