"""Addresses and names that are spelled with marks: web, mail, files, attributes.

"https://www.example.com/docs?x=1" -> "example dot com slash docs";  "a.b@c.org" -> "a dot b at c dot org"
"""

from __future__ import annotations

import re

from .numbers import say_number
from .rule import Rule, rule

_TOP_LEVEL = (
    r"(?:com|org|net|edu|gov|io|dev|ai|app|co|info|me|tv|uk|us|eu|de|fr|nl|ch|at|es|it|se|jp|ca|au|in)(?:\.uk|\.au)?"
)
_LONGEST_PATH = 2  # parts of a path that are still said
_MARKS = {".": "dot", "-": "dash", "_": "underscore", "/": "slash", "+": "plus", "~": "tilde", ":": "port"}


def _spell(name: str) -> str:
    """'a-b.c' -> 'a dash b dot c': marks by name, the rest as it stands."""
    pieces = [_MARKS.get(piece) or _digits_said(piece) for piece in re.split(r"([.\-_/+~:])", name) if piece]
    return " ".join(pieces)


def _digits_said(piece: str) -> str:
    return re.sub(r"\d+", lambda m: f" {say_number(m[0])} ", piece).strip() if piece.isascii() else piece


def _say_web(match: re.Match[str]) -> str:
    host, path = match["host"], re.split(r"[?#]", match["path"] or "")[0].strip("/")
    parts = [part for part in path.split("/") if part]
    speakable = len(parts) <= _LONGEST_PATH and all(re.fullmatch(r"[A-Za-z][A-Za-z._-]{0,24}", part) for part in parts)
    return _spell("/".join([host, *(parts if speakable else [])]))


NAMES: tuple[Rule, ...] = (
    rule(
        r"(?:mailto:)?(?P<user>[\w.+-]*\w)@(?P<host>[A-Za-z\d-]+(?:\.[A-Za-z\d-]+)*\.[A-Za-z]{2,})(?!\w)",
        lambda m: f"{_spell(m['user'])} at {_spell(m['host'])}",
    ),
    rule(
        r"(?:https?|ftp)://(?:www\.)?(?P<host>[\w.-]*\w(?::\d+)?)(?P<path>[/?#](?:[^\s\ue000\ue001)\]>\"'`|*]*[^\s\ue000\ue001)\]>\"'`|*.,;:!?])?)?",
        _say_web,
    ),
    rule(r"\blocalhost:\d+", lambda m: _spell(m[0])),
    rule(
        rf"(?<![\w@./-])(?:www\.)?(?P<host>(?:[A-Za-z][\w-]*\.)+{_TOP_LEVEL})(?P<path>/(?:[^\s\ue000\ue001)\]>\"'`|*]*[^\s\ue000\ue001)\]>\"'`|*.,;:!?])?)?(?![\w(])",
        _say_web,
    ),
    rule(r"(?<![\w.])(?P<it>\.(?:/|(?=[a-z]{2,}\b)))", "dot"),
    rule(r"(?:(?<=[A-Za-z_)])|(?<=[A-Za-z]\d))\.(?=[a-z_][a-z\d_]+\b)|(?<=[a-z]{2})\.(?=[a-z]\b(?!\.))", "dot"),
)
