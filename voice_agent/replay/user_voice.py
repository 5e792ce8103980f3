"""The scripted user's voice: text in, speech out, from hibari-tts ("heart"), kept on disk so that it is made once.

UserVoice.say(text) -> (n,) float32 at 16 kHz, trimmed to the spoken part
"""

from __future__ import annotations

import hashlib
import importlib.metadata
import os
from pathlib import Path
from typing import Any

import numpy as np
import soxr

from ..errors import UnusableInput
from .sound_files import voiced_extent

RATE_HZ = 16_000
_MARGIN_S = 0.03  # kept before and after the voice, so that no onset is clipped


class UserVoice:
    """Speaks the `say` items of scenarios; the model is loaded at the first text that is not in `folder` yet."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._model: Any = None

    def say(self, text: str) -> np.ndarray:
        """The text as speech; equal texts give equal samples.

        Raises:
            UnusableInput: the package is not installed, or the text holds nothing that can be spoken.
        """
        try:
            version = importlib.metadata.version("hibari-tts")
        except importlib.metadata.PackageNotFoundError as error:
            raise UnusableInput(
                "the voice of `say` items is not installed: run scripts/setup, or pip install 'voice-agent[fixtures]'"
            ) from error
        key = hashlib.sha256(f"{version}\n{text}".encode()).hexdigest()[:32]
        path = self._folder / f"{key}.npy"
        if path.is_file():
            cached: np.ndarray = np.load(path)
            return cached
        samples = self._synthesize(text)
        self._folder.mkdir(parents=True, exist_ok=True)
        partial = path.with_suffix(f".{os.getpid()}.partial")
        with partial.open("wb") as file:
            np.save(file, samples)
        partial.replace(path)
        return samples

    def _synthesize(self, text: str) -> np.ndarray:
        import hibari

        if self._model is None:
            self._model = hibari.Hibari(voice="heart", threads=1)
        spoken = self._model(text, seed=0)
        samples = soxr.resample(spoken, hibari.SAMPLE_RATE, RATE_HZ).astype(np.float32)
        extent = voiced_extent(samples, RATE_HZ)
        if extent is None:
            raise UnusableInput(f"the scripted user cannot say {text!r}: nothing in it is spoken")
        margin = int(_MARGIN_S * RATE_HZ)
        return np.ascontiguousarray(samples[max(0, extent[0] - margin) : extent[1] + margin])
