"""The real recogniser and a speaking user for the hearing tests."""

from __future__ import annotations

from functools import cache
from pathlib import Path

import pytest

from voice_agent.hearing.turn_judge import TurnJudge
from voice_agent.hearing.word_recognizer import WordRecognizer
from voice_agent.settings import Hearing

from .sounds import Speak, at_16_khz


@pytest.fixture(scope="session")
def recognizer(recognizer_folder: Path) -> WordRecognizer:
    loaded = WordRecognizer.load(recognizer_folder, Hearing())
    loaded.warm_up()
    return loaded


@pytest.fixture(scope="session")
def judge(turn_judge_path: Path) -> TurnJudge:
    return TurnJudge.load(turn_judge_path)


@pytest.fixture(scope="session")
def speak() -> Speak:
    """Text to speech of the fixture voice, 16 kHz."""
    hibari = pytest.importorskip("hibari", reason="the fixture voice is not installed (extra 'fixtures')")
    voice = hibari.Hibari()
    return cache(lambda text: at_16_khz(voice(text), hibari.SAMPLE_RATE))
