"""Text fed as blocks gives the logits of feeding it whole; growth out of view order those of the re-rotating twin."""

from __future__ import annotations

import copy

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.reasoning.tiny_models import tiny_model
from voice_agent.reasoning.cache_block import CacheArena
from voice_agent.reasoning.cache_view import View
from voice_agent.reasoning.rerotating_twin import ReRotatingTwin
from voice_agent.reasoning.token_stepper import Row, TokenStepper

KINDS = ["llama", "mistral", "qwen2", "qwen3"]
YARN = {
    "rope_parameters": {
        "rope_type": "yarn",
        "rope_theta": 10000.0,
        "factor": 4.0,
        "original_max_position_embeddings": 64,
    }
}
VARIANTS = [(kind, {}) for kind in KINDS] + [("mistral", {"sliding_window": 7}), ("llama", YARN)]


def relative_error(got: torch.Tensor, expected: torch.Tensor) -> float:
    return float((got - expected).norm() / expected.norm())


def random_tokens(count: int, seed: int) -> list[int]:
    return torch.randint(3, 200, (count,), generator=torch.Generator().manual_seed(seed)).tolist()


def stepper_of(kind: str, **changes: object) -> tuple[TokenStepper, torch.nn.Module]:
    """A stepper, and the same model untouched: the attention choice is stored in the config, which is copied too."""
    whole = tiny_model(kind, **changes)
    return TokenStepper(copy.deepcopy(whole)), whole


@pytest.mark.parametrize(("kind", "changes"), VARIANTS)
@settings(max_examples=8)
@given(lengths=st.lists(st.integers(1, 40), min_size=1, max_size=5), chunk=st.integers(1, 17), seed=st.integers(0, 99))
def test_blocks_in_view_order_equal_whole(kind: str, changes: dict, lengths: list[int], chunk: int, seed: int) -> None:
    stepper, whole = stepper_of(kind, **changes)
    arena, blocks, got = CacheArena(), [], torch.empty(0)
    tokens = random_tokens(sum(lengths), seed)
    rest = list(tokens)
    for i, length in enumerate(lengths):
        blocks.append(arena.new_block(f"b{i}"))
        text, rest = rest[:length], rest[length:]
        for at in range(0, length, chunk):
            got = stepper.step([Row(View(tuple(blocks)), text[at : at + chunk])])
    expected = whole(torch.tensor([tokens])).logits[0, -1:]
    assert relative_error(got, expected) <= 1e-5


@pytest.mark.parametrize(("kind", "changes"), VARIANTS)
@settings(max_examples=5)
@given(data=st.data(), seed=st.integers(0, 99))
def test_growth_out_of_view_order_equals_the_rerotating_twin(
    kind: str, changes: dict, data: st.DataObject, seed: int
) -> None:
    """Thinker, writer and probe grow in turns, in ragged steps, some of them together."""
    stepper, whole = stepper_of(kind, **changes)
    twin, arena = ReRotatingTwin(whole), CacheArena()
    names = ["preamble", "user", "thoughts", "cue", "spoken", "question"]
    blocks = {name: arena.new_block(name) for name in names}
    views = {
        "preamble": ["preamble"],
        "user": ["preamble", "user"],
        "thoughts": ["preamble", "spoken", "user", "thoughts"],  # reads what was spoken: it stands before and grows
        "spoken": ["preamble", "user", "thoughts", "cue", "spoken"],
        "cue": ["preamble", "user", "thoughts", "cue"],
        "question": ["preamble", "user", "thoughts", "cue", "spoken", "question"],
    }
    writers_of_a_step = st.lists(
        st.sampled_from(["thoughts", "spoken", "user", "question"]), min_size=1, max_size=3, unique=True
    )
    script = [["preamble"], ["user"], ["cue"], *data.draw(st.lists(writers_of_a_step, min_size=3, max_size=10))]
    for step, writers in enumerate(script):
        fed = {
            name: random_tokens(data.draw(st.integers(1, 9)), 1000 * seed + 10 * step + i)
            for i, name in enumerate(writers)
        }
        got = stepper.step([Row(View(tuple(blocks[b] for b in views[name])), fed[name]) for name in writers])
        expected = twin.step([(views[name], fed[name]) for name in writers])
        for row in range(len(writers)):
            assert relative_error(got[row], expected[row]) <= 1e-5


def test_cutting_a_block_is_as_if_it_had_never_been_longer() -> None:
    stepper, whole = stepper_of("qwen2")
    arena = CacheArena()
    first, second = arena.new_block("first"), arena.new_block("second")
    tokens = random_tokens(50, 3)
    stepper.step([Row(View((first,)), tokens[:20])])
    stepper.step([Row(View((first, second)), random_tokens(30, 4))])
    second.truncate(0)
    got = stepper.step([Row(View((first, second)), tokens[20:])])
    assert relative_error(got, whole(torch.tensor([tokens])).logits[0, -1:]) <= 1e-5


@pytest.mark.parametrize("read", [0, 7, 20, 99])
def test_a_view_up_to_a_token_reads_a_block_as_if_it_ended_there(read: int) -> None:
    stepper, whole = stepper_of("qwen2")
    arena = CacheArena()
    first, second, own = (arena.new_block(name) for name in ("first", "second", "own"))
    tokens, question = random_tokens(30, 3), random_tokens(9, 4)
    stepper.step([Row(View((first,)), tokens[:10])])
    stepper.step([Row(View((first, second)), tokens[10:])])
    got = stepper.step([Row(View((first, second, own)).up_to(second, read), question)])
    assert relative_error(got, whole(torch.tensor([[*tokens[: 10 + read], *question]])).logits[0, -1:]) <= 1e-5


def test_rows_that_want_no_logits_get_none() -> None:
    stepper, _ = stepper_of("llama")
    arena = CacheArena()
    one, two = arena.new_block("one"), arena.new_block("two")
    assert stepper.step([Row(View((one,)), [5, 6, 7], wanted=0)]).shape == (0, 211)
    logits = stepper.step([Row(View((one,)), [8], wanted=0), Row(View((one, two)), [9])])
    assert logits.shape == (1, 211)


@pytest.mark.parametrize("aware", [False, True])
@pytest.mark.parametrize("kind", ["llama", "gemma3_text"])
def test_a_row_that_reads_another_equals_its_solo_run(kind: str, aware: bool) -> None:
    """200 steps of a thinker and a writer that reads it, `aware`: and is read; then each alone, the other's given."""
    stepper, _ = stepper_of(kind)

    def run(chosen: dict[str, list[int]] | None, alone: str = "") -> dict[str, list[int]]:
        arena = CacheArena()
        blocks = {"thinker": arena.new_block("thoughts"), "writer": arena.new_block("spoken")}
        thoughts, spoken = blocks.values()
        views = {
            "thinker": View((spoken, thoughts) if aware else (thoughts,)),
            "writer": View((thoughts, spoken)),
        }
        feed = {"thinker": random_tokens(5, 1), "writer": random_tokens(9, 2)}
        written: dict[str, list[int]] = {"thinker": [], "writer": []}
        for step in range(200):
            if chosen is None:
                tokens = stepper.step([Row(views[name], feed[name]) for name in views]).argmax(-1).tolist()
                found = dict(zip(views, tokens, strict=True))
            else:
                other = next(name for name in views if name != alone)
                found = {
                    alone: int(stepper.step([Row(views[alone], feed[alone])]).argmax()),
                    other: chosen[other][step],
                }
                # a row reads the other as it stood when the step began: what it has just fed is not there yet
                block, fed = blocks[alone], feed[alone]
                stored = {
                    layer: (keys[:, -len(fed) :].clone(), values[:, -len(fed) :].clone())
                    for layer, (keys, values) in block.contents().items()
                }
                block.truncate(block.length - len(fed))
                stepper.step([Row(views[other], feed[other])])
                with torch.inference_mode():
                    block.restore(fed, stored)
            written = {name: [*written[name], found[name]] for name in views}
            feed = {name: [found[name]] for name in views}
        return written

    together = run(None)
    for alone in together:
        assert run(together, alone)[alone] == together[alone]


@pytest.mark.parametrize("kind", ["llama", "qwen2"])
def test_each_row_equals_its_solo_run(kind: str) -> None:
    """Two rows that do not read each other, stepped together and one after the other: greedy tokens agree."""
    stepper, _ = stepper_of(kind)

    def run(together: bool) -> list[list[int]]:
        arena = CacheArena()
        views = [View((arena.new_block("a"),)), View((arena.new_block("b"),))]
        written: list[list[int]] = [[], []]
        feed = [random_tokens(5, 1), random_tokens(9, 2)]
        for _ in range(40):
            rows = [Row(view, tokens) for view, tokens in zip(views, feed, strict=True)]
            logits = stepper.step(rows) if together else torch.cat([stepper.step([row]) for row in rows])
            feed = [[int(token)] for token in logits.argmax(-1)]
            written = [w + f for w, f in zip(written, feed, strict=True)]
        return written

    assert run(together=True) == run(together=False)
