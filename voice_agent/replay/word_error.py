"""How many words were heard wrong: insertions, deletions and substitutions. Pure.

word_errors(said_text, heard_text) -> (errors, words said)
aligned(words said, words heard)   -> pairs; None on one side: a word too many, or one that is missing
scored_words(text)                 -> the words that count

Numbers and signs are words, however they are spelled: "$40" is forty dollars (spoken_form, said.py).
"""

from __future__ import annotations

from collections.abc import Sequence

from ..said import said
from ..speaking.spoken_form import spoken_form


def word_errors(reference: str, heard: str) -> tuple[int, int]:
    """The least number of changes that make `reference` of `heard`, and the length of `reference`."""
    words = scored_words(reference)
    return edit_distance(words, scored_words(heard)), len(words)


def scored_words(text: str) -> list[str]:
    """The text as it is read out: 'It costs $40.' -> ['it', 'costs', 'forty', 'dollars']."""
    return said(spoken_form(text).text)


def edit_distance(one: Sequence[str], other: Sequence[str]) -> int:
    """Levenshtein's, word by word."""
    return sum(ours != theirs for ours, theirs in aligned(one, other))


def aligned(one: Sequence[str], other: Sequence[str]) -> list[tuple[str | None, str | None]]:
    """The two beside each other with the fewest differences."""
    rows = [list(range(len(other) + 1))]
    for i, ours in enumerate(one, start=1):
        above, row = rows[-1], [i]
        for j, theirs in enumerate(other, start=1):
            row.append(min(above[j] + 1, row[-1] + 1, above[j - 1] + (ours != theirs)))
        rows.append(row)
    pairs: list[tuple[str | None, str | None]] = []
    i, j = len(one), len(other)
    while i or j:
        if i and j and rows[i][j] == rows[i - 1][j - 1] + (one[i - 1] != other[j - 1]):
            i, j = i - 1, j - 1
            pairs.append((one[i], other[j]))
        elif i and rows[i][j] == rows[i - 1][j] + 1:
            i -= 1
            pairs.append((one[i], None))
        else:
            j -= 1
            pairs.append((None, other[j]))
    return pairs[::-1]
