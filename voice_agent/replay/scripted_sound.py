"""A sound card made of a scenario: plays the user into the microphone and takes what the loudspeaker gives.

    ScriptedSound.run(frames): every 20 ms of clock time one frame goes in and one comes out, both are recorded

Time on the card is counted in samples; the clock only says when a frame is due, so the same code runs in virtual and in
real time (late, it catches up frame by frame). Like a real microphone it never waits: full means drop and count. It
ends once all was said and the conversation has been idle for 2 s, or at the scenario's `lasts_s`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

import numpy as np
from anyio import WouldBlock
from anyio.streams.memory import MemoryObjectSendStream

from ..clock import Clock
from ..events import AudioFrame
from ..record.recording import Recording
from ..record.summary import ClipTruth
from ..record.trace import Trace
from .microphone_mix import Mixer
from .schedule import Schedule
from .script import Script

FRAMES_PER_S = 50
_IDLE_S = 2.0


class SoundSource(Protocol):
    """The loudspeaker, as a sound card sees it."""

    @property
    def rate_hz(self) -> int: ...

    def pull(self, n: int) -> np.ndarray:
        """The next (n,) samples, float32."""
        ...


class ScriptedSound:
    """One run of one script; afterwards it knows what was truly said and when."""

    def __init__(
        self,
        script: Script,
        loudspeaker: SoundSource,
        *,
        clock: Clock,
        trace: Trace,
        recording: Recording,
        is_idle: Callable[[], bool],
    ) -> None:
        """`is_idle`: nobody speaks, no question is open, nothing is being answered or played."""
        self.truth: list[ClipTruth] = []
        self.dropped = 0
        self.origin_s = 0.0  # where on the clock the scenario's second 0 lies
        self._script, self._loudspeaker, self._clock = script, loudspeaker, clock
        self._recording, self._is_idle = recording, is_idle
        self._mixer = Mixer(script.rate_hz, script.noise, script.scenario.echo, loudspeaker.rate_hz)
        self._schedule = Schedule(script.scenario.user)
        self._idle_frames = 0
        trace.subscribe(self._schedule.observe)

    @property
    def never_triggered(self) -> list[int]:
        """Numbers (from 1) of the user items whose time never came."""
        return [index + 1 for index in self._schedule.not_begun]

    async def run(self, frames: MemoryObjectSendStream[AudioFrame]) -> None:
        """Play the scenario from the present moment on; closes `frames` at its end."""
        self.origin_s = self._clock.now_s()
        self._schedule.origin_s = self.origin_s
        async with frames:
            frame = 0
            while not self._is_over(frame):
                await self._clock.sleep_until(self.origin_s + (frame + 1) / FRAMES_PER_S)
                self._exchange(frame, frames)
                frame += 1

    def _exchange(self, frame: int, frames: MemoryObjectSendStream[AudioFrame]) -> None:
        """The loudspeaker's sound of this frame out, the microphone's in."""
        right = self._loudspeaker.pull(_frame_samples(frame, self._loudspeaker.rate_hz))
        self._recording.right(right)
        self._mixer.play_back(right)
        idle = self._is_idle()
        self._begin_due_items(frame, idle)
        left = self._mixer.next(_frame_samples(frame, self._script.rate_hz))
        self._recording.left(left)
        self._count_idle(idle)
        try:
            frames.send_nowait(AudioFrame(self.origin_s + frame / FRAMES_PER_S, self._script.rate_hz, left))
        except WouldBlock:
            self.dropped += 1

    def _begin_due_items(self, frame: int, idle: bool) -> None:
        while due := self._schedule.due(self.origin_s + (frame + 1) / FRAMES_PER_S, idle):
            index, start_s = due
            clip, rate_hz = self._script.clips[index], self._script.rate_hz
            start = max(self._mixer.position, round((start_s - self.origin_s) * rate_hz))
            self._mixer.place(clip.samples, start)
            onset_s = self.origin_s + (start + clip.first) / rate_hz
            end_s = self.origin_s + (start + clip.last) / rate_hz
            self.truth.append(ClipTruth(index + 1, clip.label, onset_s, end_s))
            self._schedule.began(end_s)

    def _count_idle(self, idle: bool) -> None:
        something_to_come = self._mixer.speaking or not (self._schedule.all_begun or self._schedule.waits_for_event)
        self._idle_frames = 0 if something_to_come or not idle else self._idle_frames + 1

    def _is_over(self, frame: int) -> bool:
        return self._idle_frames >= _IDLE_S * FRAMES_PER_S or frame >= self._script.scenario.lasts_s * FRAMES_PER_S


def _frame_samples(frame: int, rate_hz: int) -> int:
    """Samples of one frame; whole seconds hold whole samples at any rate."""
    return (frame + 1) * rate_hz // FRAMES_PER_S - frame * rate_hz // FRAMES_PER_S
