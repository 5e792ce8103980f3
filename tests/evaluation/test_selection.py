"""Shares and parts of a question set."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from voice_agent.errors import UnusableInput
from voice_agent.evaluation.datasets import Item
from voice_agent.evaluation.selection import Shard, parse_share, sampled


def items(rows: range) -> list[Item]:
    return [Item("gsm8k", row, "How many?", "1", {}) for row in rows]


@given(st.integers(0, 300), st.integers(0, 60), st.integers(1, 9))
def test_every_item_is_in_one_part(first: int, count: int, parts: int) -> None:
    every = items(range(first, first + count))
    shards = Shard(1, parts).all_of_them()
    assert sorted(item.row for shard in shards for item in shard.of(every)) == [item.row for item in every]
    assert all(item.row % parts == shard.number - 1 for shard in shards for item in shard.of(every))


def test_parts_have_files_of_their_own() -> None:
    out = Path("out")
    files = [shard.file(out, "gsm8k") for shard in Shard.parse("1/3").all_of_them()]
    assert [file.name for file in files] == [f"gsm8k.{k}-of-3.jsonl" for k in (1, 2, 3)]
    assert Shard.parse("1/1").file(out, "gsm8k", "summary.json") == out / "gsm8k.summary.json"


@pytest.mark.parametrize("text", ["", "1", "0/2", "3/2", "1/0", "-1/2", "a/b", "1/2/3", "1.0/2"])
def test_unusable_parts(text: str) -> None:
    with pytest.raises(UnusableInput, match="give K/N with K from 1 to N"):
        Shard.parse(text)


@pytest.mark.parametrize("text", ["", "0", "-1/3", "1.5", "third", "1/0", "nan", "inf"])
def test_unusable_shares(text: str) -> None:
    with pytest.raises(UnusableInput, match="give a share above 0 and at most 1"):
        parse_share(text)


@given(st.integers(1, 60), st.fractions(min_value=Fraction(1, 50), max_value=1), st.integers(0, 3))
def test_a_random_share_is_the_same_every_time(count: int, share: Fraction, seed: int) -> None:
    every = items(range(count))
    drawn = sampled(every, share, seed)
    assert len(drawn) == max(1, round(share * count))
    assert drawn == sampled(every, share, seed)
    assert [item.row for item in drawn] == sorted({item.row for item in drawn})
    assert {item.row for item in sampled(every, share / 2, seed)} <= {item.row for item in drawn}


def test_another_seed_draws_others() -> None:
    every = items(range(90))
    assert parse_share("1/3") == Fraction(1, 3)
    first, second = (sampled(every, parse_share("1/3"), seed) for seed in (0, 1))
    assert len(first) == len(second) == 30
    assert first != second
    assert max(item.row for item in first) > 45  # not the first ones
