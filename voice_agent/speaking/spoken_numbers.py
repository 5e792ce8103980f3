"""Numbers as English words, the way they are said aloud.

    say_number("1,234.5") -> "one thousand two hundred thirty-four point five"
    say_year("1999") -> "nineteen ninety-nine";  say_time("3", "05") -> "three oh five"

Digits come in as text, because "3.10" and "007" say more than their values. Knows nothing of where they stood.
"""

from __future__ import annotations

from num2words import num2words

_LONGEST_CARDINAL = 15  # digits; beyond "hundred trillion" a number is easier to follow digit by digit
_LARGEST_NAMED_PART = 20  # "three twentieths" is said, "three sixty-fourths" is not

MONTHS = (
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
)


def say_number(digits: str) -> str:
    """'1,234.5' -> words; a leading zero or more than 15 digits: digit by digit."""
    whole, _, decimals = digits.replace(",", "").partition(".")
    if len(whole) > _LONGEST_CARDINAL or (len(whole) > 1 and whole.startswith("0")):
        said = say_digits(whole)
    else:
        said = _plain(num2words(int(whole or "0")))
    return f"{said} point {say_digits(decimals)}" if decimals else said


def say_digits(digits: str) -> str:
    return " ".join(num2words(int(digit)) for digit in digits)


def say_ordinal(digits: str) -> str:
    value = digits.replace(",", "")
    if len(value) > _LONGEST_CARDINAL:
        return say_digits(value)
    return _plain(num2words(int(value), to="ordinal"))


def say_year(year: str) -> str:
    return _plain(num2words(int(year), to="year"))


def say_time(hour: str, minute: str) -> str:
    """('3', '45') -> 'three forty-five'; ('15', '00') -> 'fifteen hundred'."""
    if minute == "00":
        return f"{say_number(str(int(hour)))} o'clock" if int(hour) <= 12 else f"{say_number(hour)} hundred"
    said_minute = f"oh {say_number(minute[1])}" if minute.startswith("0") else say_number(minute)
    return f"{say_number(str(int(hour)))} {said_minute}"


def say_fraction(numerator: str, denominator: str) -> str | None:
    """('3', '4') -> 'three quarters'; None where a fraction would be said as a division."""
    if not 0 < int(numerator) < int(denominator) <= _LARGEST_NAMED_PART:
        return None
    part = {2: "half", 4: "quarter"}.get(int(denominator), say_ordinal(denominator))
    if numerator == "1":
        return f"one {part}"
    return f"{say_number(numerator)} {'halves' if part == 'half' else part + 's'}"


def say_money(amount: str, magnitude: str | None, unit: tuple[str, str], cent: tuple[str, str]) -> str:
    """('2.50', None, ..) -> 'two dollars and fifty cents'; ('5', 'million', ..) -> 'five million dollars'."""
    whole, _, decimals = amount.replace(",", "").partition(".")
    if magnitude or len(decimals) not in (0, 2):
        return f"{say_number(amount)} {magnitude + ' ' if magnitude else ''}{unit[1]}"
    units = f"{say_number(whole)} {unit[int(whole) != 1]}"
    if not decimals or decimals == "00":
        return units
    cents = f"{say_number(str(int(decimals)))} {cent[int(decimals) != 1]}"
    return cents if int(whole) == 0 else f"{units} and {cents}"


def say_date(year: str, month: str, day: str) -> str | None:
    """('2024', '5', '1') -> 'May first, twenty twenty-four'; None where it is no date."""
    if not (1 <= int(month) <= 12 and 1 <= int(day) <= 31):
        return None
    return f"{MONTHS[int(month) - 1]} {say_ordinal(str(int(day)))}, {say_year(year)}"


def _plain(words: str) -> str:
    """num2words writes 'one thousand, two hundred and one'; commas would be voiced as pauses."""
    return words.replace(",", "").replace(" and ", " ")
