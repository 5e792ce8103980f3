"""Text as it is said: lower-case words with numbers spelled out, so that "120" and "one hundred twenty" are equal.

    said(text) -> list of words;  says(text, phrase) -> is the phrase in the text, in whole words and whole numbers?

Used where what was heard is held against what was written: the echo guard and the expectations of scenarios.
"""

from __future__ import annotations

import re

from num2words import num2words

BREAK = "|"  # stands where punctuation parts two words: "80, 90" is two numbers, "eighty ninety" might be one

_TOKEN = re.compile(
    r"[0-9]+(?:,[0-9]{3})+(?:\.[0-9]+)?|[0-9]+(?:\.[0-9]+)?|[^\W\d_]+(?:['\u2019][^\W\d_]+)*|-(?=[0-9])|[^\w\s-]",
    re.UNICODE,
)
_ONES = (
    "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen seventeen"
)
_TENS = "eighteen nineteen twenty thirty forty fifty sixty seventy eighty ninety"
_SCALES = ("hundred", "thousand", "million", "billion", "trillion")
_LONGEST_NUMBER = 15  # digits; longer ones are read digit by digit
NUMBER_WORDS = frozenset((*_ONES.split(), *_TENS.split(), *_SCALES, "point", "minus"))


def said(text: str) -> list[str]:
    """The words of `text`, without marks: 'Is it 45 km?' -> ['is', 'it', 'forty', 'five', 'km']."""
    return [word for word in _said_with_breaks(text) if word != BREAK]


def says(text: str, phrase: str) -> bool:
    """Whether `phrase` is in `text` as whole words and whole numbers: '20' is not in 'one hundred twenty'."""
    words, wanted = _said_with_breaks(text), said(phrase)
    if not wanted:
        return False
    for start in range(len(words)):
        end = _match(words, start, wanted)
        if end is not None and not _goes_on(words, start - 1, wanted[0]) and not _goes_on(words, end, wanted[-1]):
            return True
    return False


def _match(words: list[str], start: int, wanted: list[str]) -> int | None:
    """Where `wanted`, read from `start` on, ends; breaks inside it do not count."""
    at = start
    for index, word in enumerate(wanted):
        while index and at < len(words) and words[at] == BREAK and not {word, wanted[index - 1]} & NUMBER_WORDS:
            at += 1
        if at >= len(words) or words[at] != word:
            return None
        at += 1
    return at


def _goes_on(words: list[str], at: int, edge: str) -> bool:
    """Whether the number that `edge` belongs to extends to the neighbour at `at`."""
    return edge in NUMBER_WORDS and 0 <= at < len(words) and words[at] in NUMBER_WORDS


def _said_with_breaks(text: str) -> list[str]:
    words: list[str] = []
    for token in _TOKEN.findall(text.lower().replace("\u2019", "'")):
        if token[0] in "0123456789":
            words += _spell(token)
        elif token[0].isalpha():
            words.append(token)
        elif token == "-" and not (words and words[-1] in NUMBER_WORDS):
            words.append("minus")  # between two numbers it is a range
        else:
            words.append(BREAK)
    return _one_spelling(words)


def _spell(digits: str) -> list[str]:
    value = digits.replace(",", "")
    if len(value) > _LONGEST_NUMBER:
        return [word for digit in value if digit != "." for word in _spell(digit)]
    number = float(value) if "." in value else int(value)
    return [word for word in re.findall(r"[a-z]+", num2words(number)) if word != "and"]


def _one_spelling(words: list[str]) -> list[str]:
    """'a hundred and five' -> 'one hundred five'; an 'and' between two numbers stays."""
    kept: list[str] = []
    for index, word in enumerate(words):
        after = words[index + 1] if index + 1 < len(words) else ""
        if word == "and" and kept and kept[-1] in _SCALES and after in NUMBER_WORDS:
            continue
        kept.append("one" if word == "a" and after in _SCALES else word)
    return kept
