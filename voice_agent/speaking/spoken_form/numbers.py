"""Numbers as English words, the way they are said aloud.

    say_number("1,234.5") -> "one thousand two hundred thirty-four point five"
    say_year("1999") -> "nineteen ninety-nine";  say_time("3", "05") -> "three oh five"

Digits come in as text, because "3.10" and "007" say more than their values. Knows nothing of where they stood.
"""

from __future__ import annotations

import re

from num2words import num2words

_LONGEST_CARDINAL = 15  # digits; beyond "hundred trillion" a number is easier to follow digit by digit
_LARGEST_NAMED_PART = 20  # "three twentieths" is said, "three sixty-fourths" is not
_ROUND_PARTS = (30, 40, 50, 60, 100, 1000, 10_000, 1_000_000)

SUPERSCRIPTS = str.maketrans("⁰¹²³⁴⁵⁶⁷⁸⁹⁻⁺", "0123456789-+")
SUBSCRIPTS = str.maketrans("₀₁₂₃₄₅₆₇₈₉", "0123456789")
VULGAR_FRACTIONS = {
    "½": "1/2", "⅓": "1/3", "⅔": "2/3", "¼": "1/4", "¾": "3/4", "⅕": "1/5", "⅖": "2/5", "⅗": "3/5", "⅘": "4/5",
    "⅙": "1/6", "⅚": "5/6", "⅐": "1/7", "⅛": "1/8", "⅜": "3/8", "⅝": "5/8", "⅞": "7/8", "⅑": "1/9", "⅒": "1/10",
}  # fmt: skip

_ROMAN = re.compile(r"(?=[IVXLC])C{0,3}(?:XC|XL|L?X{0,3})(?:IX|IV|V?I{0,3})")
_ROMAN_VALUES = {"I": 1, "V": 5, "X": 10, "L": 50, "C": 100}


def say_number(digits: str) -> str:
    """'1,234.5', '-3' -> words; a leading zero or more than 15 digits: digit by digit."""
    if digits[:1] in ("-", "+"):
        return f"{'minus' if digits[0] == '-' else 'plus'} {say_number(digits[1:])}"
    whole, _, decimals = digits.replace(",", "").partition(".")
    if len(whole) > _LONGEST_CARDINAL or (len(whole) > 1 and whole.startswith("0")):
        said = say_digits(whole)
    else:
        said = _plain(num2words(int(whole or "0")))
    return f"{said} point {say_digits(decimals)}" if decimals else said


def say_digits(digits: str) -> str:
    return " ".join(num2words(int(digit)) for digit in digits if digit.isdigit())


def say_digit_groups(text: str) -> str:
    """'555-0199' -> 'five five five, zero one nine nine': pauses where a telephone number has its breaks."""
    groups = re.findall(r"\+?\d+", text)
    return ", ".join(f"plus {say_digits(group)}" if group[0] == "+" else say_digits(group) for group in groups)


def say_ordinal(digits: str) -> str:
    value = digits.replace(",", "")
    if len(value) > _LONGEST_CARDINAL:
        return say_digits(value)
    return _plain(num2words(int(value), to="ordinal"))


def say_power(exponent: str) -> str:
    """'2' -> 'squared'; '-3' -> 'to the power of minus three'."""
    named = {"2": "squared", "3": "cubed"}.get(exponent)
    return named or f"to the power of {say_number(exponent)}"


def say_year(year: str) -> str:
    return _plain(num2words(int(year), to="year"))


def say_decade(years: str) -> str:
    """'1990' -> 'nineteen nineties'; '80' -> 'eighties'."""
    said = say_year(years) if len(years) == 4 else say_number(years)
    return f"{said[:-1]}ies" if said.endswith("y") else f"{said}s"


def say_time(hour: str, minute: str, twelve: bool = False) -> str:
    """('3', '45') -> 'three forty-five'; ('15', '00') -> 'fifteen hundred'; twelve: AM or PM follows."""
    said_hour = say_number(str(int(hour)))
    if minute == "00":
        if twelve:
            return said_hour
        return f"{said_hour} o'clock" if 0 < int(hour) <= 12 else f"{said_hour} hundred"
    said_minute = f"oh {say_number(minute[1])}" if minute.startswith("0") else say_number(minute)
    return f"{said_hour} {said_minute}"


def say_fraction(numerator: str, denominator: str) -> str | None:
    """('3', '4') -> 'three quarters'; None where a fraction would be said as a division."""
    above, below = int(numerator), int(denominator)
    named = 1 < below <= _LARGEST_NAMED_PART or below in _ROUND_PARTS
    if not (named and 0 < above < below):
        return None
    part = {2: "half", 4: "quarter"}.get(below, say_ordinal(str(below)).replace(" ", "-"))
    if above == 1:
        return f"one {part.removeprefix('one-')}"
    return f"{say_number(numerator)} {'halves' if part == 'half' else part.removeprefix('one-') + 's'}"


def say_money(amount: str, magnitude: str | None, unit: tuple[str, str], cent: tuple[str, str]) -> str:
    """('2.50', None, ..) -> 'two dollars and fifty cents'; ('5', 'million', ..) -> 'five million dollars'."""
    whole, _, decimals = amount.replace(",", "").partition(".")
    if magnitude or len(decimals) not in (0, 2) or not cent[0]:
        return f"{say_number(amount)} {magnitude + ' ' if magnitude else ''}{unit[1]}"
    units = f"{say_number(whole or '0')} {unit[int(whole or '0') != 1]}"
    if not decimals or decimals == "00":
        return units
    cents = f"{say_number(str(int(decimals)))} {cent[int(decimals) != 1]}"
    return cents if int(whole or "0") == 0 else f"{units} and {cents}"


def roman_value(numeral: str) -> int | None:
    """'XIV' -> 14; None where it is no numeral below 400 in its usual form."""
    if not _ROMAN.fullmatch(numeral):
        return None
    values = [_ROMAN_VALUES[letter] for letter in numeral]
    return sum(-v if v < after else v for v, after in zip(values, [*values[1:], 0], strict=True))


def _plain(words: str) -> str:
    """num2words writes 'one thousand, two hundred and one'; commas would be voiced as pauses."""
    return words.replace(",", "").replace(" and ", " ")
