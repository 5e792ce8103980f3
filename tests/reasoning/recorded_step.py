"""The CPU twin of a CUDA graph: every operation of a step is recorded, and done again on the same memory.

Nothing of the step's Python runs a second time. So a replay shows what a graph would: numbers that were taken from the
host stay what they were, and memory that has moved since is not followed. A step that reads a number back cannot be
recorded, as with a graph.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves

from tests.reasoning.read_backs import WAITING
from voice_agent.reasoning.attention_kernels import AttentionKernel, Scoring
from voice_agent.reasoning.cache_view import ReadSpan
from voice_agent.reasoning.rotation import Kind, Layout, Rotation
from voice_agent.reasoning.step_plan import RowPlan, StepPlan, StepTables


@dataclass
class _Operation:
    run: Callable[..., Any]
    arguments: tuple[Any, ...]
    options: dict[str, Any]
    results: list[Tensor]  # that it made: not its own arguments, nor views of them

    def replay(self) -> None:
        made = self.run(*self.arguments, **self.options)
        if self.results:
            for kept, again in zip(self.results, _tensors(made), strict=True):
                kept.copy_(again)


class _Recorder(TorchDispatchMode):
    def __init__(self) -> None:
        super().__init__()
        self.operations: list[_Operation] = []

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        if func in WAITING or func is torch.ops.aten.lift_fresh.default:  # that one makes a tensor of a host's number
            raise RuntimeError(f"{func} is not permitted while a step is recorded")
        given = {x.untyped_storage().data_ptr() for x in _tensors((args, kwargs))}
        out = func(*args, **(kwargs or {}))
        made = [x for x in _tensors(out) if x.untyped_storage().data_ptr() not in given]
        self.operations.append(_Operation(func, args, kwargs or {}, made))
        return out


def _tensors(values: Any) -> list[Tensor]:
    return [x for x in tree_leaves(values) if isinstance(x, Tensor)]


@dataclass
class Recording:
    """A `Capture` that stands in for CudaCapture."""

    captured: int = 0
    replayed: int = 0

    def __call__(self, run: Callable[[], Tensor]) -> Callable[[], Tensor]:
        run()
        with _Recorder() as recorder:
            result = run()
        self.captured += 1

        def replay() -> Tensor:
            self.replayed += 1
            for operation in recorder.operations:
                operation.replay()
            return result

        return replay


# --- attention that reads tables only ------------------------------------------------------------------------------


class ByTables:
    """Any attention kernel as one operation that knows a step's tables and nothing else, as on a GPU."""

    def __init__(self, kernel: AttentionKernel) -> None:
        self.name = f"{kernel.name} by tables"
        _KERNELS[self.name] = kernel

    def attend(self, plan: StepPlan, layer: int, query: Tensor, key: Tensor, value: Tensor, scoring: Scoring) -> Tensor:
        keys, values = plan.arena.layer_for(layer, key, value)
        layout = plan.layout(layer)
        out: Tensor = _attend(
            self.name,
            [query, key, value, plan.slots, plan.row_table, plan.span_table, *plan.turn(layer)],
            keys,
            values,
            [layout.start, int(layout.interleaved), plan.most_spans, scoring.sliding_window or 0],
            [scoring.scale, scoring.softcap or 0.0],
            scoring.sinks,
        )
        return out


_KERNELS: dict[str, AttentionKernel] = {}


def _numbers(table: Tensor) -> list[list[int]]:
    """What a kernel would read on the device: no read-back, so not counted as one (read_backs)."""
    return torch._C.TensorBase.tolist(table)  # type: ignore[no-any-return]


class _Layer:
    """What a kernel asks of an arena."""

    def __init__(self, keys: Tensor, values: Tensor) -> None:
        self.layer_for = lambda *_: (keys, values)


@torch.library.custom_op("voice_agent_tests::attend", mutates_args=("keys", "values"))
def _attend(
    name: str,
    inputs: list[Tensor],
    keys: Tensor,
    values: Tensor,
    whole: list[int],
    real: list[float],
    sinks: Tensor | None,
) -> Tensor:
    query, key, value, slots, row_table, span_table, cos, sin = inputs
    start, interleaved, most_spans, window = whole
    rows = tuple(
        RowPlan(first, count, tuple(ReadSpan(*span, shift=0) for span in _numbers(span_table)[begin:end]), begin, 0)
        for first, count, begin, end in _numbers(row_table)
    )
    nothing = torch.empty(0)
    tables = StepTables(nothing, nothing, nothing, slots, row_table, span_table, nothing)
    rotation = Rotation([Kind(nothing, Layout(start, bool(interleaved)))], {0: 0})
    plan = StepPlan(_Layer(keys, values), tables, rows, most_spans, rotation, ((cos, sin),))  # type: ignore[arg-type]
    scoring = Scoring(real[0], window or None, real[1] or None, sinks)
    return _KERNELS[name].attend(plan, 0, query, key, value, scoring)
