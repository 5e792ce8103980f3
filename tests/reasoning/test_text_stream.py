"""Text given out piece by piece is the decoded text."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.reasoning.tiny_tokenizer import tiny_tokenizer
from voice_agent.reasoning.text_stream import TextStream

TINY = tiny_tokenizer()


def pieces(tokenizer: Any, tokens: list[int]) -> list[str]:
    stream = TextStream(tokenizer)
    found = [stream.push(token) for token in tokens]
    assert stream.text == "".join(found)
    return found


@given(text=st.text(max_size=40))
def test_pieces_join_to_the_text(text: str) -> None:
    assert "".join(pieces(TINY, TINY(text, add_special_tokens=False, split_special_tokens=True).input_ids)) == text


@pytest.mark.parametrize("text", ["7 ≈ 56 €", "“naïve” 日本語 👩‍👩‍👧", " two  spaces\n\nand lines ", "don't , stop ."])
def test_a_real_tokenizer(smollm_tokenizer: Any, text: str) -> None:
    tokens = smollm_tokenizer(text, add_special_tokens=False).input_ids
    assert "".join(pieces(smollm_tokenizer, tokens)) == text


@given(tokens=st.lists(st.integers(0, 255), max_size=30))
def test_any_bytes_are_decoded_like_the_whole(tokens: list[int]) -> None:
    whole = TINY.decode(tokens)
    assert whole.startswith("".join(pieces(TINY, tokens)))


def test_a_character_comes_whole() -> None:
    assert pieces(TINY, TINY("a€b", add_special_tokens=False).input_ids) == ["a", "", "", "€", "b"]


def test_special_tokens_are_no_text() -> None:
    tokens = TINY("a<|im_end|>b", add_special_tokens=False).input_ids
    assert pieces(TINY, tokens) == ["a", "", "b"]


def test_it_goes_on_after_a_restart() -> None:
    stream = TextStream(TINY)
    for token in TINY("Hello w", add_special_tokens=False).input_ids:
        stream.push(token)
    stream.restart("Hello", context=TINY("o", add_special_tokens=False).input_ids)
    for token in TINY(" you", add_special_tokens=False).input_ids:
        stream.push(token)
    assert stream.text == "Hello you"
