"""A rule of the spoken form: a pattern, and what is said for a match.

    Rule(pattern, say): a match in the written text -> what is said for it

What a match claims: its group `it`, where there is one (the rest is context); otherwise all of it but the group
`keep`, which stays open to later rules. `say` gives the words for what is claimed ("" is silence), pieces of its own,
or None to leave the match alone. Claimed characters read as `CLAIMED` for the rules that follow, so a claimed operand
is still seen to stand there.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass

CLAIMED = "\ue000"  # private use: in no alphabet, and never a digit or a word character

LINE_BREAK = "\ue001"  # a line break, for rules that must not reach across lines: it is no white space

NUMBER = r"(?:\d{1,3}(?:,\d{3})+(?:\.\d+)?|\d+(?:\.\d+)?|(?<!\w)\.\d+)(?!\d)"
AFTER_VALUE = rf"(?:(?<=[\d)\]}}%²³π∞{CLAIMED}])|(?<=\b[A-Za-z]))"
BEFORE_VALUE = rf"(?=[\d(\[.√π∞{CLAIMED}-]|[A-Za-z]\b)"


@dataclass(frozen=True)
class Piece:
    """written[start:end] is said as `said`."""

    said: str
    start: int
    end: int


Said = str | tuple[Piece, ...] | None  # pieces: in order, within the match; what they leave out is silent


@dataclass(frozen=True)
class Rule:
    pattern: re.Pattern[str]
    say: Callable[[re.Match[str]], Said]


def rule(pattern: str, say: Said | Callable[[re.Match[str]], Said], flags: int = 0) -> Rule:
    return Rule(re.compile(pattern, flags), say if callable(say) else lambda _: say)


def table(words: Mapping[str, str], before: str = "", after: str = "") -> Rule:
    """One rule for a table of literal strings, the longest first."""
    return rule(f"{before}(?P<it>{either(words)}){after}", lambda match: words[match["it"]])


def either(strings: Mapping[str, object]) -> str:
    """A pattern of literal strings, the longest first."""
    return "|".join(map(re.escape, sorted(strings, key=len, reverse=True)))


def parts(match: re.Match[str], **said: str) -> tuple[Piece, ...]:
    """What each named group of a match is said as, in order; groups that took no part are left out."""
    return tuple(Piece(words, *match.span(name)) for name, words in said.items() if match[name])
