"""Where keys and values live: one arena per reasoner, cut into blocks.

    CacheArena   one tensor of keys and one of values per layer; blocks own spans of its slots
    CacheBlock   one stretch of text: its tokens, and the span that holds their keys and values

A block is one contiguous span, so a reader needs two numbers (start, length) and no copy. A block that outgrows its
span moves once to one of twice the size; the arena doubles the same way. The arena learns its shapes from the first
keys it is given, layer by layer: it knows nothing of models. Not thread-safe: one thread steps.
"""

from __future__ import annotations

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
            self.arena.move(self, max(needed, 2 * self.capacity))
        return self.start + self.length

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
    """Slots for keys and values of all blocks of one reasoner, per layer."""

    def __init__(self) -> None:
        self._layers: dict[int, _LayerCache] = {}
        self._slots = FIRST_ARENA
        self._free: list[tuple[int, int]] = [(0, FIRST_ARENA)]  # (start, size), sorted, never adjacent

    @property
    def bytes(self) -> int:
        """Memory held by keys and values, free slots included."""
        return sum(c.keys.nbytes + c.values.nbytes for c in self._layers.values())

    def layers(self) -> dict[int, tuple[torch.Tensor, torch.Tensor]]:
        """All keys and values by layer: (kv_heads, slots, dim) each."""
        return {index: (cache.keys, cache.values) for index, cache in self._layers.items()}

    def new_block(self, name: str) -> CacheBlock:
        """An empty block."""
        return CacheBlock(name, self, self._allocate(FIRST_SPAN), FIRST_SPAN)

    def release(self, block: CacheBlock) -> None:
        """Give a block's slots back; the block must not be read again."""
        self._give_back(block.start, block.capacity)
        block.tokens, block.capacity = [], 0

    def move(self, block: CacheBlock, capacity: int) -> None:
        """Copy a block into a larger span and free the old one."""
        start = self._allocate(capacity)
        for cache in self._layers.values():
            for slots in (cache.keys, cache.values):
                slots[:, start : start + block.length] = slots[:, block.start : block.start + block.length]
        self._give_back(block.start, block.capacity)
        block.start, block.capacity = start, capacity

    def layer_for(self, index: int, keys: torch.Tensor, values: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """All keys and values of a layer that is about to take new ones: (kv_heads, slots, dim) each.

        keys, values: (kv_heads, n, dim), the new ones; nothing is stored, the first of them give the layer its shape.
        """
        if index not in self._layers:
            self._layers[index] = _LayerCache(
                keys.new_zeros(keys.shape[0], self._slots, keys.shape[2]),
                values.new_zeros(values.shape[0], self._slots, values.shape[2]),
            )
        cache = self._layers[index]
        return cache.keys, cache.values

    def _allocate(self, size: int) -> int:
        for i, (start, room) in enumerate(self._free):
            if room >= size:
                self._free[i : i + 1] = [(start + size, room - size)] if room > size else []
                return start
        self._grow(size)
        return self._allocate(size)

    def _give_back(self, start: int, size: int) -> None:
        merged: list[tuple[int, int]] = []
        for span in sorted([*self._free, (start, size)]):
            if merged and merged[-1][0] + merged[-1][1] == span[0]:
                merged[-1] = (merged[-1][0], merged[-1][1] + span[1])
            elif span[1]:
                merged.append(span)
        self._free = merged

    def _grow(self, size: int) -> None:
        """Double the slots until `size` fits at the end; everything stored is copied once."""
        old = self._slots
        while self._slots - old < size:
            self._slots *= 2
        for cache in self._layers.values():
            cache.keys = _with_slots(cache.keys, self._slots)
            cache.values = _with_slots(cache.values, self._slots)
        self._give_back(old, self._slots - old)


def _with_slots(stored: torch.Tensor, slots: int) -> torch.Tensor:
    grown = stored.new_zeros(stored.shape[0], slots, stored.shape[2])
    grown[:, : stored.shape[1]] = stored
    return grown
