"""Tokens are chosen by seed, inside the nucleus, never a banned one, and read back together."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from tests.reasoning.read_backs import ReadBacks
from tests.reasoning.tiny_reasoner import SETTINGS, tiny_reasoner
from voice_agent.clock import VirtualClock
from voice_agent.errors import UnusableInput
from voice_agent.reasoning.cache_view import View
from voice_agent.reasoning.engine import Feed
from voice_agent.reasoning.modes import parse_mode
from voice_agent.reasoning.sampling import LIKELIEST, Sampler, TokenSet, read_back

SEEDS = st.integers(0, 2**31)
VOCABULARY = 40


def logits_of(seed: int, spread: float, rows: int = 1, vocabulary: int = VOCABULARY) -> torch.Tensor:
    """(rows, vocabulary); a spread of 0 is a flat distribution."""
    return torch.randn(rows, vocabulary, generator=torch.Generator().manual_seed(seed)) * spread


def least_of_nucleus(logits: torch.Tensor, temperature: float, top_p: float) -> float:
    """The logit of the last of the fewest likeliest tokens whose probability reaches `top_p`; rounding may add one."""
    order, tokens = logits.double().div(temperature).softmax(0).sort(descending=True)
    before = order.cumsum(0) - order
    return float(logits[tokens[before < top_p + 1e-5]].min())


samplers = st.builds(
    Sampler,
    temperature=st.sampled_from([0.0, 0.1, 0.7, 1.0, 3.0]),
    top_p=st.sampled_from([0.05, 0.5, 0.9, 1.0]),
    greedy_above=st.sampled_from([0.0, 0.3, 1.0]),
    seed=SEEDS,
)


@given(sampler=samplers, seed=SEEDS, spread=st.sampled_from([0.0, 0.5, 3.0, 30.0]), banned=st.sets(st.integers(0, 38)))
def test_what_is_chosen_is_in_the_nucleus_and_never_banned(
    sampler: Sampler, seed: int, spread: float, banned: set[int]
) -> None:
    logits = logits_of(seed, spread)[0]
    kept = logits.clone()
    kept[sorted(banned)] = float("-inf")
    token = int(sampler.choose(logits, TokenSet(banned)))
    assert token not in banned
    if sampler.temperature == 0.0 or float(kept.softmax(0).max()) >= sampler.greedy_above + 1e-6:
        assert kept[token] == kept.max()
    else:
        assert kept[token] >= least_of_nucleus(kept, sampler.temperature, sampler.top_p)


@given(seed=SEEDS, drawn=SEEDS)
def test_the_same_seed_draws_the_same(seed: int, drawn: int) -> None:
    logits = logits_of(seed, 1.0, rows=20)
    first, again = ([int(s.choose(row)) for row in logits] for s in (Sampler(1.0, seed=drawn) for _ in range(2)))
    assert first == again


def test_different_seeds_draw_differently_and_as_often_as_they_should() -> None:
    """10,000 draws from four tokens: shares within five standard deviations."""
    shares = torch.tensor([0.5, 0.25, 0.15, 0.1])
    sampler = Sampler(1.0, top_p=1.0, seed=3)
    drawn = torch.stack([sampler.choose(shares.log()) for _ in range(10_000)]).bincount(minlength=4) / 10_000
    assert ((drawn - shares).abs() <= 5 * (shares * (1 - shares) / 10_000).sqrt()).all()
    runs = [[int(s.choose(shares.log())) for _ in range(20)] for s in (Sampler(1.0, seed=seed) for seed in range(5))]
    assert all(one != other for one, other in pairwise(runs))


def test_a_sure_token_is_taken_and_a_flat_distribution_drawn_from() -> None:
    sure, flat = torch.tensor([0.6, 0.2, 0.2]).log(), torch.tensor([0.4, 0.3, 0.3]).log()
    sampler = Sampler(1.0, top_p=1.0, greedy_above=0.5, seed=1)
    assert {int(sampler.choose(sure)) for _ in range(50)} == {0}
    assert {int(sampler.choose(flat)) for _ in range(50)} == {0, 1, 2}


def test_a_nucleus_is_never_larger_than_what_is_sorted() -> None:
    flat = torch.zeros(3 * LIKELIEST)
    sampler = Sampler(1.0, top_p=1.0, seed=5)
    assert len({int(sampler.choose(flat)) for _ in range(2000)}) <= LIKELIEST


@given(seed=SEEDS, rows=st.integers(1, 4))
def test_rows_of_a_step_choose_as_each_would_alone(seed: int, rows: int) -> None:
    logits = logits_of(seed, 1.0, rows)

    def fresh() -> list[Sampler]:
        return [Sampler(1.0, seed=seed + row) for row in range(rows)]

    together = read_back([sampler.choose(row) for sampler, row in zip(fresh(), logits, strict=True)])
    assert together == [int(sampler.choose(row)) for sampler, row in zip(fresh(), logits, strict=True)]


def test_what_is_read_back_keeps_its_kind_and_every_digit() -> None:
    yes_no = torch.tensor([0.7000001, 1e-12])
    largest = torch.tensor((1 << 24) - 1)
    assert read_back([torch.tensor(7), yes_no, largest]) == [7, tuple(yes_no.tolist()), (1 << 24) - 1]
    assert read_back([]) == []


@pytest.mark.parametrize(
    ("values", "named"),
    [({"temperature": -0.1}, "temperature"), ({"top_p": 0.0}, "top_p"), ({"greedy_above": 1.5}, "greedy_above")],
)
def test_values_out_of_range_are_refused(values: dict[str, float], named: str) -> None:
    with pytest.raises(UnusableInput, match=named):
        Sampler(**values)


# --- in a step -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("temperature", [0.0, 1.0])
def test_a_step_of_three_rows_is_read_back_once(temperature: float, monkeypatch: pytest.MonkeyPatch) -> None:
    """Thinker, writer and probe choose, drawing or greedy: the device is waited for once, and for nothing else."""
    settings = replace(SETTINGS, thinker_temperature=temperature, writer_temperature=temperature, prefill_chunk=500)
    reasoner = tiny_reasoner(VirtualClock(), settings)
    answer = reasoner._begin(parse_mode("async"))
    answer.thinker._reconsider_until = 99  # its way of choosing has banned tokens too
    probe, question = answer._views["probe"], tuple(answer._prompts.question)
    for _ in range(2):
        feeds = [
            answer._feed("thinker", answer.thinker.stream, answer.thinker.choose),
            answer._feed("writer", answer.writer.stream, answer.speech.choose_word),
            Feed("probe", probe, question, answer.speech.answer_of_probe),
        ]
        with monkeypatch.context() as patch, ReadBacks(patch) as reads:
            thought, word, (yes, no) = reasoner._engine._step(feeds)
        assert reads.count == 1
        assert isinstance(thought, int)
        assert isinstance(word, int)
        assert 0.0 < yes + no <= 1.0
        probe.own.truncate(0)


def test_a_step_that_only_reads_in_is_not_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    engine = tiny_reasoner(VirtualClock())._engine
    with monkeypatch.context() as patch, ReadBacks(patch) as reads:
        assert engine._step([Feed("text", View((engine.arena.new_block("text"),)), (5, 6, 7))]) == [None]
    assert reads.count == 0
