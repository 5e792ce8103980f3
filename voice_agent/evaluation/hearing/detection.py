"""Speech detection against labels: what is missed, what is made up, and how late speech is known.

    scenes(say) -> labelled speech with pauses;  detect(sound, settings) -> [Detected];  score(...) -> Score
    false_starts(noise, settings) -> starts of speech in what is none

Labels are where the clean speech is within 35 dB of its peak, to 10 ms, pauses below 0.3 s filled (the detector fills
them too, up to `speech_end_ms`). Seconds throughout.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ...events import AudioFrame, SpeechStarted
from ...hearing.speech_detector import SpeechDetector
from ...settings import Hearing
from .ear import RATE_HZ
from .sounds import silence
from .speakers import Say, trimmed

FILLED_PAUSE_S = 0.3
GRID_S = 0.01
EARLY_S = 0.5  # an onset before that belongs to something else
_BELOW_PEAK_DB = 35.0
Span = tuple[float, float]


@dataclass(frozen=True)
class Scene:
    """Clean speech (n,) and where in it somebody speaks."""

    speech: np.ndarray
    spoken: list[Span]


@dataclass(frozen=True)
class Detected:
    """One stretch that the detector took for speech; known_s: when it said so."""

    onset_s: float
    end_s: float
    known_s: float


@dataclass(frozen=True)
class Score:
    """error: missed and made up time over spoken time. onset_delays_s: of the utterances that were found."""

    spoken_s: float
    missed_s: float
    made_up_s: float
    onset_delays_s: list[float]
    utterances: int

    @property
    def error(self) -> float:
        return (self.missed_s + self.made_up_s) / self.spoken_s


def scene_of(texts: Sequence[str], say: Say, draw: np.random.Generator) -> Scene:
    """The texts one after the other, with 1 to 2.5 s between them."""
    parts, spoken, at_s = [silence(1.0)], [], 1.0
    for text in texts:
        speech = trimmed(say(text))
        spoken += [(at_s + start_s, at_s + end_s) for start_s, end_s in spans_of(speech)]
        pause_s = round(float(draw.uniform(1.0, 2.5)), 2)
        parts += [speech, silence(pause_s)]
        at_s += len(speech) / RATE_HZ + pause_s
    return Scene(np.concatenate(parts), spoken)


def spans_of(speech: np.ndarray) -> list[Span]:
    """Where clean speech is loud, short pauses filled."""
    window = int(GRID_S * RATE_HZ)
    whole = len(speech) // window * window
    levels_db = 10 * np.log10(np.mean(speech[:whole].reshape(-1, window).astype(np.float64) ** 2, axis=1) + 1e-12)
    loud = np.flatnonzero(levels_db > levels_db.max() - _BELOW_PEAK_DB)
    gaps = np.flatnonzero(np.diff(loud) * GRID_S > FILLED_PAUSE_S)
    starts, ends = np.concatenate([[0], gaps + 1]), np.concatenate([gaps, [len(loud) - 1]])
    return [(loud[a] * GRID_S, (loud[b] + 1) * GRID_S) for a, b in zip(starts, ends, strict=True)]


def detect(sound: np.ndarray, settings: Hearing) -> list[Detected]:
    """What the detector of the settings makes of sound (n,)."""
    detector, step, found = SpeechDetector(settings), RATE_HZ * settings.frame_ms // 1000, []
    onset_s = known_s = 0.0
    for start in range(0, len(sound) - step + 1, step):
        frame = AudioFrame(start / RATE_HZ, RATE_HZ, sound[start : start + step])
        for event in detector.push(frame):
            if isinstance(event, SpeechStarted):
                onset_s, known_s = event.onset_s, frame.end_s
            else:
                found.append(Detected(onset_s, event.end_s, known_s))
    return found + [Detected(onset_s, ended.end_s, known_s) for ended in detector.finish()]


def score(scene: Scene, found: Sequence[Detected]) -> Score:
    """Compare on a grid of 10 ms."""
    cells = round(len(scene.speech) / RATE_HZ / GRID_S)
    truth = _grid(scene.spoken, cells)
    heard = _grid([(one.onset_s, one.end_s) for one in found], cells)
    delays_s = []
    for start_s, end_s in scene.spoken:
        known = [one.known_s for one in found if start_s - EARLY_S <= one.onset_s < end_s and one.end_s > start_s]
        if known:
            delays_s.append(min(known) - start_s)
    return Score(
        float(truth.sum()) * GRID_S,
        float((truth & ~heard).sum()) * GRID_S,
        float((heard & ~truth).sum()) * GRID_S,
        delays_s,
        len(scene.spoken),
    )


def _grid(spans: Sequence[Span], cells: int) -> np.ndarray:
    grid = np.zeros(cells, bool)
    for start_s, end_s in spans:
        grid[round(start_s / GRID_S) : round(end_s / GRID_S)] = True
    return grid


def total(scores: Sequence[Score]) -> Score:
    """Several scenes as one."""
    return Score(
        sum(one.spoken_s for one in scores),
        sum(one.missed_s for one in scores),
        sum(one.made_up_s for one in scores),
        [delay_s for one in scores for delay_s in one.onset_delays_s],
        sum(one.utterances for one in scores),
    )
