"""How many words of a known text a listener has heard, and how many somebody believes to have sounded. Pure.

    KnownText.of(written)                         -> its spoken words, each with the written word that it belongs to
    known.heard("so the train covers sixty")      -> how many spoken words a transcription of its beginning holds
    known.sounded("So the train covers 60")       -> how many spoken words the written beginning holds

The known text tells a recogniser's errors from words that are missing: the transcription is held against every
beginning of it, and the one that it fits best is what was heard.
"""

from __future__ import annotations

from dataclasses import dataclass
from difflib import SequenceMatcher

from ..said import said
from ..speaking.spoken_form import spoken_form

SAME_WORD = 0.5  # similarity of two spellings, from which on one may be the other, misheard or cut short


@dataclass(frozen=True)
class KnownText:
    """words: as said, in order. ends: for each written word, where it ends in the text and in `words`."""

    words: tuple[str, ...]
    ends: tuple[tuple[int, int], ...]

    @classmethod
    def of(cls, written: str) -> KnownText:
        form = spoken_form(written)
        spoken = form.text.split()
        words: list[str] = []
        ends: list[tuple[int, int]] = []
        for span in form.spans:
            words += said(" ".join(spoken[span.first_word : span.end_word]))
            ends.append((span.end, len(words)))
        return cls(tuple(words), tuple(ends))

    def sounded(self, beginning: str) -> int:
        """Spoken words of the written words that `beginning`, the first part of the written text, holds whole."""
        return max((words for end, words in self.ends if end <= len(beginning.rstrip())), default=0)

    def heard(self, transcription: str) -> int:
        """Spoken words up to the last one that the transcription holds."""
        return fitting_length(self.words, said(spoken_form(transcription).text))

    def written(self, words: int) -> int:
        """Written words of which the first `words` spoken words hold every word."""
        return sum(end <= words for _, end in self.ends)


def fitting_length(known: tuple[str, ...], heard: list[str]) -> int:
    """How many of the `known` words make the beginning that is fewest edits away from `heard`; the shortest of equals.

    Two spellings that are alike cost what they differ by: "kilo" is the beginning of "kilometers".
    """
    row = [float(n) for n in range(len(known) + 1)]  # edits from known[:n] to what was heard so far
    for word in heard:
        diagonal, row[0] = row[0], row[0] + 1.0
        for n, wanted in enumerate(known, start=1):
            diagonal, row[n] = row[n], min(row[n] + 1.0, row[n - 1] + 1.0, diagonal + _differing(word, wanted))
    return min(range(len(row)), key=lambda n: row[n])


def _differing(heard: str, wanted: str) -> float:
    if heard == wanted:
        return 0.0
    alike = SequenceMatcher(None, heard, wanted, autojunk=False).ratio()
    return 1.0 - alike if alike >= SAME_WORD else 1.0
