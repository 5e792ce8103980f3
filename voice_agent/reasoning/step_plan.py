"""Everything attention needs to know of one step, fixed when the step starts.

    (new tokens, spans) of each row, rotation -> plan_step -> StepPlan

Lengths and offsets are those of that moment: a row reads other rows' blocks only up to there. Made once a step, read by
every layer.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import torch

from .cache_block import CacheArena
from .cache_view import ReadSpan
from .rotation import Rotation


@dataclass(frozen=True)
class RowPlan:
    """One row of a step: its new tokens stand at flat indices [first, first + count); `spans` are as the step began."""

    first: int
    count: int
    spans: tuple[ReadSpan, ...]  # the last is the block that is written
    cos: torch.Tensor  # (spans, rotary_dim) float32: the further rotation for each span
    sin: torch.Tensor


@dataclass(frozen=True)
class StepPlan:
    """The rows of a step, and the arena that holds their blocks."""

    arena: CacheArena
    rows: tuple[RowPlan, ...]
    cos: torch.Tensor  # (spans of all rows, rotary_dim) float32
    sin: torch.Tensor

    @cached_property
    def slots(self) -> torch.Tensor:
        """Where the new keys and values go: (n,) int64."""
        return self._table([s for row in self.rows for s in range(_end(row), _end(row) + row.count)])

    @cached_property
    def row_table(self) -> torch.Tensor:
        """(rows, 4) int64: first, count, and the row's range of `span_table`."""
        table, begin = [], 0
        for row in self.rows:
            table.append((row.first, row.count, begin, begin + len(row.spans)))
            begin += len(row.spans)
        return self._table(table)

    @cached_property
    def span_table(self) -> torch.Tensor:
        """(spans, 3) int64: slot, length, position."""
        return self._table([(s.slot, s.length, s.position) for row in self.rows for s in row.spans])

    def _table(self, numbers: Sequence[int] | Sequence[tuple[int, ...]]) -> torch.Tensor:
        return torch.tensor(numbers, dtype=torch.int64, device=self.cos.device)


def plan_step(arena: CacheArena, rows: Sequence[tuple[int, tuple[ReadSpan, ...]]], rotation: Rotation) -> StepPlan:
    """The plan of `rows`: how many new tokens each has, laid flat in this order, and what it reads."""
    cos, sin = rotation.cos_sin([span.shift for _, spans in rows for span in spans])
    plans, first, begin = [], 0, 0
    for count, spans in rows:
        turns = slice(begin, begin + len(spans))
        plans.append(RowPlan(first, count, spans, cos[turns], sin[turns]))
        first, begin = first + count, turns.stop
    return StepPlan(arena, tuple(plans), cos, sin)


def _end(row: RowPlan) -> int:
    return row.spans[-1].slot + row.spans[-1].length
