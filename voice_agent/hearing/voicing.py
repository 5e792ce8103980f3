"""Is there a voice in this stretch of sound? Two judges with one way in.

    AudioFrame -> Voicing.push -> [Stretch]: adjoining stretches of sound, each voiced or not

WebrtcVoicing   webrtcvad: a mixture model of band energies, frame by frame
SileroVoicing   Silero VAD v6 (ONNX, in the package of faster-whisper): a small recurrent net, windows of 32 ms

Both keep what they remember of the sound before; neither decides when speech begins (speech_detector.py). Sound is
16 kHz; times in seconds.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Protocol

import numpy as np
import webrtcvad

from ..errors import UnusableInput
from ..events import AudioFrame
from ..settings import Hearing

if TYPE_CHECKING:
    import onnxruntime

SILERO_WINDOW = 512  # samples
SILERO_CONTEXT = 64  # samples before the window that the net sees again (faster_whisper/vad.py)
SILERO_STATE = (1, 1, 128)


@dataclass(frozen=True)
class Stretch:
    """Sound from start_s to end_s, with or without a voice."""

    voiced: bool
    start_s: float
    end_s: float


class Voicing(Protocol):
    """length_ms: of every stretch that `push` returns."""

    length_ms: int

    def push(self, frame: AudioFrame) -> list[Stretch]: ...


def voicing_of(settings: Hearing) -> Voicing:
    """The judge that the settings name.

    Raises:
        UnusableInput: its model cannot be loaded.
    """
    return SileroVoicing(settings) if settings.detector == "silero" else WebrtcVoicing(settings)


class WebrtcVoicing:
    """webrtcvad, frame by frame."""

    def __init__(self, settings: Hearing) -> None:
        self.length_ms = settings.frame_ms
        self._minimum_level_dbfs = settings.minimum_level_dbfs
        self._vad = webrtcvad.Vad(settings.detector_mode)

    def push(self, frame: AudioFrame) -> list[Stretch]:
        # Judged first, whatever the level: webrtcvad follows the noise floor and must see every frame.
        voiced = self._vad.is_speech(to_int16(frame.samples).tobytes(), frame.rate_hz)
        loud = level_dbfs(frame.samples) >= self._minimum_level_dbfs
        return [Stretch(bool(voiced) and loud, frame.start_s, frame.end_s)]


class SileroVoicing:
    """Silero VAD over windows of 512 samples, with its state from window to window."""

    length_ms = 1000 * SILERO_WINDOW // 16_000

    def __init__(self, settings: Hearing) -> None:
        self._settings = settings
        self._session = _silero()
        self._waiting = np.zeros(0, np.float32)  # sound that does not fill a window yet
        self._voiced = False
        self._h, self._c = np.zeros(SILERO_STATE, np.float32), np.zeros(SILERO_STATE, np.float32)
        self._context = np.zeros(SILERO_CONTEXT, np.float32)

    def push(self, frame: AudioFrame) -> list[Stretch]:
        self._waiting = np.concatenate([self._waiting, frame.samples.astype(np.float32)])
        found = []
        while len(self._waiting) >= SILERO_WINDOW:
            window, self._waiting = self._waiting[:SILERO_WINDOW], self._waiting[SILERO_WINDOW:]
            end_s = frame.end_s - len(self._waiting) / frame.rate_hz
            found.append(Stretch(self._is_voiced(window), end_s - SILERO_WINDOW / frame.rate_hz, end_s))
        return found

    def _is_voiced(self, window: np.ndarray) -> bool:
        needed = self._settings.voice_stays_above if self._voiced else self._settings.voice_above
        probability = self._probability(window)
        self._voiced = probability >= needed and level_dbfs(window) >= self._settings.minimum_level_dbfs
        return self._voiced

    def _probability(self, window: np.ndarray) -> float:
        """That there is a voice in window (512,), after all before it."""
        seen = np.concatenate([self._context, window])[np.newaxis]  # (1, 576)
        probability, self._h, self._c = self._session.run(None, {"input": seen, "h": self._h, "c": self._c})
        self._context = window[-SILERO_CONTEXT:]
        return float(probability.reshape(-1)[0])


@cache
def _silero() -> onnxruntime.InferenceSession:
    """One session for all: what a conversation remembers is in `SileroVoicing`."""
    import onnxruntime  # both take long, and are imported by the threads that load the parts
    from faster_whisper.utils import get_assets_path

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    try:
        path = f"{get_assets_path()}/silero_vad_v6.onnx"
        return onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])
    except Exception as error:  # onnxruntime raises classes of its own
        raise UnusableInput(
            f"the speech detector of the package faster-whisper cannot be loaded ({error}): install faster-whisper "
            "1.2.1, or set detector = 'webrtc' under [hearing]"
        ) from error


def to_int16(samples: np.ndarray) -> np.ndarray:
    """float [-1, 1] -> int16, clipped."""
    return (np.clip(samples, -1.0, 1.0) * 32767.0).astype(np.int16)


def level_dbfs(samples: np.ndarray) -> float:
    """Root mean square in dB below full scale; -120 for digital silence."""
    power = float(np.mean(np.square(samples, dtype=np.float64))) if len(samples) else 0.0
    return 10.0 * float(np.log10(max(power, 1e-12)))
