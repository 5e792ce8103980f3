"""What a stream reads, and where each block stands in it.

A view is an ordered list of blocks; the stream writes at the end of its last one. The same block stands at different
positions in different views, and moves when an earlier block grows; nothing is copied for that, only these numbers
change:

    blocks, lengths -> ReadSpan(slot, length, position, shift) each

`shift` is o_own - o_b (positions, in this view, of the first token of the block that is written and of the one that is
read): the further rotation that a query needs before it meets that block's keys. Pure arithmetic; no tensors.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from .cache_block import CacheBlock


@dataclass(frozen=True)
class View:
    """Blocks in reading order; the last one is written."""

    blocks: tuple[CacheBlock, ...]

    @property
    def own(self) -> CacheBlock:
        return self.blocks[-1]

    @property
    def length(self) -> int:
        return sum(block.length for block in self.blocks)


@dataclass(frozen=True)
class ReadSpan:
    """One block as a view reads it: slots [slot, slot + length), standing at view positions from `position` on."""

    slot: int
    length: int
    position: int
    shift: int


def read_spans(view: View) -> tuple[ReadSpan, ...]:
    """Where everything stands now; empty blocks take no part, except the own one, which comes last."""
    starts = _starts([block.length for block in view.blocks])
    own_start = starts[-1]
    return tuple(
        ReadSpan(block.start, block.length, start, own_start - start)
        for block, start in zip(view.blocks, starts, strict=True)
        if block.length or block is view.own
    )


def views_from_picture(picture: str, blocks: dict[str, CacheBlock]) -> dict[str, View]:
    """Read a table of views as it is drawn: one line a view, `name [block][block][written>`."""
    views = {}
    for line in picture.strip().splitlines():
        name, _, drawn = line.strip().partition(" ")
        parts = drawn.strip().removeprefix("[").removesuffix(">").split("][")
        views[name] = View(tuple(blocks[part] for part in parts))
    return views


def _starts(lengths: Sequence[int]) -> list[int]:
    starts, total = [], 0
    for length in lengths:
        starts.append(total)
        total += length
    return starts
