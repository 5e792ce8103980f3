"""Numbers in text, and whether one may still become another."""

from __future__ import annotations

from fractions import Fraction

import pytest

from voice_agent.reasoning.stated_numbers import may_grow, number_spans, numbers_in


@pytest.mark.parametrize(
    ("text", "values"),
    [
        ("", []),
        ("no number at all", []),
        ("60 km in 45 minutes", [60, 45]),
        ("$1,200.50 and 1,000,000", ["1200.5", 1_000_000]),
        ("0.75 hours", ["0.75"]),
        ("forty-five minutes", [45]),
        ("Ninety, not sixty", [90, 60]),
        ("two hundred and forty", [240]),
        ("one hundred twenty thousand three", [120_003]),
        ("a thousand", [1000]),
        ("one of the two trains", []),
        ("thirteenth often tents", []),
        ("1, 2 and 3", [1, 2, 3]),
        ("2+3=5", [2, 3, 5]),
    ],
)
def test_values(text: str, values: list[int | str]) -> None:
    assert [value for _, _, value in number_spans(text)] == [Fraction(value) for value in values]


def test_digits_and_words_count_alike() -> None:
    assert numbers_in("1,200") == numbers_in("twelve hundred") == numbers_in("one thousand two hundred")


@pytest.mark.parametrize(
    ("text", "grows"),
    [
        ("It is 80", True),
        ("It is 80.", True),  # 80.5
        ("It is 80,", True),  # 80,000
        ("It is 80,00", True),
        ("It is 80 ", False),
        ("It is 80. ", False),
        ("It is 80, ", False),
        ("It is 80 k", False),
        ("It is forty", True),
        ("It is forty ", True),  # forty five
        ("It is forty-", True),
        ("It is forty m", True),  # forty million
        ("It is forty mi", True),
        ("It is forty min", False),
        ("It is forty.", False),
        ("It is two hundred an", True),
        ("It is two hundred and ", True),
        ("It is two hundred and k", False),
    ],
)
def test_a_number_is_complete_when_nothing_can_follow_it(text: str, grows: bool) -> None:
    _, end, _ = number_spans(text)[0]
    assert may_grow(text, end) is grows
