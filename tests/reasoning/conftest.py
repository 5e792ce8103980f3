"""Models and tokenizers that several tests of this room share."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from voice_agent.reasoning.model_loading import LoadedModel, load_language_model
from voice_agent.settings import Reasoning


@pytest.fixture(scope="session")
def smollm(tiny_language_model: Path) -> LoadedModel:
    """SmolLM2-135M with its real weights; reading the GGUF needs the gguf package."""
    pytest.importorskip("gguf")
    return load_language_model(tiny_language_model, settings=Reasoning())


@pytest.fixture(scope="session")
def smollm_tokenizer(smollm: LoadedModel) -> Any:
    return smollm.tokenizer
