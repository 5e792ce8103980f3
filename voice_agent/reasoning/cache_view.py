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
    """Blocks in reading order; the last one is written.

    most: of a block that is not read to its end, so many tokens are; None: every block is read as far as it is filled.
    """

    blocks: tuple[CacheBlock, ...]
    most: tuple[CacheBlock, int] | None = None

    @property
    def own(self) -> CacheBlock:
        return self.blocks[-1]

    @property
    def length(self) -> int:
        return sum(self.lengths)

    @property
    def lengths(self) -> list[int]:
        """Of each block, what is read of it."""
        return [self._read(block) for block in self.blocks]

    def up_to(self, block: CacheBlock, tokens: int) -> View:
        """The same view that reads no more than the first `tokens` of `block`, which is not its own."""
        assert block is not self.own, "a stream reads all that it has written"
        return View(self.blocks, (block, tokens))

    def _read(self, block: CacheBlock) -> int:
        return min(block.length, self.most[1]) if self.most is not None and block is self.most[0] else block.length


@dataclass(frozen=True)
class ReadSpan:
    """One block as a view reads it: slots [slot, slot + length), standing at view positions from `position` on."""

    slot: int
    length: int
    position: int
    shift: int


def read_spans(view: View) -> tuple[ReadSpan, ...]:
    """Where everything stands now; empty blocks take no part, except the own one, which comes last."""
    lengths = view.lengths
    starts = _starts(lengths)
    own_start = starts[-1]
    return tuple(
        ReadSpan(block.start, length, start, own_start - start)
        for block, length, start in zip(view.blocks, lengths, starts, strict=True)
        if length or block is view.own
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
