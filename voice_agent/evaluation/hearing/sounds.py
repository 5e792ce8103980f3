"""What is no speech, drawn from a seed, and mixtures of it with speech.

    NOISES[name](seconds, draw) -> (n,) float32 at 16 kHz, -26 dBFS
    mixed(speech, noise, snr_db) -> their sum, speech at -26 dBFS (where it speaks)

Levels are root mean squares of what is loud: pauses do not count, so that a cough a second is as loud as a hum.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from .ear import RATE_HZ

LEVEL_DBFS = -26.0
_LOUD_BELOW_PEAK_DB = 25.0
_WINDOW = RATE_HZ // 100
Noise = Callable[[float, np.random.Generator], np.ndarray]


def silence(seconds: float) -> np.ndarray:
    return np.zeros(int(seconds * RATE_HZ), np.float32)


def at_level(sound: np.ndarray, level_dbfs: float = LEVEL_DBFS) -> np.ndarray:
    """The sound so loud that its loud 10 ms windows have this root mean square; nothing stays nothing."""
    loud_rms = _loud_rms(sound)
    return np.asarray(sound * (10 ** (level_dbfs / 20) / loud_rms) if loud_rms else sound, np.float32)


def mixed(speech: np.ndarray, noise: np.ndarray, snr_db: float | None) -> np.ndarray:
    """Speech (n,) in noise (>= n,); None: without it."""
    if snr_db is None:
        return at_level(speech)
    sum_ = at_level(speech) + at_level(noise[: len(speech)], LEVEL_DBFS - snr_db)
    return np.asarray(np.clip(sum_, -1.0, 1.0), np.float32)


def _loud_rms(sound: np.ndarray) -> float:
    whole = len(sound) // _WINDOW * _WINDOW
    powers = np.mean(sound[:whole].reshape(-1, _WINDOW).astype(np.float64) ** 2, axis=1) if whole else np.zeros(1)
    loud = powers[powers > powers.max() * 10 ** (-_LOUD_BELOW_PEAK_DB / 10)]
    return float(np.sqrt(loud.mean())) if len(loud) else 0.0


# --- the noises -------------------------------------------------------------------------------------------------------


def _times_s(seconds: float) -> np.ndarray:
    return np.arange(int(seconds * RATE_HZ)) / RATE_HZ


def _band(sound: np.ndarray, low_hz: float, high_hz: float) -> np.ndarray:
    """Only what lies between two frequencies, with soft edges of a fifth."""
    spectrum, hz = np.fft.rfft(sound), np.fft.rfftfreq(len(sound), 1 / RATE_HZ)
    rise = np.clip((hz - 0.8 * low_hz) / (0.2 * low_hz + 1e-9), 0.0, 1.0)
    fall = np.clip((1.2 * high_hz - hz) / (0.2 * high_hz), 0.0, 1.0)
    return np.fft.irfft(spectrum * rise * fall, len(sound))


def _placed(seconds: float, starts_s: np.ndarray, make: Callable[[], np.ndarray]) -> np.ndarray:
    """One sound after another, from its start on."""
    sound = np.zeros(int(seconds * RATE_HZ))
    for start in (starts_s * RATE_HZ).astype(int):
        one = make()[: len(sound) - start]
        sound[start : start + len(one)] += one
    return sound


def _every(seconds: float, period_s: float, draw: np.random.Generator) -> np.ndarray:
    """Starts about a period apart, the first after half of one."""
    count = max(1, int(seconds / period_s))
    return (np.arange(count) + 0.5 + draw.uniform(-0.2, 0.2, count)) * period_s


def cough(seconds: float, draw: np.random.Generator) -> np.ndarray:
    """Two bursts of breath through a throat, every three seconds."""

    def one() -> np.ndarray:
        bursts = [draw.normal(size=int(0.35 * RATE_HZ)) * _burst(0.35, 0.01, draw.uniform(0.05, 0.1)) for _ in range(2)]
        at_s, throat_hz = _times_s(0.35), draw.uniform(350, 600)
        voiced = 0.4 * np.sign(np.sin(2 * np.pi * draw.uniform(140, 260) * at_s)) * _burst(0.35, 0.03, 0.06)
        return _band(np.concatenate([bursts[0], 0.7 * bursts[1] + voiced]), throat_hz, 3500)

    return at_level(_placed(seconds, _every(seconds, 3.0, draw), one))


def door(seconds: float, draw: np.random.Generator) -> np.ndarray:
    """A slam: a thud of a few low resonances and a crack, every three seconds."""

    def one() -> np.ndarray:
        at_s = _times_s(0.6)
        thud = sum(
            np.sin(2 * np.pi * hz * at_s + draw.uniform(0, 6)) * np.exp(-at_s / draw.uniform(0.05, 0.15))
            for hz in draw.uniform(60, 320, 6)
        )
        return np.asarray(thud + draw.normal(size=len(at_s)) * np.exp(-at_s / 0.012))

    return at_level(_placed(seconds, _every(seconds, 3.0, draw), one))


def typing(seconds: float, draw: np.random.Generator) -> np.ndarray:
    """Keys, six a second, each down and up."""

    def one() -> np.ndarray:
        at_s = _times_s(0.1)
        clicks = draw.normal(size=len(at_s)) * (np.exp(-at_s / 0.004) + 0.4 * np.roll(np.exp(-at_s / 0.003), 900))
        return _band(clicks, draw.uniform(900, 2000), draw.uniform(4000, 7000))

    return at_level(_placed(seconds, _every(seconds, 1 / 6, draw), one))


def music(seconds: float, draw: np.random.Generator) -> np.ndarray:
    """A melody over chords: plucked notes with harmonics, a beat under them."""
    notes_hz = 220 * 2 ** (np.array([0, 2, 3, 5, 7, 8, 10, 12, 14, 15]) / 12)

    def note() -> np.ndarray:
        at_s, hz = _times_s(0.9), draw.choice(notes_hz)
        tones = sum(np.sin(2 * np.pi * n * hz * at_s) / n**1.3 for n in range(1, 8))
        return np.asarray(tones * _burst(0.9, 0.01, 0.3))

    def chord() -> np.ndarray:
        at_s, root_hz = _times_s(2.2), draw.choice(notes_hz[:4]) / 2
        tones = sum(
            np.sin(2 * np.pi * n * r * root_hz * at_s) / n for r in (1, 2 ** (4 / 12), 1.5) for n in range(1, 5)
        )
        return np.asarray(0.5 * tones * _burst(2.2, 0.05, 1.5))

    def beat() -> np.ndarray:
        return draw.normal(size=int(0.05 * RATE_HZ)) * _burst(0.05, 0.001, 0.01)

    parts = ((0.4, note), (2.0, chord), (0.5, beat))
    placed = [_placed(seconds, _every(seconds, period_s, draw), make) for period_s, make in parts]
    return at_level(np.sum(placed, axis=0))


def hum(seconds: float, draw: np.random.Generator) -> np.ndarray:
    """A mains transformer or a fan: harmonics of 50 Hz and a little air."""
    at_s = _times_s(seconds)
    tones = sum(np.sin(2 * np.pi * 50 * n * at_s + draw.uniform(0, 6)) / n for n in (1, 2, 3, 4, 6, 8))
    return at_level(tones + _band(0.2 * draw.normal(size=len(at_s)), 100, 1500))


def hiss(seconds: float, draw: np.random.Generator) -> np.ndarray:
    """White noise."""
    return at_level(draw.normal(size=int(seconds * RATE_HZ)))


def breath(seconds: float, draw: np.random.Generator) -> np.ndarray:
    """Breathing near the microphone, every three seconds."""

    def one() -> np.ndarray:
        drawn = draw.normal(size=int(1.2 * RATE_HZ)) * np.hanning(int(1.2 * RATE_HZ))
        return _band(drawn, draw.uniform(300, 600), draw.uniform(2500, 5000))

    return at_level(_placed(seconds, _every(seconds, 3.0, draw), one))


def _burst(seconds: float, rise_s: float, fall_s: float) -> np.ndarray:
    at_s = _times_s(seconds)
    return np.asarray(np.minimum(at_s / rise_s, 1.0) * np.exp(-np.maximum(at_s - rise_s, 0.0) / fall_s))


NOISES: dict[str, Noise] = {
    "cough": cough,
    "door": door,
    "typing": typing,
    "music": music,
    "hum": hum,
    "hiss": hiss,
    "breath": breath,
}
