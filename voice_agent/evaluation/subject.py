"""The model under test: loaded once, then any number of conversations, each with a reasoner and a time of its own.

Subject.load(settings) -> subject.reasoner(seed) -> reasoner, its time
"""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from .. import __version__
from ..bench.machine import device
from ..model_store import find
from ..reasoning.engine import Engine
from ..reasoning.model_loading import load_language_model
from ..reasoning.prompts import wording
from ..reasoning.reasoner import AsyncReasoner
from ..settings import Reasoning, Settings
from .answering import CHARACTERS_PER_S, DeclaredTime, MeasuredTime, Timekeeper
from .datasets import fingerprint
from .runs import Line

Time = Literal["virtual", "real"]


@dataclass(frozen=True)
class Subject:
    """A model on an engine, with its tokenizer; `time` says whose seconds a conversation counts."""

    engine: Engine
    tokenizer: Any
    settings: Settings
    time: Time

    @classmethod
    def load(cls, settings: Settings, time: Time = "virtual") -> Subject:
        """Load the language model that the settings name.

        Raises:
            UnusableInput: it is missing or unusable.
        """
        language = load_language_model(find(settings.models.language), settings=settings.reasoning)
        engine = Engine(language.model, kernel=settings.reasoning.kernel, cuda_graphs=settings.reasoning.cuda_graphs)
        return cls(engine, language.tokenizer, settings, time)

    def reasoner(
        self, seed: int, reasoning: Reasoning | None = None, **options: Any
    ) -> tuple[AsyncReasoner, Timekeeper]:
        """A new conversation; `reasoning` in place of the settings' own, `options` as the reasoner takes them."""
        time = DeclaredTime(self.settings.costs) if self.time == "virtual" else MeasuredTime()
        made = AsyncReasoner(
            self.engine,
            self.tokenizer,
            settings=reasoning or self.settings.reasoning,
            record=time.charge,
            now_s=time.now_s,
            seed=seed,
            **options,
        )
        return made, time


def about_run(settings: Settings, time: Time, seed: int, dataset: str, data: Path | None) -> Line:
    """What two runs must have in common for their lines to be one run's; the questions as `load_items` takes them."""
    return {
        "version": __version__,
        "model": settings.models.language,
        "prompts": wording(),
        "reasoning": dataclasses.asdict(settings.reasoning),
        "time": time,
        "costs": dataclasses.asdict(settings.costs) if time == "virtual" else None,
        **({"device": device()} if time == "real" else {}),  # seconds of another one are other seconds
        "characters_per_s": CHARACTERS_PER_S,
        "seed": seed,
        "questions": fingerprint(dataset, data),
    }
