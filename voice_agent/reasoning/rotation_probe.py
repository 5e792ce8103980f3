"""Find out how the layers of a model rotate.

model -> find_rotation -> Rotation, or UnsupportedModel with the reason
"""

from __future__ import annotations

from torch import Tensor
from transformers import PreTrainedModel

from .rotation import Kind, Rotation, UnsupportedModel

COMPOSING_ROPE_TYPES = frozenset({"default", "linear", "llama3", "yarn", "proportional"})


def find_rotation(model: PreTrainedModel) -> Rotation:
    """The rotation of `model`, from its rotary module.

    Raises:
        UnsupportedModel: no rotary module, several of them, or a rope type whose rotations do not compose.
    """
    found = [module for name, module in model.named_modules() if name.endswith("rotary_emb")]
    kind = model.config.model_type
    frequencies = getattr(found[0], "inv_freq", None) if len(found) == 1 else None
    if not isinstance(frequencies, Tensor):
        raise UnsupportedModel(
            f"{kind}: found {len(found)} rotary modules with plain frequencies, expected one; shared blocks need a "
            "model with one rotary embedding (RoPE) for all layers (README, Supported models)"
        )
    rope_type = getattr(found[0], "rope_type", "default")
    if rope_type not in COMPOSING_ROPE_TYPES:
        raise UnsupportedModel(
            f"{kind}: rope type '{rope_type}' changes its frequencies with length, so blocks cannot be re-placed "
            "exactly; load it with rope type 'yarn' or 'linear', or choose another model (README, Supported models)"
        )
    layers = range(model.config.get_text_config().num_hidden_layers)
    return Rotation([Kind(frequencies.float())], dict.fromkeys(layers, 0))
