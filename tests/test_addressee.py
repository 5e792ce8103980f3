"""Words over an answer that were meant for somebody else, and those that must never be taken for such."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from voice_agent.addressee import is_for_others, may_be_for_others
from voice_agent.overlap import judge
from voice_agent.settings import Floor

PLAYED = "The train goes eighty kilometers per hour, and the moon pulls the water"

FOR_OTHERS = (
    "Honey, have you seen my keys?",
    "Mum, can I go outside?",
    "Hey, mom! Look at this.",
    "Oh darling, how nice.",
    "What do you want for dinner, honey?",
    "It's late. Kids, put your shoes on.",
    "Hello, Peter, come in.",
    "Hi Anna, how are you doing?",
    "Lunch is ready, everyone!",
    "Somebody's at the door.",
    "Come in!",
    "I'll call you back tonight.",
    "Okay, talk to you later, bye bye.",
    "Stay tuned, we'll be right back after this.",
    "Thanks for watching!",
    "Breaking news from the capital.",
    "Ladies and gentlemen, please welcome our next guest.",
)
FOR_IT = (
    "Sorry, I meant ninety.",
    "Honey, not sugar.",  # it contradicts
    "Mum has two bags.",
    "Dad, two apples.",  # a number
    "It is for my kids.",
    "I mean the honey.",
    "Honey is sweeter.",
    "Bees make honey",
    "How many come in a bag?",
    "Does it come in blue?",
    "Come here is the wrong translation.",
    "Hello there, how about ships?",
    "Hi, what about ships?",
    "What's the weather forecast?",
    "How do I subscribe to it?",
    "Is there breaking news?",
    "Stay tuned to the moon, you said.",  # what it speaks of
    "Honey, stop.",
    "",
)


@pytest.mark.parametrize("text", FOR_OTHERS)
def test_words_for_others(text: str) -> None:
    assert is_for_others(text, PLAYED)
    assert judge(text, 1.8, PLAYED, Floor()) == "not-to-me"


@pytest.mark.parametrize(
    ("text", "may"), [("Mary, can you close the window, please?", True), ("Please, the bags?", False)]
)
def test_a_word_without_content_is_no_word_of_the_answer(text: str, may: bool) -> None:
    assert may_be_for_others(text, "Please tell me in a few words what you have in the bags.") == may


@pytest.mark.parametrize("text", FOR_IT)
def test_words_that_may_be_for_the_assistant(text: str) -> None:
    assert not is_for_others(text, PLAYED)


@given(
    st.sampled_from(FOR_OTHERS),
    st.sampled_from(("ninety", "no", "sorry", "not", "I meant", "kilometers", "20", "don't")),
)
def test_a_number_a_contradiction_or_a_word_of_the_answer_is_never_for_others(text: str, word: str) -> None:
    assert not is_for_others(f"{text} {word}", PLAYED)
    assert not is_for_others(f"{word} {text}", PLAYED)


@given(st.text(max_size=60), st.text(max_size=60))
def test_any_text_can_be_judged(text: str, played: str) -> None:
    assert is_for_others(text, played) in (True, False)
