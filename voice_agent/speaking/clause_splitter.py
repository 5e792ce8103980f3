"""Cut the writer's stream into clauses that can be voiced on their own.

A short first clause, so that sound starts early; later ones up to their punctuation, so that they sound natural, and
shorter again where sound would run out. A cut stands right after a word and its punctuation; the white space goes to
the clause that follows, as tokens have it. Nothing is cut that only makes sense whole: numbers, dates, formulas,
abbreviations, code, links, marks. So every clause is said (`spoken_form`) as it would be within the whole text.

    text as it is written: str -> ClauseSplitter.push -> complete clauses: list[str]

Every decision looks at the open clause and the first character of the next word, so the clauses do not depend on how
the text was chunked, as long as the sound does not run out; joined, they are the text. Pure.
"""
# ruff: noqa: RUF001 - quotation marks and dashes

from __future__ import annotations

import math
import re
from dataclasses import dataclass, field

from ..settings import Speaking
from .open_marks import is_open
from .spoken_form import ABBREVIATIONS, BEFORE_NUMBER, NAMES_BEFORE_NUMERALS

SENTENCE_END = re.compile(r"[.!?…][\"'”’)\]*_`]*$")
_PHRASE_END = re.compile(r"[,;:—–][\"'”’)\]*_`]*$|\)[*_`]*$")
_ABBREVIATION = re.compile(
    rf"(?:^|[\s(\"'])(?:[A-Z]\.|St\.|{'|'.join(map(re.escape, ABBREVIATIONS))}|(?:[A-Z]\.)+[A-Z]\.)[,;:]?$"
)
_BEFORE_NUMBER = re.compile(
    rf"(?:^|[\s(\"'])(?:{'|'.join(map(re.escape, BEFORE_NUMBER))}"
    r"|(?:Jan|Feb|Mar|Apr|Jun|Jul|Aug|Sept?|Oct|Nov|Dec|Mon|Tues?|Wed|Thu|Thurs|Fri|Sat|Sun)\.)$"
)
_BEFORE_NUMERAL = re.compile(rf"\b(?:{NAMES_BEFORE_NUMERALS})$")
_LIST_NUMBER = re.compile(r"(?:^|\n\s*)(?:\d{1,3}[.)]|[-*+]\s+\[[ xX]\])$")
_LEANS_FORWARD = re.compile(
    r"(?:^|\s)(?:an?|the|this|that|these|those|my|your|his|her|its|our|their|some|any|no|of|in|on|at|to|for|from|by|with|as"
    r"|than|about|and|or|but|so|if|because|when|while|which|who|whose|what|how|why|where|whether|is|are|was|were|be|been|has|have|had|will|would|can|could"
    r"|should|must|may|might|do|does|not|per|let's|we|i|you|it|they|he|she|there|very|more|most|et"
    r"|number|amount|kind|sort|lot|couple|rest|sum|question"  # ... of
    r"|summer|winter|spring|autumn|fall|class|January|February|March|April|June|July|August|September|October|November"
    r"|December)$",  # ... of 1969
    re.IGNORECASE,
)
_VALUE_OR_SIGN = re.compile(
    r"(?:^|\s)(?:\S*\d\S*|[A-Za-z]|\W*[^\w\s.,;:!?\"'”’)]\W*)$"
)  # its unit or its operand may follow
_DIGITS_AT_END = re.compile(r"\d[^\w\s]*$")
_FACTORIAL = re.compile(r"(?:\d|\b[a-z])!$")
_LONGEST_CLAUSE = 400  # characters


@dataclass
class ClauseSplitter:
    """Streaming state: the open clause, and how short it may be."""

    settings: Speaking
    open: str = ""  # the clause that is not complete yet
    _first: bool = True  # of a reply
    _hurry_words: int | None = None  # enough for a later clause, because sound is running out
    _scanned: int = field(default=0, repr=False)  # no cut is possible in `open` before this

    def push(self, text: str, left_s: float = math.inf) -> list[str]:
        """Take more text; returns the clauses that are complete now.

        left_s: sound that has still to be played. Where it is little, the next clause may be as short as a first one,
        and shorter where it is half as little.
        """
        if not self._first:
            self._hurry(left_s)
        self.open += text
        clauses = []
        while (cut := self._next_cut()) is not None:
            clauses.append(self.open[:cut])
            self._begin(self.open[cut:])
        return clauses

    def flush(self) -> list[str]:
        """The reply is complete: what is left is its last clause, and the next text opens a new reply."""
        rest = self.open
        self.clear()
        return [rest] if rest else []

    def clear(self) -> None:
        """Forget the open clause; the next text opens a new reply."""
        self._begin("", first=True)

    def _begin(self, clause: str, first: bool = False) -> None:
        self.open, self._first, self._hurry_words, self._scanned = clause, first, None, 0

    def _hurry(self, left_s: float) -> None:
        settings = self.settings
        if left_s >= settings.hurry_below_s:
            return
        enough = settings.first_clause_words if left_s >= settings.hurry_below_s / 2 else settings.hurry_clause_words
        if self._hurry_words is None or enough < self._hurry_words:
            self._hurry_words, self._scanned = enough, 0

    def _next_cut(self) -> int | None:
        for end in range(max(self._scanned, 1), len(self.open)):
            self._scanned = end
            if not self.open[end].isspace() or self.open[end - 1].isspace():
                continue
            may_end = self._may_end(self.open[:end], self.open[end], self.open[end:].lstrip()[:1])
            if may_end is None:
                return None  # the next word will tell
            if may_end:
                return end
        self._scanned = max(len(self.open), 1)
        return None

    def _may_end(self, clause: str, space: str, ahead: str) -> bool | None:
        """May a clause end here? None: not known before `ahead`, the next word's first character, has come."""
        words = sum(any(map(str.isalnum, word)) for word in clause.split())
        if words == 0 or is_open(clause) or _ABBREVIATION.search(clause) or _LIST_NUMBER.search(clause):
            return words > 0 and len(clause) > _LONGEST_CLAUSE and not is_open(clause)
        if space == "\n":
            return True
        unsure = _BEFORE_NUMBER.search(clause) or _FACTORIAL.search(clause)
        if SENTENCE_END.search(clause) and not unsure:
            return True
        if not (self._ends_by_mark(clause, words) or self._ends_by_length(clause, words)):
            return False
        return _begins_anew(clause, ahead) if ahead else None

    def _ends_by_mark(self, clause: str, words: int) -> bool:
        enough = 2 if self._first or self._hurry_words is not None else self.settings.clause_words // 2
        return SENTENCE_END.search(clause) is not None or (words >= enough and _PHRASE_END.search(clause) is not None)

    def _ends_by_length(self, clause: str, words: int) -> bool:
        short = self.settings.first_clause_words
        wanted = short if self._first else self._hurry_words or self.settings.clause_words
        if words < wanted or _VALUE_OR_SIGN.search(clause):
            return len(clause) > _LONGEST_CLAUSE
        return not _LEANS_FORWARD.search(clause) or words >= 2 * max(wanted, short) + 2


def _begins_anew(clause: str, ahead: str) -> bool:
    """Does the word that begins with `ahead` stand on its own, and not belong to the value or sign before it?"""
    if _BEFORE_NUMBER.search(clause) or _BEFORE_NUMERAL.search(clause):
        return not (ahead.isdecimal() or ahead.islower() or ahead in "IVXLC")
    if _FACTORIAL.search(clause):
        return ahead.isalpha()
    if _PHRASE_END.search(clause):
        return not (ahead.isdecimal() and _DIGITS_AT_END.search(clause)) and (
            ahead.isalnum() or ahead in "\"'“‘([*_`$\\"
        )
    return ahead.isalpha() or ahead in "\"'“‘([_`$€£"
