"""Amounts: money, units, ranges, ordinals, fractions, scientific notation, telephone numbers, versions.

"$2.50" -> "two dollars and fifty cents";  "5-10 km" -> "five to ten kilometers"
"""
# ruff: noqa: RUF001 - dashes and signs

from __future__ import annotations

import re

from .numbers import (
    SUBSCRIPTS,
    VULGAR_FRACTIONS,
    say_digit_groups,
    say_fraction,
    say_money,
    say_number,
    say_ordinal,
    say_power,
)
from .rule import CLAIMED, NUMBER, Rule, Said, either, parts, rule, table
from .units import BARE_UNIT, INCH_ENDS, UNIT, say_unit

_DOLLAR, _CENT = ("dollar", "dollars"), ("cent", "cents")
_CURRENCIES = {
    "$": (_DOLLAR, _CENT), "US$": (("U S dollar", "U S dollars"), _CENT),
    "C$": (("Canadian dollar", "Canadian dollars"), _CENT), "A$": (("Australian dollar", "Australian dollars"), _CENT),
    "€": (("euro", "euros"), _CENT), "£": (("pound", "pounds"), ("penny", "pence")), "¥": (("yen", "yen"), ("", "")),
    "₹": (("rupee", "rupees"), ("paisa", "paise")), "₩": (("won", "won"), ("", "")),
    "₽": (("ruble", "rubles"), ("kopeck", "kopecks")), "₿": (("bitcoin", "bitcoins"), ("", "")),
    "USD": (("U S dollar", "U S dollars"), _CENT), "EUR": (("euro", "euros"), _CENT),
    "GBP": (("British pound", "British pounds"), ("penny", "pence")), "JPY": (("yen", "yen"), ("", "")),
    "CHF": (("Swiss franc", "Swiss francs"), ("", "")), "CAD": (("Canadian dollar", "Canadian dollars"), _CENT),
    "INR": (("rupee", "rupees"), ("paisa", "paise")), "CNY": (("yuan", "yuan"), ("", "")),
}  # fmt: skip
_SIGN = rf"(?P<sign>{either(_CURRENCIES)})"
_MAGNITUDES = {"k": "thousand", "K": "thousand", "M": "million", "m": "million", "B": "billion", "b": "billion",
               "bn": "billion", "T": "trillion"}  # fmt: skip
_MAGNITUDE = rf"(?:[\s-]?(?P<magnitude>thousand|million|billion|trillion|{either(_MAGNITUDES)})\b(?!/|²|³))?"
_PER = {"h": "hour", "hr": "hour", "mo": "month", "yr": "year", "kg": "kilogram", "km": "kilometer", "lb": "pound",
        "wk": "week", "sq ft": "square foot", "L": "liter", "gal": "gallon", "min": "minute"}  # fmt: skip
_EACH = "(?:second|minute|hour|day|night|week|month|year|person|student|bag|box|item|page|table|car)"
_NAMED_FRACTIONS = {"24/7": "twenty-four seven", "50/50": "fifty fifty", "9/11": "nine eleven"}
_ONE = re.compile(rf"(?<![\d.,])1[\s{CLAIMED}]*$")
_NAMED_VERSIONS = (
    r"(?:[Vv]ersion|Python|Java|Ubuntu|Debian|Node|Windows|macOS|iOS|Android|PyTorch|CUDA|HTTP|Qwen|Llama)"
)
_DOTTED = r"(?<![\w.,])\d+(?:\.\d+){2,}(?![\w]|\.\d)"


def _say_money(match: re.Match[str]) -> str:
    unit, cent = _CURRENCIES[match["sign"]]
    magnitude = _MAGNITUDES.get(match["magnitude"], match["magnitude"]) if match["magnitude"] else None
    if re.search(r"\ban?\s$", match.string[: match.start()]) and re.match(r"\s[a-z]", match.string[match.end() :]):
        unit = (unit[0], unit[0])  # a five dollar bill
    return say_money(match["amount"], magnitude, unit, cent)


def _say_money_range(match: re.Match[str]) -> Said:
    first = say_number(match["first"])
    return parts(match, first=first, last=f"to {_say_money(match)}")


def _say_unit(match: re.Match[str]) -> str | None:
    unit = match["it"].removeprefix("-")
    one = unit != match["it"] or _ONE.search(match.string, 0, match.start("it")) is not None
    return say_unit(unit, one)


def _say_feet(match: re.Match[str]) -> Said:
    return parts(match, feet=f"{say_number(match['feet'])} foot", inches=say_number(match["inches"] or "0"))


def _say_dotted(match: re.Match[str], dot: str) -> str:
    return f" {dot} ".join(say_number(part) for part in match[0].lstrip("vV").split("."))


def _is_address(match: re.Match[str]) -> bool:
    groups = match[0].split(".")
    return len(groups) == 4 and all(int(group) < 256 for group in groups)


def _say_scientific(match: re.Match[str]) -> Said:
    exponent = match["exponent"].replace("−", "-").lstrip("+")
    return parts(match, mantissa=say_number(match["mantissa"]), ten=f"times ten {say_power(exponent)}")


def _say_mixed(match: re.Match[str]) -> str | None:
    said = say_fraction(*_fraction(match["it"].lstrip(" -")))
    return said and f"and {said}"


def _fraction(written: str) -> tuple[str, str]:
    above, _, below = VULGAR_FRACTIONS.get(written, written).replace("⁄", "/").partition("/")
    return above, below


def _is_difference(match: re.Match[str]) -> bool:
    """In a calculation a hyphen between numbers takes away; elsewhere it is a range."""
    before, after = match.string[: match.start()], match.string[match.end() :]
    first = re.search(r"[=+*/×÷^]\s*[$€£¥₹]?[\d.,%-]*$", before)
    return bool(first or re.match(r"[$€£¥₹]?[\d.,%-]*\s*[=+*/×÷^<>≈]", after))


def _say_hyphen(match: re.Match[str]) -> str:
    return "minus" if _is_difference(match) else "to"


def _say_spaced_hyphen(match: re.Match[str]) -> str | None:
    """ "5 - 10 minutes" rises; what falls, or is reckoned with, is left to the operators."""
    return "to" if float(match["first"]) < float(match["last"]) and not _is_difference(match) else None


_TELEPHONE = (
    r"(?<![\w.,$€£/-])(?:\+\d{1,3}(?:[\s.-]?\(?\d{1,5}\)?){2,5}|(?:1[\s.-])?\(\d{3}\)\s?\d{3}[\s.-]\d{4}"
    r"|(?:1[\s.-])?\d{3}[-.]\d{3}[-.]\d{4}|\d{3}-\d{4})(?![\w-]|[.,]\d|\s*[=+*/×])"
)

MONEY: tuple[Rule, ...] = (
    rule(
        rf"(?<!\w)(?P<sign>[$€£¥₹])\s?(?P<first>{NUMBER})\s?[-–]\s?(?P<last>(?P<amount>{NUMBER}){_MAGNITUDE})",
        _say_money_range,
    ),
    rule(r"(?<=[\dkKMB])\s?[-–]\s?(?=[$€£¥₹]\d)", _say_hyphen),
    rule(r"(?<=\d%)\s?[-–]\s?(?=[\d.]+%)", _say_hyphen),
    rule(rf"(?<![A-Za-z\d]){_SIGN}\s?(?P<amount>{NUMBER}){_MAGNITUDE}", _say_money),
    rule(rf"(?P<amount>{NUMBER}){_MAGNITUDE}\s?{_SIGN}(?![\w\d])", _say_money),
    rule(r"(?<=\d)\s?¢", "cents"),
    rule(rf"(?<={CLAIMED})\s?/\s?(?P<unit>{either(_PER)})\b", lambda m: f"per {_PER[m['unit']]}"),
    rule(rf"(?<={CLAIMED})/(?=[a-z]{{3,}}\b)", "per"),
)

QUANTITIES: tuple[Rule, ...] = (
    rule(r"\b(?:[Cc]all|[Dd]ial|[Pp]hone|[Tt]ext)\s(?P<it>911|112|999|988)\b", lambda m: say_digit_groups(m["it"])),
    rule(r"(?<!\w)0x[\dA-Fa-f]+\b", lambda m: " ".join(say_digit_groups(c) if c.isdigit() else c for c in m[0])),
    rule(_TELEPHONE, lambda m: say_digit_groups(m[0])),
    rule(r"(?<![\w.])[vV]\d+(?:\.\d+)*(?![\w]|\.\d)", lambda m: f"version {_say_dotted(m, 'point')}"),
    rule(_DOTTED, lambda m: _say_dotted(m, "dot" if _is_address(m) else "point")),
    rule(
        rf"\b{_NAMED_VERSIONS}[\s-](?P<it>\d+\.\d+)(?![\w.]*\d)",
        lambda m: " point ".join(map(say_number, m["it"].split("."))),
    ),
    *MONEY,
    rule(rf"(?<![\w.])(?P<mantissa>{NUMBER})(?P<ten>[eE](?P<exponent>[+−-]?\d{{1,3}}))(?!\w|\.\d)", _say_scientific),
    rule(
        r"(?<![\w.,])[1-9]\d{0,2}(?:[\u00a0\u202f\u2009]\d{3}|\s\d{3}(?=\s\d{3})|\s000|(?<=\d\s\d{3})\s\d{3})+(?![\w,]*\d)",
        lambda m: say_number(re.sub(r"\s", "", m[0])),
    ),
    rule(r"(?<=\d)(?P<it>[kK])(?![\w/.])", "thousand"),
    table(_NAMED_FRACTIONS, before=r"(?<![\w./])", after=r"(?![\w/]|\.\d)"),
    rule(r"(?<!\w)(?P<feet>\d+)['′]\s?(?P<inches>\d+)(?:\"|″|'')", _say_feet),
    rule(rf"(?<=\d)\s?(?P<it>in)\b{INCH_ENDS}", lambda m: "inches"),
    rule(rf"(?<=\d)[\s{CLAIMED}]*(?P<it>-?{UNIT})", _say_unit),
    rule(rf"(?<={CLAIMED})\s(?P<it>(?:{BARE_UNIT}))", _say_unit),
    rule(rf"(?<![\w/])(?P<it>{BARE_UNIT})", lambda m: say_unit(m["it"], one=False)),
    rule(r"(?<=\d)(?P<it>:)(?=\d)", "to"),
    rule(r"(?<![\w.])(\d[\d,]*)(?:st|nd|rd|th|ᵗʰ|ˢᵗ)\b", lambda m: say_ordinal(m[1])),
    rule(rf"(?<=\d)[\s{CLAIMED}]?(?P<it>[{''.join(VULGAR_FRACTIONS)}])", _say_mixed),
    rule(rf"[{''.join(VULGAR_FRACTIONS)}]", lambda m: say_fraction(*_fraction(m[0]))),
    rule(r"(?<![\w./,])(?P<whole>\d+)(?P<it>[\s-]\d+[/⁄]\d+)(?![\w/]|\.\d)", _say_mixed),
    rule(r"(?<![\w./,])\d+[/⁄]\d+(?![\w/]|\.\d)", lambda m: say_fraction(*_fraction(m[0]))),
    rule(r"(?<=\d)(?P<it>x)(?=\d)", "by"),
    rule(r"(?<=\d)(?P<it>\sx\s)(?=\d)", "times"),
    rule(
        r"(?<=\d)(?P<it>[x×])(?=\s(?:faster|slower|more|less|larger|bigger|smaller|as|better|the|cheaper|higher)\b)",
        "times",
    ),
    rule(rf"\d\s?[a-z]+(?P<it>/)(?={_EACH}\b)", "per"),
    rule(r"(?<=\d)[-–](?=\d)", _say_hyphen),
    rule(
        rf"(?<![\w.,])(?P<first>\d+)(?P<it>\s-\s)(?P<last>\d+)(?=\s[a-z]{{3}}|[\s{CLAIMED}]*{CLAIMED})",
        _say_spaced_hyphen,
    ),
    rule(r"(?<=\d)\s–\s(?=\d)|(?<=[\d%°C])–(?=[\d$€£-])", "to"),
)

NUMBERS: tuple[Rule, ...] = (
    rule(r"(?:#|№\s?)(?=\d)", "number"),
    rule(r"(?<=[A-Za-z])[₀-₉]+", lambda m: say_number(m[0].translate(SUBSCRIPTS))),
    rule(r"(?<=[A-Za-z])(?P<it>\d+\.\d+)(?!\w|\.\d)", lambda m: say_number(m["it"])),
    rule(rf"(?<![A-Za-z_\d])(?P<it>{NUMBER})", lambda m: say_number(m["it"])),
)
