"""Rotate queries further, so that keys can stay where they are.

RoPE attention depends only on q_position - k_position, and rotations compose: R(a)R(b) = R(a+b) (RoFormer, Su et al.
2021, section 3.4.2). A query that was rotated at its block-local position is rotated by another `shift` positions and
then meets keys that were rotated at theirs. Layers may rotate in different ways (`Kind`), or not at all; attention
scaling (yarn, longrope) is already in the query and is not applied again. Always float32. Which layer of a model
rotates how is found out elsewhere (rotation_probe).

    rotation.turns(shifts) -> (cos, sin) for each kind; rotate(query, cos, sin, layout) -> query
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from ..errors import UnusableInput

Turn = tuple[Tensor, Tensor]  # cosines and sines, (spans, pairs) float32 each


class UnsupportedModel(UnusableInput):
    """The model cannot be run exactly over shared blocks; the sentence says why."""


@dataclass(frozen=True)
class Layout:
    """Which entries of a head turn: pair i is entries (start + i, start + pairs + i), or neighbours if interleaved."""

    start: int = 0
    interleaved: bool = False


@dataclass(frozen=True, eq=False)
class Kind:
    """One way of rotating: how fast each pair turns, and where the pairs stand."""

    frequencies: Tensor  # (pairs,) float32, radians per position; none: heads without positions
    layout: Layout = Layout()


@dataclass(frozen=True)
class Bound:
    """The longest view, in tokens, over which a model is exact, and what comes beyond it."""

    tokens: int
    reason: str

    def check(self, tokens: int, what: str) -> None:
        """Raises UnusableInput where `what` has more tokens."""
        if tokens > self.tokens:
            raise UnusableInput(
                f"{what} {tokens} tokens: this model is exact over shared blocks up to {self.tokens} ({self.reason}); "
                f"set [reasoning] context_tokens to at most {self.tokens}, or choose another model"
            )


class Rotation:
    """The extra rotation of one model.

    layers: for each layer the number of its kind. exact_to: None where views may be of any length.
    """

    def __init__(self, kinds: Sequence[Kind], layers: Mapping[int, int], exact_to: Bound | None = None) -> None:
        self.kinds = tuple(kinds)
        self.layers = dict(layers)
        self.exact_to = exact_to

    @property
    def device(self) -> torch.device:
        return self.kinds[0].frequencies.device

    def layout(self, layer: int) -> Layout:
        return self.kinds[self.layers[layer]].layout

    def turns(self, shifts: Tensor) -> tuple[Turn, ...]:
        """Cosines and sines for each kind of rotation by `shifts` positions, (spans,) int64 of either sign.

        Runs on the device of `shifts` and waits for nothing. Angles are float64: at 30,000 positions float32 is off by
        a thousandth of a radian.
        """
        return tuple(_turn(shifts[:, None] * kind.frequencies.to(shifts.device).double()) for kind in self.kinds)


def rotate(query: Tensor, cos: Tensor, sin: Tensor, layout: Layout) -> Tensor:
    """Rotate the turning entries of `query` (..., head_dim) float32 by angles (..., pairs) that broadcast with it."""
    pairs = cos.shape[-1]
    first, second = _pair_slices(layout, pairs)
    turned = query.expand(*torch.broadcast_shapes(query.shape[:-1], cos.shape[:-1]), -1).clone()
    turned[..., first] = query[..., first] * cos - query[..., second] * sin
    turned[..., second] = query[..., second] * cos + query[..., first] * sin
    return turned


def _pair_slices(layout: Layout, pairs: int) -> tuple[slice, slice]:
    """Where in a head the first and the second entries of all pairs stand."""
    start, end = layout.start, layout.start + 2 * pairs
    if layout.interleaved:
        return slice(start, end, 2), slice(start + 1, end, 2)
    return slice(start, start + pairs), slice(start + pairs, end)


def _turn(angles: Tensor) -> Turn:
    return angles.cos().float(), angles.sin().float()
