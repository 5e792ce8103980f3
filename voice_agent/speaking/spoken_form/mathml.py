"""MathML read aloud: an expression as a teacher would say it at the board.

    element of presentation MathML -> read -> [Part(words, leaves), ...] in the order in which they are said

A part tells which leaves of the tree (their texts) it stands for; words of structure ("over", "the square root of")
stand for none. Commas in the words are pauses. Elements as in MathML Core (W3C), of the kind that latex2mathml writes.
"""
# ruff: noqa: RUF001, RUF002 - signs that look alike

from __future__ import annotations

import html
import unicodedata
from collections.abc import Generator, Iterator, Sequence
from dataclasses import dataclass
from xml.etree.ElementTree import Element

from .numbers import say_fraction, say_number, say_ordinal
from .units import say_unit


@dataclass(frozen=True)
class Part:
    words: str
    leaves: tuple[str, ...] = ()


_SIGNS = {
    "=": "equals", "+": "plus", "−": "minus", "-": "minus", "×": "times", "·": "times", "⋅": "times", "∗": "times",
    "*": "times", "÷": "divided by", "/": "over", "∕": "over", "±": "plus or minus", "∓": "minus or plus",
    "<": "is less than", ">": "is greater than", "≤": "is at most", "⩽": "is at most", "≥": "is at least",
    "⩾": "is at least", "≠": "is not", "≈": "is about", "≃": "is about", "≅": "is congruent to", "∼": "is about",
    "≡": "is equivalent to", "∝": "is proportional to", "≪": "is much less than", "≫": "is much greater than",
    "→": "to", "⟶": "to", "↦": "maps to", "⇒": "so", "⟹": "so", "⇔": "if and only if", "⟺": "if and only if",
    "∈": "in", "∉": "not in", "⊂": "is a subset of", "⊆": "is a subset of", "∪": "union", "∩": "intersection",
    "∀": "for all", "∃": "there exists", "∴": "therefore", "∵": "because", "∧": "and", "∨": "or", "¬": "not",
    "∞": "infinity", "∂": "partial", "∇": "del", "∅": "the empty set", "%": "percent", "°": "degrees", "∘": "of",
    "…": "and so on,", "⋯": "and so on,", "⋮": "and so on,", "!": "factorial", "∠": "angle", "⊥": "is perpendicular to",
    "∥": "is parallel to", "′": "prime", "″": "double prime", "ℝ": "the real numbers", "ℤ": "the integers",
    "ℕ": "the natural numbers", "ℚ": "the rational numbers", "ℂ": "the complex numbers", "ℓ": "l", "ℏ": "h bar",
    ",": ",", ";": ",", ":": ",", ".": ".", "?": "?", "&": "and", "∑": "the sum of", "∏": "the product of",
    "∫": "the integral of", "∬": "the double integral of", "∮": "the closed integral of",
}  # fmt: skip
_FUNCTIONS = {
    "sin": "sine", "cos": "cosine", "tan": "tangent", "cot": "cotangent", "sec": "secant", "csc": "cosecant",
    "arcsin": "arc sine", "arccos": "arc cosine", "arctan": "arc tangent", "sinh": "hyperbolic sine",
    "cosh": "hyperbolic cosine", "tanh": "hyperbolic tangent", "log": "log", "ln": "natural log", "lg": "log",
    "exp": "exponential", "det": "determinant", "gcd": "greatest common divisor", "lcm": "least common multiple",
    "max": "maximum", "min": "minimum", "sup": "supremum", "inf": "infimum", "lim": "limit", "Pr": "probability",
    "dim": "dimension", "ker": "kernel", "arg": "argument", "deg": "degree",
}  # fmt: skip
_LARGE = {
    "∑": "the sum", "∏": "the product", "∫": "the integral", "⋃": "the union", "⋂": "the intersection",
    "∬": "the double integral", "∮": "the closed integral",
}  # fmt: skip
_ACCENTS = {"^": "hat", "→": "vector", "―": "bar", "¯": "bar", "‾": "bar", "_": "bar", "~": "tilde", "˙": "dot",
            "¨": "double dot", "⏞": "", "⏟": "", "˜": "tilde", "⟶": "vector", "ˆ": "hat"}  # fmt: skip
_MONEY = {"$": "dollars", "£": "pounds", "€": "euros"}
_SCALES = {"C": "Celsius", "F": "Fahrenheit"}
_NAMED_FUNCTIONS = set("fghFGHPE")
_OPENING, _CLOSING = set("([{⟨⌊⌈"), set(")]}⟩⌋⌉")
_ROUNDING = {"⌊": "the floor of", "⌈": "the ceiling of"}
_VECTORS = {"→", "⟶"}


def read(element: Element) -> list[Part]:
    """Everything that is said of an element, in order."""
    return list(_read(element))


def _read(element: Element) -> Iterator[Part]:
    children = list(element)
    match element.tag:
        case "mn" | "mi" | "mo" | "mtext" | "ms":
            yield from _leaf(element)
        case "mspace":
            if element.get("linebreak") or element.get("width", "").startswith(("1em", "2em")):
                yield Part(",")
        case "mphantom" | "annotation" | "annotation-xml":
            return
        case "mfrac" if len(children) == 2:
            yield from _fraction(children[0], children[1], choice=element.get("linethickness") == "0")
        case "msqrt":
            yield Part("the square root of")
            yield from _row(children)
        case "mroot" if len(children) == 2:
            yield from _root(*children)
        case "msup" if len(children) == 2:
            yield from _power(*children)
        case "msub" | "munder" if len(children) == 2:
            yield from _lowered(*children)
        case "msubsup" | "munderover" if len(children) == 3:
            yield from _bounded(*children)
        case "mover" if len(children) == 2:
            yield from _accented(*children)
        case "mtable":
            yield from _table(children)
        case _:
            yield from _row(children)


def _row(children: Sequence[Element]) -> Iterator[Part]:
    """Neighbours: numbers in groups, units, functions and what they apply to, brackets, absolute values."""
    at, open_bars = 0, 0
    while at < len(children):
        child, text = children[at], _text(children[at])
        following = children[at + 1] if at + 1 < len(children) else None
        if child.tag == "mn":
            number, leaves, at = _number(children, at)
            at = yield from _quantity(number, leaves, children, at)
            if at < len(children) and _text(children[at]) == "(":
                yield Part("times")
            continue
        if text in _MONEY and following is not None and following.tag == "mn":
            number, leaves, at = _number(children, at + 1)
            yield Part(f"{say_number(number)} {_MONEY[text]}", (text, *leaves))
            continue
        if text == "|" and child.tag in ("mo", "mi"):
            opening = open_bars == 0 and any(_text(later) == "|" for later in children[at + 1 :])
            if opening:
                yield Part("the absolute value of", (text,))
            elif not open_bars:
                yield Part("given", (text,))
            open_bars = 1 if opening else 0
        elif at and children[at - 1].tag in ("msup", "mfrac") and (said := say_unit(_upright(child), one=False)):
            yield Part(said, tuple(_upright(child).replace(" ", "")))
        elif text in _ROUNDING:
            yield Part(_ROUNDING[text], (text,))
        elif text in _CLOSING and following is not None and _text(following) in _OPENING:
            yield Part("times", (text,))
        elif _is_choice(children, at):
            yield from _read(children[at + 1])
            at += 3
            continue
        elif text in ("·", "⋅") and at and children[at - 1].tag == "mover":
            yield Part("dot", (text,))
        elif text not in _OPENING | _CLOSING:
            yield from _read(child)
            if following is None:
                break
            if child.tag == "msup" and _all_text(child).endswith("∘") and (scale := _SCALES.get(_all_text(following))):
                yield Part(scale, (_all_text(following),))
                at += 1
            elif _applies(child, following):
                yield Part("of")
        at += 1


def _is_choice(children: Sequence[Element], at: int) -> bool:
    """Do brackets around a fraction without its line stand here? They are of the same sign "n choose k"."""
    return (
        _text(children[at]) == "("
        and at + 2 < len(children)
        and children[at + 1].tag == "mfrac"
        and children[at + 1].get("linethickness") == "0"
    )


def _number(children: Sequence[Element], at: int) -> tuple[str, tuple[str, ...], int]:
    """The number at `at`, with the groups of three digits that follow; also where it ends."""
    number, leaves = _text(children[at]), [_text(children[at])]
    at += 1
    while at + 1 < len(children) and _all_text(children[at]) == "," and children[at + 1].tag == "mn":
        group = _text(children[at + 1])
        if len(group.partition(".")[0]) != 3 or "." in number or len(number.partition(",")[0]) > 3:
            break
        number, leaves, at = f"{number},{group}", [*leaves, ",", group], at + 2
    return number, tuple(leaves), at


def _quantity(number: str, leaves: tuple[str, ...], children: Sequence[Element], at: int) -> Generator[Part, None, int]:
    """A number, and its unit where one follows. Returns where it ends."""
    yield Part(say_number(number), leaves)
    behind = at
    while behind < len(children) and children[behind].tag == "mspace":
        behind += 1
    if behind < len(children) and (unit := _upright(children[behind])):
        said = say_unit(unit, one=number == "1")
        if said:
            yield Part(said, tuple(unit.replace(" ", "")))
            return behind + 1
    return at


def _upright(element: Element) -> str:
    """The text of a unit: words in a formula, or upright letters; "" where it is something else."""
    if element.tag == "mtext":
        return _text(element)
    if element.tag == "msup" and len(element) == 2 and (unit := _upright(element[0])):
        return f"{unit}^{_all_text(element[1])}"
    upright = any(leaf.get("mathvariant") == "normal" for leaf in element.iter("mi"))
    return _all_text(element) if upright and element.tag in ("mrow", "mi") else ""


def _applies(function: Element, argument: Element) -> bool:
    """Is "of" said between the two? "sine of x", "f of x", but "sine squared plus"."""
    name = _text(function) or (_text(function[0]) if function.tag in ("msup", "msub", "msubsup") else "")
    if name in _NAMED_FUNCTIONS:
        return _text(argument) == "("
    if name == "lim" and function.tag in ("msub", "munder"):
        return False
    return name in _FUNCTIONS and (argument.tag != "mo" or _text(argument) in _OPENING | {"|", "∑"})


def _leaf(element: Element) -> Iterator[Part]:
    text = _text(element)
    if not text or text.startswith("\\"):
        return
    if element.tag == "mn":
        yield Part(say_number(text), (text,))
    elif element.tag in ("mtext", "ms"):
        yield Part(text, tuple(text.replace(" ", "")))
    elif text in _SIGNS or text in _FUNCTIONS or text in _LARGE:
        yield Part(_SIGNS.get(text) or _LARGE.get(text) or _FUNCTIONS[text], (text,))
    elif said := _letters(text):
        yield Part(said, (text,))


def _letters(text: str) -> str:
    """'π' -> 'pi', '𝐱' -> 'x', 'abc' as it stands; "" for signs without a name."""
    plain = unicodedata.normalize("NFKC", text)
    if len(plain) == 1 and "GREEK" in (name := unicodedata.name(plain, "")) and " LETTER " in name:
        return name.rpartition(" LETTER ")[2].split(" WITH")[0].lower().replace("lamda", "lambda")
    return plain if plain.isalnum() else ""


def _fraction(above: Element, below: Element, choice: bool) -> Iterator[Part]:
    over, under = _all_text(above), _all_text(below)
    if choice:
        yield from [*_read(above), Part("choose"), *_read(below)]
    elif over.isdecimal() and under.isdecimal() and (said := say_fraction(over, under)):
        yield Part(said, (over, under))
    else:
        yield from _read(above)
        yield Part(", all over" if _is_compound(above) else "over")
        yield from _read(below)


def _root(base: Element, index: Element) -> Iterator[Part]:
    number = _all_text(index)
    if number.isdecimal():
        yield Part(f"the {'cube' if number == '3' else say_ordinal(number)} root of", (number,))
    else:
        yield from [Part("the"), *_read(index), Part("th root of")]
    yield from _read(base)


def _power(base: Element, exponent: Element) -> Iterator[Part]:
    raised, name = _all_text(exponent), _text(base)
    if name in _CLOSING:  # of the brackets before it
        yield Part("all")
    elif name == "|":
        pass
    else:
        yield from _read(base)
    if raised in ("∘", "°"):
        yield Part("degrees", (raised,))
    elif raised in ("′", "″", "‴"):
        yield Part({"′": "prime", "″": "double prime", "‴": "triple prime"}[raised], (raised,))
    elif raised in ("2", "3"):
        yield Part("squared" if raised == "2" else "cubed", (raised,))
    elif raised in ("−1", "-1") and name in _FUNCTIONS:
        yield Part("inverse", tuple(raised))
    elif raised in ("⊤", "T") and name.isupper():
        yield Part("transpose", (raised,))
    elif raised in ("∗", "*", "†", "+", "−"):
        yield Part({"+": "plus", "−": "minus", "†": "dagger"}.get(raised, "star"), (raised,))
    else:
        yield from [Part("to the power of"), *_read(exponent)]


def _lowered(base: Element, index: Element) -> Iterator[Part]:
    name, lowered = _text(base), _all_text(index)
    if name in _LARGE:
        yield from [Part(_LARGE[name], (name,)), Part("over"), *_read(index), Part("of")]
    elif name == "lim":
        yield Part("the limit as", (name,))
        yield from (Part("approaches", part.leaves) if part.words == "to" else part for part in _read(index))
        yield Part("of")
    elif name in ("log", "lg"):
        yield from [Part("log base", (name,)), *_read(index)]
    elif name in ("max", "min"):
        yield from [Part(f"the {_FUNCTIONS[name]} over", (name,)), *_read(index)]
    elif name in ("⏟", "⏞") or lowered in ("⏟", "―", "_"):
        yield from _read(base)
    else:
        yield from _read(base)
        yield from ([] if lowered.isalnum() and (lowered.isdecimal() or len(lowered) > 1) else [Part("sub")])
        yield from _read(index)


def _bounded(base: Element, lower: Element, upper: Element) -> Iterator[Part]:
    name = _text(base)
    if name in _LARGE:
        yield Part(_LARGE[name], (name,))
        yield from [Part("from"), *_read(lower), Part("to"), *_read(upper), Part("of")]
        return
    yield from _lowered(base, lower)
    yield from list(_power(Element("mrow"), upper))


def _accented(base: Element, accent: Element) -> Iterator[Part]:
    mark = _text(accent)
    if mark in _VECTORS:
        yield from [Part("vector"), *_read(base)]
    elif mark in _ACCENTS:
        yield from [*_read(base), *([Part(_ACCENTS[mark])] if _ACCENTS[mark] else [])]
    else:
        yield from [*_read(base), *_read(accent)]


def _table(rows: Sequence[Element]) -> Iterator[Part]:
    """Cells with pauses between them, rows with longer ones."""
    for number, line in enumerate(rows):
        if number:
            yield Part(";")
        for column, cell in enumerate(line):
            if column:
                yield Part(",")
            yield from _row(list(cell))


def _is_compound(element: Element) -> bool:
    """More than one term: is the fraction's line heard without help?"""
    return any(_text(e) in ("+", "−", "-", "±") for e in list(element)[1:])


def _text(element: Element) -> str:
    """The text of a leaf; "" for what has children."""
    return "" if len(element) else html.unescape(element.text or "").replace("\u00a0", " ").strip()


def _all_text(element: Element) -> str:
    return "".join(filter(None, (_text(e) for e in element.iter())))
