r"""LaTeX as speech: "$\frac{1}{2}x^2$" -> "one half x squared".

latex2mathml parses a formula, `mathml` reads the tree, and here what is said is found again in the source: every leaf
of the tree in the token that it came from, words of structure in the marks between. A leaf that is not found (indices
written in another order than they are said) shares the stretch of its neighbour.
"""
# ruff: noqa: RUF002 - signs

from __future__ import annotations

import functools
import re

from latex2mathml.converter import convert_to_element

from .mathml import Part, read
from .rule import CLAIMED, Piece, Rule, Said, rule

_TOKEN = re.compile(r"\\(?:[A-Za-z]+|.)|\d+(?:\.\d+)?|\S", re.DOTALL)
_BRACES = r"\{(?:[^{}\n]|\{(?:[^{}\n]|\{(?:[^{}\n]|\{[^{}\n]*\})*\})*\})*\}"  # three deeper levels
_LAYOUT_ONLY = re.compile(
    r"\\(?:begin|end)\{(?:aligned|align|equation|gathered|split|document|center)\*?\}|\\(?:displaystyle|limits|nonumber|[Bb]igg?[lr]?|tag\{[^{}]*\}|label\{[^{}]*\})"
)
_ALIGNMENT = re.compile(r"(?<!\\)&")
_UNWRAPPED = r"\\(?:boxed|text|textbf|textit|emph|mathrm|mathbf|operatorname|overline|underline|fbox)\s*"


def _say_formula(match: re.Match[str]) -> Said:
    body, offset = match["body"], match.start("body")
    if CLAIMED in body:
        return None
    source = _blank(_LAYOUT_ONLY, body)
    if r"\begin" not in source:
        source = _blank(_ALIGNMENT, source)
    spoken = _placed(_parts(source), source)
    return tuple(Piece(piece.said, offset + piece.start, offset + piece.end) for piece in spoken)


def _blank(marks: re.Pattern[str], source: str) -> str:
    """The source with spaces in place of the marks: every other character keeps its place."""
    return marks.sub(lambda mark: " " * len(mark[0]), source)


def _parts(source: str) -> list[Part]:
    try:
        return read(convert_to_element(source))
    except Exception:  # of latex2mathml's many: what it cannot parse is said by its letters and numbers
        return [Part(word, (word,)) for word in re.findall(r"(?<![\\A-Za-z])[A-Za-z]+|\d+", source)]


def _placed(spoken: list[Part], source: str) -> list[Piece]:
    """Every part with the stretch of the source that it stands for, in order and without overlap."""
    tokens = [(token.group(), *token.span()) for token in _TOKEN.finditer(source)]
    found = _found(spoken, tokens)
    pieces: list[Piece] = []
    words, end = "", 0  # words that wait for a stretch, and where the last one ended
    for part, stretch in zip(spoken, found, strict=True):
        if stretch is None:
            words = _joined(words, part.words)
            continue
        start, stop = stretch
        said = part.words
        marks = end + len(source[end:start]) - len(source[end:start].lstrip())  # "^", "{": they belong to what follows
        if words and source[end:start].strip():
            pieces.append(Piece(words, marks, start))
            marks = start
        elif words and pieces:
            last = pieces.pop()
            pieces.append(Piece(_joined(last.said, words), last.start, last.end))
        else:
            said = _joined(words, said)
        pieces.append(Piece(said, marks, stop))
        words, end = "", stop
    if words and pieces:
        last = pieces.pop()
        return [*pieces, Piece(_joined(last.said, words), last.start, len(source))]
    return [*pieces, Piece(words, 0, len(source))] if words else pieces


def _found(spoken: list[Part], tokens: list[tuple[str, int, int]]) -> list[tuple[int, int] | None]:
    """Where the leaves of each part stand; None for words of structure and for what is not found."""
    found: list[tuple[int, int] | None] = []
    at = 0
    for part in spoken:
        places = []
        for leaf in part.leaves:
            place = next((n for n in range(at, len(tokens)) if _symbol(tokens[n][0]) == leaf), None)
            if place is not None:
                places.append(place)
                at = place + 1
        found.append((tokens[places[0]][1], tokens[places[-1]][2]) if places else None)
    return found


@functools.lru_cache(maxsize=1024)
def _symbol(token: str) -> str:
    r"""What latex2mathml makes of a token alone: '\times' -> '×'."""
    if token.isalnum():
        return token
    try:
        leaves = [leaf for part in read(convert_to_element(token)) for leaf in part.leaves]
    except Exception:  # a command that wants arguments
        return ""
    return leaves[0] if leaves else ""


def _joined(said: str, words: str) -> str:
    return f"{said}{words}" if not said or words.startswith((",", ";")) else f"{said} {words}"


FORMULAS: tuple[Rule, ...] = (
    rule(r"\\\((?P<body>.+?)\\\)", _say_formula, re.DOTALL),
    rule(r"\\\[(?P<body>.+?)\\\]", _say_formula, re.DOTALL),
    rule(r"\$\$(?P<body>.+?)\$\$", _say_formula, re.DOTALL),
    rule(r"(?<![\\$\w])\$(?=\S)(?P<body>[^$\n]*[^\s$\\])\$(?![\d$])", _say_formula),  # pandoc's rule
    rule(r"(?P<body>\\begin\{(\w+\*?)\}.+?\\end\{\2\})", _say_formula, re.DOTALL),
    rule(r"\\[()\[\]]|\$\$", ""),
    rule(rf"(?!{_UNWRAPPED}\{{)(?P<body>\\(?!q?quad\b)[A-Za-z]+(?:\[[^\[\]\n]*\])?(?:\s*{_BRACES})*)", _say_formula),
    rule(rf"{_UNWRAPPED}\{{(?P<keep>(?:[^{{}}]|{_BRACES})*)\}}", ""),
    rule(r"\\(?=[$%&#_*`~|<>.\-+!@])", ""),
    rule(r"\\\\", ","),
    rule(r"\\[,;:! ]|\\q?quad\b", ""),
)
