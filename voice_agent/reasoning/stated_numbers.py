"""Which numbers a text states, so that the writer does not state one that the thoughts have not reached.

Digits ("1,200.50") and English number words ("ninety", "forty-five") count alike. Pure.

    numbers_in("forty-five minutes, $1,200") -> {45, 1200}
"""

from __future__ import annotations

import re
from fractions import Fraction

_UNITS = ["zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve"]
_UNITS += ["thirteen", "fourteen", "fifteen", "sixteen", "seventeen", "eighteen", "nineteen"]
_TENS = ["twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety"]
_SMALL = {word: value for value, word in enumerate(_UNITS)} | {word: 10 * (i + 2) for i, word in enumerate(_TENS)}
_LARGE = {"hundred": 100, "thousand": 1000, "million": 1_000_000, "billion": 1_000_000_000}
_DIGITS = r"\d+(?:,\d{3})*(?:\.\d+)?"
_WORD = "|".join(sorted([*_SMALL, *_LARGE], key=len, reverse=True))
_DIGITS_GO_ON = re.compile(r"\.?|,\d{0,2}")
_WORDS_GO_ON = re.compile(r"(?:[\s-]+(?:and\s+)?)?([a-z]*)", re.IGNORECASE)
_TOKEN = re.compile(rf"({_DIGITS})|\b((?:{_WORD})(?:(?:\s+and\s+|[\s-]+)(?:{_WORD}))*)\b", re.IGNORECASE)


def numbers_in(text: str) -> set[Fraction]:
    """The values of all numbers stated in `text`."""
    return {value for _, _, value in number_spans(text)}


def number_spans(text: str) -> list[tuple[int, int, Fraction]]:
    """(start, end, value) of each number, in order. "one" and "two" as bare words are too common to count."""
    spans = []
    for match in _TOKEN.finditer(text):
        digits, words = match.groups()
        if digits:
            spans.append((match.start(), match.end(), Fraction(digits.replace(",", ""))))
        elif words.lower() not in ("one", "two"):
            spans.append((match.start(), match.end(), Fraction(_value_of(words))))
    return spans


def may_grow(text: str, end: int) -> bool:
    """Whether the number that ends at `end` could become another one by what is written next.

    "1," may become 1,200 and "0." 0.75; "forty " may become forty-five, "forty m" forty million.
    """
    rest = text[end:]
    if text[end - 1].isdigit():
        return _DIGITS_GO_ON.fullmatch(rest) is not None
    word = _WORDS_GO_ON.fullmatch(rest)
    return word is not None and any(other.startswith(word[1].lower()) for other in (*_SMALL, *_LARGE, "and"))


def _value_of(words: str) -> int:
    total, current = 0, 0
    for word in re.split(r"[\s-]+", words.lower()):
        if word in _SMALL:
            current += _SMALL[word]
        elif word == "hundred":
            current = max(current, 1) * 100
        elif word in _LARGE:
            total, current = total + max(current, 1) * _LARGE[word], 0
    return total + current
