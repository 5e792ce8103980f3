"""A random model as the one under test: talks nonsense, the same every time, in milliseconds."""

from __future__ import annotations

from typing import Any

from tests.reasoning.tiny_reasoner import COSTS, SETTINGS, TOKENIZER, shared_model
from voice_agent.evaluation.subject import Subject, Time
from voice_agent.reasoning.engine import Engine
from voice_agent.settings import Settings

TINY = Settings(profile="tiny", reasoning=SETTINGS, costs=COSTS)


def tiny_subject(settings: Settings = TINY, time: Time = "virtual") -> Subject:
    return Subject(Engine(shared_model(), kernel="plain"), TOKENIZER, settings, time)


def load_tiny(cls: Any, settings: Settings, time: Time = "virtual") -> Subject:
    """In place of `Subject.load`."""
    return tiny_subject(settings, time)
