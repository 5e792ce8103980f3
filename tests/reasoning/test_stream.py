"""A stream's text and tokens under any order of writing, interjecting, cutting and feeding."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.reasoning.tiny_tokenizer import tiny_tokenizer
from voice_agent.reasoning.cache_block import CacheArena
from voice_agent.reasoning.cache_view import View
from voice_agent.reasoning.stream import Stream

TOKENIZER = tiny_tokenizer()
CUE = [3, 4, 5]


def tokens_of(text: str) -> list[int]:
    return list(TOKENIZER(text, add_special_tokens=False).input_ids)


def stream() -> Stream:
    return Stream(View((CacheArena().new_block("spoken"),)), CUE, TOKENIZER)


def feed(of: Stream, count: int | None = None) -> None:
    """What a step does with the block."""
    of.view.own.tokens.extend(of.unfed()[:count])


def write(into: Stream, text: str) -> None:
    for token in tokens_of(text):
        feed(into)
        into.sample(token)


def shall_stand(of: Stream) -> list[int]:
    unfed = of.unfed()
    return [*of.view.own.tokens, *unfed]


OPERATIONS = st.lists(
    st.one_of(
        st.tuples(st.just("sample"), st.integers(0, 270)),
        st.tuples(st.just("write"), st.sampled_from(["one", " two", "€", "🚂 ", ". "])),
        st.tuples(st.just("interject"), st.lists(st.integers(0, 255), min_size=1, max_size=4)),
        st.tuples(st.just("rewind"), st.integers(0, 30)),
        st.tuples(st.just("feed"), st.integers(0, 5)),
        st.tuples(st.just("end_sentence"), st.none()),
    ),
    max_size=25,
)


@given(operations=OPERATIONS)
def test_block_and_pending_are_the_tokens_that_were_kept(operations: list[tuple[str, Any]]) -> None:
    """Against a plain list of (token, length of the text when it is out), also when a step was in flight."""
    tested = stream()
    kept: list[tuple[int, float]] = []

    def settle() -> None:
        kept[:] = [(token, min(end, len(tested.text))) for token, end in kept]

    for operation, value in operations:
        in_flight = tested.unfed()
        if operation in ("sample", "write"):
            for token in [value] if operation == "sample" else tokens_of(value):
                piece = tested.sample(token)
                kept.append((token, float("inf")))
                if piece:
                    settle()
        elif operation == "interject":
            tested.interject(value)
            settle()
            kept += [(token, len(tested.text)) for token in value]
        elif operation == "rewind":
            tested.rewind(value)
            while kept and kept[-1][1] > value:
                kept.pop()
            assert len(tested.text) == (kept[-1][1] if kept else 0)
        elif operation == "end_sentence" and tested.text and not tested.text[-1].isspace():
            tested.end_sentence()
            settle()
            kept[-1] = (kept[-1][0], len(tested.text))
        elif operation == "feed":
            tested.view.own.tokens.extend(in_flight[:value])
            in_flight = []
        tested.view.own.tokens.extend(in_flight)  # a step that was planned before the operation ends after it
        assert shall_stand(tested) == CUE + [token for token, _ in kept]


@given(text=st.text(alphabet="ab €🚂.", max_size=20), cut=st.integers(0, 20))
def test_cut_text_is_the_beginning_of_what_was_written(text: str, cut: int) -> None:
    tested = stream()
    write(tested, text)
    tested.rewind(cut)
    assert tested.text == text[:cut]  # a token a byte: every character ends a token
    assert shall_stand(tested) == CUE + tokens_of(text[:cut])
    tested.rewind(cut)
    write(tested, "€ on")
    assert tested.text == text[:cut] + "€ on"


def test_a_cut_inside_a_token_goes_to_its_beginning() -> None:
    tested = stream()
    write(tested, "Oh Yes")  # " Yes" is one token
    assert tested.boundary(5) == 2
    tested.rewind(5)
    assert tested.text == "Oh"


def test_a_choice_with_nothing_pending_feeds_the_last_token_again() -> None:
    tested = stream()
    write(tested, "ab")
    feed(tested)
    assert tested.unfed() == []
    assert tested.last_again() == tokens_of("b")
    assert tested.view.own.tokens == [*CUE, *tokens_of("a")]


def test_an_incomplete_character_is_cut_away() -> None:
    tested = stream()
    write(tested, "a")
    tested.sample(tokens_of("€")[0])
    assert tested.text == "a"
    tested.rewind(1)
    assert shall_stand(tested) == CUE + tokens_of("a")


def test_words_apart_where_tokens_from_outside_stand_between() -> None:
    tested = stream()
    write(tested, "One.")
    tested.interject([9, 9])
    assert tested.fresh
    write(tested, "Two.")
    assert tested.text == "One. Two."
    tested.rewind(4)
    assert tested.fresh  # the tokens from outside still stand
    assert shall_stand(tested) == [*CUE, *tokens_of("One."), 9, 9]
    write(tested, "Three.")
    assert tested.text == "One. Three."


def test_every_change_from_outside_is_counted() -> None:
    tested = stream()
    seen = {tested.changes}
    write(tested, "One.")
    assert tested.changes in seen
    for change in (lambda: tested.interject([9]), lambda: tested.rewind(2), tested.end_sentence):
        change()
        assert tested.changes not in seen
        seen.add(tested.changes)


def test_another_cue_before_anything_was_written() -> None:
    tested = stream()
    feed(tested)
    tested.sample(tokens_of("€")[0])  # no text yet
    tested.reopen([3, 4, 8, 9])
    assert tested.view.own.tokens == CUE
    assert tested.unfed() == [8, 9]  # what both cues begin with is not read again
    assert tested.view.own.tokens == CUE[:2]
    write(tested, "a")
    with pytest.raises(AssertionError):
        tested.reopen(CUE)
