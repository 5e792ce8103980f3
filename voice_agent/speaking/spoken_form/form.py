"""What the voice gets to say for what the model wrote.

Marks that are read with the eyes (markdown, code fences, special tokens, emoji) fall silent; numbers, amounts, units,
formulas and signs become words. A map from written to spoken words is kept, so that a position in the sound can be
turned back into a position in the written text.

    written text -> spoken_form -> SpokenForm(text, spans)

The work is a table of rules (`rules.py`), applied in order. A rule claims stretches of the written text that no
earlier rule has claimed, each with the words that are said for it, or none. What nobody claims is said as it stands.
Pure; offsets are characters of the written text, word numbers count `text.split()`.
"""
# ruff: noqa: RUF001 - both kinds of quotation marks

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import groupby

from .rule import CLAIMED, LINE_BREAK, Piece, Rule
from .rules import rules_of

_NO_SPACE_BEFORE = set(".,;:!?%)]}\"'’”…")  # a claimed piece stands apart from its neighbours, but not from these
_OPEN = re.compile(rf"[^{CLAIMED}]+")
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


def spoken_form(written: str, language: str = "en") -> SpokenForm:
    """Apply all rules in order and join what is said.

    language: as espeak names it. Only for English are numbers and signs said as words; the others keep them.
    """
    open_text = written.replace(CLAIMED, " ").replace(LINE_BREAK, " ")
    claims: list[Piece] = []
    across_lines, within_lines = rules_of(language)
    for rule in across_lines:
        open_text = _apply(rule, open_text, claims)
    open_text = open_text.replace("\n", LINE_BREAK)
    for rule in within_lines:
        open_text = _apply(rule, open_text, claims)
    return _numbered(_words(open_text.replace(LINE_BREAK, "\n"), claims))


def _apply(rule: Rule, open_text: str, claims: list[Piece]) -> str:
    """Let `rule` claim what it finds: that is blotted out, and what a match keeps open is read again."""
    position = 0
    while match := rule.pattern.search(open_text, position):
        said = rule.say(match)
        if said is None or match.start() == match.end():
            position = match.start() + 1
            continue
        for piece in _pieces(match, said) if isinstance(said, str) else _without_gaps(said, match):
            claims += _unclaimed(piece, open_text)
            open_text = open_text[: piece.start] + CLAIMED * (piece.end - piece.start) + open_text[piece.end :]
        position = match.start()
    return open_text


def _unclaimed(piece: Piece, open_text: str) -> Iterator[Piece]:
    """What an earlier rule has claimed within the piece stays so; the rest is the piece's, said once."""
    said = piece.said
    for stretch in _OPEN.finditer(open_text, piece.start, piece.end):
        yield Piece(said, *stretch.span())
        said = ""


def _pieces(match: re.Match[str], said: str) -> Iterator[Piece]:
    """What a match claims, all said once: its group 'it' where there is one, else all of it but the group 'keep'."""
    groups = match.re.groupindex
    if "it" in groups:
        yield Piece(said, *match.span("it"))
    elif "keep" in groups and match["keep"] is not None:
        yield Piece(said, match.start(), match.start("keep"))
        yield Piece("", match.end("keep"), match.end())
    else:
        yield Piece(said, *match.span())


def _without_gaps(pieces: tuple[Piece, ...], match: re.Match[str]) -> Iterator[Piece]:
    """The pieces of a match, and silence between them: the whole match is claimed."""
    position = match.start()
    for piece in (*pieces, Piece("", match.end(), match.end())):
        yield Piece("", position, piece.start)
        yield piece
        position = piece.end


def _words(open_text: str, claims: list[Piece]) -> list[Piece]:
    """The spoken words in order, each with the written stretch that it stands for."""
    words: list[Piece] = []
    for blank, pieces in groupby(_spoken_characters(open_text, claims), key=lambda piece: piece.said.isspace()):
        if blank:
            continue
        characters = list(pieces)
        word = Piece("".join(c.said for c in characters), characters[0].start, characters[-1].end)
        if any(map(_is_said, word.said)):
            words.append(word)
        elif words:  # a mark that stands alone belongs to the word before it
            words[-1] = Piece(words[-1].said + word.said, words[-1].start, word.end)
    return words


def _is_said(character: str) -> bool:
    """A letter, a digit, or a sign that espeak has a name for; other marks are pauses at most."""
    return character.isalnum() or unicodedata.category(character) in ("Sc", "Sm")


def _spoken_characters(open_text: str, claims: list[Piece]) -> Iterator[Piece]:
    """Every character that is said; what a claim says is set apart from its neighbours by spaces."""
    before, after_claim = " ", False
    for piece, claimed in _in_order(open_text, claims):
        if not piece.said:
            continue
        if (claimed or after_claim) and piece.said[0] not in _NO_SPACE_BEFORE and before not in _NO_SPACE_AFTER:
            yield Piece(" ", piece.start, piece.start)
        yield from (Piece(character, piece.start, piece.end) for character in piece.said)
        before, after_claim = piece.said[-1], claimed


def _in_order(open_text: str, claims: list[Piece]) -> Iterator[tuple[Piece, bool]]:
    """Claimed pieces, and between them every unclaimed character as a piece of its own."""
    position = 0
    for claim in [*sorted(claims, key=lambda claim: claim.start), Piece("", len(open_text), len(open_text))]:
        yield from ((Piece(open_text[i], i, i + 1), False) for i in range(position, claim.start))
        yield claim, True
        position = claim.end


def _numbered(words: list[Piece]) -> SpokenForm:
    """Join the words; those that stand for the same written stretch share a span."""
    spans: list[SpokenSpan] = []
    for number, word in enumerate(words):
        if spans and word.start < spans[-1].end:
            last = spans.pop()
            spans.append(SpokenSpan(last.start, max(word.end, last.end), last.first_word, number + 1))
        else:
            spans.append(SpokenSpan(word.start, word.end, number, number + 1))
    return SpokenForm(" ".join(word.said for word in words), tuple(spans))
