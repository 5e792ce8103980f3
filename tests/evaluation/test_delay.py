"""When clauses sound: the sums of the paper on known cases, and what holds for any."""

from __future__ import annotations

import math
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from voice_agent.evaluation.delay import ClauseVoice
from voice_agent.settings import DeclaredCosts, Speaking

SPEAKING = Speaking()
COSTS = DeclaredCosts(clause_base_ms=100.0, clause_ms_per_s=0.0)
FIRST, SECOND, THIRD = "It is ten miles.", " Then we rest.", " Good night."  # 16, 14 and 12 characters
Said = list[tuple[float, str]]  # pause in seconds, text


def spoken(said: Said, voice: ClauseVoice) -> float:
    now_s = 0.0
    for pause_s, text in said:
        now_s += pause_s
        voice.say(text, now_s)
    voice.finish(now_s)
    return now_s


def test_delays_add_up_as_in_the_paper() -> None:
    voice = ClauseVoice(SPEAKING, COSTS, characters_per_s=10.0)
    spoken([(1.0, FIRST), (0.5, SECOND), (6.0, THIRD)], voice)
    # A clause is complete when the next word begins: r = 1.5 + 0.1, 7.5 + 0.1 and, the last two made in turn, 7.7
    assert [(chunk.start_s, chunk.lasts_s, chunk.delay_s) for chunk in voice.chunks] == [
        pytest.approx(expected) for expected in ((1.6, 1.6, 1.6), (7.6, 1.4, 4.4), (9.0, 1.2, 0.0))
    ]
    assert [chunk.begins for chunk in voice.chunks] == [0, 16, 30]
    assert voice.total_delay_s() == pytest.approx(6.0)
    assert voice.stall_s() == pytest.approx(4.4)
    assert voice.first_s() == pytest.approx(1.6)
    assert voice.first_s(1) == pytest.approx(7.6)
    assert voice.first_s(31) is None


def test_synthesis_takes_its_turn() -> None:
    voice = ClauseVoice(SPEAKING, DeclaredCosts(clause_base_ms=3000.0, clause_ms_per_s=500.0), characters_per_s=10.0)
    spoken([(1.0, FIRST + SECOND)], voice)
    assert [chunk.start_s for chunk in voice.chunks] == pytest.approx([1 + 3 + 0.8, 4.8 + 3 + 0.7])
    assert voice.total_delay_s() == pytest.approx(4.8 + (8.5 - 6.4))


def test_nothing_said_is_no_delay_that_could_be_added() -> None:
    voice = ClauseVoice(SPEAKING, COSTS)
    assert (voice.first_s(), voice.total_delay_s(), voice.stall_s()) == (None, None, None)


def test_what_had_not_sounded_never_does() -> None:
    voice = ClauseVoice(SPEAKING, COSTS, characters_per_s=10.0)
    voice.say(FIRST + SECOND + " And", 0.0)
    voice.stop(1.0)
    assert [(chunk.begins, chunk.lasts_s) for chunk in voice.chunks] == [(0, pytest.approx(0.9))]
    voice.say(" Good night to you all.", 2.0)
    voice.finish(2.0)
    assert [chunk.start_s for chunk in voice.chunks] == pytest.approx([0.1, 2.1])
    assert voice.stall_s() == pytest.approx(2.1 - 1.0)


def pieces() -> st.SearchStrategy[Said]:
    words = st.sampled_from([" one", " two,", " three.", " 3.5", "\n", " and so on", "!", "a"])
    return st.lists(st.tuples(st.floats(0, 5), words), min_size=1, max_size=12)


@given(pieces())
def test_every_character_sounds_once_in_order_and_only_when_it_is_ready(said: Said) -> None:
    voice = ClauseVoice(SPEAKING, COSTS)
    end_s = spoken(said, voice)
    chunks = voice.chunks
    assert chunks[0].delay_s == chunks[0].start_s
    for before, after in pairwise(chunks):
        assert after.start_s >= before.end_s - 1e-9
        assert after.delay_s == pytest.approx(after.start_s - before.end_s)
        assert after.begins > before.begins
    lasts_s = sum(chunk.lasts_s for chunk in chunks)
    assert lasts_s == pytest.approx(sum(len(text) for _, text in said) / 15)
    assert chunks[-1].end_s == pytest.approx((voice.total_delay_s() or 0) + lasts_s)
    assert chunks[-1].end_s >= end_s


@given(pieces())
def test_with_an_infinitely_fast_voice_the_delay_is_the_time_of_the_last_words(said: Said) -> None:
    voice = ClauseVoice.infinitely_fast(SPEAKING)
    assert voice.characters_per_s == math.inf
    end_s = spoken(said, voice)
    assert voice.total_delay_s() == pytest.approx(end_s)
    assert sum(chunk.lasts_s for chunk in voice.chunks) == 0
