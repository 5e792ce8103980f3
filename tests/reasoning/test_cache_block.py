"""Blocks keep what was written to them, wherever the arena moves them."""

from __future__ import annotations

from typing import Any

import torch
from hypothesis import given
from hypothesis import strategies as st
from torch.utils._python_dispatch import TorchDispatchMode

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


class Copied(TorchDispatchMode):
    """Counts the tokens whose keys are copied on one layer."""

    def __init__(self) -> None:
        super().__init__()
        self.tokens = 0

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        if func in (torch.ops.aten.copy_.default, torch.ops.aten.clone.default):
            self.tokens += args[0].numel()
        return func(*args, **(kwargs or {}))


def filled(arena: CacheArena, *lengths: int) -> list[CacheBlock]:
    """Blocks on one layer."""
    blocks = [arena.new_block(f"b{i}") for i in range(len(lengths))]
    for block, length in zip(blocks, lengths, strict=True):
        keys = torch.full((1, length, 1), float(length))
        block.restore([0] * length, {0: (keys, keys)})
    return blocks


def test_a_block_grows_where_it_stands_while_the_slots_behind_it_are_free() -> None:
    _, last = filled(CacheArena(), 30, 30)
    start, generation = last.start, last.arena.generation
    with Copied() as copied:
        last.reserve(300)
    assert (last.start, last.arena.generation, copied.tokens) == (start, generation, 0)


def test_growing_copies_what_exists_once() -> None:
    """Also the block for whose sake the arena grows: it goes straight to its new place."""
    arena = CacheArena()
    first, second, third = filled(arena, 400, 32, 500)
    arena.release(second)
    used = sum(block.capacity for block in (third,)) + first.length
    generation = arena.generation
    with Copied() as copied:
        first.reserve(900)
    assert arena.generation == generation + 1
    assert copied.tokens <= 2 * used  # keys and values
    assert [set(part[0].flatten().tolist()) for part in (*first.contents()[0], *third.contents()[0])] == [
        {400.0},
        {400.0},
        {500.0},
        {500.0},
    ]


def test_the_arena_says_what_memory_its_blocks_take() -> None:
    arena = CacheArena()
    assert (arena.bytes_per_token, arena.used_bytes, arena.held_bytes) == (0, 0, 0)
    block = arena.new_block("b")
    keys, values = torch.zeros(2, 5, 3, dtype=torch.bfloat16), torch.zeros(2, 5, 4, dtype=torch.bfloat16)
    block.restore([0] * 5, dict.fromkeys(range(6), (keys, values)))
    assert arena.bytes_per_token == 6 * 2 * (3 + 4) * 2
    assert block.used_bytes == 5 * arena.bytes_per_token
    assert arena.used_bytes == block.held_bytes == 32 * arena.bytes_per_token
    assert arena.held_bytes == 1024 * arena.bytes_per_token
    arena.release(block)
    assert arena.used_bytes == block.held_bytes == 0


def test_releasing_twice_gives_nothing_back_twice() -> None:
    arena = CacheArena()
    first, second = filled(arena, 1, 1)
    arena.release(first)
    arena.release(first)
    one, two = filled(arena, 1, 1)
    assert len({one.start, two.start, second.start}) == 3


def test_making_and_releasing_blocks_moves_nothing() -> None:
    """Another conversation does it while a step is in flight."""
    arena = CacheArena()
    first, second = filled(arena, 400, 500)
    keys, values = arena.layers()[0]
    arena.release(first)
    for count in range(100):
        arena.new_block(f"b{count}")
    assert arena.layers()[0][0] is keys
    assert arena.layers()[0][1] is values
    assert arena.used_bytes == second.held_bytes
    (third,) = filled(arena, 400)
    assert third.start == 0  # the slots that were released
    assert arena.layers()[0][0] is keys
