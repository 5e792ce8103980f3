"""Does this model give over blocks what it gives whole? Asked once when a reasoner is made.

A model whose rotary layout, masks or attention extras differ from what shared blocks assume must be refused, never
run wrong.
"""

from __future__ import annotations

from weakref import WeakKeyDictionary

import torch
from transformers import PreTrainedModel

from . import attention
from .cache_block import CacheArena
from .cache_view import View
from .packed.linears import PackedLinear
from .rotation import UnsupportedModel
from .start_cache import StartCache
from .token_stepper import Row, TokenStepper

# Relative error of the logits; half precision and 4-bit weights with rounded activations scatter more than float32.
TOLERANCE = {torch.float32: 1e-4, torch.bfloat16: 5e-2, torch.float16: 2e-2}
QUANTISED_TOLERANCE = 1e-1
PROBE_TOKENS = 12
# By which attention kernels a model was checked: a second reasoner on it must not disturb the first one's steps.
_checked: WeakKeyDictionary[PreTrainedModel, set[str]] = WeakKeyDictionary()


@torch.inference_mode()
def check_blocks_equal_whole(stepper: TokenStepper, kept: StartCache | None = None) -> None:
    """Feed a few tokens as three blocks and as one text and compare the last logits; once for each model and kernel.

    kept: knows whether an earlier start has done so.

    Raises:
        UnsupportedModel: the error is beyond the tolerance of the model's dtype.
    """
    model = stepper.model
    if stepper.attention.name in _checked.setdefault(model, set()):
        return
    how = f"{stepper.attention.name} {stepper.device.type}"
    if kept and kept.has_passed(how):
        _checked[model].add(stepper.attention.name)
        return
    vocabulary = model.config.get_text_config().vocab_size
    tokens = [(7919 * i + 101) % vocabulary for i in range(1, PROBE_TOKENS + 1)]
    arena = CacheArena()
    blocks = [arena.new_block(name) for name in ("first", "second", "third")]
    logits = torch.empty(0)
    for i, block in enumerate(blocks):
        view = View(tuple(blocks[: i + 1]))
        logits = stepper.step([Row(view, tokens[4 * i : 4 * i + 4], wants_logits=block is blocks[-1])])
    model.set_attn_implementation("eager")
    try:
        whole = model(input_ids=torch.tensor([tokens], device=stepper.device), use_cache=False).logits[:, -1].float()
    finally:
        model.set_attn_implementation(attention.NAME)
    error = float((logits - whole).norm() / whole.norm())
    allowed = tolerance_of(model)
    if not error <= allowed:
        raise UnsupportedModel(
            f"{model.config.model_type}: over shared blocks its logits differ from the whole text's by {error:.1e} "
            f"(allowed {allowed:.0e}), so it would reason wrongly; choose another model (README, Supported models)"
        )
    _checked[model].add(stepper.attention.name)
    if kept:
        kept.note_passed(how)


def tolerance_of(model: PreTrainedModel) -> float:
    """The error that rounding alone may cause: by dtype, and wider where the linears are quantised."""
    dtypes = {parameter.dtype for parameter in model.parameters() if parameter.is_floating_point()}
    quantised = getattr(model, "is_quantized", False) or any(isinstance(m, PackedLinear) for m in model.modules())
    return max([QUANTISED_TOLERANCE if quantised else 0.0, *(TOLERANCE.get(dtype, 1e-4) for dtype in dtypes)])
