"""Does recognition fall behind when somebody talks for long? Lag, lost and doubled passages, and what is kept.

    monologue(say, seconds, gaps_s) -> Saying;  run_monologue(saying, recognizer, settings) -> Monologue

Lag is counted on the conversation's clock with the declared costs of readings; seconds throughout.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby

import numpy as np

from ...replay.word_error import aligned, scored_words
from ...settings import Settings
from .ear import RATE_HZ, hear
from .recognition import Metered, Saying, lags, room
from .sounds import at_level
from .speakers import Say, trimmed

NATURAL_S = (0.3, 1.0)  # between sentences
UNBROKEN_S = (0.05, 0.12)  # shorter than what ends an utterance
EDGE_S = 60.0  # the first and the last minute are compared
GROWTH_LIMIT = 0.10
LONGEST_RUN = 3  # words in a row that may be missing, or too many, before a passage is lost, or doubled


@dataclass(frozen=True)
class Monologue:
    """What came of one long saying.

    first, last: lags of the words of the first and the last minute, (median, 95th percentile). One minute has about 200
        words, the tenth largest lag of which says little: halves tells whether lag grows, minutes how much it varies.
    halves, minutes: the same of the first and the second half, and of every whole minute.
    lost, doubled: most words in a row that are missing, or too many. longest_reading_s: of sound that was read at
    once, which is all that was kept as long as it is shorter than `longest_utterance_s`.
    """

    lasts_s: float
    words: int
    errors: int
    first: tuple[float, float]
    last: tuple[float, float]
    halves: tuple[tuple[float, float], ...]
    minutes: tuple[tuple[float, float], ...]
    lost: int
    doubled: int
    longest_reading_s: float
    readings: int
    cpu_s_per_s: float

    @property
    def growth(self) -> float:
        """Of the median lag, as a share of the first minute's."""
        return self.last[0] / self.first[0] - 1

    @property
    def growth_p95(self) -> float:
        """Of the 95th percentile, as a share of the first half's."""
        return self.halves[1][1] / self.halves[0][1] - 1


def monologue(say: Say, sentences: Sequence[str], seconds: float, gaps_s: tuple[float, float], seed: int) -> Saying:
    """Sentences in drawn order, round after round, until they last so long."""
    draw = np.random.default_rng(seed)
    texts: list[str] = []
    parts, lasts = [room(0.5)], 0
    while lasts < seconds * RATE_HZ:
        for number in draw.permutation(len(sentences)):
            speech = at_level(trimmed(say(sentences[number])))
            parts += [speech, room(float(draw.uniform(*gaps_s)))]
            texts.append(sentences[number])
            lasts += len(parts[-2]) + len(parts[-1])
            if lasts >= seconds * RATE_HZ:
                break
    return Saying("monologue", " ".join(texts), np.concatenate([*parts, room(1.0)]))


def run_monologue(saying: Saying, recognizer: Metered, settings: Settings) -> Monologue:
    """Let it be heard from one end to the other."""
    begun, before_s = len(recognizer.readings), recognizer.cpu_s
    heard = hear(saying.sound, recognizer, settings)
    readings = recognizer.readings[begun:]
    pairs = aligned(scored_words(saying.text), scored_words(heard.text))
    timed = lags(heard)

    def between(from_s: float, to_s: float) -> tuple[float, float]:
        return _lag_of([lag_s for word, lag_s in timed if from_s < word.end_s <= to_s])

    return Monologue(
        lasts_s=saying.lasts_s,
        words=sum(said is not None for said, _ in pairs),
        errors=sum(said != got for said, got in pairs),
        first=between(0.0, EDGE_S),
        last=between(saying.lasts_s - EDGE_S, saying.lasts_s),
        halves=(between(0.0, saying.lasts_s / 2), between(saying.lasts_s / 2, saying.lasts_s)),
        minutes=tuple(between(start_s, start_s + 60) for start_s in range(0, int(saying.lasts_s) - 59, 60)),
        lost=longest_run([got is None for _, got in pairs]),
        doubled=longest_run([said is None for said, _ in pairs]),
        longest_reading_s=max((sound_s for sound_s, _ in readings), default=0.0),
        readings=len(readings),
        cpu_s_per_s=(recognizer.cpu_s - before_s) / saying.lasts_s,
    )


def longest_run(marks: Sequence[bool]) -> int:
    """How many marks in a row are set at most."""
    return max((len(list(group)) for is_set, group in groupby(marks) if is_set), default=0)


def _lag_of(lags_s: Sequence[float]) -> tuple[float, float]:
    if not lags_s:
        return float("nan"), float("nan")
    return float(np.median(lags_s)), float(np.percentile(lags_s, 95))
