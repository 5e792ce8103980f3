"""Time whole token steps of a language model: streams over shared blocks, prefill, injection, gate and cut.

    ModelBench(loaded, settings).steps(context), .prefill(tokens), ... -> Job
    milliseconds(jobs, repeats) -> how long each run of each job took, chosen tokens read back

Views are those of an answer. Contexts are filled with zeros instead of text: time does not depend on what was said.
The zeros are written: memory that was never written is one page of the system's, which is read from the processor's
cache.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import nn

from ..reasoning.answer import OWN_BLOCKS, SHARED_BLOCKS, VIEWS
from ..reasoning.cache_block import CacheArena
from ..reasoning.cache_view import View, views_from_picture
from ..reasoning.model_loading import LoadedModel
from ..reasoning.packed.linears import PackedEmbedding, PackedLinear
from ..reasoning.prompts import Prompts
from ..reasoning.token_stepper import Row, TokenStepper
from ..reasoning.writer import Writer
from ..settings import Reasoning

SHARES = {"dialogue": 0.25, "thoughts": 0.45, "spoken": 0.15}  # of the context; the rest of it is preamble
USER_TOKENS = 24
LEAST_CONTEXT = 160
STREAMS = ("thinker", "writer", "probe")
INJECTED_WORDS = "Sorry, I meant ninety kilometers in forty five minutes, not sixty kilometers."  # 12
SPOKEN = "A train that travels sixty kilometers in forty five minutes goes eighty kilometers per hour. That is fast."
TOKEN = 100  # any that is no special token


@dataclass(frozen=True)
class Job:
    """One thing to measure.

    bytes: what it must read from memory at least. prepare: makes ready what an earlier run changed, unmeasured.
    """

    run: Callable[[], object]
    bytes: float = 0.0
    prepare: Callable[[], object] = lambda: None


class ModelBench:
    """A language model, and what an answer makes it do."""

    def __init__(self, loaded: LoadedModel, settings: Reasoning) -> None:
        self.stepper = TokenStepper(loaded.model, settings.kernel, settings.cuda_graphs)
        self.weight_bytes = bytes_of_weights(loaded.model)
        self._layers = loaded.model.config.get_text_config().num_hidden_layers
        self._tokenizer = loaded.tokenizer
        self._prompts = Prompts(loaded.tokenizer)
        self._chunk = settings.prefill_chunk
        self._token_bytes = self._bytes_of_a_token()

    def steps(self, context: int) -> dict[str, Job]:
        """Steps of one to three rows with one token each; the blocks stay as they were."""
        views = list(self._views(context).values())
        return {
            "1 row" if count == 1 else f"{count} rows": self._step(views[:count])
            for count in range(1, len(STREAMS) + 1)
        }

    def prefill(self, tokens: int) -> Job:
        """A text into an empty block, in chunks."""
        text = View((CacheArena().new_block("text"),))
        chunks = -(-tokens // self._chunk)
        return Job(lambda: self.feed([(text, tokens)]), chunks * self.weight_bytes)

    def injection(self, context: int) -> Job:
        """Words of the user into thoughts and spoken words at once, template included, until both have read them."""
        views, words = self._views(context), self._prompts.words(INJECTED_WORDS)
        rows = [
            (views["thinker"], 1 + len(self._prompts.heard_by_thinker(words))),  # the pending token goes first
            (views["writer"], 1 + len(self._prompts.heard_by_writer(words, resume=False))),
        ]
        return Job(lambda: self.feed(rows), self._read_by(view for view, _ in rows))

    def gate(self, context: int) -> dict[str, Job]:
        """A thinker's step without the probe and with it: the question is fed whole."""
        views = self._views(context)
        thinking, asking = (views["thinker"], 1), (views["probe"], len(self._prompts.question))
        return {
            "without": Job(lambda: self.feed([thinking]), self._read_by([views["thinker"]])),
            "with": Job(lambda: self.feed([thinking, asking]), self._read_by([views["thinker"], views["probe"]])),
        }

    def cut(self, context: int) -> Job:
        """Take the second half of two written sentences back, from the text and from the block."""
        view = self._views(context)["writer"]
        block = view.own
        block.truncate(0)
        tokens = self._prompts.words(SPOKEN)
        writer = Writer(view, "direct", self._prompts, self._tokenizer)

        @torch.inference_mode()
        def prepare() -> None:
            writer.cut(0)
            for token in tokens:
                writer.take(token, False, None)
            unread = writer.stream.unfed()
            block.reserve(len(unread))
            block.tokens += unread

        def cut() -> None:
            writer.cut(len(writer.text) // 2)
            writer.stream.unfed()

        return Job(cut, prepare=prepare)

    @torch.inference_mode()
    def _views(self, context: int) -> dict[str, View]:
        """Blocks whose keys and values are written: the first step makes room for them."""
        views = views_of(context)
        self.feed([(view, 1) for view in views.values()])
        nothing = torch.empty(0, 0, 0)
        for layer in range(self._layers):
            for stored in views["thinker"].own.arena.layer_for(layer, nothing, nothing):
                stored.zero_()
        return views

    def _step(self, views: Sequence[View]) -> Job:
        return Job(lambda: self.feed([(view, 1) for view in views]), self._read_by(views))

    def feed(self, rows: Iterable[tuple[View, int]]) -> None:
        """So many tokens into each view, side by side, in chunks; the chosen tokens are read back, then all is cut."""
        left = dict(rows)
        lengths = {view: view.own.length for view in left}
        while left:
            step = {view: min(count, self._chunk) for view, count in left.items()}
            left = {view: count - step[view] for view, count in left.items() if count > step[view]}
            feeds = [Row(view, [TOKEN] * count, wanted=int(view not in left)) for view, count in step.items()]
            self.stepper.step(feeds).argmax(-1).tolist()
        for view, length in lengths.items():
            view.own.truncate(length)

    def _read_by(self, views: Iterable[View]) -> float:
        """Bytes of one step: the weights, and every block once, however many rows read it."""
        blocks = {id(block): block.length for view in views for block in view.blocks}
        return self.weight_bytes + self._token_bytes * sum(blocks.values())

    def _bytes_of_a_token(self) -> float:
        """Of keys and values, all layers."""
        arena = CacheArena()
        self.stepper.step([Row(View((arena.new_block("text"),)), [TOKEN])])
        return arena.bytes_per_token


def milliseconds(jobs: Mapping[str, Job], repeats: int) -> dict[str, list[float]]:
    """Run all in turn, so many times; one more pass before them warms up."""
    taken: dict[str, list[float]] = {name: [] for name in jobs}
    for repeat in range(repeats + 1):
        for name, job in jobs.items():
            job.prepare()
            start_s = time.perf_counter()
            job.run()
            if repeat:
                taken[name].append((time.perf_counter() - start_s) * 1e3)
    return taken


def views_of(context: int) -> dict[str, View]:
    """Thinker, writer and probe of an answer, with so many tokens to read in all; the probe's question is empty."""
    assert context >= LEAST_CONTEXT, f"a context of {context} tokens leaves no room for the question"
    arena = CacheArena()
    filled = {**{name: int(context * share) for name, share in SHARES.items()}, "user": USER_TOKENS}
    lengths = dict.fromkeys((*SHARED_BLOCKS[1:], *OWN_BLOCKS), 0) | filled  # the preamble takes the rest
    blocks = {}
    for name, length in {"preamble": context - sum(lengths.values()), **lengths}.items():
        blocks[name] = arena.new_block(name)
        blocks[name].reserve(length)
        blocks[name].tokens = [0] * length
    views = views_from_picture(VIEWS, blocks)
    return {name: views[name] for name in STREAMS}


def bytes_of_weights(model: Any) -> int:
    """What a step reads: everything but a table of embeddings that is no output matrix at the same time."""
    embedding, seen = model.get_input_embeddings(), {}
    for module in model.modules():
        if module is not embedding:
            seen.update({tensor.data_ptr(): tensor.nbytes for tensor in _tensors(module)})
    return sum(seen.values())


def _tensors(module: nn.Module) -> list[torch.Tensor]:
    if isinstance(module, PackedLinear | PackedEmbedding):
        return module.tensors()
    return list(module.parameters(recurse=False))
