"""What the voice gets to say for what the model wrote.

Marks that are read with the eyes (markdown, code fences, special tokens, emoji) fall silent; numbers, amounts, units,
formulas and signs become words. A map from written to spoken words is kept, so that a position in the sound can be
turned back into a position in the written text.

    written text -> spoken_form -> SpokenForm(text, spans)

The work is a table of rules (`spoken_rules.py`), applied in order. A rule claims stretches of the written text that no
earlier rule has claimed, each with the words that are said for it, or none. What nobody claims is said as it stands.
Pure; offsets are characters of the written text, word numbers count `text.split()`.
"""
# ruff: noqa: RUF001 - both kinds of quotation marks

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import groupby

from .spoken_rules import CLAIMED, RULES, Rule

_NO_SPACE_BEFORE = set(".,;:!?%)]}\"'’”…")  # a claimed piece stands apart from its neighbours, but not from these
_NO_SPACE_AFTER = set("-([{\"'‘“")


@dataclass(frozen=True)
class SpokenSpan:
    """written[start:end] is said as the spoken words first_word .. end_word - 1."""

    start: int
    end: int
    first_word: int
    end_word: int


@dataclass(frozen=True)
class SpokenForm:
    """`spans` follow one another without overlap and number every spoken word once; what they leave out is silent."""

    text: str
    spans: tuple[SpokenSpan, ...]


@dataclass(frozen=True)
class _Piece:
    """written[start:end] is said as `said`."""

    said: str
    start: int
    end: int


def spoken_form(written: str) -> SpokenForm:
    """Apply all rules in order and join what is said."""
    open_text = written.replace(CLAIMED, " ")
    claims: list[_Piece] = []
    for rule in RULES:
        open_text = _apply(rule, open_text, claims)
    return _numbered(_words(open_text, claims))


def _apply(rule: Rule, open_text: str, claims: list[_Piece]) -> str:
    """Let `rule` claim what it finds: that is blotted out, and what a match keeps open is read again."""
    position = 0
    while match := rule.pattern.search(open_text, position):
        said = rule.say(match)
        if said is None:
            position = match.start() + 1
            continue
        stretches = _stretches(match)
        for (start, end), words in zip(
            stretches, (said,) * len(stretches) if isinstance(said, str) else said, strict=True
        ):
            if start < end:
                claims.append(_Piece(words, start, end))
            open_text = open_text[:start] + CLAIMED * (end - start) + open_text[end:]
        position = match.start()
    return open_text


def _stretches(match: re.Match[str]) -> list[tuple[int, int]]:
    """What a match claims: its group 'it' where there is one, else all of it but the groups 'keep' and 'keep2'."""
    groups = match.re.groupindex
    if "it" in groups:
        return [match.span("it")]
    edges = [
        match.start(),
        *(edge for name in ("keep", "keep2") if name in groups for edge in match.span(name)),
        match.end(),
    ]
    return list(zip(edges[::2], edges[1::2], strict=True))


def _words(open_text: str, claims: list[_Piece]) -> list[_Piece]:
    """The spoken words in order, each with the written stretch that it stands for."""
    words: list[_Piece] = []
    for blank, pieces in groupby(_spoken_characters(open_text, claims), key=lambda piece: piece.said.isspace()):
        if blank:
            continue
        characters = list(pieces)
        word = _Piece("".join(c.said for c in characters), characters[0].start, characters[-1].end)
        if any(map(str.isalnum, word.said)):
            words.append(word)
        elif words:  # a mark that stands alone belongs to the word before it
            words[-1] = _Piece(words[-1].said + word.said, words[-1].start, word.end)
    return words


def _spoken_characters(open_text: str, claims: list[_Piece]) -> Iterator[_Piece]:
    """Every character that is said; what a claim says is set apart from its neighbours by spaces."""
    before, after_claim = " ", False
    for piece, claimed in _in_order(open_text, claims):
        if not piece.said:
            continue
        if (claimed or after_claim) and piece.said[0] not in _NO_SPACE_BEFORE and before not in _NO_SPACE_AFTER:
            yield _Piece(" ", piece.start, piece.start)
        yield from (_Piece(character, piece.start, piece.end) for character in piece.said)
        before, after_claim = piece.said[-1], claimed


def _in_order(open_text: str, claims: list[_Piece]) -> Iterator[tuple[_Piece, bool]]:
    """Claimed pieces, and between them every unclaimed character as a piece of its own."""
    position = 0
    for claim in [*sorted(claims, key=lambda claim: claim.start), _Piece("", len(open_text), len(open_text))]:
        yield from ((_Piece(open_text[i], i, i + 1), False) for i in range(position, claim.start))
        yield claim, True
        position = claim.end


def _numbered(words: list[_Piece]) -> SpokenForm:
    """Join the words; those that stand for the same written stretch share a span."""
    spans: list[SpokenSpan] = []
    for number, word in enumerate(words):
        if spans and word.start < spans[-1].end:
            last = spans.pop()
            spans.append(SpokenSpan(last.start, max(word.end, last.end), last.first_word, number + 1))
        else:
            spans.append(SpokenSpan(word.start, word.end, number, number + 1))
    return SpokenForm(" ".join(word.said for word in words), tuple(spans))
