"""Rotate queries further, so that keys can stay where they are.

RoPE attention depends only on q_position - k_position, and rotations compose: R(a)R(b) = R(a+b) (RoFormer, Su et al.
2021, section 3.4.2). A query that was rotated at its block-local position is rotated by another `shift` positions and
then meets keys that were rotated at theirs. The angles come from the model's own rotary module; attention scaling
(yarn) is already in the query and is not applied again. Always float32.

    rotation.cos_sin(shifts) -> (cos, sin); rotate(query, cos, sin) -> query
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import nn

from ..errors import UnusableInput

COMPOSING_ROPE_TYPES = frozenset({"default", "linear", "llama3", "yarn", "proportional"})


class UnsupportedModel(UnusableInput):
    """The model cannot be run exactly over shared blocks; the sentence says why."""


class Rotation:
    """The extra rotation of one model, for shifts in positions of either sign."""

    def __init__(self, frequencies: torch.Tensor) -> None:
        self.frequencies = frequencies.float()  # (rotary_dim / 2,), radians per position

    @classmethod
    def of_model(cls, model: nn.Module) -> Rotation:
        """Take the frequencies from the model's rotary module.

        Raises:
            UnsupportedModel: no rotary module, several of them, or a rope type whose rotations do not compose.
        """
        found = [module for name, module in model.named_modules() if name.endswith("rotary_emb")]
        kind = getattr(getattr(model, "config", None), "model_type", type(model).__name__)
        if len(found) != 1 or not isinstance(getattr(found[0], "inv_freq", None), torch.Tensor):
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
        return cls(found[0].inv_freq)

    def cos_sin(self, shifts: Sequence[int]) -> tuple[torch.Tensor, torch.Tensor]:
        """Cosines and sines for `len(shifts)` rotations: (shifts, rotary_dim) float32 each, half-split layout."""
        positions = torch.tensor(shifts, dtype=torch.float32, device=self.frequencies.device)
        angles = positions[:, None] * self.frequencies  # (shifts, rotary_dim / 2)
        angles = torch.cat((angles, angles), dim=-1)
        return angles.cos(), angles.sin()


def rotate(query: torch.Tensor, cos: torch.Tensor, sin: torch.Tensor) -> torch.Tensor:
    """Rotate the first rotary_dim entries of `query` (..., head_dim) float32 by angles that broadcast against it."""
    turning, still = query[..., : cos.shape[-1]], query[..., cos.shape[-1] :]
    first, second = turning.chunk(2, dim=-1)
    turned = turning * cos + torch.cat((-second, first), dim=-1) * sin
    return torch.cat((turned, still.expand(*turned.shape[:-1], -1)), dim=-1) if still.shape[-1] else turned
