"""Everything attention needs to know of one step, fixed when the step starts.

    (new tokens, spans) of each row, rotation -> plan_step -> StepPlan

Lengths and offsets are those of that moment: a row reads other rows' blocks only up to there. Made once a step, read by
every layer.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from ..errors import UnusableInput
from .cache_block import CacheArena
from .cache_view import ReadSpan
from .rotation import Layout, Rotation, Turn


@dataclass(frozen=True)
class RowPlan:
    """One row of a step: its new tokens stand at flat indices [first, first + count); `spans` are as the step began."""

    first: int
    count: int
    spans: tuple[ReadSpan, ...]  # the last is the block that is written
    begin: int  # of its spans among those of all rows

    @property
    def turns(self) -> slice:
        """Its rows of the step's cosines and sines."""
        return slice(self.begin, self.begin + len(self.spans))


@dataclass(frozen=True)
class StepPlan:
    """The rows of a step, the arena that holds their blocks, and the same as tables on the device.

    `turns` follows from `rotation` and `shifts`, the rest from `rows`.
    """

    arena: CacheArena
    rows: tuple[RowPlan, ...]
    row_table: Tensor  # (rows, 4) int64: first, count, and the row's range of `span_table`
    span_table: Tensor  # (spans of all rows, 3) int64: slot, length, position
    slots: Tensor  # (n,) int64: where the new keys and values go
    shifts: Tensor  # (spans of all rows,) int64: how far a query turns before it meets the keys of a span
    rotation: Rotation
    turns: tuple[Turn, ...]  # for each kind of rotation cosines and sines, (spans of all rows, pairs) float32

    def turn(self, layer: int) -> Turn:
        """Cosines and sines of a layer."""
        return self.turns[self.rotation.layers[layer]]

    def layout(self, layer: int) -> Layout:
        return self.rotation.layout(layer)


def plan_step(arena: CacheArena, rows: Sequence[tuple[int, tuple[ReadSpan, ...]]], rotation: Rotation) -> StepPlan:
    """The plan of `rows`: how many new tokens each has, laid flat in this order, and what it reads.

    Raises:
        UnusableInput: a view would be longer than the model is exact over.
    """
    plans: list[RowPlan] = []
    first = begin = 0
    for count, spans in rows:
        plans.append(RowPlan(first, count, spans, begin))
        first, begin = first + count, begin + len(spans)
    check_lengths(plans, rotation)
    spans_of_all = [span for plan in plans for span in plan.spans]

    def table(numbers: Sequence[int] | Sequence[tuple[int, ...]]) -> Tensor:
        return torch.tensor(numbers, dtype=torch.int64, device=rotation.device)

    shifts = table([span.shift for span in spans_of_all])
    return StepPlan(
        arena,
        tuple(plans),
        row_table=table([(p.first, p.count, p.turns.start, p.turns.stop) for p in plans]),
        span_table=table([(s.slot, s.length, s.position) for s in spans_of_all]),
        slots=table([s for p in plans for s in range(_end(p), _end(p) + p.count)]),
        shifts=shifts,
        rotation=rotation,
        turns=rotation.turns(shifts),
    )


def check_lengths(rows: Sequence[RowPlan], rotation: Rotation) -> None:
    """Raises UnusableInput where a row's view would be longer than `rotation.exact_to`."""
    if rotation.exact_to is None:
        return
    longest = max(row.spans[-1].position + row.spans[-1].length + row.count for row in rows)
    if longest > rotation.exact_to:
        raise UnusableInput(
            f"a view of {longest} tokens: this model is exact over shared blocks up to {rotation.exact_to} tokens; "
            f"set [reasoning] context_tokens to at most {rotation.exact_to}"
        )


def _end(row: RowPlan) -> int:
    return row.spans[-1].slot + row.spans[-1].length
