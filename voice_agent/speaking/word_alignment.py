"""At which sample each written word has sounded.

The voice reports how many samples it spent on every phoneme of a clause, but espeak runs words together ("of the" is
one word to it) and says a word differently in company. So the clause's phonemes are aligned with those of its words,
each pronounced alone, by least edits; where the two hardly agree, words are spread over the sound by their length.

    phonemes with end samples, words pronounced alone -> word_ends -> end sample of each spoken word
    written text, its spoken form, end samples -> word_timings -> tuple[WordTiming, ...]

Pure; samples count from the start of the clause's sound.
"""
# ruff: noqa: RUF001 - phonetic letters

from __future__ import annotations

import unicodedata
from collections.abc import Sequence

from ..events import WordTiming
from .spoken_form import SpokenForm

Phoneme = tuple[str, int]  # one IPA symbol or mark, and the sample at which it ends

_GAP = "|"  # between words, and all punctuation
_VOWELS = set("aeiouyæøœɐɑɒɔəɘɚɛɜɝɞɤɨɪɯɵɶʉʊʌʏᵻ")
_WORST_COST_PER_PHONEME = 0.6  # above this, two pronunciations have hardly anything in common


def word_ends(phonemes: Sequence[Phoneme], pronounced: Sequence[Sequence[str]]) -> list[int] | None:
    """End sample of each word, never decreasing; None where the pronunciations do not fit.

    phonemes: of the whole clause.
    pronounced: phonemes of each word said alone; empty for a word that makes no sound, which ends with the word before.
    """
    heard = _sounds(phonemes)
    symbols = [symbol for symbol, _ in heard]
    alone = [[symbol for symbol, _ in _sounds([(s, 0) for s in word]) if symbol != _GAP] for word in pronounced]
    wanted = [symbol for word in alone if word for symbol in (*word, _GAP)][:-1]
    if not heard or not wanted:
        return None
    cost, reached = _align(symbols, wanted)
    if cost > _WORST_COST_PER_PHONEME * len(wanted):
        return None
    ends: list[int] = []
    position = -1
    for word in alone:
        position += len(word) + (1 if word else 0)
        last = reached[min(position, len(wanted))] - 1 if word else None
        ends.append(heard[max(last, 0)][1] if last is not None else (ends[-1] if ends else 0))
    return ends


def spread(words: Sequence[str], samples: int) -> list[int]:
    """End sample of each word in proportion to its letters: the fall-back."""
    letters = [max(1, sum(map(str.isalnum, word))) for word in words]
    return [samples * sum(letters[: n + 1]) // sum(letters) for n in range(len(words))]


def word_timings(written: str, form: SpokenForm, ends: Sequence[int], samples: int) -> tuple[WordTiming, ...]:
    """Timings of the written words of a clause; their stretches follow one another and cover all of it.

    White space goes to the word after it, as in tokens; marks that are not said go to the word they stand at.
    """
    timings: list[WordTiming] = []
    start = 0
    for number, span in enumerate(form.spans):
        final = number + 1 == len(form.spans)
        end = len(written) if final else span.end + _marks_after(written[span.end : form.spans[number + 1].start])
        timings.append(WordTiming(start, end, min(ends[span.end_word - 1], samples)))
        start = end
    return tuple(timings) or ((WordTiming(0, len(written), 0),) if written else ())


def _marks_after(gap: str) -> int:
    """How much of the silent text between two words belongs to the first: what stands before the white space."""
    return next((n for n, character in enumerate(gap) if character.isspace()), 0)


def _sounds(phonemes: Sequence[Phoneme]) -> list[Phoneme]:
    """Letters with their end samples; length and stress marks count to the letter before, other marks make one gap."""
    sounds: list[Phoneme] = []
    for symbol, end in phonemes:
        if unicodedata.category(symbol[0]) in ("Lm", "Mn", "Sk"):
            if sounds and sounds[-1][0] != _GAP and symbol not in "ˈˌ":
                sounds[-1] = (sounds[-1][0], end)
        elif symbol[0].isalpha():
            sounds.append((symbol, end))
        elif sounds and sounds[-1][0] == _GAP:
            sounds[-1] = (_GAP, end)
        elif sounds and symbol != "$":
            sounds.append((_GAP, end))
    if sounds and sounds[-1][0] == _GAP:
        sounds.pop()  # the last word ends before the silence that closes the clause
    return sounds


def _align(heard: Sequence[str], wanted: Sequence[str]) -> tuple[float, list[int]]:
    """Least edits that turn `wanted` into `heard`: their cost, and how much was heard when wanted[:n] was through."""
    costs = [[0.0] * (len(heard) + 1) for _ in range(len(wanted) + 1)]
    for i, w in enumerate(wanted, start=1):
        costs[i][0] = costs[i - 1][0] + _missing(w)
    for j, h in enumerate(heard, start=1):
        costs[0][j] = costs[0][j - 1] + _missing(h)
    for i, w in enumerate(wanted, start=1):
        for j, h in enumerate(heard, start=1):
            costs[i][j] = min(
                costs[i - 1][j - 1] + _differing(w, h), costs[i - 1][j] + _missing(w), costs[i][j - 1] + _missing(h)
            )
    reached = [0] * (len(wanted) + 1)
    i, j = len(wanted), len(heard)
    reached[i] = j
    while i > 0:
        if j > 0 and costs[i][j] == costs[i - 1][j - 1] + _differing(wanted[i - 1], heard[j - 1]):
            i, j = i - 1, j - 1
            reached[i] = j
        elif costs[i][j] == costs[i - 1][j] + _missing(wanted[i - 1]):
            i -= 1
            reached[i] = j
        else:
            j -= 1
    return costs[-1][-1], reached


def _missing(symbol: str) -> float:
    return 0.6 if symbol == _GAP else 1.0


def _differing(a: str, b: str) -> float:
    if a == b:
        return 0.0
    if _GAP in (a, b):
        return 3.0
    return 0.5 if (a in _VOWELS) == (b in _VOWELS) else 1.2
