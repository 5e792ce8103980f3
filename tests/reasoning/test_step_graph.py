"""A replayed step gives what an eager one gives, whatever the conversation does to the memory between them."""

from __future__ import annotations

import inspect
import random
from contextlib import nullcontext
from dataclasses import dataclass, field
from operator import methodcaller
from typing import Any

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.reasoning.read_backs import ReadBacks
from tests.reasoning.recorded_step import ByTables, Recording
from tests.reasoning.test_blocks_equal_whole import YARN, relative_error
from tests.reasoning.tiny_models import tiny_model
from voice_agent.reasoning.attention_kernels import AttentionKernel, PlainAttention, choose_attention
from voice_agent.reasoning.cache_block import CacheArena, CacheBlock
from voice_agent.reasoning.cache_view import View
from voice_agent.reasoning.packed.native_build import load_native
from voice_agent.reasoning.step_graph import (
    MOST_GRAPHS,
    MOST_SPANS,
    MOST_TOKENS,
    CudaCapture,
    StepGraphs,
    choose_capture,
)
from voice_agent.reasoning.token_stepper import Row, TokenStepper

TINY = {"num_hidden_layers": 2, "hidden_size": 32, "intermediate_size": 32, "vocab_size": 101}
KERNELS = ["plain by tables", "native"]


def kernel_of(name: str) -> AttentionKernel:
    if name == "native" and load_native() is None:
        pytest.skip("the native kernel is not built here (scripts/setup builds it)")
    return choose_attention("native") if name == "native" else ByTables(PlainAttention())


def recorded(model: Any, kernel: AttentionKernel) -> tuple[TokenStepper, Recording]:
    """A stepper that captures, with a recording in the place of CUDA graphs."""
    stepper, recording = TokenStepper(model, "plain"), Recording()
    stepper.attention = kernel
    stepper.graphs = StepGraphs(stepper.rotation, stepper.device, recording)
    return stepper, recording


@dataclass
class Conversation:
    """Streams over shared blocks on one arena, driven by numbers that another conversation is given too."""

    stepper: TokenStepper
    arena: CacheArena = field(default_factory=CacheArena)
    blocks: dict[str, CacheBlock] = field(default_factory=dict)

    def view(self, *names: str) -> View:
        for name in names:
            if name not in self.blocks:
                self.blocks[name] = self.arena.new_block(name)
        return View(tuple(self.blocks[name] for name in names))

    def step(self, rows: list[tuple[tuple[str, ...], list[int], int]]) -> torch.Tensor:
        return self.stepper.step([Row(self.view(*names), tokens, wanted) for names, tokens, wanted in rows])

    def cut(self, name: str, share: float) -> None:
        if name in self.blocks:
            self.blocks[name].truncate(int(self.blocks[name].length * share))

    def leave(self, name: str) -> None:
        if name in self.blocks:
            self.arena.release(self.blocks.pop(name))


VIEWS = {
    "thoughts": ("preamble", "user", "thoughts"),
    "spoken": ("preamble", "user", "thoughts", "spoken"),
    "question": ("preamble", "user", "thoughts", "spoken", "question"),
    "other": ("preamble", "other"),
}


def converse(draw: random.Random, steps: int, conversations: list[Conversation]) -> list[list[torch.Tensor]]:
    """The same random conversation for all: logits of each step."""

    def tokens(count: int) -> list[int]:
        return [draw.randrange(3, 100) for _ in range(count)]

    logits = []
    for _ in range(steps):
        match draw.choices(["decode", "ask", "words", "prefill", "cut", "leave"], [8, 2, 1, 1, 1, 1])[0]:
            case "decode":
                streams = draw.choice([["thoughts"], ["thoughts", "spoken"], ["thoughts", "spoken", "other"]])
                rows = [(VIEWS[stream], tokens(1), 1) for stream in streams]
            case "ask":
                for conversation in conversations:
                    conversation.cut("question", 0.0)
                rows = [(VIEWS["thoughts"], tokens(1), 1), (VIEWS["question"], list(range(20, 27)), 1)]
            case "words":
                rows = [(VIEWS["thoughts"], tokens(draw.randrange(2, 9)), 2), (VIEWS["spoken"], tokens(3), 0)]
            case "prefill":
                stream = draw.choice(["thoughts", "spoken", "other"])
                rows = [(VIEWS[stream], tokens(draw.randrange(50, 300)), draw.randrange(3))]
            case operation:
                name, share = draw.choice(["thoughts", "spoken", "other", "question"]), draw.random()
                for conversation in conversations:
                    conversation.leave(name) if operation == "leave" else conversation.cut(name, share)
                continue
        logits.append([conversation.step(rows) for conversation in conversations])
    return logits


@pytest.mark.parametrize("kernel", KERNELS)
@pytest.mark.parametrize(("kind", "changes"), [("llama", YARN), ("qwen3", {}), ("gemma3_text", {"sliding_window": 9})])
@settings(max_examples=3)
@given(seed=st.integers(0, 2**31))
def test_replayed_steps_equal_eager_ones_over_random_conversations(
    kind: str, changes: dict[str, Any], kernel: str, seed: int
) -> None:
    model = tiny_model(kind, **TINY, **changes)
    stepper, recording = recorded(model, kernel_of(kernel))
    conversations = [Conversation(TokenStepper(model, "plain")), Conversation(stepper)]
    for conversation in conversations:
        conversation.step([(("preamble",), [5] * 40, 0), (("user",), [7] * 9, 0)])
    for expected, got in converse(random.Random(seed), 50, conversations):
        assert got.shape == expected.shape
        assert not expected.numel() or relative_error(got, expected) <= 1e-5
    assert recording.replayed > recording.captured > 0


@pytest.fixture(scope="module")
def model() -> Any:
    return tiny_model("llama", **TINY)


def decode(conversation: Conversation, *streams: str) -> torch.Tensor:
    return conversation.step([(VIEWS[stream], [9], 1) for stream in streams])


def test_what_comes_a_second_time_is_captured_and_replayed_from_then_on(model: Any) -> None:
    stepper, recording = recorded(model, ByTables(PlainAttention()))
    conversation = Conversation(stepper)
    seen = []
    for _ in range(4):
        decode(conversation, "thoughts")
        seen.append((recording.captured, recording.replayed))
    assert seen == [(0, 0), (1, 1), (1, 2), (1, 3)]
    decode(conversation, "thoughts", "spoken")  # another shape
    conversation.step([(VIEWS["thoughts"], [9], 0)])  # and another: nobody wants its logits
    assert (recording.captured, recording.replayed) == (1, 3)


def test_a_grown_arena_is_captured_anew_at_once(model: Any) -> None:
    stepper, recording = recorded(model, ByTables(PlainAttention()))
    eager, replayed = conversations = Conversation(TokenStepper(model, "plain")), Conversation(stepper)
    for conversation in conversations:
        for _ in range(3):
            decode(conversation, "thoughts")
        generation = conversation.arena.generation
        conversation.step([(VIEWS["other"], [5] * 1500, 0)])
        assert conversation.arena.generation > generation
    assert recording.captured == 1
    assert relative_error(decode(replayed, "thoughts"), decode(eager, "thoughts")) <= 1e-5
    assert recording.captured == 2


def test_long_steps_and_wide_views_are_never_captured(model: Any) -> None:
    stepper, recording = recorded(model, ByTables(PlainAttention()))
    conversation = Conversation(stepper)
    wide = tuple(f"block {i}" for i in range(MOST_SPANS + 1))
    for i in range(len(wide)):
        conversation.step([(wide[: i + 1], [5], 0)])
    recording.captured = 0
    for _ in range(3):
        conversation.step([(("text",), [5] * (MOST_TOKENS + 1), 1)])
        conversation.step([(wide, [5], 1)])
    assert recording.captured == 0


def test_the_least_recently_used_graph_leaves(model: Any) -> None:
    stepper, _ = recorded(model, ByTables(PlainAttention()))
    assert stepper.graphs is not None
    conversation = Conversation(stepper)
    for count in range(1, MOST_GRAPHS + 4):
        for _ in range(2):
            conversation.step([(("text",), [5] * count, 1)])
            conversation.cut("text", 0.0)  # or the arena would grow
    assert stepper.graphs.captured(conversation.arena) == MOST_GRAPHS


def test_logits_stay_when_the_next_step_is_replayed(model: Any) -> None:
    stepper, _ = recorded(model, ByTables(PlainAttention()))
    conversation = Conversation(stepper)
    kept = [decode(conversation, "thoughts") for _ in range(4)]
    copies = [logits.clone() for logits in kept]
    decode(conversation, "thoughts")
    assert all(torch.equal(logits, copy) for logits, copy in zip(kept, copies, strict=True))


def test_several_arenas_have_graphs_of_their_own_and_take_them_along(model: Any) -> None:
    stepper, recording = recorded(model, ByTables(PlainAttention()))
    assert stepper.graphs is not None
    eager = Conversation(TokenStepper(model, "plain"))
    first, second = Conversation(stepper), Conversation(stepper)
    for _ in range(4):
        expected = decode(eager, "thoughts")
        for conversation in (first, second):
            assert relative_error(decode(conversation, "thoughts"), expected) <= 1e-5
    assert recording.captured == 2
    assert len(stepper.graphs._of_arenas) == 2
    del first, conversation
    assert len(stepper.graphs._of_arenas) == 1


def test_a_kernel_that_reads_rows_on_the_host_goes_on_eagerly(model: Any) -> None:
    stepper, recording = recorded(model, PlainAttention())
    eager, conversation = Conversation(TokenStepper(model, "plain")), Conversation(stepper)
    for _ in range(3):
        assert torch.equal(decode(conversation, "thoughts"), decode(eager, "thoughts"))
    assert recording.captured == 0


def test_a_model_that_cannot_be_captured_says_so_once_and_goes_on() -> None:
    model = tiny_model("llama", **TINY)
    model.model.norm.register_forward_hook(lambda module, given, out: out * float(out.sum() < 1e9))
    stepper, recording = recorded(model, ByTables(PlainAttention()))
    eager, conversation = Conversation(TokenStepper(model, "plain")), Conversation(stepper)
    assert torch.equal(decode(conversation, "thoughts"), decode(eager, "thoughts"))
    with pytest.warns(UserWarning, match="cannot be captured in CUDA graphs: aten.item"):
        assert torch.equal(decode(conversation, "thoughts"), decode(eager, "thoughts"))
    assert torch.equal(decode(conversation, "thoughts"), decode(eager, "thoughts"))
    assert recording.captured == 0


class FakeGpu:
    """What CudaCapture asks of torch.cuda, written down; arguments must be those that torch takes."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.calls: list[str] = []
        gpu, real = self, torch.cuda.CUDAGraph

        class Graph:
            def capture_begin(self, **options: Any) -> None:
                inspect.signature(real.capture_begin).bind(self, **options)
                gpu.calls.append(f"begin in pool {options['pool']}")

            def capture_end(self) -> None:
                gpu.calls.append("end")

            def replay(self) -> None:
                gpu.calls.append("replay")

        class Stream:
            def __init__(self, device: torch.device | None = None) -> None:
                self.device = device

            def wait_stream(self, other: object) -> None:
                gpu.calls.append("wait")

            def synchronize(self) -> None:
                gpu.calls.append("synchronize")

        monkeypatch.setattr(torch.cuda, "CUDAGraph", Graph)
        monkeypatch.setattr(torch.cuda, "Stream", Stream)
        monkeypatch.setattr(torch.cuda, "current_stream", Stream)
        monkeypatch.setattr(torch.cuda, "stream", lambda stream: nullcontext())
        monkeypatch.setattr(torch.cuda, "graph_pool_handle", lambda: 7)


def test_a_cuda_graph_is_warmed_up_captured_and_replayed(monkeypatch: pytest.MonkeyPatch) -> None:
    gpu = FakeGpu(monkeypatch)
    capture = CudaCapture(torch.device("cpu"))
    assert gpu.calls == ["synchronize", "begin in pool 7", "end"]  # the graph that keeps the pool
    gpu.calls.clear()
    result = torch.ones(1)

    def run() -> torch.Tensor:
        gpu.calls.append("run")
        return result

    replay = capture(run)
    assert gpu.calls == ["wait", "run", "synchronize", "begin in pool 7", "run", "end", "wait"]
    assert replay() is result
    assert gpu.calls[-1] == "replay"


def test_a_capture_that_fails_is_ended(monkeypatch: pytest.MonkeyPatch) -> None:
    gpu = FakeGpu(monkeypatch)
    capture, runs = CudaCapture(torch.device("cpu")), iter([torch.ones(1)])
    with pytest.raises(StopIteration):  # in the second run, while it is recorded
        capture(lambda: next(runs))
    assert gpu.calls[-2:] == ["begin in pool 7", "end"]


def test_graphs_are_for_a_model_on_one_gpu_and_can_be_switched_off(model: Any) -> None:
    assert TokenStepper(model, "plain").graphs is None
    assert choose_capture(False, model, torch.device("cuda", 0)) is None
    assert choose_capture(True, model, torch.device("cuda", 0)) is None  # its weights lie elsewhere


@pytest.mark.parametrize("read", [int, float, bool, *map(methodcaller, ("tolist", "item", "cpu", "nonzero"))])
def test_read_backs_are_counted(read: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    for inference in (True, False):
        with torch.inference_mode(inference), monkeypatch.context() as patch, ReadBacks(patch) as reads:
            number = torch.ones(()) + 1
            assert reads.count == 0
            read(number)
        assert reads.count >= 1


@pytest.mark.parametrize("rows", [("thoughts",), ("thoughts", "spoken", "question")])
def test_a_step_itself_reads_nothing_back(rows: tuple[str, ...], model: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """Eager, captured and replayed: the device is not waited for before somebody reads the logits."""
    stepper, recording = recorded(model, ByTables(PlainAttention()))
    conversation = Conversation(stepper)
    with monkeypatch.context() as patch, ReadBacks(patch) as reads:
        decode(conversation, *rows)
        assert reads.count == 0
    decode(conversation, *rows)
    assert recording.captured == 1
