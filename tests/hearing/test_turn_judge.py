"""Smart Turn on real speech: its input as transformers makes it, its verdict on questions and on hesitation."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from transformers import WhisperFeatureExtractor

from voice_agent.errors import UnusableInput
from voice_agent.hearing.turn_judge import TurnJudge

from .sounds import RATE_HZ, Speak, read_sound, silence, trimmed


def heard(speech: np.ndarray) -> np.ndarray:
    return np.concatenate([silence(0.3), trimmed(speech), silence(0.24)])


@pytest.mark.parametrize("seconds", [0.5, 8.0, 11.0])
def test_its_input_is_that_of_transformers(judge: TurnJudge, seconds: float) -> None:
    sound = np.random.default_rng(0).normal(0.0, 0.1, int(seconds * RATE_HZ)).astype(np.float32)
    whole = np.concatenate([silence(8.0), sound])[-8 * RATE_HZ :]
    extractor = WhisperFeatureExtractor(chunk_length=8)
    theirs = extractor(whole, sampling_rate=RATE_HZ, do_normalize=True, return_tensors="np").input_features[0]
    ours = judge.features(sound)
    assert ours.shape == theirs.shape == (80, 800)
    assert np.abs(ours - theirs).max() < 1e-4


@pytest.mark.parametrize("said", ["How fast is it?", "Tell me a story about a lighthouse keeper."])
def test_complete(judge: TurnJudge, speak: Speak, said: str) -> None:
    assert judge.probability(heard(speak(said))) > 0.8


@pytest.mark.parametrize("said", ["A train travels, um...", "Can you tell me, um...", "So I want to know, uh..."])
def test_hesitation(judge: TurnJudge, speak: Speak, said: str) -> None:
    assert judge.probability(heard(speak(said))) < 0.2


def test_recorded_questions(judge: TurnJudge, shared_audio: Path) -> None:
    questions = [shared_audio / name for name in ("dog-or-cat-3-nowait.mp3", "seine.mp3", "Bear-or-shark-trim.mp3")]
    assert sum(judge.probability(heard(read_sound(path))) > 0.5 for path in questions) >= 2


@pytest.mark.parametrize("samples", [0, 1, 160])
def test_hardly_any_sound(judge: TurnJudge, samples: int) -> None:
    assert 0.0 <= judge.probability(silence(1.0)[:samples]) <= 1.0


def test_a_broken_file_is_named(tmp_path: Path) -> None:
    path = tmp_path / "judge.onnx"
    path.write_bytes(b"no model")
    with pytest.raises(UnusableInput, match=r"judge\.onnx cannot be loaded"):
        TurnJudge.load(path)
