"""Cut the writer's stream into clauses that can be voiced on their own.

A short first clause, so that sound starts early; later ones up to their punctuation, so that they sound natural. A cut
stands right after a word and its punctuation; the white space goes to the clause that follows, as tokens have it.
Nothing is cut that only makes sense whole: numbers, formulas, abbreviations, code, links, marks.

    text as it is written: str -> ClauseSplitter.push -> complete clauses: list[str]

Every decision looks at the open clause and one character beyond, so the clauses do not depend on how the text was
chunked; joined, they are the text. Pure.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from ..settings import Speaking

_SENTENCE_END = re.compile(r"[.!?…][\"'”’)\]*_`]*$")  # noqa: RUF001 - closing quotation marks
_PHRASE_END = re.compile(r"[,;:—–][\"'”’)\]*_`]*$|\)[*_`]*$")  # noqa: RUF001 - dashes and quotation marks
_ABBREVIATION = re.compile(
    r"(?:^|[\s(\"'])(?:[A-Z]|Dr|Mr|Mrs|Ms|Prof|St|Mt|vs|approx|etc|cf|Fig|Eq|e\.g|i\.e|[ap]\.m|(?:[A-Z]\.)+[A-Z])"
    r"\.[,;:]?$"
)
_LIST_NUMBER = re.compile(r"(?:^|\n\s*)\d{1,2}[.)]$")
_LEANS_FORWARD = re.compile(
    r"(?:^|\s)(?:an?|the|this|that|these|those|my|your|his|her|its|our|their|some|any|no|of|in|on|at|to|for|from|by|with|as"
    r"|than|about|and|or|but|so|if|because|when|while|which|who|is|are|was|were|be|been|has|have|had|will|would|can|could"
    r"|should|must|may|might|do|does|not|per|let's|we|i|you|it|they|he|she|there|very|more|most)$",
    re.IGNORECASE,
)
_VALUE_OR_SIGN = re.compile(r"(?:^|\s)(?:\S*\d\S*|[A-Za-z]|[^\w\s]+)$")  # its unit or its operand may follow
_CLOSED_FORMULA = re.compile(r"\$\$.+?\$\$|\$(?=\S)[^$\n]*[^\s$\\]\$(?!\d)", re.DOTALL)
_ARGUMENT = re.compile(r"\\[A-Za-z]+|\{[^{}]*\}")
_AMOUNT = re.compile(r"\d[\d.,]*[^\w\s]*$|.*(?<![A-Za-z])[A-Za-z]{3}|\s|$", re.DOTALL)  # also: prose follows

_LONGEST_OPEN = 400  # characters; a mark that has not been closed by then was not an opening one
_LONGEST_FORMULA = 80


@dataclass
class ClauseSplitter:
    """Streaming state: the open clause, and whether the reply's first one is still to come."""

    settings: Speaking
    _open: str = ""
    _first: bool = True
    _scanned: int = field(default=0, repr=False)  # no cut is possible in _open before this

    def push(self, text: str) -> list[str]:
        """Take more text; returns the clauses that are complete now."""
        self._open += text
        clauses = []
        while (cut := self._next_cut()) is not None:
            clauses.append(self._open[:cut])
            self._open, self._first, self._scanned = self._open[cut:], False, 0
        return clauses

    def flush(self) -> list[str]:
        """The reply is complete: what is left is its last clause, and the next text opens a new reply."""
        rest = self._open
        self.clear()
        return [rest] if rest else []

    def clear(self) -> None:
        """Forget the open clause; the next text opens a new reply."""
        self._open, self._first, self._scanned = "", True, 0

    def _next_cut(self) -> int | None:
        for end in range(max(self._scanned, 1), len(self._open)):
            self._scanned = end
            at_word_end = self._open[end].isspace() and not self._open[end - 1].isspace()
            if at_word_end and self._may_end(self._open[:end], self._open[end]):
                return end
        self._scanned = max(len(self._open), 1)
        return None

    def _may_end(self, clause: str, following: str) -> bool:
        words = sum(any(map(str.isalnum, word)) for word in clause.split())
        if words == 0 or _is_open(clause):
            return False
        return self._ends_by_mark(clause, following, words) or self._ends_by_length(clause, words)

    def _ends_by_mark(self, clause: str, following: str, words: int) -> bool:
        if _ABBREVIATION.search(clause) or _LIST_NUMBER.search(clause):
            return False
        if _SENTENCE_END.search(clause) or following == "\n":
            return True
        enough = 2 if self._first else self.settings.clause_words // 2
        return words >= enough and _PHRASE_END.search(clause) is not None

    def _ends_by_length(self, clause: str, words: int) -> bool:
        wanted = self.settings.first_clause_words if self._first else self.settings.clause_words
        if words < wanted or _ABBREVIATION.search(clause) or _VALUE_OR_SIGN.search(clause):
            return len(clause) > _LONGEST_OPEN
        return not _LEANS_FORWARD.search(clause) or words >= 2 * wanted + 2


def _is_open(clause: str) -> bool:
    """Does a formula, code, link, brace or thought begin in `clause` that has not ended yet?"""
    if "<think>" in clause and "</think>" not in clause:
        return True
    if len(clause) > _LONGEST_OPEN:
        return False
    return (
        clause.count("{") > clause.count("}")
        or clause.count(r"\(") > clause.count(r"\)")
        or clause.count(r"\[") > clause.count(r"\]")
        or clause.count("[") > clause.count("]")
        or clause.count("`") % 2 == 1
        or _in_formula(clause)
    )


def _in_formula(clause: str) -> bool:
    """Does the last `$` open a formula? It may also stand for dollars: then a bare amount or prose follows it."""
    _, dollar, after = _CLOSED_FORMULA.sub("", clause).rpartition("$")
    if not dollar or len(after) > _LONGEST_FORMULA or "\n" in after:
        return False
    return _AMOUNT.match(_ARGUMENT.sub("", after)) is None
