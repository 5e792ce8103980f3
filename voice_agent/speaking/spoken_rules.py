r"""The rules of the spoken form, in the order in which they apply.

    Rule(pattern, say): a match in the written text -> what is said for it

What a match claims: its group `it`, where there is one (the rest is context); otherwise all of it but the groups `keep`
and `keep2`, which stay open to later rules. `say` gives the words for what is claimed ("" is silence), a tuple with the
words of each claimed stretch, or None to leave the match alone. Claimed characters read as `CLAIMED` for the rules that
follow, so a claimed operand is still seen to stand there. Add a rule above those that would take its characters apart.
"""
# ruff: noqa: RUF001 - signs that look alike are what this file is about

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from .spoken_numbers import (
    MONTHS,
    say_date,
    say_fraction,
    say_money,
    say_number,
    say_ordinal,
    say_time,
    say_year,
)

CLAIMED = "\ue000"  # private use: in no alphabet, and never a digit or a word character

Said = str | tuple[str, ...] | None


@dataclass(frozen=True)
class Rule:
    pattern: re.Pattern[str]
    say: Callable[[re.Match[str]], Said]


def _rule(pattern: str, say: Said | Callable[[re.Match[str]], Said], flags: int = 0) -> Rule:
    return Rule(re.compile(pattern, flags), say if callable(say) else lambda _: say)


def _table(words: Mapping[str, Said], before: str = "", after: str = "") -> Rule:
    """One rule for a table of literal strings, the longest first."""
    either = "|".join(map(re.escape, sorted(words, key=len, reverse=True)))
    return _rule(f"{before}(?P<it>{either}){after}", lambda match: words[match["it"]])


_NUMBER = r"(?:\d{1,3}(?:,\d{3})+(?:\.\d+)?|\d+(?:\.\d+)?|\.\d+)(?!\d)"
_BRACES = r"\{(?P<%s>(?:[^{}]|\{(?:[^{}]|\{[^{}]*\})*\})*)\}"  # a group in braces, two deeper levels allowed
_AFTER_VALUE = rf"(?:(?<=[\d)\]}}%²³{CLAIMED}])|(?<=\b[A-Za-z]))"
_BEFORE_VALUE = rf"(?=[\d(\[.{CLAIMED}-]|[A-Za-z]\b)"

# --- marks for the eye -----------------------------------------------------------------------------------------------

_CONTROL = (
    _rule(r"<think>.*?(?:</think>|\Z)", "", re.DOTALL),
    _rule(r"</?(?:think|s|bos|eos|br|start_of_turn|end_of_turn)\s*/?>|<\|[^<>|]{1,40}\|>|\[/?INST\]", ""),
)

_LAYOUT = (
    _rule(r"```[ \t]*[\w+#-]*[ \t]*(?:\n|\Z)|```", ""),
    _rule(r"!?\[(?P<keep>[^\[\]\n]+)\]\([^()\s]*\)", ""),
    _rule(
        r"https?://(?:www\.)?([\w.-]*\w)(?:[/?#][^\s)\]>]*)?", lambda m: m[1].replace(".", " dot ").replace("-", " ")
    ),
    _rule(r"^[ \t]*(?:[-*_][ \t]*){3,}$", "", re.MULTILINE),
    _rule(r"^[ \t]*\|?[ \t]*:?-{2,}:?[ \t]*(?:\|[ \t]*:?-{2,}:?[ \t]*)*\|?[ \t]*$", "", re.MULTILINE),
    _rule(r"^[ \t]*#{1,6}[ \t]+", "", re.MULTILINE),
    _rule(r"^[ \t]*(?:>[ \t]+)+", "", re.MULTILINE),
    _rule(r"^[ \t]*[-*+•‣▪][ \t]+(?:\[[ xX]\][ \t]+)?", "", re.MULTILINE),
    _rule(r"^[ \t]*\|[ \t]*|[ \t]*\|[ \t]*$", "", re.MULTILINE),
    _rule(r"[ \t]+\|[ \t]+", ","),
)

_EMPHASIS = (
    _rule(r"\*\*\*|\*\*|__|~~|`+", ""),
    _rule(r"(?<![\w*])\*(?P<keep>[^\s*](?:[^*\n]*[^\s*])?)\*(?![\w*])", ""),
    _rule(r"(?<!\w)_(?P<keep>[^\s_](?:[^_\n]*[^\s_])?)_(?!\w)", ""),
)

# --- quantities ------------------------------------------------------------------------------------------------------

_CURRENCIES = {
    "$": (("dollar", "dollars"), ("cent", "cents")),
    "€": (("euro", "euros"), ("cent", "cents")),
    "£": (("pound", "pounds"), ("penny", "pence")),
}

_UNITS = {
    "km/h": ("kilometer per hour", "kilometers per hour"), "kph": ("kilometer per hour", "kilometers per hour"),
    "mph": ("mile per hour", "miles per hour"), "m/s": ("meter per second", "meters per second"),
    "m/s²": ("meter per second squared", "meters per second squared"),
    "m/s^2": ("meter per second squared", "meters per second squared"),
    "km": ("kilometer", "kilometers"), "m": ("meter", "meters"), "cm": ("centimeter", "centimeters"),
    "mm": ("millimeter", "millimeters"), "ft": ("foot", "feet"), "mi": ("mile", "miles"),
    "m²": ("square meter", "square meters"), "m^2": ("square meter", "square meters"),
    "cm²": ("square centimeter", "square centimeters"), "cm^2": ("square centimeter", "square centimeters"),
    "km²": ("square kilometer", "square kilometers"), "km^2": ("square kilometer", "square kilometers"),
    "m³": ("cubic meter", "cubic meters"), "m^3": ("cubic meter", "cubic meters"),
    "cm³": ("cubic centimeter", "cubic centimeters"), "cm^3": ("cubic centimeter", "cubic centimeters"),
    "kg": ("kilogram", "kilograms"), "g": ("gram", "grams"), "mg": ("milligram", "milligrams"),
    "lb": ("pound", "pounds"), "lbs": ("pound", "pounds"), "oz": ("ounce", "ounces"),
    "L": ("liter", "liters"), "l": ("liter", "liters"), "mL": ("milliliter", "milliliters"),
    "ml": ("milliliter", "milliliters"), "h": ("hour", "hours"), "hr": ("hour", "hours"), "hrs": ("hour", "hours"),
    "min": ("minute", "minutes"), "mins": ("minute", "minutes"), "s": ("second", "seconds"),
    "sec": ("second", "seconds"), "ms": ("millisecond", "milliseconds"), "°C": ("degree Celsius", "degrees Celsius"),
    "°F": ("degree Fahrenheit", "degrees Fahrenheit"), "°": ("degree", "degrees"), "Hz": ("hertz", "hertz"),
    "kHz": ("kilohertz", "kilohertz"), "MHz": ("megahertz", "megahertz"), "GHz": ("gigahertz", "gigahertz"),
    "KB": ("kilobyte", "kilobytes"), "MB": ("megabyte", "megabytes"), "GB": ("gigabyte", "gigabytes"),
    "TB": ("terabyte", "terabytes"), "W": ("watt", "watts"), "kW": ("kilowatt", "kilowatts"),
    "kWh": ("kilowatt hour", "kilowatt hours"), "V": ("volt", "volts"), "%": ("percent", "percent"),
}  # fmt: skip
_UNIT = "|".join(map(re.escape, sorted(_UNITS, key=len, reverse=True)))
_UNIT_ENDS = r"(?![\w^²³]|/[A-Za-z])"
_BARE_UNITS = {
    unit: many
    for unit, (_, many) in _UNITS.items()
    if "/" in unit or unit in ("km", "cm", "mm", "kg", "mph", "°C", "°F", "kWh")
}
_ONE = re.compile(rf"(?<![\d.,])1[\s{CLAIMED}]*$")


def _say_money(match: re.Match[str]) -> str:
    unit, cent = _CURRENCIES[match["sign"]]
    return say_money(match["amount"], match["magnitude"], unit, cent)


def _say_unit(match: re.Match[str]) -> str:
    return _UNITS[match["it"].strip()][_ONE.search(match.string, 0, match.start("it")) is None]


_VULGAR = {"½": "one half", "¼": "one quarter", "¾": "three quarters", "⅓": "one third", "⅔": "two thirds"}
_MAGNITUDE = r"(?:\s(?P<magnitude>thousand|million|billion|trillion)\b)?"

_QUANTITIES = (
    _rule(rf"(?P<sign>[$€£])\s?(?P<amount>{_NUMBER}){_MAGNITUDE}", _say_money),
    _rule(rf"(?P<amount>{_NUMBER}){_MAGNITUDE}\s?(?P<sign>[€£])", _say_money),
    _rule(rf"(?<=\d)[\s{CLAIMED}-]*(?P<it>{_UNIT}){_UNIT_ENDS}", _say_unit),
    _table(_BARE_UNITS, before=r"(?<![\w/])", after=_UNIT_ENDS),
    _rule(r"(?<![\d/-])(\d{4})-(\d{2})-(\d{2})(?![\d-])", lambda m: say_date(m[1], m[2], m[3])),
    _rule(r"(?<![\d/])(\d{1,2})/(\d{1,2})/(\d{4})(?![\d/])", lambda m: say_date(m[3], m[1], m[2])),
    _rule(
        r"(?<![\d:.,])([01]?\d|2[0-4]):([0-5]\d)(?![\d:])(?:\s?(?P<half>[aApP])\.?\s?[mM]\b\.?)?",
        lambda m: say_time(m[1], m[2]) + (f" {m['half'].upper()}M" if m["half"] else ""),
    ),
    _rule(r"(?<=\d)\s?(?P<it>[aApP]\.?[mM]\b\.?)", lambda m: f"{m['it'][0].upper()}M"),
    _rule(r"(?<=\d):(?=\d)", "to"),
    _rule(r"(?<![\w.])(\d[\d,]*)(?:st|nd|rd|th)\b", lambda m: say_ordinal(m[1])),
    _rule(
        rf"\b(?:in|In|since|Since|until|Until|year|{'|'.join(MONTHS)})\s(?:\d{{1,2}},?\s)?"
        r"(?P<it>1[5-9]\d\d|20\d\d)(?![\w%°]|[.,:/-]\d)",
        lambda m: say_year(m["it"]),
    ),
    _rule(r"(?<![\w./])(?P<whole>\d+)\s(?P<it>(\d+)/(\d+))(?![\w/]|\.\d)", lambda m: _and(say_fraction(m[3], m[4]))),
    _rule(r"(?<![\w./])(\d+)/(\d+)(?![\w/]|\.\d)", lambda m: say_fraction(m[1], m[2])),
    _rule(r"(?<=\d)(?P<it>[½¼¾⅓⅔])", lambda m: _and(_VULGAR[m["it"]])),
    _rule(r"[½¼¾⅓⅔]", lambda m: _VULGAR[m[0]]),
)


def _and(words: str | None) -> str | None:
    return words and f"and {words}"


# --- formulas --------------------------------------------------------------------------------------------------------

_COMMANDS: dict[str, Said] = {
    "times": "times", "cdot": "times", "div": "divided by", "pm": "plus or minus", "approx": "is about",
    "leq": "is at most", "le": "is at most", "geq": "is at least", "ge": "is at least", "neq": "is not",
    "ne": "is not", "equiv": "is equivalent to", "to": "to", "rightarrow": "to", "Rightarrow": "so", "implies": "so",
    "infty": "infinity", "sum": "the sum of", "int": "the integral of", "in": "in", "therefore": "therefore",
    "ldots": "and so on", "dots": "and so on", "cdots": "and so on", "circ": "degrees", "degree": "degrees",
    "sin": "sine", "cos": "cosine", "tan": "tangent", "log": "log", "ln": "natural log", "left": "", "right": "",
    "quad": ",",
    "alpha": "alpha", "beta": "beta", "gamma": "gamma", "delta": "delta", "epsilon": "epsilon", "theta": "theta",
    "lambda": "lambda", "mu": "mu", "pi": "pi", "rho": "rho", "sigma": "sigma", "tau": "tau", "phi": "phi",
    "omega": "omega",
}  # fmt: skip

_FORMULA_MARKS = (
    _rule(r"\\\((?P<keep>.*?)\\\)", "", re.DOTALL),
    _rule(r"\\\[(?P<keep>.*?)\\\]", "", re.DOTALL),
    _rule(r"\$\$(?P<keep>.+?)\$\$", "", re.DOTALL),
    _rule(r"(?<![\\$\w])\$(?=\S)(?P<keep>[^$\n]*[^\s$\\])\$(?![\d$])", ""),  # pandoc's rule tells it from "$5 and $10"
    _rule(r"\\[()\[\]]", ""),
    _rule(r"\\(?:boxed|text|textbf|mathrm|mathbf|operatorname|overline)\s*" + _BRACES % "keep", ""),
    _rule(r"\\%", "percent"),
    _rule(r"\\\\", ","),
    _rule(r"\\[,;:! ]", ""),
)

_FORMULAS = (
    _rule(r"\\[dt]?frac\s*\{(\d+)\}\s*\{(\d+)\}", lambda m: say_fraction(m[1], m[2])),
    _rule(r"\\[dt]?frac\s*" + _BRACES % "keep" + r"\s*" + _BRACES % "keep2", ("", "over", "")),
    _rule(r"\\sqrt\s*\[3\]\s*" + _BRACES % "keep", ("the cube root of", "")),
    _rule(r"\\sqrt\s*" + _BRACES % "keep", ("the square root of", "")),
    _rule(r"√\s*", "the square root of"),
    _rule(r"\^\{?\\circ\}?(?:\s?C\b)?", lambda m: "degrees Celsius" if m[0].endswith("C") else "degrees"),
    _rule(r"(?:\^\{2\}|\^2|²)(?!\d|\.\d)", "squared"),
    _rule(r"(?:\^\{3\}|\^3|³)(?!\d|\.\d)", "cubed"),
    _rule(r"\^\s*" + _BRACES % "keep", ("to the power of", "")),
    _rule(r"(?<=\b[A-Za-z])_\{?(?P<keep>\w)\}?(?!\w)", ""),
    _table(_COMMANDS, before=r"\\", after=r"(?![A-Za-z])"),
    _rule(r"\\", ""),
    _rule(rf"{_AFTER_VALUE}(?:\^|\*\*)(?=[\w(-])", "to the power of"),
)

_OPERATORS = (
    _rule(rf"{_AFTER_VALUE}\s*(?<!\*)\*(?!\*)\s*{_BEFORE_VALUE}", "times"),
    _rule(r"\s*[×⋅·]\s*|(?<=\s)\*(?=\s)", "times"),
    _rule(rf"\s*÷\s*|(?<=[\d){CLAIMED}])\s*/\s*{_BEFORE_VALUE}|{_AFTER_VALUE}\s*/\s*(?=[\d(])", "divided by"),
    _rule(rf"{_AFTER_VALUE}\s*\+\s*{_BEFORE_VALUE}|(?<=\s)\+(?=\s)", "plus"),
    _rule(rf"{_AFTER_VALUE}\s+[-−–]\s+{_BEFORE_VALUE}|{_AFTER_VALUE}−{_BEFORE_VALUE}", "minus"),
    _rule(r"(?<=\d)[-–](?=\d)", lambda m: "minus" if "=" in m.string else "to"),
    _rule(rf"(?:(?<=\b[a-z])|(?<=[)²³])|(?<=[^\s\w]{CLAIMED}))-{_BEFORE_VALUE}", "minus"),
    _rule(r"\s*(?:≤|<=)\s*", "is at most"),
    _rule(r"\s*(?:≥|>=)\s*", "is at least"),
    _rule(r"\s*(?:≠|!=)\s*", "is not"),
    _rule(r"\s*[=-]+>\s*|\s*[→⇒]\s*", "to"),
    _rule(r"\s*≈\s*|(?<=\s)~=?(?=\s)", "is about"),
    _rule(r"[~≈](?=\d)", "about"),
    _rule(r"\s*±\s*", "plus or minus"),
    _rule(r"\s*={1,3}\s*", "equals"),
    _rule(rf"{_AFTER_VALUE}\s*<\s*{_BEFORE_VALUE}", "is less than"),
    _rule(rf"{_AFTER_VALUE}\s*>\s*{_BEFORE_VALUE}", "is greater than"),
    _rule(r"(?<!\w)[-−](?=\.?\d)", "minus"),
)

_NUMBERS = (
    _rule(r"#(?=\d)", "number"),
    _rule(rf"(?<![A-Za-z_])(?P<it>{_NUMBER})", lambda m: say_number(m["it"])),
)

# --- words -----------------------------------------------------------------------------------------------------------

_ABBREVIATIONS: dict[str, Said] = {
    "e.g.": "for example", "i.e.": "that is", "etc.": "et cetera", "vs.": "versus", "vs": "versus", "Dr.": "Doctor",
    "Mr.": "Mister", "Mrs.": "Missus", "Ms.": "Miss", "Prof.": "Professor", "approx.": "approximately",
    "cf.": "compare", "w/o": "without", "C++": "C plus plus", "C#": "C sharp",
}  # fmt: skip

_WORDS = (
    _table(_ABBREVIATIONS, before=r"(?<![\w.])", after=r"(?!\w)"),
    _table({"No.": "number", "Fig.": "figure", "Eq.": "equation"}, before=r"(?<!\w)", after=r"(?=\s?\d)"),
    _rule(r"(?<![\w.])(?:[A-Z]\.){2,}", lambda m: " ".join(m[0].replace(".", ""))),
)

_PICTOGRAMS = (
    "[\U0001f000-\U0001faff\u2600-\u27bf\u2b00-\u2bff\u2190-\u21ff]"  # emoji, dingbats, arrows
    "|[\u20e3\ufe0e\ufe0f\u200b-\u200f\U000e0020-\U000e007f]"  # what joins and varies them
)

_SIGNS = (
    _rule(r"\s*&\s*", "and"),
    _rule(r"(?<=\w)@(?=\w)", "at"),
    _rule(r"(?<=\d)\s?%", "percent"),
    _rule(r"(?<=\b[a-z])/(?=[a-z]\b)", "over"),
    _rule(r"(?<=\band)/(?=or\b)|(?<=\w)_(?=\w)", " "),
    _rule(r"(?<=[^\W\d_])/(?=[^\W\d_])", "or"),
    _rule(r"\s*[—–]\s*|\s+-{1,3}\s+|(?<=\w)--+(?=\w)", ","),
    _rule(_PICTOGRAMS, ""),
    _rule(r"[*_`~^|\\{}<>\[\]]+", ""),
)

RULES = (
    _CONTROL + _LAYOUT + _FORMULA_MARKS + _WORDS + _QUANTITIES + _FORMULAS + _OPERATORS + _EMPHASIS + _NUMBERS + _SIGNS
)
