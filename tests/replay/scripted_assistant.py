"""An assistant of rules and tones, for tests of the sound card that talks to it: no model, the same events.

It hears by loudness, thinks one `Thought` each 0.1 s, plays a tone of 3 s after the first second of that, and stops for
whoever speaks over it.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from anyio.streams.memory import MemoryObjectReceiveStream

from voice_agent.clock import Clock
from voice_agent.events import (
    AudioFrame,
    AudioStarted,
    AudioStopped,
    Clause,
    Interrupted,
    ModelCall,
    Paused,
    Sounded,
    SpeechEnded,
    SpeechStarted,
    Thought,
    TurnEnded,
    Written,
)
from voice_agent.record.summary import TurnRecord
from voice_agent.record.trace import Trace

ANSWER = "It is eighty kilometers per hour."
LOUD = 0.02


@dataclass
class ToneSpeaker:
    """A loudspeaker that plays what is left of a tone."""

    rate_hz: int = 22_050
    left: int = 0
    position: int = 0

    def pull(self, n: int) -> np.ndarray:
        times = np.arange(self.position, self.position + n) / self.rate_hz
        sound = (0.3 * np.sin(2 * np.pi * 220 * times)).astype(np.float32)
        sound[max(0, self.left) :] = 0.0
        self.position += n
        self.left = max(0, self.left - n)
        return sound


@dataclass
class Assistant:
    clock: Clock
    trace: Trace
    speaker: ToneSpeaker
    turns: list[TurnRecord] = field(default_factory=list)
    speaking: bool = False
    answering: bool = False
    frames: int = 0

    def is_idle(self) -> bool:
        return not (self.speaking or self.answering or self.speaker.left)

    async def run(self, frames: MemoryObjectReceiveStream[AudioFrame]) -> None:
        last_loud_s, answer_at_s, thoughts = -1.0, np.inf, 0
        async for frame in frames:
            self.frames += 1
            loud = float(np.abs(frame.samples).max()) > LOUD
            if loud and not self.speaking:
                self.speaking = True
                self.trace.record(SpeechStarted(frame.start_s))
                if self.answering:
                    self._stop()
            last_loud_s = frame.end_s if loud else last_loud_s
            if self.speaking and frame.end_s - last_loud_s > 0.3:
                self.speaking = False
                self.trace.record(SpeechEnded(last_loud_s))
                self.trace.record(TurnEnded(last_loud_s))
                if not self.turns:
                    self.turns.append(TurnRecord("How fast is it?", self.clock.now_s(), 10, 6))
                    self.answering, answer_at_s = True, frame.end_s + 1.0
            if self.answering and frame.end_s < answer_at_s and self.frames % 5 == 0:
                thoughts += 1
                self.trace.record(ModelCall("language", 2, 2, 70.0))
                self.trace.record(Thought(f" thought {thoughts}", thoughts))
            if self.answering and frame.end_s >= answer_at_s:
                answer_at_s = np.inf
                self._answer()
            if self.answering and answer_at_s == np.inf and not self.speaker.left:
                self.answering = False
                self.trace.record(Sounded(ANSWER, 1))
                self.trace.record(AudioStopped(1))

    def _answer(self) -> None:
        self.trace.record(Written(ANSWER, 11, 1))
        self.trace.record(Clause(ANSWER, 1, "model"))
        self.trace.record(AudioStarted(1))
        self.speaker.left = 3 * self.speaker.rate_hz

    def _stop(self) -> None:
        self.trace.record(Paused(1))
        self.speaker.left, self.answering = 0, False
        self.trace.record(AudioStopped(1))
        self.trace.record(Interrupted(1, "stop"))
