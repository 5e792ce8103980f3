"""Everything a step needs to know, fixed when it starts and carried to the device in one copy.

    rows (new tokens, spans) -> lay_out -> StepNumbers, on the host -> plan_step -> StepPlan, tables on the device

Lengths and offsets are those of that moment: a row reads other rows' blocks only up to there. Read by every layer. All
numbers of a step lie in one vector; the tables are views of it. Steps of the same shape have tables of the same size,
so that a captured step can be given new numbers (step_graph).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import chain
from typing import NamedTuple

import torch
from torch import Tensor

from .cache_block import CacheArena
from .cache_view import ReadSpan
from .rotation import Layout, Rotation, Turn

ALIGNED = 2  # numbers: tables begin at 16 bytes, which a GPU reads at once


class NotCapturable(RuntimeError):
    """A step whose tables change beneath it was asked for numbers on the host."""


class RowStep(NamedTuple):
    """One row as a step is asked for it; `spans` are as the step begins, the last is the block that is written."""

    tokens: Sequence[int]
    spans: tuple[ReadSpan, ...]
    wanted: int = 1  # logits, after its last tokens


@dataclass(frozen=True)
class RowPlan:
    """One row of a step: its new tokens stand at flat indices [first, first + count); `spans` are as the step began."""

    first: int
    count: int
    spans: tuple[ReadSpan, ...]  # the last is the block that is written
    begin: int  # of its spans among those of all rows
    wanted: int  # logits, after its last tokens

    @property
    def turns(self) -> slice:
        """Its rows of the step's cosines and sines."""
        return slice(self.begin, self.begin + len(self.spans))


class StepTables(NamedTuple):
    """A step's numbers, int64; n: new tokens of all rows, flat."""

    tokens: Tensor  # (n,)
    positions: Tensor  # (n,): of the new tokens, local to the block that is written
    last: Tensor  # (logits that are wanted,): the flat index of the token that each is after
    slots: Tensor  # (n,): where the new keys and values go
    row_table: Tensor  # (rows, 4): first, count, and the row's range of `span_table`
    span_table: Tensor  # (spans of all rows, 3): slot, length, position
    shifts: Tensor  # (spans of all rows,): how far a query turns before it meets the keys of a span


COLUMNS = (1, 1, 1, 1, 4, 3, 1)  # numbers in a line of each table


@dataclass(frozen=True)
class StepNumbers:
    """A step as the host knows it; `tables` holds the lines of StepTables, flat."""

    rows: tuple[RowPlan, ...]
    tables: tuple[list[int], ...]

    @property
    def last(self) -> list[int]:
        """The flat index of the last token of each row that wants logits."""
        return self.tables[2]

    @property
    def lines(self) -> tuple[int, ...]:
        """How long each table is."""
        return tuple(len(table) // columns for table, columns in zip(self.tables, COLUMNS, strict=True))

    def lines_for(self, spans: int) -> tuple[int, ...]:
        """The same with room for so many spans of all rows."""
        return (*self.lines[:-2], spans, spans)

    @property
    def most_spans(self) -> int:
        """Of any row."""
        return max(len(row.spans) for row in self.rows)

    def packed(self, lines: Sequence[int]) -> list[int]:
        """All numbers in a row, with room for `lines` of each table; what is not used is 0."""
        packed: list[int] = []
        for table, size in zip(self.tables, _sizes(lines), strict=True):
            packed += table
            packed += [0] * (size - len(table))
        return packed


def lay_out(rows: Sequence[RowStep], rotation: Rotation) -> StepNumbers:
    """Lay the rows' new tokens flat in this order and write down what each row reads.

    Raises:
        UnusableInput: a view would be longer than the model is exact over.
    """
    plans: list[RowPlan] = []
    first = begin = 0
    for row in rows:
        plans.append(RowPlan(first, len(row.tokens), row.spans, begin, row.wanted))
        first, begin = first + len(row.tokens), begin + len(row.spans)
    check_lengths(plans, rotation)
    spans = [span for plan in plans for span in plan.spans]
    tables = (
        list(chain.from_iterable(row.tokens for row in rows)),
        [i for plan in plans for i in _new(plan, plan.spans[-1].length)],
        [i for p in plans for i in range(p.first + p.count - p.wanted, p.first + p.count)],
        [i for plan in plans for i in _new(plan, plan.spans[-1].slot + plan.spans[-1].length)],
        [number for p in plans for number in (p.first, p.count, p.turns.start, p.turns.stop)],
        [number for span in spans for number in (span.slot, span.length, span.position)],
        [span.shift for span in spans],
    )
    return StepNumbers(tuple(plans), tables)


def on_host(numbers: Sequence[int], device: torch.device) -> Tensor:
    """(numbers,) int64, where a copy to the device need not be waited for; given back when that copy is over."""
    return torch.tensor(numbers, dtype=torch.int64, pin_memory=device.type == "cuda")


def carve(vector: Tensor, lines: Sequence[int]) -> StepTables:
    """The tables that lie packed in a vector, as views of it."""
    parts = vector.split(_sizes(lines))
    return StepTables(
        *(
            part[: n * columns].view(n, columns) if columns > 1 else part[:n]
            for part, n, columns in zip(parts, lines, COLUMNS, strict=True)
        )
    )


@dataclass(frozen=True)
class StepPlan:
    """The arena that holds the blocks of a step, and the step's tables.

    rows: what the tables say, on the host; None where they are given new numbers from step to step. most_spans: no row
    has more. turns: for each kind of rotation cosines and sines, (spans of all rows, pairs) float32.
    """

    arena: CacheArena
    tables: StepTables
    rows: tuple[RowPlan, ...] | None
    most_spans: int
    rotation: Rotation
    turns: tuple[Turn, ...]
    _elsewhere: dict[torch.device, StepPlan] = field(default_factory=dict, repr=False, compare=False)

    @classmethod
    def of(
        cls,
        arena: CacheArena,
        tables: StepTables,
        rows: tuple[RowPlan, ...] | None,
        most_spans: int,
        rotation: Rotation,
    ) -> StepPlan:
        """Cosines and sines are computed from the tables, where they lie."""
        return cls(arena, tables, rows, most_spans, rotation, rotation.turns(tables.shifts))

    def on(self, device: torch.device) -> StepPlan:
        """The same for a layer that lies on another device than the token table; moved once a step."""
        if device == self.tables.shifts.device:
            return self
        if device not in self._elsewhere:
            tables = StepTables(*(table.to(device, non_blocking=True) for table in self.tables))
            self._elsewhere[device] = StepPlan.of(self.arena, tables, self.rows, self.most_spans, self.rotation)
        return self._elsewhere[device]

    @property
    def host_rows(self) -> tuple[RowPlan, ...]:
        """Raises NotCapturable where the host does not know them."""
        if self.rows is None:
            raise NotCapturable("the attention kernel reads a step's rows on the host")
        return self.rows

    @property
    def row_table(self) -> Tensor:
        return self.tables.row_table

    @property
    def span_table(self) -> Tensor:
        return self.tables.span_table

    @property
    def slots(self) -> Tensor:
        return self.tables.slots

    def turn(self, layer: int) -> Turn:
        """Cosines and sines of a layer."""
        return self.turns[self.rotation.layers[layer]]

    def layout(self, layer: int) -> Layout:
        return self.rotation.layout(layer)


def plan_step(arena: CacheArena, numbers: StepNumbers, rotation: Rotation, device: torch.device) -> StepPlan:
    """The plan of a single step."""
    vector = on_host(numbers.packed(numbers.lines), device).to(device, non_blocking=True)
    tables = carve(vector, numbers.lines)
    return StepPlan.of(arena, tables, numbers.rows, numbers.most_spans, rotation)


def check_lengths(rows: Sequence[RowPlan], rotation: Rotation) -> None:
    """Raises UnusableInput where a row's view would be longer than the model is exact over."""
    if rotation.exact_to:
        longest = max(row.spans[-1].position + row.spans[-1].length + row.count for row in rows)
        rotation.exact_to.check(longest, "a view of")


def _new(row: RowPlan, start: int) -> range:
    return range(start, start + row.count)


def _sizes(lines: Sequence[int]) -> list[int]:
    """What each table takes of the vector."""
    return [-(-n * columns // ALIGNED) * ALIGNED for n, columns in zip(lines, COLUMNS, strict=True)]
