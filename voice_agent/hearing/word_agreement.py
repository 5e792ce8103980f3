"""Decide which recognised words are final.

The recogniser re-reads a growing utterance and may change its mind; a word is final once two consecutive readings
agree on it and on all words before it (LocalAgreement-2, Machacek et al. 2023). Case and punctuation do not count. The
last word of a reading waits until another follows: it may be cut off, and its full stop is a guess. A number waits as a
whole: "86" is on its way to "$86.50", "three" to "320".
What is final is never revised nor repeated: a later reading is taken from where the final words end. Pure.

    reading: list[Word] -> WordAgreement.push -> newly final: list[Word]
Times are seconds on one axis for all readings.
"""

from __future__ import annotations

import dataclasses
import re

from ..events import Word
from ..said import NUMBER_WORDS

MATCHED_WORDS = 5  # final words that are looked for in a new reading, to find where they end in it
OVERLAP_S = 0.05  # the same word in two readings overlaps at least so much; some are given no more time than that
MOVED_S = 1.0  # between two readings a word moves by less
SENTENCE_ENDS = (".", "!", "?")


class WordAgreement:
    """Readings of one utterance. `final`: all words given out; `pending`: the newest words not yet agreed on."""

    def __init__(self) -> None:
        self.final: list[Word] = []
        self.pending: list[Word] = []

    def push(self, reading: list[Word]) -> list[Word]:
        """A reading of the sound so far; returns the words that it makes final."""
        rest = self._unspoken(reading)
        agreed = 0
        while agreed < min(len(rest) - 1, len(self.pending)) and _same(rest[agreed], self.pending[agreed]):
            agreed += 1
        agreed = min(agreed, _open_from(rest), _open_from(self.pending))
        self.pending = rest[agreed:]
        return self._settle(rest[:agreed])

    def finish(self, reading: list[Word]) -> list[Word]:
        """The last reading; returns all of its words that are not final yet."""
        rest = self._unspoken(reading)
        self.pending = []
        return self._settle(rest)

    def _settle(self, words: list[Word]) -> list[Word]:
        settled = [dataclasses.replace(word, final=True) for word in words]
        self.final += settled
        return settled

    def _unspoken(self, reading: list[Word]) -> list[Word]:
        """The words of a reading that come after the final ones."""
        if not self.final:
            return list(reading)
        last = self.final[-1]
        best, best_score = None, (0, 0.0)
        for cut in range(1, len(reading) + 1):
            word = reading[cut - 1]
            if word.start_s > max(last.end_s - OVERLAP_S, last.start_s + OVERLAP_S):
                break
            if word.end_s < last.end_s - MOVED_S:  # the same words, said before
                continue
            score = (self._matches(reading[:cut]), -abs(word.end_s - last.end_s))
            if score[0] and score > best_score:
                best, best_score = cut, score
        if best is None:  # revised out of recognition: go by time alone
            return [word for word in reading if (word.start_s + word.end_s) / 2 > last.end_s]
        return reading[best:]

    def _matches(self, words: list[Word]) -> int:
        """How many words at the end of `words` are the newest final words."""
        count = 0
        for ours, theirs in zip(reversed(self.final[-MATCHED_WORDS:]), reversed(words), strict=False):
            if not _same(ours, theirs):
                break
            count += 1
        return count


def place_to_cut(final: list[Word], start_s: float, end_s: float, longest_s: float) -> float | None:
    """Where sound that has been read may be dropped, in seconds; None: keep it all.

    Beyond half the longest stretch the end of a sentence will do, beyond the whole of it the end of any final word.
    """
    settled = [word for word in final if word.end_s > start_s]
    if end_s - start_s >= longest_s:
        return settled[-1].end_s if settled else None
    if end_s - start_s >= longest_s / 2:
        ends = [word.end_s for word in settled if word.text.endswith(SENTENCE_ENDS)]
        return ends[-1] if ends else None
    return None


def plain_text(text: str) -> str:
    """Lower case, letters, digits and apostrophes only: 'Thank you.' -> 'thank you'."""
    return " ".join(re.findall(r"[^\W_]+(?:'[^\W_]+)*", text.lower()))


def _same(one: Word, other: Word) -> bool:
    return plain_text(one.text) == plain_text(other.text)


def _open_from(reading: list[Word]) -> int:
    """Where the number begins with which a reading ends; its length where it ends with none."""
    first = len(reading)
    while first and _is_number(reading[first - 1]):
        first -= 1
    return first


def _is_number(word: Word) -> bool:
    return any(part[0].isdigit() or part in NUMBER_WORDS for part in plain_text(word.text).split())
