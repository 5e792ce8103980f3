"""Questions whose number is corrected afterwards, with the answer that is then right.

    GSM8K row -> alteration_of -> Alteration | None

One number of the question is replaced and the solution recomputed through its `<<a*b=c>>` annotations. A row is used
only where it is certain what depends on that number: it stands once in the question, every number of the solution can
be traced to the question, to one earlier result or to a constant whose word is there, nothing is decided by comparing,
and all results stay positive and as whole as they were. Pure; the same row gives the same alteration.
"""

from __future__ import annotations

import ast
import operator
import random
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from fractions import Fraction

from ..reasoning.stated_numbers import number_spans

REMARKS = (  # which must not change an answer
    "By the way, it has just started to rain here.",
    "Oh, and the coffee is ready now.",
    "I am writing this down while you speak.",
    "My sister is listening too, she says hello.",
    "Nice, you sound very clear today.",
    "Hold on, I am closing the window. Please go on.",
    "My dog likes your voice.",
    "I am asking for my homework, by the way.",
)
# A constant is what it is only where its word stands in the question or the solution.
CONSTANTS: tuple[tuple[str, tuple[str, ...]], ...] = (
    (r"half|halves|twice|double|each other|pair|couple|both|two", ("2", "0.5", "1/2")),
    (r"third|triple|thrice|three", ("3", "1/3")),
    (r"quarter|fourth|four", ("4", "0.25", "1/4")),
    (r"percent|%|dollar|cent|\$", ("100", "1", "0.01")),
    (r"week|daily|day", ("7", "5")),
    (r"year|month|dozen|foot|feet|inch", ("12",)),
    (r"year|week", ("52", "365")),
    (r"month", ("30",)),
    (r"hour|minute|second", ("60", "24", "3600")),
    (r"more|less|remaining|rest|left|whole|one|itself|original", ("1",)),
    (r"yard|feet|foot", ("3",)),
)
_DECIDES = re.compile(  # a comparison, a limit, a rounding: another number might go another way
    r"\b(?:at least|at most|up to|exceed\w*|minimum|maximum|limit|overtime|no more than|over \$?\d|under \$?\d|"
    r"(?:more|less|fewer|greater|longer|older) than \$?\d|unless|whichever|enough|round\w*|nearest|"
    r"every \w+ \w+ after|first \$?\d|between|cheaper|afford|"
    r"lowest|highest|smallest|largest|biggest|cheapest|fewest|best|worst|most|fastest|slowest|oldest|youngest)\b",
    re.IGNORECASE,
)
_ANNOTATION = re.compile(r"<<([^<>=]+)=([^<>=]+)>>")
_WORKED_OUT = re.compile(r"=\s*\$?\d")
_OPERATORS: dict[type[ast.operator], Callable[[Fraction, Fraction], Fraction]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
}
_FUNCTION_WORD = (
    r"(?:a|an|the|of|in|on|at|to|for|from|by|and|or|with|per|each|every|that|which|who|he|she|they|it|are|is|was|were|"
    r"left|more|less|times)\b"
)
_NOUN = re.compile(rf"(?: (?!{_FUNCTION_WORD})[a-z]+){{1,2}}")  # what is counted: "green pens"
_PART_OF_SOMETHING = re.compile(r"[\w/:.\u2013-]$")  # before a number: "1/2", "7:30", "A4"
_GOES_ON = re.compile(r"[\w/:\u2013%-]|\s*(?:%|percent|a\.?m|p\.?m|o'clock|years? old|year-old)|(?:st|nd|rd|th)\b|\.\d")


class _Untraceable(Exception):
    """It is not certain how the solution depends on the number."""


@dataclass(frozen=True)
class Alteration:
    """A question, what the user corrects in it, and both answers."""

    question: str
    altered_question: str
    old: Fraction
    new: Fraction
    correction: str
    answer: Fraction
    altered_answer: Fraction
    fresh: frozenset[Fraction]
    """Numbers that only the altered question has: who says one has taken the correction in."""


@dataclass(frozen=True)
class _Result:
    """One annotated step: its expression, what it gave, and what it gives now."""

    before: Fraction
    after: Fraction
    depends: bool


def alteration_of(question: str, solution: str, seed: int) -> Alteration | None:
    """Alter one number of a GSM8K question.

    question, solution: the row's texts; the solution with its annotations and `#### answer`.
    seed: chooses among the numbers and values that can be had.

    None where no number can be altered with certainty.
    """
    if _DECIDES.search(question):
        return None
    draw = random.Random(seed)
    spans = _alterable(question)
    draw.shuffle(spans)
    for start, end, old in spans:
        for new in _new_values(old, draw):
            altered = _altered(question, solution, (start, end), old, new)
            if altered is not None:
                return altered
    return None


def _alterable(question: str) -> list[tuple[int, int, Fraction]]:
    """Numbers in digits that stand once and are no part of a date, ratio, percentage or word."""
    spans = number_spans(question)
    values = [value for _, _, value in spans]
    return [
        (start, end, value)
        for start, end, value in spans
        if question[start].isdigit()
        and value > 2
        and values.count(value) == 1
        and not _PART_OF_SOMETHING.search(question[:start])
        and not _GOES_ON.match(question, end)
    ]


def _new_values(old: Fraction, draw: random.Random) -> list[Fraction]:
    """Nearby values, smaller and larger, as whole as the old one and of its order."""
    step = Fraction(1)
    while old >= 100 * step and old % (10 * step) == 0:
        step *= 10
    if old.denominator != 1:
        step = Fraction(1, 2) if (2 * old).denominator == 1 else Fraction(1, 100)
    factors = range(1, 13)
    values = [value for k in factors for value in (old + k * step, old - k * step) if old / 2 <= value <= 2 * old]
    draw.shuffle(values)
    return values


def _altered(question: str, solution: str, span: tuple[int, int], old: Fraction, new: Fraction) -> Alteration | None:
    text, _, gold = solution.rpartition("####")
    try:
        results = _recomputed(question, text, old, new)
        answer = _number(gold)
    except (_Untraceable, ZeroDivisionError):
        return None
    if not results or not results[-1].depends or results[-1].before != answer:
        return None
    if any(r.after <= 0 or (r.before.denominator == 1 and r.after.denominator != 1) for r in results):
        return None
    altered_answer = results[-1].after
    known = {value for _, _, value in number_spans(question)} | {r.before for r in results}
    if altered_answer == answer or new in known or _digits_after_point(altered_answer) > 2:
        return None
    start, end = span
    fresh = frozenset({new, *(r.after for r in results if r.depends)} - known)
    return Alteration(
        question,
        question[:start] + spelled(new) + question[end:],
        old,
        new,
        _correction(question, span, new),
        answer,
        altered_answer,
        fresh,
    )


def _recomputed(question: str, solution: str, old: Fraction, new: Fraction) -> list[_Result]:
    """Every annotated step with the old and the new value; raises where a number cannot be traced."""
    asked = {value for _, _, value in number_spans(question)}
    asked |= {value / 100 for _, end, value in number_spans(question) if re.match(r"\s*(?:%|percent)", question[end:])}
    constants = _constants(f"{question} {solution}")
    if old in constants:
        raise _Untraceable
    results: list[_Result] = []
    last_end = 0
    for match in _ANNOTATION.finditer(solution):
        _check_prose(solution[last_end : match.start()], asked | constants, results, match[1])
        last_end = match.end()
        sources = _Sources(asked, constants, list(results), old, new)
        before = _evaluate(match[1], lambda value: value)
        after = _evaluate(match[1], sources.now)
        if before != _number(match[2]):
            raise _Untraceable
        results.append(_Result(before, after, sources.depends))
    _check_prose(solution[last_end:], asked | constants, results, "")
    if len({r.before for r in results}) < len(results) and any(r.depends for r in results):
        raise _Untraceable  # two steps gave the same: which of them a later one means is anybody's guess
    return results


@dataclass
class _Sources:
    """Where an operand may come from; `depends` tells whether any of those asked for depends on the altered number."""

    asked: set[Fraction]
    constants: set[Fraction]
    results: Sequence[_Result]
    old: Fraction
    new: Fraction
    depends: bool = False

    def now(self, value: Fraction) -> Fraction:
        """The operand's value after the alteration."""
        earlier = [result for result in self.results if result.before == value]
        elsewhere = value in self.constants or (value in self.asked and value != self.old)
        if value == self.old:
            if earlier or elsewhere:
                raise _Untraceable
            self.depends = True
            return self.new
        if any(result.depends for result in earlier):
            if elsewhere or len(earlier) > 1:
                raise _Untraceable
            self.depends = True
            return earlier[0].after
        if not earlier and not elsewhere:
            raise _Untraceable
        return value


def _check_prose(text: str, known: set[Fraction], results: Sequence[_Result], coming: str) -> None:
    """Every number that the solution mentions between its annotations must be known by then, and none worked out."""
    if _WORKED_OUT.search(text):
        raise _Untraceable
    values = {r.before for r in results} | known | {value for _, _, value in number_spans(coming)}
    if any(value not in values for _, _, value in number_spans(text)):
        raise _Untraceable


def _constants(text: str) -> set[Fraction]:
    return {Fraction(value) for words, values in CONSTANTS for value in values if re.search(words, text, re.IGNORECASE)}


def _evaluate(expression: str, now: Callable[[Fraction], Fraction]) -> Fraction:
    """An annotation's left side with every operand passed through `now`, exactly."""
    plain = re.sub(r"[\s$,]", "", expression).replace("%", "/100")
    plain = re.sub(r"(?<![\d.])0+(?=\d)", "", plain)
    try:
        tree = ast.parse(plain, mode="eval")
    except (SyntaxError, ValueError) as error:
        raise _Untraceable from error

    def value_of(node: ast.expr) -> Fraction:
        if isinstance(node, ast.BinOp) and type(node.op) in _OPERATORS:
            return _OPERATORS[type(node.op)](value_of(node.left), value_of(node.right))
        if isinstance(node, ast.Constant):
            return now(_number(ast.get_source_segment(plain, node) or ""))
        raise _Untraceable

    return value_of(tree.body)


def _number(text: str) -> Fraction:
    try:
        return Fraction(re.sub(r"[\s$,]", "", text))
    except (ValueError, ZeroDivisionError) as error:
        raise _Untraceable from error


def _correction(question: str, span: tuple[int, int], new: Fraction) -> str:
    start, end = span
    sign = "$" if question[:start].endswith("$") else ""
    noun = _NOUN.match(question, end)
    counted = noun[0] if noun and not sign else ""
    return f"Sorry, I meant {sign}{spelled(new)}{counted}, not {sign}{question[start:end]}."


def spelled(value: Fraction) -> str:
    """12000 -> '12,000'; 5/2 -> '2.5'"""
    if value.denominator == 1:
        return f"{value.numerator:,}" if value >= 10_000 else str(value.numerator)
    return f"{float(value):.{_digits_after_point(value)}f}"


def _digits_after_point(value: Fraction) -> int:
    """Of the decimal fraction; 3 stands for more than two."""
    return next((digits for digits in range(3) if (value * 10**digits).denominator == 1), 3)
