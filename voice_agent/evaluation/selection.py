"""Which rows of a question set a run answers: a random share of them, and of these one process' part.

    sampled(items, Fraction(1, 3), seed) -> a third of them, the same every time
    Shard.parse("2/4").of(items)         -> rows whose number leaves 1 when divided by 4

Pure.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

from ..errors import UnusableInput
from .datasets import Item, seed_of


@dataclass(frozen=True)
class Shard:
    """One of `of_all` equal parts of the work; `number` counts from 1."""

    number: int = 1
    of_all: int = 1

    @classmethod
    def parse(cls, text: str) -> Shard:
        """'2/4': the second of four.

        Raises:
            UnusableInput: it is not that.
        """
        found = re.fullmatch(r"(\d+)/(\d+)", text.strip())
        if found is None or not 1 <= int(found[1]) <= int(found[2]):
            raise UnusableInput(f"--shard '{text}': give K/N with K from 1 to N, as 2/4 for the second of four parts")
        return cls(int(found[1]), int(found[2]))

    def of(self, items: Sequence[Item]) -> list[Item]:
        """The part of the items; it does not depend on which others were chosen."""
        return [item for item in items if item.row % self.of_all == self.number - 1]

    def file(self, out: Path, stem: str, ending: str = "jsonl") -> Path:
        """Where the part is kept."""
        part = "" if self.of_all == 1 else f".{self.number}-of-{self.of_all}"
        return out / f"{stem}{part}.{ending}"

    def all_of_them(self) -> list[Shard]:
        """Every part, in order."""
        return [Shard(number, self.of_all) for number in range(1, self.of_all + 1)]


def parse_share(text: str) -> Fraction:
    """'1/3', '0.25': a share of the rows.

    Raises:
        UnusableInput: it is no number above 0 and at most 1.
    """
    try:
        share = Fraction(text.strip())
    except (ValueError, ZeroDivisionError):
        share = Fraction(0)
    if not 0 < share <= 1:
        raise UnusableInput(f"--sample '{text}': give a share above 0 and at most 1, as 1/3 or 0.25")
    return share


def sampled(items: Sequence[Item], share: Fraction, seed: int) -> list[Item]:
    """A random share of the items, at least one, in their order; a larger share holds every smaller one."""
    drawn = sorted(items, key=lambda item: seed_of(item.dataset, item.row, f"sample {seed}"))
    chosen = {item.row for item in drawn[: max(1, round(share * len(items)))]}
    return [item for item in items if item.row in chosen]
