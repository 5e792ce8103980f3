"""Sound files of any format and rate as mono samples, and where in them somebody speaks.

read_sound(path) -> (n,) float32 at `rate_hz`
voiced_extent(samples) -> (first, last + 1) sample that is loud enough to be speech
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import soundfile
import soxr

from ..errors import UnusableInput

_WINDOW_S = 0.01
_BELOW_PEAK_DB = 35.0  # quieter than the loudest 10 ms by this much: room, not voice
_SILENCE_DBFS = -50.0


def read_sound(path: Path, rate_hz: int) -> np.ndarray:
    """The file as (n,) float32 in [-1, 1], channels averaged.

    Raises:
        UnusableInput: missing, not a sound file that libsndfile reads, or nothing but silence.
    """
    if not path.is_file():
        raise UnusableInput(
            f"there is no sound file {path}: correct the name (it is relative to the scenario's folder)"
        )
    try:
        channels, file_rate_hz = soundfile.read(path, dtype="float32", always_2d=True)
    except (soundfile.LibsndfileError, OSError) as error:
        raise UnusableInput(f"{path} cannot be read as sound ({error}): convert it to WAV, FLAC, OGG or MP3") from error
    mono = channels.mean(axis=1)
    if not np.isfinite(mono).all():
        raise UnusableInput(f"{path} holds samples that are not numbers: export it again")
    resampled = soxr.resample(mono, file_rate_hz, rate_hz).astype(np.float32)
    if voiced_extent(resampled, rate_hz) is None:
        raise UnusableInput(
            f"{path} holds only silence (nothing above {_SILENCE_DBFS:g} dBFS): record it again, louder"
        )
    return resampled


def voiced_extent(samples: np.ndarray, rate_hz: int) -> tuple[int, int] | None:
    """Where the sound begins and ends, to 10 ms; None for silence."""
    window = int(_WINDOW_S * rate_hz)
    whole = len(samples) // window * window
    if not whole:
        return None
    levels_db = _decibels(np.sqrt(np.mean(samples[:whole].reshape(-1, window) ** 2, axis=1)))
    loud = np.flatnonzero(levels_db > max(_SILENCE_DBFS, levels_db.max() - _BELOW_PEAK_DB))
    return (int(loud[0]) * window, int(loud[-1] + 1) * window) if len(loud) else None


def _decibels(amplitude: np.ndarray) -> np.ndarray:
    return 20.0 * np.log10(np.maximum(amplitude, 1e-9))
