"""Where keys and values live: one arena per engine, cut into blocks.

    CacheArena   one tensor of keys and one of values per layer; blocks own spans of its slots
    CacheBlock   one stretch of text: its tokens, and the span that holds their keys and values

A block is one contiguous span, so a reader needs two numbers (start, length) and no copy. A block that outgrows its
span takes the free slots behind it, or moves to a span of twice the size; the arena doubles the same way, and whatever
lies in it is then copied once. The arena learns its shapes from the first keys it is given, layer by layer: it knows
nothing of models. One thread steps, and it alone takes and moves slots; another may make blocks and release them while
a step that does not read them is in flight, so that conversations begin and end beside each other.
"""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import torch

FIRST_SPAN = 32  # tokens; a cue fits, a long text moves a few times
FIRST_ARENA = 1024  # slots


@dataclass(eq=False)
class CacheBlock:
    """Keys and values of one stretch of text, read by several views.

    `tokens` are the ids whose keys and values stand in arena slots [start, start + length); keys are rotated at
    block-local positions 0..length-1, and the view that reads the block decides where it stands.
    """

    name: str
    arena: CacheArena
    start: int
    capacity: int
    tokens: list[int] = field(default_factory=list)

    @property
    def length(self) -> int:
        return len(self.tokens)

    def reserve(self, count: int) -> int:
        """Make room for `count` more tokens and return the arena slot of the first; the tokens are not added yet."""
        needed = self.length + count
        if needed > self.capacity:
            self.arena.enlarge(self, max(needed, 2 * self.capacity, FIRST_SPAN))
        return self.start + self.length

    @property
    def used_bytes(self) -> int:
        """Memory that its tokens' keys and values take."""
        return self.length * self.arena.bytes_per_token

    @property
    def held_bytes(self) -> int:
        """The same with the slots that it keeps for more."""
        return self.capacity * self.arena.bytes_per_token

    def keep(self, wanted: Sequence[int]) -> list[int]:
        """Forget every token from the first on that differs from `wanted`; returns what of it is then missing."""
        same = self.length
        if self.tokens != wanted[:same]:
            pairs = enumerate(zip(self.tokens, wanted, strict=False))
            same = next((i for i, (held, other) in pairs if held != other), min(same, len(wanted)))
            self.truncate(same)
        return list(wanted[same:])

    def truncate(self, length: int) -> None:
        """Forget every token from `length` on; their slots are overwritten later."""
        assert 0 <= length <= self.length, f"{self.name}: cannot cut {self.length} tokens to {length}"
        del self.tokens[length:]

    def contents(self) -> dict[int, tuple[torch.Tensor, torch.Tensor]]:
        """Keys and values by layer, (kv_heads, length, dim) each, as they lie in the arena."""
        span = slice(self.start, self.start + self.length)
        return {layer: (keys[:, span], values[:, span]) for layer, (keys, values) in self.arena.layers().items()}

    def restore(self, tokens: Sequence[int], contents: Mapping[int, tuple[torch.Tensor, torch.Tensor]]) -> None:
        """Append `tokens` whose keys and values are known: `contents` of a block that held just them."""
        start = self.reserve(len(tokens))
        for layer, (keys, values) in contents.items():
            held_keys, held_values = self.arena.layer_for(layer, keys, values)
            held_keys[:, start : start + len(tokens)] = keys
            held_values[:, start : start + len(tokens)] = values
        self.tokens += tokens


@dataclass
class _LayerCache:
    keys: torch.Tensor  # (kv_heads, slots, key_dim)
    values: torch.Tensor  # (kv_heads, slots, value_dim)


class CacheArena:
    """Slots for keys and values of all blocks of one engine, per layer.

    generation: changes whenever keys and values get another place in memory.
    """

    def __init__(self) -> None:
        self.generation = 0
        self._layers: dict[int, _LayerCache] = {}
        self._slots = FIRST_ARENA
        self._free: list[tuple[int, int]] = [(0, FIRST_ARENA)]  # (start, size), sorted, never adjacent
        self._released: list[tuple[int, int]] = []  # free as well, once the thread that steps has looked

    @property
    def bytes_per_token(self) -> int:
        """Keys and values of all layers; 0 before the first step has told what they look like."""
        return self.held_bytes // self._slots

    @property
    def held_bytes(self) -> int:
        """Memory held by keys and values, free slots included."""
        return sum(c.keys.nbytes + c.values.nbytes for c in self._layers.values())

    @property
    def used_bytes(self) -> int:
        """Memory of the slots that belong to blocks."""
        return (self._slots - sum(size for _, size in (*self._free, *self._released))) * self.bytes_per_token

    def layers(self) -> dict[int, tuple[torch.Tensor, torch.Tensor]]:
        """All keys and values by layer: (kv_heads, slots, dim) each."""
        return {index: (cache.keys, cache.values) for index, cache in self._layers.items()}

    def new_block(self, name: str) -> CacheBlock:
        """An empty block; it takes slots with its first tokens."""
        return CacheBlock(name, self, start=0, capacity=0)

    def release(self, block: CacheBlock) -> None:
        """Give a block's slots back; the block must not be read again."""
        self._released.append((block.start, block.capacity))
        block.tokens, block.capacity = [], 0

    def enlarge(self, block: CacheBlock, capacity: int) -> None:
        """Give a block a span of `capacity` slots: where it stands if those behind it are free, else elsewhere."""
        while self._released:
            self._give_back(*self._released.pop())
        self._give_back(block.start, block.capacity)
        if not self._take(block.start, capacity):
            start = self._find(capacity)
            if start is None:
                start = self._grow(capacity, block)
            elif block.length:
                for stored in itertools.chain(*self.layers().values()):
                    stored[:, start : start + block.length] = stored[:, block.start :][:, : block.length].clone()
            block.start = start
        block.capacity = capacity

    def layer_for(self, index: int, keys: torch.Tensor, values: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """All keys and values of a layer that is about to take new ones: (kv_heads, slots, dim) each.

        keys, values: (kv_heads, n, dim), the new ones; nothing is stored, the first of them give the layer its shape.
        """
        if index not in self._layers:
            self.generation += 1
            self._layers[index] = _LayerCache(
                keys.new_zeros(keys.shape[0], self._slots, keys.shape[2]),
                values.new_zeros(values.shape[0], self._slots, values.shape[2]),
            )
        cache = self._layers[index]
        return cache.keys, cache.values

    def _find(self, size: int) -> int | None:
        """Take the first free span of this size; None: there is none."""
        start = next((start for start, room in self._free if room >= size), None)
        if start is not None:
            self._take(start, size)
        return start

    def _take(self, start: int, size: int) -> bool:
        """Take these slots, if all of them are free."""
        for i, (free, room) in enumerate(self._free):
            if free <= start and start + size <= free + room:
                left = [(free, start - free), (start + size, free + room - start - size)]
                self._free[i : i + 1] = [span for span in left if span[1]]
                return True
        return False

    def _give_back(self, start: int, size: int) -> None:
        merged: list[tuple[int, int]] = []
        for span in sorted([*self._free, (start, size)]):
            if merged and merged[-1][0] + merged[-1][1] == span[0]:
                merged[-1] = (merged[-1][0], merged[-1][1] + span[1])
            elif span[1]:
                merged.append(span)
        self._free = merged

    def _grow(self, size: int, block: CacheBlock) -> int:
        """Double the slots until `size` are free at the end, and take them for `block`, whose own count as free.

        Everything stored is copied once, `block` to where it then stands.
        """
        old = self._slots
        tail = next((start for start, room in self._free if start + room == old), old)
        begin = max(tail, block.start)
        used = self._used()
        while self._slots < begin + size:
            self._slots *= 2
        moves = [*((start, start, length) for start, length in used), (block.start, begin, block.length)]
        for cache in self._layers.values():
            cache.keys = _moved(cache.keys, self._slots, moves)
            cache.values = _moved(cache.values, self._slots, moves)
        self.generation += 1
        self._give_back(old, self._slots - old)
        self._take(begin, size)
        return begin

    def _used(self) -> list[tuple[int, int]]:
        """(start, size) of what is not free."""
        ends = [0, *(start + size for start, size in self._free)]
        starts = [*(start for start, _ in self._free), self._slots]
        return [(end, start - end) for end, start in zip(ends, starts, strict=True) if start > end]


def _moved(stored: torch.Tensor, slots: int, moves: Sequence[tuple[int, int, int]]) -> torch.Tensor:
    """A larger tensor, with (from, to, length) of the old one in it."""
    grown = stored.new_zeros(stored.shape[0], slots, stored.shape[2])
    for start, begin, length in moves:
        grown[:, begin : begin + length] = stored[:, start : start + length]
    return grown
