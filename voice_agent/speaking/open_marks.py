r"""Is something open in a clause that only makes sense whole: a formula, code, a link, a thought?

    is_open("So $x = 3") -> True;  is_open("So it is $5") -> False

A mark counts for a limited length, shorter where it can mean something else too: what has not been closed by then was
not opened, and the voice must not wait for it.
"""

from __future__ import annotations

import re
import sys

_CLOSED = (
    re.compile(r"<think>.*?</think>", re.DOTALL),
    re.compile(r"(?P<fence>```|~~~).*?(?P=fence)", re.DOTALL),
    re.compile(r"\\\(.*?\\\)|\\\[.*?\\\]|\\begin\{(\w+\*?)\}.*?\\end\{\1\}", re.DOTALL),
)
_OPENS = re.compile(r"<think>|```|~~~|\\\(|\\\[|\\begin\{")
_LINK_TARGET = re.compile(r"\]\([^()\n]*$|(?:^|\n)[ \t]*\[[^\]\n]+\]:$")
_CLOSED_DOLLARS = re.compile(r"\$\$.+?\$\$|\$(?=\S)[^$\n]*[^\s$\\]\$(?!\d)", re.DOTALL)
_ARGUMENT = re.compile(r"\\[A-Za-z]+|\{[^{}]*\}")
_AMOUNT = re.compile(r"\d[\d.,]*[^\w\s]*$|.*(?<![A-Za-z])[A-Za-z]{3}|\s|$", re.DOTALL)  # also: prose follows

_LONGEST_LISTING = 4000  # characters
_LONGEST_BRACKET = 400  # also of formulas
_LONGEST_DOLLARS = 80
_LONGEST = {
    "<think>": sys.maxsize,
    **dict.fromkeys(("```", "~~~"), _LONGEST_LISTING),
    **dict.fromkeys((r"\(", r"\[", r"\begin{"), _LONGEST_BRACKET),
}


def is_open(clause: str) -> bool:
    """Does a formula, code, link, brace or thought begin in `clause` that has not ended yet?"""
    rest = clause
    for closed in _CLOSED:
        rest = closed.sub(" ", rest)
    if (mark := _OPENS.search(rest)) and len(rest) - mark.start() <= _LONGEST[mark[0]]:
        return True
    if len(rest) > _LONGEST_BRACKET:
        return False
    return (
        rest.count("{") > rest.count("}")
        or rest.count("[") > rest.count("]")
        or _LINK_TARGET.search(rest) is not None
        or rest.count("`") % 2 == 1
        or _in_dollars(rest)
    )


def _in_dollars(clause: str) -> bool:
    """Does the last `$` open a formula? It may also stand for dollars: then a bare amount or prose follows it."""
    _, dollar, after = _CLOSED_DOLLARS.sub("", clause).rpartition("$")
    if not dollar or len(after) > _LONGEST_DOLLARS or "\n" in after:
        return False
    return after.startswith("\\") or _AMOUNT.match(_ARGUMENT.sub("", after)) is None
