"""How many words were heard wrong: insertions, deletions and substitutions. Pure.

word_errors(said_text, heard_text) -> (errors, words said); numbers are words, however they are spelled (said.py)
"""

from __future__ import annotations

from collections.abc import Sequence

from ..said import said


def word_errors(reference: str, heard: str) -> tuple[int, int]:
    """The least number of changes that make `reference` of `heard`, and the length of `reference`."""
    words = said(reference)
    return edit_distance(words, said(heard)), len(words)


def edit_distance(one: Sequence[str], other: Sequence[str]) -> int:
    """Levenshtein's, word by word."""
    row = list(range(len(other) + 1))
    for i, a in enumerate(one, start=1):
        diagonal, row[0] = row[0], i
        for j, b in enumerate(other, start=1):
            diagonal, row[j] = row[j], min(row[j] + 1, row[j - 1] + 1, diagonal + (a != b))
    return row[-1]
