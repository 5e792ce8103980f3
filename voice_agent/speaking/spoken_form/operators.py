"""Signs of calculation outside LaTeX: "5 × 3 = 15", "x^2", "a <= b", "10⁻³".

An operator is told from a dash, a bullet or a bracket by the operands at its sides.
"""
# ruff: noqa: RUF001, RUF002 - signs that look alike

from __future__ import annotations

import re
import unicodedata

from .numbers import SUPERSCRIPTS, say_power
from .rule import AFTER_VALUE, BEFORE_VALUE, CLAIMED, LINE_BREAK, Rule, rule

_FUNCTIONS = {"sin": "sine", "cos": "cosine", "tan": "tangent", "log": "log", "ln": "natural log"}
_RAISED = "⁰¹²³⁴⁵⁶⁷⁸⁹"
_TO_THE = rf"(?:{AFTER_VALUE}(?:\^|\*\*)|(?<=[A-Za-z])\^)"
_COUNTED = r"\d\s?[a-z]+"  # "5x", "10 apples"


def _say_raised(match: re.Match[str]) -> str:
    return say_power(match["it"].translate(SUPERSCRIPTS).lstrip("+"))


def _say_greek(match: re.Match[str]) -> str:
    """'α' -> 'alpha', 'Δ' -> 'delta'."""
    return unicodedata.name(match[0]).rpartition(" LETTER ")[2].split(" WITH")[0].lower().replace("lamda", "lambda")


POWERS: tuple[Rule, ...] = (
    rule(rf"(?<=[\w)\]{CLAIMED}])(?P<it>[⁻⁺]?[{_RAISED}]+)", _say_raised),
    rule(rf"{_TO_THE}\{{?([23])\}}?(?![\d\w]|\.\d)", lambda m: say_power(m[1])),
    rule(rf"{_TO_THE}\{{?([-−]?\d+)\}}?(?![\w]|\.\d)", lambda m: say_power(m[1].replace("−", "-"))),
    rule(rf"{_TO_THE}(?=[\w(-])", "to the power of"),
    rule(r"(?<=\b[A-Za-z])_(?=\w\b)", ""),
    rule(r"∛\s*", "the cube root of"),
    rule(r"√\s*\(?", "the square root of"),
    rule(r"(?<=\b[fghFGHPpE])\((?P<keep>[A-Za-z\d.,\s-]{1,8})\)", "of"),
    rule(r"\b(?P<it>sin|cos|tan|log|ln)(?=\s?\()", lambda m: f"{_FUNCTIONS[m['it']]} of"),
    rule(r"(?<=\d)/(?=\d+(?![\d.]*\s*=))", "over"),
    rule(r"(?<=\d)!(?=\s*[=+*/×÷-]\s*[\dA-Za-z])|(?<=\b[a-z])!(?=\s*[=+*/×÷]|\()", "factorial"),
    rule(r"(?<![\w'’])[α-ωΑ-Ω](?![α-ωΑ-Ω])", _say_greek),
    rule(r"∞", "infinity"),
)

OPERATORS: tuple[Rule, ...] = (
    rule(rf"{AFTER_VALUE}\s*(?<!\*)\*(?!\*)\s*{BEFORE_VALUE}", "times"),
    rule(r"\s*[×⋅·]\s*|(?<=\s)\*(?=\s)", "times"),
    rule(rf"\s*÷\s*|(?<=[\d){CLAIMED}])\s*/\s*{BEFORE_VALUE}|{AFTER_VALUE}\s*/\s*(?=[\d(])", "divided by"),
    rule(rf"{_COUNTED}(?P<it>\s*/\s*)(?=[\d{CLAIMED}])", "divided by"),
    rule(rf"{_COUNTED}(?P<it>\s+[-−]\s+)(?=[\d{CLAIMED}][^{LINE_BREAK}]*=)", "minus"),
    rule(rf"{AFTER_VALUE}\s*\+\s*{BEFORE_VALUE}|(?<=\s)\+(?=\s)", "plus"),
    rule(rf"{AFTER_VALUE}\s+[-−]\s+{BEFORE_VALUE}|{AFTER_VALUE}−{BEFORE_VALUE}", "minus"),
    rule(rf"(?:(?<=\b[a-z])|(?<=[)²³])|(?<=[^\s\w]{CLAIMED}))-{BEFORE_VALUE}", "minus"),
    rule(r"\s*(?:≤|<=)\s*", "is at most"),
    rule(r"\s*(?:≥|>=)\s*", "is at least"),
    rule(r"\s*(?:≠|!=|=/=)\s*", "is not"),
    rule(r"\s*(?:⇒|⟹|=+>)\s*", "so"),
    rule(r"\s*-+>\s*|\s*[→⟶↦]\s*", "to"),
    rule(r"\s*(?:⇔|⟺|<=+>)\s*", "if and only if"),
    rule(r"(?<=[\w)\ue000%])\s*[≈≃≅]\s*|(?<=\s)~=?(?=\s)", "is about"),
    rule(r"[~≈](?=\s?[\d$€£])", "about"),
    rule(r"\s*(?:±|\+/-|\+-)\s*", "plus or minus"),
    rule(r"\s*≡\s*", "is equivalent to"),
    rule(r"\s*∝\s*", "is proportional to"),
    rule(r"\s*∈\s*", "in"),
    rule(r"\s*∑\s*", "the sum of"),
    rule(r"\s*∫\s*", "the integral of"),
    rule(r"∴", "therefore"),
    rule(r"\s*={1,3}\s*", "equals"),
    rule(rf"{AFTER_VALUE}\s*<\s*{BEFORE_VALUE}|(?<=\w)\s+<\s+(?=\w)", "is less than"),
    rule(rf"{AFTER_VALUE}\s*>\s*{BEFORE_VALUE}|(?<=\w)\s+>\s+(?=\w)", "is greater than"),
    rule(r"(?:(?<=\s)|\A)<\s?(?=\d)", "less than"),
    rule(r"(?:(?<=\s)|\A)>\s?(?=\d)", "more than"),
    rule(r"(?<!\w)[-−](?=\.?\d)", "minus"),
    rule(rf"(?<!\w)[-−](?=[a-z]\b|[{CLAIMED}(])", "minus"),
    rule(r"(?<!\w)\+(?=\d)", "plus"),
)
