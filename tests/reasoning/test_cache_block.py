"""Blocks keep what was written to them, wherever the arena moves them."""

from __future__ import annotations

import torch
from hypothesis import given
from hypothesis import strategies as st

from voice_agent.reasoning.cache_block import CacheArena, CacheBlock

OPERATIONS = st.lists(
    st.tuples(st.sampled_from(["new", "write", "write", "write", "cut", "release"]), st.integers(0, 999)), max_size=60
)


def write(block: CacheBlock, tokens: list[int]) -> None:
    """Store each token's number as its key, on two layers."""
    slot = block.reserve(len(tokens))
    keys = torch.tensor(tokens, dtype=torch.float32)[None, :, None]
    for layer in (0, 1):
        held = block.arena.layer_for(layer, keys, keys)
        for slots, new in zip(held, (keys + layer, -keys - layer), strict=True):
            slots[:, slot : slot + len(tokens)] = new
    block.tokens.extend(tokens)


def stored(block: CacheBlock) -> list[list[float]]:
    spans = (block.arena.layer_for(layer, torch.empty(1, 0, 1), torch.empty(1, 0, 1)) for layer in (0, 1))
    return [part[0, block.start : block.start + block.length, 0].tolist() for pair in spans for part in pair]


@given(operations=OPERATIONS)
def test_no_block_ever_sees_another_ones_slots(operations: list[tuple[str, int]]) -> None:
    arena = CacheArena()
    blocks = [arena.new_block("first")]
    write(blocks[0], [1])
    for count, (operation, number) in enumerate(operations):
        block = blocks[number % len(blocks)]
        if operation == "new":
            blocks.append(arena.new_block(f"b{count}"))
        elif operation == "write":
            write(block, [1000 * count + i for i in range(1 + number % 300)])
        elif operation == "cut":
            block.truncate(number % (block.length + 1))
        elif len(blocks) > 1:
            arena.release(block)
            blocks.remove(block)
        for block in blocks:
            tokens = block.tokens
            assert stored(block) == [tokens, [-t for t in tokens], [t + 1 for t in tokens], [-t - 1 for t in tokens]]


@given(held=st.lists(st.integers(0, 2), max_size=6), wanted=st.lists(st.integers(0, 2), max_size=6))
def test_keep_forgets_what_differs_and_names_what_is_missing(held: list[int], wanted: list[int]) -> None:
    block = CacheArena().new_block("b")
    block.tokens = list(held)
    missing = block.keep(wanted)
    assert block.tokens + missing == wanted
    assert block.tokens == held[: block.length]
    assert not missing or block.length == len(held) or held[block.length] != missing[0]


def test_releasing_twice_gives_nothing_back_twice() -> None:
    arena = CacheArena()
    first, second = arena.new_block("first"), arena.new_block("second")
    arena.release(first)
    arena.release(first)
    one, two = arena.new_block("one"), arena.new_block("two")
    assert len({one.start, two.start, second.start}) == 3
