"""Floats become codes of 8 or 4 bits in groups of 32 columns.

    float (rows, columns) -> round_to_bits(values, bits) -> PackedWeight

8 bits are symmetric: the largest of a group is 127 steps. 4 bits have a scale and a minimum per group: several ranges
are tried, each is fitted to its codes by least squares, and the one with the smallest squared error wins (the idea of
make_qkx2_quants in ggml's ggml-quants.c; here every weight counts the same). Rows are taken a few at a time, so that
the working memory does not grow with the matrix.
"""

from __future__ import annotations

import torch
from torch import Tensor

from .layout import PackedWeight

GROUP = 32
AT_ONCE = 1 << 22  # weights; what the search holds is some ten times that
LEAST_SCALE = 2.0**-24  # of float16
RANGES = (1.0, 0.95, 0.9, 0.85, 0.8, 0.75)  # of a group's spread; narrower ones clip its ends
ROUNDING_VERSION = 1  # a change makes packed copies stale


def round_to_bits(values: Tensor, bits: int, device: torch.device | None = None) -> PackedWeight:
    """values: (rows, columns) of any float type, columns a multiple of 32; bits: 8 or 4.

    The weight lies where `values` lies; the search runs on `device` where one is given.
    """
    assert bits in (4, 8)
    rows, columns = values.shape
    codes = torch.empty(rows, columns, dtype=torch.uint8, device=values.device)
    scales = torch.empty(rows, columns // GROUP, dtype=torch.float16, device=values.device)
    minimums = torch.empty_like(scales)
    share = max(1, AT_ONCE // columns)
    for first in range(0, rows, share):
        part = slice(first, first + share)
        groups = values[part].to(device or values.device).float().unflatten(1, (-1, GROUP))
        found = _symmetric(groups) if bits == 8 else _between(groups)
        codes[part] = found[0].flatten(1).to(codes.device)
        scales[part], minimums[part] = found[1].to(codes.device), found[2].to(codes.device)
    if bits == 8:
        return PackedWeight.pack(codes, scales, None, bits=8, zero=128)
    return PackedWeight.pack(codes, scales, minimums, bits=4, zero=0)


def _symmetric(groups: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """groups (..., 32) -> codes around 128, scales (...), and minimums, which are not used."""
    scales = (groups.abs().amax(-1) / 127).to(torch.float16).clamp_min(LEAST_SCALE)
    codes = (groups / scales[..., None].float()).round_().clamp_(-128, 127).add_(128).to(torch.uint8)
    return codes, scales, torch.zeros_like(scales)


def _between(groups: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """groups (..., 32) -> codes 0..15, scales (...), minimums (...): a weight is scale * code - minimum."""
    lowest, highest = groups.aminmax(dim=-1)
    middle, spread = (lowest + highest) / 2, highest - lowest
    best_error = torch.full_like(middle, float("inf"))
    best_scale, best_low = torch.zeros_like(middle), torch.zeros_like(middle)
    for share in RANGES:
        low, scale = middle - share * spread / 2, share * spread / 15
        scale, low = _fitted(groups, _codes(groups, scale, low), scale, low)
        error = (_codes(groups, scale, low) * scale[..., None] + low[..., None] - groups).square_().sum(-1)
        better = error < best_error
        best_error = torch.where(better, error, best_error)
        best_scale, best_low = torch.where(better, scale, best_scale), torch.where(better, low, best_low)
    return _codes(groups, best_scale, best_low).to(torch.uint8), best_scale.half(), -best_low.half()


def _codes(groups: Tensor, scale: Tensor, low: Tensor) -> Tensor:
    return ((groups - low[..., None]) / scale[..., None].clamp_min(LEAST_SCALE)).round_().clamp_(0, 15)


def _fitted(groups: Tensor, codes: Tensor, scale: Tensor, low: Tensor) -> tuple[Tensor, Tensor]:
    """Scale and lowest value that these codes serve best, as float16 holds them; as they were where all codes agree."""
    code, value = codes.mean(-1), groups.mean(-1)
    spread = codes.square().mean(-1) - code.square()
    together = (codes * groups).mean(-1) - code * value
    scale = torch.where(spread > 0, together / spread.clamp_min(1e-9), scale).half().float()
    return scale, torch.where(spread > 0, value - scale * code, low).half().float()
