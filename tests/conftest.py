"""What every test shares: fetched models by name, recordings, and draws that repeat.

Model fixtures fail with the sentence that says how to fetch them; `scripts/test` fetches them all beforehand.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

os.environ.setdefault("OMP_WAIT_POLICY", "passive")  # read once, when the first library with threads is loaded

import hypothesis
import pytest

if TYPE_CHECKING:
    from voice_agent.parts import Parts

hypothesis.settings.register_profile("repeatable", derandomize=True, deadline=None, database=None)
hypothesis.settings.load_profile("repeatable")


def find(name: str) -> Path:
    """A fetched model; imported late, because the tests of reasoning run where torch and transformers are alone."""
    from voice_agent import model_store

    return model_store.find(name)


@pytest.fixture(scope="session")
def recognizer_folder() -> Path:
    """faster-whisper tiny.en."""
    return find("whisper-tiny.en")


@pytest.fixture(scope="session")
def voice_path() -> Path:
    """The Piper voice's .onnx file; its .onnx.json lies beside it."""
    return find("en_US-joe-medium")


@pytest.fixture(scope="session")
def turn_judge_path() -> Path:
    """Smart Turn v3.2."""
    return find("smart-turn-v3.2")


@pytest.fixture(scope="session")
def tiny_language_model() -> Path:
    """SmolLM2-135M as a GGUF file: fast, reasons badly."""
    return find("smollm2-135m-instruct-q4_1")


@pytest.fixture(scope="session")
def language_model() -> Path:
    """The default profile's language model as a GGUF file."""
    return find("qwen2.5-coder-1.5b-instruct-q4_k_m")


@pytest.fixture(scope="module")
def parts() -> Iterator[Parts]:
    """All models of the tiny profile, each with its thread; the voice repeats itself."""
    from voice_agent.parts import load_parts

    from .whole_conversation import TINY

    loaded = load_parts(TINY)
    yield loaded
    loaded.workers.close()


@pytest.fixture(scope="session")
def shared_audio() -> Path:
    """Recordings of real speakers that lie beside a checkout and are not part of it."""
    folder = Path(__file__).resolve().parents[2] / "shared" / "audio"
    if not folder.is_dir():
        pytest.skip(f"no recordings in {folder}")
    return folder


@pytest.fixture(scope="session")
def anyio_backend() -> str:
    return "asyncio"
