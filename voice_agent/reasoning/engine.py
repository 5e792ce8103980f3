"""One model, its memory and its thread, for any number of conversations: whoever wants a step shares it.

    Engine(model).launch(feeds) -> awaitable of (what each feed chose, seconds)

With one conversation a step is launched at once. With several, the rows of all that ask go into the same step
(continuous batching): decoding reads the weights once for everybody. Requests are admitted in the order in which they
came, until a step has `step_tokens`. Conversations share the arena, not blocks; only the preamble, which is the same
for all of a prompt set, stands there once. None can read another's words, for rows read their own views alone.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from typing import Any

import torch
from transformers import PreTrainedModel

from ..clock import Clock, WallClock, Worker, result_of
from ..errors import UnusableInput
from ..settings import DeclaredCosts
from .cache_block import CacheArena, CacheBlock
from .cache_view import View
from .rotation import Bound
from .sampling import read_back
from .self_check import check_blocks_equal_whole
from .start_cache import StartCache
from .token_stepper import Row, TokenStepper


@dataclass(frozen=True)
class Feed:
    """One row of a step and what to do with its logits."""

    name: str
    view: View
    tokens: tuple[int, ...]
    choose: Callable[[torch.Tensor], torch.Tensor] | None = None  # None: the row is only read in
    wanted: int = 1  # logits to choose by: (vocabulary,) after the last token, or (wanted, vocabulary) after several
    changes: int = 0  # of the streams that the choice rests on, as of the moment it was planned


@dataclass(eq=False)
class _Request:
    feeds: Sequence[Feed]
    result: asyncio.Future[tuple[list[Any], float]]

    @property
    def tokens(self) -> int:
        return sum(len(feed.tokens) for feed in self.feeds)


class LoopLock:
    """A lock for what serves several event loops one after the other; an asyncio.Lock serves one."""

    def __init__(self) -> None:
        self._loop: asyncio.AbstractEventLoop | None = None
        self._lock = asyncio.Lock()

    async def __aenter__(self) -> None:
        loop = asyncio.get_running_loop()
        if self._loop is not loop:
            self._loop, self._lock = loop, asyncio.Lock()
        await self._lock.acquire()

    async def __aexit__(self, *_reason: object) -> None:
        self._lock.release()


class Engine:
    """Steps one model; see the module's text.

    kernel, cuda_graphs: as in the settings. clock, worker: where the steps run and what their time is; costs: what a
    step costs in virtual time. step_tokens: the most that conversations together feed in one step; a single request may
    be larger.
    start_cache: keeps what a start computes for the next one; None: nothing is kept.

    Use it from one event loop at a time; when that one has ended, from another.

    Raises:
        UnsupportedModel: the model cannot be run exactly over shared blocks.
    """

    def __init__(
        self,
        model: PreTrainedModel,
        *,
        kernel: str = "auto",
        cuda_graphs: bool = True,
        clock: Clock | None = None,
        worker: Worker | None = None,
        costs: DeclaredCosts | None = None,
        step_tokens: int = 256,
        start_cache: StartCache | None = None,
    ) -> None:
        self.model = model
        self.clock = clock or WallClock()
        self.worker = worker or Worker("language-model")
        self.arena = CacheArena()
        self.reading = LoopLock()  # held by who reads a preamble in
        self._costs = costs or DeclaredCosts()
        self._step_tokens = step_tokens
        self._stepper = TokenStepper(model, kernel, cuda_graphs)
        # In virtual time the same scenario gives the same trace, so what was kept must not shorten it.
        self._start_cache = None if self.clock.virtual else start_cache
        check_blocks_equal_whole(self._stepper, self._start_cache)
        self._preambles: dict[tuple[int, ...], View] = {}
        self._conversations = 0  # that are in the middle of something
        self._waiting: list[_Request] = []
        self._serving: asyncio.Task[None] | None = None

    @property
    def exact_to(self) -> Bound | None:
        """The longest view over which the model is exact; None where there is no such bound."""
        return self._stepper.rotation.exact_to

    @contextmanager
    def taking_part(self) -> Iterator[None]:
        """A conversation will ask for steps: from the second one on, steps are shared."""
        self._conversations += 1
        try:
            yield
        finally:
            self._conversations -= 1

    def preamble(self, tokens: Sequence[int]) -> View:
        """The one block for this beginning of conversations; empty until one of them, with `reading`, reads it in."""
        key = tuple(tokens)
        if key not in self._preambles:
            self._preambles[key] = View((self.arena.new_block("preamble"),))
        return self._preambles[key]

    async def recall(self, block: CacheBlock, tokens: Sequence[int], chunk: int) -> None:
        """Fill an empty block with the keys and values that an earlier start kept, if it did.

        chunk: tokens of a step when they are read in.
        """
        if self._start_cache is not None and not block.length:
            fill = partial(self._start_cache.fill, block, tokens, self._how(chunk), self._stepper.device)
            await self.clock.call(self.worker, fill, _free)

    async def keep(self, block: CacheBlock, chunk: int) -> None:
        """Let the next start find what `block` holds; the same `chunk` as in `recall`."""
        if self._start_cache is not None:
            await self.clock.call(self.worker, partial(self._start_cache.keep, block, self._how(chunk)), _free)

    def _how(self, chunk: int) -> str:
        return f"{self._stepper.attention.name} {self._stepper.device.type} chunks of {chunk}"

    def launch(self, feeds: Sequence[Feed]) -> Awaitable[tuple[list[Any], float]]:
        """Begin a step with these rows among others.

        Await what is returned, always: for each feed what it chose (None: nothing was to be chosen), and the seconds
        that the step took.

        Raises:
            UnusableInput: the steps of another event loop are in the middle.
        """
        serving = self._serving if self._serving is not None and not self._serving.done() else None
        if serving and serving.get_loop() is not asyncio.get_running_loop():
            raise UnusableInput(
                "two event loops use this engine at once: answer one after the other with iterate(), or let all "
                "reasoners answer in one loop"
            )
        if self._conversations <= 1 and not serving:
            return self._start(feeds)
        request = _Request(feeds, asyncio.get_running_loop().create_future())
        self._waiting.append(request)
        if not serving:
            self._serving = asyncio.create_task(self._serve())
        return self._result(request)

    def _start(self, feeds: Sequence[Feed]) -> Awaitable[tuple[list[Any], float]]:
        cost_s = self._costs.step_s(sum(len(feed.tokens) for feed in feeds))
        return self.clock.start(self.worker, partial(self._step, list(feeds)), lambda _chosen: cost_s)

    @torch.inference_mode()
    def _step(self, feeds: Sequence[Feed]) -> list[Any]:
        """On the model's thread. Rows choose on the device; all are read back at once, it is waited for then only."""
        wanted = [feed.wanted if feed.choose is not None else 0 for feed in feeds]
        rows = [Row(feed.view, feed.tokens, count) for feed, count in zip(feeds, wanted, strict=True)]
        logits = self._stepper.step(rows).split(wanted)
        choices = iter(
            read_back(
                [
                    feed.choose(own if feed.wanted > 1 else own[0])
                    for feed, own in zip(feeds, logits, strict=True)
                    if feed.choose is not None
                ]
            )
        )
        return [next(choices) if feed.choose is not None else None for feed in feeds]

    async def _result(self, request: _Request) -> tuple[list[Any], float]:
        return await result_of(request.result, lambda: self._withdraw(request))

    def _withdraw(self, request: _Request) -> bool:
        """Whether it had not been admitted yet."""
        waited = request in self._waiting
        if waited:
            self._waiting.remove(request)
        return waited

    async def _serve(self) -> None:
        """One step after the other until nobody asks."""
        while self._waiting:
            await self._everybody_has_asked()
            admitted = self._admit()
            if not admitted:
                continue
            try:
                chosen, took_s = await self._start([feed for request in admitted for feed in request.feeds])
            except Exception as error:  # everybody in the step hears of it; the next step is another matter
                for request in admitted:
                    request.result.set_exception(error)
                continue
            except asyncio.CancelledError:  # the loop ends: who waits for a result would wait for ever
                for request in admitted:
                    request.result.cancel()
                raise
            taken = iter(chosen)
            for request in admitted:
                request.result.set_result(([next(taken) for _ in request.feeds], took_s))

    async def _everybody_has_asked(self) -> None:
        """Let every task that has just got its step's results plan its next one."""
        before = -1
        while before != len(self._waiting):
            before = len(self._waiting)
            await asyncio.sleep(0)

    def _admit(self) -> list[_Request]:
        tokens, count = 0, 0
        for request in self._waiting:
            tokens += request.tokens
            if count and tokens > self._step_tokens:
                break
            count += 1
        admitted, self._waiting = self._waiting[:count], self._waiting[count:]
        return admitted


def _free(_result: object) -> float:
    """What is kept is used in real time only."""
    return 0.0
