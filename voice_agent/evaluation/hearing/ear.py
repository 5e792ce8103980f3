"""Play sound into the hearing room in virtual time: what it hears, and when.

    hear(sound, recognizer, settings, judge) -> Heard

Recogniser and judge may be `remembered`: then settings that change neither sound nor readings are compared at the price
of one run.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Generic, TypeVar

import anyio
import numpy as np

from ...clock import VirtualClock, Worker, run_in_virtual_time
from ...events import AudioFrame, Failed, HearingEvent, ModelCall, Word
from ...hearing.listening import Recognizer, listen
from ...hearing.turn import Judge
from ...settings import Settings

RATE_HZ = 16_000
T = TypeVar("T")
E = TypeVar("E")


@dataclass
class Heard:
    """Events with the time at which they were sent, and every call of a model."""

    timed: list[tuple[float, HearingEvent]]
    calls: list[ModelCall | Failed]

    @property
    def events(self) -> list[HearingEvent]:
        return [event for _, event in self.timed]

    @property
    def text(self) -> str:
        """The final words."""
        return " ".join(event.text for event in self.of(Word) if event.final)

    def of(self, kind: type[E]) -> list[E]:
        return [event for event in self.events if isinstance(event, kind)]

    def at_s(self, kind: type) -> list[float]:
        return [at_s for at_s, event in self.timed if isinstance(event, kind)]


def hear(sound: np.ndarray, recognizer: Recognizer, settings: Settings, judge: Judge | None = None) -> Heard:
    """Play `sound` (n,) into `listen`."""
    return run_in_virtual_time(lambda clock: _hear(clock, sound, recognizer, settings, judge))


async def _hear(
    clock: VirtualClock, sound: np.ndarray, recognizer: Recognizer, settings: Settings, judge: Judge | None
) -> Heard:
    heard = Heard([], [])
    to_ear, frames = anyio.create_memory_object_stream[AudioFrame](5)
    events, from_ear = anyio.create_memory_object_stream[HearingEvent](5)
    worker, judge_worker = Worker("recognizer"), Worker("turn-judge")
    step = RATE_HZ * settings.hearing.frame_ms // 1000

    async def play() -> None:
        async with to_ear:
            for start in range(0, len(sound) - step + 1, step):
                await clock.sleep_until((start + step) / RATE_HZ)
                await to_ear.send(AudioFrame(start / RATE_HZ, RATE_HZ, sound[start : start + step]))

    async def collect() -> None:
        async with from_ear:
            async for event in from_ear:
                heard.timed.append((clock.now_s(), event))

    try:
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(play)
            tasks.start_soon(collect)
            await listen(
                frames,
                events,
                recognizer=recognizer,
                clock=clock,
                worker=worker,
                judge=judge,
                judge_worker=judge_worker,
                settings=settings,
                record=heard.calls.append,
            )
    finally:
        worker.close()
        judge_worker.close()
    return heard


class Remembered(Generic[T]):
    """What a model said about a stretch of sound, asked once."""

    def __init__(self, ask: Callable[[np.ndarray], T]) -> None:
        self._ask = ask
        self._known: dict[bytes, T] = {}

    def __call__(self, samples: np.ndarray) -> T:
        key = samples.tobytes()
        if key not in self._known:
            self._known[key] = self._ask(samples)
        return self._known[key]


class RememberedRecognizer:
    """A recogniser that reads no sound twice."""

    def __init__(self, recognizer: Recognizer) -> None:
        self.read: Callable[[np.ndarray], list[Word]] = Remembered(recognizer.read)


class RememberedJudge:
    """A judge of turns that judges no sound twice."""

    def __init__(self, judge: Judge) -> None:
        self.probability: Callable[[np.ndarray], float] = Remembered(judge.probability)
