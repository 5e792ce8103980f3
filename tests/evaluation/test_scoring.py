"""The answer that spoken words state."""

from __future__ import annotations

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from voice_agent.evaluation.scoring import Verdict, final_choice, final_number, score_number, stated_numbers


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("", None),
        ("I do not know.", None),
        ("Janet makes $18 every day at the farmers' market.", 18),
        ("She needs three bolts in total.", 3),
        ("The answer is one hundred and twenty.", 120),
        ("It costs 70,000 dollars.", 70_000),
        ("That is $1,200.50.", "1200.5"),
        ("He has two left.", 2),
        ("He bought 5 bags and gave away each one.", 5),
        ("She has 6 apples, and one of them is green.", 6),
        ("Only one is left of the 12? No: one is left.", 1),
        ("The difference is -4 degrees.", -4),
        ("It is minus seven.", -7),
        ("He loses -$20.", -20),
        ("From 10-4 we get 6", 6),
        ("A range of 3-5 hours", 5),
        ("It takes 3/4 of an hour.", "3/4"),
        ("That is two and a half hours.", "5/2"),
        ("That is 2 and a half hours.", "5/2"),
        ("You pay 5 dollars and 20 cents.", "5.2"),
        ("The value is 50%.", 50),
        (r"So the answer is \boxed{\$18} for 9 eggs.", 18),
        (r"\boxed{x} is what we want, 5.", 5),
        (r"So it is \boxed{1{,}200}.", 1200),
        (r"So it is \boxed{\frac{1}{2}}.", "1/2"),
        ("That makes 2 million dollars.", 2_000_000),
        ("That makes 2.5 thousand.", 2500),
        ("That makes -2 million, after 3 hundred.", 300),
    ],
)
def test_the_last_number_is_the_answer(text: str, number: int | str | None) -> None:
    assert final_number(text) == (None if number is None else Fraction(number))


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("Brinley needs to score 119 on the sixth test to get an average of 93.", 119),
        ("She has 9 left. With $2 each she makes $18 from them.", 18),
        ("She makes $18 every day. That is for 2 dollars an egg.", 2),  # nothing but what was given: the last of it
        ("It is 93.", 93),
        ("It is 119. That is all.", 119),
    ],
)
def test_what_the_question_holds_is_seldom_the_answer(text: str, number: int) -> None:
    assert final_number(text, "An average of 93 with eggs at $2?") == number


def test_all_numbers_in_order() -> None:
    assert stated_numbers("60 km in forty-five minutes is 80, not -1/2") == [60, 45, 80, Fraction(-1, 2)]


@pytest.mark.parametrize(
    ("spoken", "gold", "verdict"),
    [
        ("That makes 1,200.", "1200", Verdict("1200", True)),
        ("That makes 1,200.", "1,200", Verdict("1200", True)),
        ("5.50 dollars", "5.5", Verdict("11/2", True)),
        ("5.49 dollars", "5.5", Verdict("549/100", False)),
        ("Nobody knows.", "5", Verdict("", False)),
    ],
)
def test_equality_is_exact(spoken: str, gold: str, verdict: Verdict) -> None:
    assert score_number(spoken, gold) == verdict


@given(st.integers(-(10**9), 10**9), st.sampled_from(["It is {}.", "{}", "So 3 and 4 make {} apples"]))
def test_every_whole_number_is_read_back(number: int, frame: str) -> None:
    assert final_number(frame.format(f"{number:,}")) == final_number(frame.format(number)) == number


@given(st.text(max_size=60))
def test_any_text_is_scored(text: str) -> None:
    assert score_number(text, "5").right == (final_number(text) == 5)


CHOICES = ["bank", "library", "department store", "mall", "new york"]


@pytest.mark.parametrize(
    ("text", "letter"),
    [
        ("The answer is A.", "A"),
        ("The best choice is (C), a department store.", "C"),
        ("B", "B"),
        ("I would say D, the mall.", "D"),
        ("A bank is the best choice.", "A"),
        ("A revolving door stands in New York.", "E"),
        ("It could be a bank or a library.", None),
        ("A door.", None),
        ("I am looking at the bank, the mall and the library. It is most likely a mall.", "D"),
        ("I thought of the bank. It could be the mall or the library.", None),
        ("Option B: not the bank.", "B"),
        ("The answer is F.", None),
        ("First I thought B, but it is E.", "E"),
        ("The answer is B, not C.", "B"),
        ("Option A is best.", "A"),
        ("**A**", "A"),
        (r"It is B or C. So \boxed{A}", "A"),
        (r"It is \boxed{C}. Options A, B, D and E are wrong.", "C"),
        (r"It is \boxed{\text{A}}.", "A"),
        (r"So it is \boxed{(D) mall}.", "D"),
    ],
)
def test_a_choice_by_its_letter_or_its_words(text: str, letter: str | None) -> None:
    assert final_choice(text, CHOICES) == letter
