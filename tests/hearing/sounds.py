"""What the hearing tests share: sound to listen to, a conversation's ear in virtual time, word error rate."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import anyio
import numpy as np
import soundfile
import soxr
from num2words import num2words

from voice_agent.clock import VirtualClock, Worker, run_in_virtual_time
from voice_agent.events import AudioFrame, Failed, HearingEvent, ModelCall, Word
from voice_agent.hearing.listening import Recognizer, listen
from voice_agent.hearing.turn import Judge
from voice_agent.settings import Settings

RATE_HZ = 16_000
FRAME = 320


@dataclass
class Heard:
    """Events with the time at which they were sent, and every reading."""

    timed: list[tuple[float, HearingEvent]]
    calls: list[ModelCall | Failed]

    @property
    def events(self) -> list[HearingEvent]:
        return [event for _, event in self.timed]

    @property
    def text(self) -> str:
        return " ".join(event.text for event in self.events if isinstance(event, Word) and event.final)

    def of(self, kind: type) -> list[HearingEvent]:
        return [event for event in self.events if isinstance(event, kind)]

    def at_s(self, kind: type) -> list[float]:
        return [at_s for at_s, event in self.timed if isinstance(event, kind)]


def hear(sound: np.ndarray, recognizer: Recognizer, settings: Settings, judge: Judge | None = None) -> Heard:
    """Play `sound` (n,) into `listen` in virtual time."""
    return run_in_virtual_time(lambda clock: _hear(clock, sound, recognizer, settings, judge))


async def _hear(
    clock: VirtualClock, sound: np.ndarray, recognizer: Recognizer, settings: Settings, judge: Judge | None
) -> Heard:
    heard = Heard([], [])
    to_ear, frames = anyio.create_memory_object_stream[AudioFrame](5)
    events, from_ear = anyio.create_memory_object_stream[HearingEvent](5)
    worker, judge_worker = Worker("recognizer"), Worker("turn-judge")

    async def play() -> None:
        async with to_ear:
            for start in range(0, len(sound) - FRAME + 1, FRAME):
                await clock.sleep_until((start + FRAME) / RATE_HZ)
                await to_ear.send(AudioFrame(start / RATE_HZ, RATE_HZ, sound[start : start + FRAME]))

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


def silence(seconds: float) -> np.ndarray:
    return np.zeros(int(seconds * RATE_HZ), dtype=np.float32)


def trimmed(speech: np.ndarray) -> np.ndarray:
    """From the first loud sample to the last."""
    loud = np.flatnonzero(np.abs(speech) > 0.02 * np.abs(speech).max())
    return speech[loud[0] : loud[-1] + 1]


def at_16_khz(samples: np.ndarray, rate_hz: int) -> np.ndarray:
    mono = samples.mean(axis=1) if samples.ndim > 1 else samples
    return soxr.resample(mono.astype(np.float32), rate_hz, RATE_HZ)


def read_sound(path: Path) -> np.ndarray:
    return at_16_khz(*soundfile.read(path, dtype="float32"))


def plain_words(text: str) -> list[str]:
    """Lower case, numbers spelled out, no punctuation."""
    text = re.sub(r"\d+", lambda number: f" {num2words(int(number[0]))} ", text.lower().replace("km", "kilometers"))
    return re.findall(r"[a-z']+", text)


def word_errors(said: str, heard: str) -> int:
    """Insertions, deletions and substitutions between two texts."""
    return edit_distance(plain_words(said), plain_words(heard))


def edit_distance(one: Sequence[str], other: Sequence[str]) -> int:
    row = list(range(len(other) + 1))
    for i, a in enumerate(one, 1):
        diagonal, row[0] = row[0], i
        for j, b in enumerate(other, 1):
            diagonal, row[j] = row[j], min(row[j] + 1, row[j - 1] + 1, diagonal + (a != b))
    return row[-1]


Speak = Callable[[str], np.ndarray]
