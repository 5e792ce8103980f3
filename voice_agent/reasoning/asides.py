"""Do words that come in mid-answer bear on the question, or are they said beside it? Pure.

    bears_on("Sorry, I meant ninety.", question) -> True;  bears_on("My dog likes your voice.", question) -> False

Thoughts that are told of an aside make something of it: a small model says the question over with the rain in it, or
takes the half-written number before it for whole. An aside is therefore only read, as the question's last words, and
nobody is interrupted. To take words for an aside that are none costs more than the reverse, so an aside holds no
number, contradicts nothing, asks for nothing and shares no content word with the question.
"""

from __future__ import annotations

import re

from ..contradiction import contradicts
from .stated_numbers import numbers_in

_WORD = re.compile(r"[^\W\d_]+(?:['\u2019][^\W\d_]+)*")
_SAYING_MORE = (
    "one two half third quarter double twice triple dozen but except how need only want what when where which who why "
    "without"
)
_ASKED_FOR = re.compile(  # what is asked for stands first, or behind "please"
    r"(?:^|[.,;:!?]|\b(?:please|and|then|just|now))\W*(?:add|answer|assume|calculate|change|consider|convert|count|"
    r"describe|explain|forget|give|ignore|imagine|include|let's|list|make|repeat|round|say|show|skip|speak|spell|"
    r"suppose|talk|tell|translate|try|use)\b",
    re.IGNORECASE,
)
_SAYING_MORE_WORDS = frozenset(_SAYING_MORE.split())
_CONTENT_LETTERS = 4  # shorter words are in every sentence


def bears_on(words: str, question: str) -> bool:
    """Whether the thoughts must be told of `words`; they stand in the question in any case."""
    said = _words(words)
    if "?" in words or numbers_in(words) or said & _SAYING_MORE_WORDS or any(map(contradicts, said)):
        return True
    shared = any(len(word) >= _CONTENT_LETTERS for word in said & _words(question))
    return shared or _ASKED_FOR.search(words) is not None


def _words(text: str) -> set[str]:
    return set(_WORD.findall(text.lower().replace("\u2019", "'")))
