"""What the hearing tests share: sound to listen to, word error rate; and the ear of the evaluation room."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import soundfile
import soxr
from num2words import num2words

from voice_agent.evaluation.hearing.ear import RATE_HZ, Heard, hear
from voice_agent.evaluation.hearing.speakers import trimmed

__all__ = ["FRAME", "RATE_HZ", "Heard", "Speak", "hear", "trimmed"]

FRAME = 320


def silence(seconds: float) -> np.ndarray:
    return np.zeros(int(seconds * RATE_HZ), dtype=np.float32)


def at_16_khz(samples: np.ndarray, rate_hz: int) -> np.ndarray:
    mono = samples.mean(axis=1) if samples.ndim > 1 else samples
    return soxr.resample(mono.astype(np.float32), rate_hz, RATE_HZ)


def read_sound(path: Path) -> np.ndarray:
    return at_16_khz(*soundfile.read(path, dtype="float32"))


def plain_words(text: str) -> list[str]:
    """Lower case, numbers spelled out, no punctuation."""
    text = re.sub(r"\d+", lambda number: f" {num2words(int(number[0]))} ", text.lower().replace("km", "kilometers"))
    return re.findall(r"[a-z']+", text)


def word_errors(said: str, heard: str) -> int:
    """Insertions, deletions and substitutions between two texts."""
    return edit_distance(plain_words(said), plain_words(heard))


def edit_distance(one: Sequence[str], other: Sequence[str]) -> int:
    row = list(range(len(other) + 1))
    for i, a in enumerate(one, 1):
        diagonal, row[0] = row[0], i
        for j, b in enumerate(other, 1):
            diagonal, row[j] = row[j], min(row[j] + 1, row[j - 1] + 1, diagonal + (a != b))
    return row[-1]


Speak = Callable[[str], np.ndarray]
