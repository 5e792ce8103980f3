"""What the words of a turn tell about its end, as tables of sentences."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from voice_agent.hearing.turn_words import is_unfinished, wants_answer

# with the marks that the recogniser puts behind words that break off
BROKEN_OFF = """
What is the difference between a? | The train and. | Is it cold because? | What would happen if? | Ask him whether.
She is older than. | Tell me something about the. | What does my? | How long does it take to? | How much snow falls in?
Is there a train from? | Can I go with? | What is the price of? | How many live on? | What time is? | How old are?
Is it true that? | Are you sure that? | Why is it that? | How long do I? | What should we? | Can you tell me how?
Explain to me what a very. | Divide ninety by. | What is seven plus? | I was thinking that we could go to. | Nine and
Tell me when I. | My sister is. | I know that. | ... | Well, um. | Can you, uh?
"""
WHOLE = """
What is it made of? | Where are you from? | Who are you talking to? | What are you thinking of? | What is it for?
Tell me who she lives with. | Which floor is it on? | Can you turn it on? | Please switch it on. | May I come in?
What is that? | How far is that? | What did you mean by that? | Can you repeat that? | How old is she? | Who am I?
Where are they? | May I? | Can we? | What? | Why? | Do you know why? | Since when? | How come? | And what?
Tell me where it is. | I would like to know how old it was? | Is it? | What to do? | Stop. | How fast is it? | Ninety.
I have twelve apples. | How much is three plus four?
"""


def sentences(table: str) -> list[str]:
    return [sentence.strip() for line in table.strip().splitlines() for sentence in line.split("|")]


@pytest.mark.parametrize("words", sentences(BROKEN_OFF))
def test_words_that_break_off(words: str) -> None:
    assert is_unfinished(words)


@pytest.mark.parametrize("words", sentences(WHOLE))
def test_words_that_are_whole(words: str) -> None:
    assert not is_unfinished(words)


@pytest.mark.parametrize(
    ("words", "wanted"),
    [
        ("How fast is it", True),
        ("so how fast is it.", True),
        ("I have twelve apples. How many are left?", True),
        ("Convert ten miles.", True),
        ("How many are left? I had 3.5 of them.", False),
        ("I have twelve apples.", False),
        ("He drops five. And now has a total of 110 cookies.", False),
        ("And has he a total of 110?", True),
        ("And now tell me how many.", True),
        ("A local gas station. is selling gas for $3 a gallon.", False),
        ("A classroom has a board. which is shared. between four.", False),
        ("A local gas station. Is it selling gas.", True),
        ("How long does it take. to boil an egg.", True),
        ("I have three bags. how many apples are left?", True),
        ("", False),
    ],
)
def test_who_wants_an_answer(words: str, wanted: bool) -> None:
    assert wants_answer(words) == wanted


@given(st.text())
def test_any_text_can_be_looked_at(words: str) -> None:
    assert is_unfinished(words) in (True, False)
    assert wants_answer(words) in (True, False)
