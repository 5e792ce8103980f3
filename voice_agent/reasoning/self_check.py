"""Does this model give over blocks what it gives whole? Asked once when a reasoner is made.

Two streams and an earlier block that grows beside them are fed to the model over blocks and to its re-rotating twin.
A model whose rotary layout, masks or attention extras differ from what shared blocks assume must be refused, never run
wrong.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from weakref import WeakKeyDictionary

import torch
from transformers import PreTrainedModel

from . import attention
from .cache_block import CacheArena
from .cache_view import View
from .packed.linears import PackedLinear
from .rerotating_twin import ReRotatingTwin
from .rotation import UnsupportedModel
from .start_cache import StartCache
from .token_stepper import Row, TokenStepper

# Relative error of the logits; half precision and 4-bit weights with rounded activations scatter more than float32.
TOLERANCE = {torch.float32: 1e-4, torch.bfloat16: 5e-2, torch.float16: 2e-2}
QUANTISED_TOLERANCE = 1e-1
# Rounding can send a token to another expert: a random gpt_oss of 24 layers in bfloat16 is off from itself in float32
# by up to 0.13, over blocks and whole alike.
ROUTED_TOLERANCE = 2e-1
EXPERTS = ("num_experts", "num_local_experts", "n_routed_experts", "moe_num_experts")  # how configurations count them
# Each step: which blocks grow, by how many tokens. First in reading order, then the first one grows beside the last.
SCRIPT: tuple[dict[str, int], ...] = ({"first": 4}, {"second": 4}, {"third": 3, "first": 3}, {"third": 1})
READING_ORDER = ("first", "second", "third")
# By which attention kernels a model was checked: a second reasoner on it must not disturb the first one's steps.
_checked: WeakKeyDictionary[PreTrainedModel, set[str]] = WeakKeyDictionary()


@torch.inference_mode()
def check_blocks_equal_whole(stepper: TokenStepper, kept: StartCache | None = None) -> None:
    """Compare the logits of a few steps with the re-rotating twin's; once for each model and kernel.

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
    steps = list(_steps(model.config.get_text_config().vocab_size))
    arena = CacheArena()
    blocks = {name: arena.new_block(name) for name in READING_ORDER}
    got = [
        stepper.step([Row(View(tuple(blocks[name] for name in names)), tokens) for names, tokens in rows])
        for rows in steps
    ]
    model.set_attn_implementation("eager")
    try:
        twin = ReRotatingTwin(model)
        expected = [twin.step(rows) for rows in steps]
    finally:
        model.set_attn_implementation(attention.NAME)
    error = float(torch.stack([(g - e).norm() / e.norm() for g, e in zip(got, expected, strict=True)]).max())
    allowed = tolerance_of(model)
    if not error <= allowed:
        raise UnsupportedModel(
            f"{model.config.model_type}: over shared blocks its logits differ from the whole text's by {error:.1e} "
            f"(allowed {allowed:.0e}), so it would reason wrongly; choose another model (README, Supported models)"
        )
    _checked[model].add(stepper.attention.name)
    if kept:
        kept.note_passed(how)


def _steps(vocabulary: int) -> Iterator[list[tuple[tuple[str, ...], list[int]]]]:
    """The rows of each step: the blocks of a view, and new tokens for the last of them."""
    token = itertools.count(1)
    for growing in SCRIPT:
        yield [
            (
                READING_ORDER[: READING_ORDER.index(name) + 1],
                [(7919 * next(token) + 101) % vocabulary for _ in range(n)],
            )
            for name, n in growing.items()
        ]


def tolerance_of(model: PreTrainedModel) -> float:
    """The error that rounding alone may cause: by dtype, wider where linears are quantised or experts are chosen."""
    dtypes = {parameter.dtype for parameter in model.parameters() if parameter.is_floating_point()}
    quantised = getattr(model, "is_quantized", False) or any(isinstance(m, PackedLinear) for m in model.modules())
    allowed = max([QUANTISED_TOLERANCE if quantised else 0.0, *(TOLERANCE.get(dtype, 1e-4) for dtype in dtypes)])
    routed = any(getattr(model.config.get_text_config(), name, None) for name in EXPERTS)
    return max(allowed, ROUTED_TOLERANCE) if routed and allowed > TOLERANCE[torch.float32] else allowed
