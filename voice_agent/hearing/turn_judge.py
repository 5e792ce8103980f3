"""Judge by its sound whether a turn is complete.

    samples (n,) float32, 16 kHz, speech and the beginning of the silence after it -> probability in 0..1

Smart Turn v3.2 (ONNX): a Whisper encoder with a classifier, which hears intonation, lengthening and fillers and knows
no words. Its input is Whisper's log-mel spectrogram of the last 8 s, silence before them where there are fewer, scaled
to zero mean and unit variance beforehand (pipecat-ai 1.14.0, audio/turn/smart_turn, and
transformers.WhisperFeatureExtractor with do_normalize).
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnxruntime
from faster_whisper.feature_extractor import FeatureExtractor

from ..errors import UnusableInput

RATE_HZ = 16_000
HEARD_S = 8
FRAMES = 100 * HEARD_S
_VARIANCE_FLOOR = 1e-7


class TurnJudge:
    """Owns one Smart Turn model; `probability` blocks and is called by one thread at a time."""

    def __init__(self, session: onnxruntime.InferenceSession) -> None:
        self._session = session
        self._input = session.get_inputs()[0].name
        self._spectrum = FeatureExtractor(chunk_length=HEARD_S)

    @classmethod
    def load(cls, path: Path) -> TurnJudge:
        """Load the model; takes 0.1 s.

        Raises:
            UnusableInput: the file is missing or damaged.
        """
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = options.inter_op_num_threads = 1
        options.add_session_config_entry("session.intra_op.allow_spinning", "0")
        try:
            return cls(onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"]))
        except Exception as error:  # onnxruntime raises classes of its own
            raise UnusableInput(
                f"the end-of-turn model {path} cannot be loaded ({error}): fetch the model again, or set "
                "end_of_turn = 'silence' under [hearing]"
            ) from error

    def warm_up(self) -> None:
        """Judge a second of silence, so that the first real one is not the slow one."""
        self.probability(np.zeros(RATE_HZ, np.float32))

    def probability(self, samples: np.ndarray) -> float:
        """That whoever speaks in `samples` (n,) has finished; only their last 8 s count."""
        features = self.features(samples)[np.newaxis]  # (1, mels, frames)
        return float(self._session.run(None, {self._input: features})[0].reshape(-1)[0])

    def features(self, samples: np.ndarray) -> np.ndarray:
        """(80, 800) float32: log-mel spectrum of the last 8 s."""
        last = samples[-HEARD_S * RATE_HZ :].astype(np.float32)
        whole = np.pad(last, (HEARD_S * RATE_HZ - len(last), 0))
        scaled = (whole - whole.mean()) / np.sqrt(whole.var() + _VARIANCE_FLOOR)
        return np.asarray(self._spectrum(scaled, padding=0)[:, :FRAMES], np.float32)
