"""The real parts of a conversation, loaded side by side: language model, recogniser, voice, judge of turns.

settings -> load_parts -> Parts; each part with the thread that owns it

Each loader imports its room itself: while transformers is imported, which takes longest, weights are read and the voice
is made ready. So what builds a conversation must not import those rooms before the parts are there.
"""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from .clock import Worker
from .errors import UnusableInput
from .model_store import find
from .process import step_back
from .settings import Settings

if TYPE_CHECKING:
    from .hearing.turn_judge import TurnJudge
    from .hearing.word_recognizer import WordRecognizer
    from .reasoning.model_loading import LoadedModel
    from .speaking.voice import Voice

T = TypeVar("T")
MOST_NICENESS = 19


@dataclass(frozen=True)
class Workers:
    """One thread per model, so that each is owned by one."""

    language: Worker
    recognizer: Worker
    voice: Worker
    turn_judge: Worker

    def close(self) -> None:
        for worker in (self.language, self.recognizer, self.voice, self.turn_judge):
            worker.close()


@dataclass(frozen=True)
class Parts:
    language: LoadedModel
    recognizer: WordRecognizer
    voice: Voice
    turn_judge: TurnJudge | None  # None: silence alone ends a turn
    workers: Workers

    @property
    def device(self) -> str:
        """Where the language model runs, and how: for reports."""
        facts = self.language.facts
        return f"{facts.device} ({facts.name}, {facts.kernel} kernel)"


def load_parts(settings: Settings, tell: Callable[[str], None] = lambda ready: None, seed: int = 0) -> Parts:
    """Load all of them at once; `tell` hears the name of each part that is ready; `seed` is the voice's.

    Raises:
        UnusableInput: a model is missing, broken, or too large for this machine; a niceness out of range.
    """

    def language(path: Path) -> LoadedModel:
        from .reasoning.model_loading import load_language_model

        return load_language_model(path, settings=settings.reasoning)

    def recognizer(path: Path) -> WordRecognizer:
        from .hearing.word_recognizer import WordRecognizer

        loaded = WordRecognizer.load(path, settings.hearing)
        loaded.warm_up()
        return loaded

    def voice(path: Path) -> Voice:
        from .speaking.voice import Voice

        return Voice.load(path, settings.speaking, seed)

    def turn_judge(path: Path) -> TurnJudge:
        from .hearing.turn_judge import TurnJudge

        loaded = TurnJudge.load(path)
        loaded.warm_up()
        return loaded

    workers = Workers(
        Worker("language-model"),
        _worker("recognizer", settings.hearing.recognizer_niceness),
        _worker("voice", settings.speaking.voice_niceness),
        _worker("turn-judge", settings.hearing.recognizer_niceness),
    )

    def load(what: str, worker: Worker, loader: Callable[[Path], T], model: str) -> Future[T]:
        loading = worker.submit(partial(loader, find(model)))
        loading.add_done_callback(lambda done: None if done.exception() else tell(what))
        return loading

    try:
        loading_language = load("language model", workers.language, language, settings.models.language)
        loading_recognizer = load("recogniser", workers.recognizer, recognizer, settings.models.recognizer)
        loading_voice = load("voice", workers.voice, voice, settings.models.voice)
        if settings.hearing.end_of_turn == "smart-turn":
            judge = load("end of turn", workers.turn_judge, turn_judge, settings.models.turn_judge).result()
        else:
            judge = None
        return Parts(loading_language.result(), loading_recognizer.result(), loading_voice.result(), judge, workers)
    except BaseException:
        workers.close()
        raise


def _worker(name: str, niceness: int) -> Worker:
    """A part is loaded by the thread that will own it: the threads that its library starts inherit the niceness."""
    if not 0 <= niceness <= MOST_NICENESS:
        raise UnusableInput(
            f"the niceness of the {name} must be 0 to {MOST_NICENESS}, not {niceness}: correct the setting"
        )
    worker = Worker(name)
    worker.submit(partial(step_back, niceness))
    return worker
