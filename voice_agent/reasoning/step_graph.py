"""Replay a step that was captured once, instead of launching its kernels anew.

    StepGraphs.logits(arena, numbers of a step) -> logits, or None: this step is to be run eagerly

Steps of one shape (new tokens of each row, which rows want logits) differ only in the numbers of their tables, and the
tables of a captured step lie where they lay: a step is one copy of numbers to the device and one replay. Cosines and
sines are computed on the device, inside. Each of a language model's few hundred launches costs the host about as long
as a small kernel runs, so that without this the GPU waits for Python.

A shape is captured when it is seen for the second time; long steps never, for there the GPU is the slower one. Graphs
hold addresses: when the arena has moved (`CacheArena.generation`) they are captured anew. Everything but the capture
itself runs on a CPU too, where tests put a recording of the step's operations in its place.
"""

from __future__ import annotations

import warnings
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Protocol
from weakref import WeakKeyDictionary

import torch
from torch import Tensor, nn

from .cache_block import CacheArena
from .rotation import Rotation
from .step_plan import NotCapturable, StepNumbers, StepPlan, carve, on_host

MOST_TOKENS = 48  # of a captured step: streams, and the probe's question beside them
MOST_SPANS = 16  # blocks that a row of it reads
MOST_GRAPHS = 32  # of one arena; the least recently used leaves

Forward = Callable[[StepPlan], Tensor]
Replay = Callable[[], Tensor]  # does again what was captured, on the same memory; gives the same tensor each time
Shape = tuple[tuple[int, int], ...]  # for each row its new tokens, and the logits that are wanted


class Capture(Protocol):
    def __call__(self, run: Callable[[], Tensor]) -> Replay:
        """Record what `run` does on the device.

        Raises:
            RuntimeError: it cannot be recorded; NotCapturable where the step itself found out.
        """
        ...


class CudaCapture:
    """CUDA graphs that share one pool of memory: they never run at the same time."""

    def __init__(self, device: torch.device) -> None:
        self._stream = torch.cuda.Stream(device)
        self._pool = torch.cuda.graph_pool_handle()
        # A pool that its last graph has left cannot be captured into again: this graph stays.
        self._stays, _ = self._record(lambda: torch.zeros(1, device=device))

    def __call__(self, run: Callable[[], Tensor]) -> Replay:
        here = torch.cuda.current_stream(self._stream.device)
        self._stream.wait_stream(here)
        with torch.cuda.stream(self._stream):
            run()  # compiles kernels and makes room for what libraries keep
        graph, result = self._record(run)
        here.wait_stream(self._stream)

        def replay() -> Tensor:
            graph.replay()
            return result

        return replay

    def _record(self, run: Callable[[], Tensor]) -> tuple[torch.cuda.CUDAGraph, Tensor]:
        graph = torch.cuda.CUDAGraph()
        self._stream.synchronize()
        with torch.cuda.stream(self._stream):
            graph.capture_begin(pool=self._pool, capture_error_mode="thread_local")  # other rooms may use the GPU
            try:
                return graph, run()
            finally:
                graph.capture_end()


def choose_capture(wanted: bool, model: nn.Module, device: torch.device) -> Capture | None:
    """CUDA graphs where the whole model lies on one GPU; None: every step is run eagerly."""
    if not wanted or device.type != "cuda" or any(p.device != device for p in model.parameters()):
        return None
    return CudaCapture(device)


@dataclass
class _Graph:
    lines: tuple[int, ...]
    vector: Tensor  # all numbers of the step, where the captured step reads them
    replay: Replay


@dataclass
class _OfArena:
    generation: int
    graphs: OrderedDict[Shape, _Graph | None] = field(default_factory=OrderedDict)  # None: seen, not captured


class StepGraphs:
    """The captured steps of one model, for every arena that it is stepped on."""

    def __init__(self, rotation: Rotation, device: torch.device, capture: Capture) -> None:
        self._rotation = rotation
        self._device = device
        self._capture: Capture | None = capture
        self._of_arenas: WeakKeyDictionary[CacheArena, _OfArena] = WeakKeyDictionary()

    def logits(self, forward: Forward, arena: CacheArena, numbers: StepNumbers) -> Tensor | None:
        """Run the step, (rows that want logits, vocabulary) float32; None where it is to be run eagerly.

        forward: the model over a planned step, which reads its tables on the device only.
        """
        tokens = sum(row.count for row in numbers.rows)
        if self._capture is None or tokens > MOST_TOKENS or numbers.most_spans > MOST_SPANS:
            return None
        graph = self._graph(forward, arena, numbers)
        if graph is None:
            return None
        graph.vector.copy_(on_host(numbers.packed(graph.lines), self._device), non_blocking=True)
        return graph.replay().to(torch.float32, copy=True)  # the next replay overwrites it

    def captured(self, arena: CacheArena) -> int:
        """How many shapes have a graph on this arena."""
        return sum(graph is not None for graph in self._of(arena).graphs.values())

    def _graph(self, forward: Forward, arena: CacheArena, numbers: StepNumbers) -> _Graph | None:
        graphs = self._of(arena).graphs
        shape = tuple((row.count, row.wanted) for row in numbers.rows)
        seen = shape in graphs
        graph = graphs.get(shape)
        if seen and graph is None:
            graph = self._captured(forward, arena, numbers)
        graphs[shape] = graph
        graphs.move_to_end(shape)
        if len(graphs) > MOST_GRAPHS:
            graphs.popitem(last=False)
        return graph

    def _of(self, arena: CacheArena) -> _OfArena:
        """What was captured on this arena where its memory lies now."""
        known = self._of_arenas.setdefault(arena, _OfArena(arena.generation))
        if known.generation != arena.generation:
            known.generation = arena.generation
            known.graphs = OrderedDict.fromkeys(known.graphs)
        return known

    def _captured(self, forward: Forward, arena: CacheArena, numbers: StepNumbers) -> _Graph | None:
        assert self._capture is not None
        lines = numbers.lines_for(MOST_SPANS * len(numbers.rows))
        vector = on_host(numbers.packed(lines), self._device).to(self._device, non_blocking=True)
        tables, rotation = carve(vector, lines), self._rotation
        try:
            replay = self._capture(lambda: forward(StepPlan.of(arena, tables, None, MOST_SPANS, rotation)))
        except RuntimeError as error:
            self._capture = None
            if not isinstance(error, NotCapturable):
                warnings.warn(f"steps of this model cannot be captured in CUDA graphs: {error}", stacklevel=2)
            return None
        return _Graph(lines, vector, replay)
