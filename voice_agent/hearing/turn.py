"""The turn that is being spoken: its events on their way out, its silences judged, its end on the clock.

    hearing events -> Turn.tell -> the same, and TurnEnded once its silence has lasted
    AudioFrame -> Turn.hear;  at every SpeechEnded the utterance's sound goes to the judge, on its own thread

When the turn ends is decided in end_of_turn.py. The judge hears the newest utterance alone: with what was said before
a pause it takes one complete question in four for an incomplete one, without it one in forty (of the fixture voice;
scripts/compare_end_of_turn makes the turns). A judge that breaks is recorded and not asked again: from then on a
plain timer ends the turns. Times in seconds on the conversation's clock.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from typing import Protocol

import anyio
import numpy as np
from anyio.abc import TaskGroup
from anyio.streams.memory import MemoryObjectSendStream

from ..clock import Clock, Worker
from ..events import AudioFrame, Failed, HearingEvent, ModelCall, SpeechEnded, SpeechStarted, Word
from ..settings import Settings
from .end_of_turn import EndOfTurn, SilenceJudged
from .utterance import TOLERANCE_S

JUDGED_S = 8.0  # of sound, the most that a judge hears


class Judge(Protocol):
    """What a turn needs of a `TurnJudge`."""

    def probability(self, samples: np.ndarray) -> float: ...


class Turn:
    """One turn after the other. `watch` must run as long as events are told."""

    def __init__(
        self,
        events: MemoryObjectSendStream[HearingEvent],
        clock: Clock,
        settings: Settings,
        judge: Judge | None,
        worker: Worker,
        record: Callable[[ModelCall | Failed], None],
    ) -> None:
        self._events, self._clock, self._settings = events, clock, settings
        self._judge, self._worker, self._record = judge, worker, record
        self._decider = EndOfTurn(settings, judged=judge is not None)
        self._sound: deque[AudioFrame] = deque(maxlen=int(JUDGED_S * 1000) // settings.hearing.frame_ms)
        self._from_s = 0.0  # where the sound of the newest utterance begins
        self._voice_end_s = 0.0  # and the one before it ended
        self._changed = anyio.Event()
        self._closed = False

    def hear(self, frame: AudioFrame) -> None:
        """One more frame, before the events that it leads to are told."""
        self._sound.append(frame)

    async def tell(self, event: HearingEvent) -> None:
        self._push(event)
        await self._events.send(event)

    async def tell_all(self, events: list[Word]) -> None:
        for event in events:
            await self.tell(event)

    def close(self) -> None:
        """Nothing more will be heard; a turn that is due still ends at its time."""
        self._closed = True
        self._changed.set()

    def _push(self, event: HearingEvent | SilenceJudged) -> None:
        if isinstance(event, SpeechStarted):
            self._from_s = max(event.onset_s - self._settings.hearing.pre_roll_ms / 1000, self._voice_end_s)
        elif isinstance(event, SpeechEnded):
            self._voice_end_s = event.end_s
        self._decider.push(event)
        self._changed.set()

    # --- the judge ---

    def judge_in(self, tasks: TaskGroup, silence: SpeechEnded) -> None:
        """Begin to judge a silence; nobody waits for it."""
        if self._judge is None:
            return
        frames = [frame.samples for frame in self._sound if frame.start_s >= self._from_s - TOLERANCE_S]
        tasks.start_soon(self._judge_silence, self._judge, silence.end_s, np.concatenate(frames))

    async def _judge_silence(self, judge: Judge, since_s: float, samples: np.ndarray) -> None:
        cost_s = self._settings.costs.turn_judge_ms / 1000
        try:
            probability, took_s = await self._clock.call(
                self._worker, lambda: judge.probability(samples), lambda _: cost_s
            )
        except Exception as error:
            self._give_up(error)
            return
        self._record(ModelCall(which="turn-judge", rows=1, tokens=0, ms=took_s * 1000))
        self._push(SilenceJudged(since_s, probability))

    def _give_up(self, error: Exception) -> None:
        if self._judge is not None:
            self._judge = None
            self._record(Failed("end of turn", f"{type(error).__name__}: {error}"))
        self._decider.judged = False
        self._changed.set()

    # --- the end ---

    async def watch(self) -> None:
        """Send `TurnEnded` whenever one is due; ends after `close` with the last of them."""
        while True:
            self._changed = anyio.Event()
            due_s = self._decider.due_s()
            if due_s is None:
                if self._closed:
                    return
                await self._changed.wait()
            elif await self._lasts_until(due_s):
                await self._events.send(self._decider.end())

    async def _lasts_until(self, due_s: float) -> bool:
        """Wait for the time `due_s`, or until something changes when the turn is due; whether it is due now."""
        lasted = False
        async with anyio.create_task_group() as waiting:

            async def sleep() -> None:
                nonlocal lasted
                await self._clock.sleep_until(due_s)
                lasted = True
                waiting.cancel_scope.cancel()

            waiting.start_soon(sleep)
            while self._decider.due_s() == due_s:
                await self._changed.wait()
                self._changed = anyio.Event()
            waiting.cancel_scope.cancel()
        return lasted and self._decider.due_s() == due_s
