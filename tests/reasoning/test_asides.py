"""What the thoughts must be told of, and what is only read."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from voice_agent.reasoning.asides import bears_on

QUESTION = "A train travels sixty kilometers in forty five minutes, how fast is it going?"

ASIDES = (
    "By the way, it has just started to rain here.",
    "My dog likes your voice.",
    "Nice, you sound very clear today.",
    "I am writing this down while you speak.",
    "Thank you, that is kind.",
    "Somebody left the window open.",
    "Ha, I knew it.",
    "",
)
BEARING = (
    "Sorry, I meant ninety kilometers.",
    "90.",
    "The train is an express.",  # shares a word with the question
    "It isn\u2019t going so far.",
    "Not to the south.",
    "Half of them are red.",
    "Use miles.",
    "Please tell me a joke.",
    "Is that right?",
    "And why would he?",
    "Forget it.",
    "Ignore the last part.",
)


@pytest.mark.parametrize("words", ASIDES)
def test_asides_are_only_read(words: str) -> None:
    assert not bears_on(words, QUESTION)


@pytest.mark.parametrize("words", BEARING)
def test_of_what_bears_on_the_question_the_thoughts_are_told(words: str) -> None:
    assert bears_on(words, QUESTION)
    assert bears_on(words.upper(), QUESTION)


@given(before=st.text(), after=st.text(), number=st.integers(3, 10**12))
def test_a_number_is_never_an_aside(before: str, after: str, number: int) -> None:
    assert bears_on(f"{before} {number} {after}", QUESTION)


@given(aside=st.sampled_from(ASIDES), bearing=st.sampled_from(BEARING))
def test_an_aside_beside_it_hides_nothing(aside: str, bearing: str) -> None:
    assert bears_on(f"{aside} {bearing}", QUESTION)
    assert bears_on(f"{bearing} {aside}", QUESTION)
