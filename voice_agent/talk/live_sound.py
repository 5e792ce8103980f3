"""Microphone and loudspeaker while both are there, and both channels on their way into the recording.

    Microphone -> LiveSound.run -> frames;  every frame also to the level meter and to the left channel
    OutputDevice, which LiveSound runs; its tap -> LiveRecording.right

Both channels begin when the conversation does, so that times in the trace are places in the sound.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable

import anyio
import numpy as np
from anyio.streams.memory import MemoryObjectReceiveStream, MemoryObjectSendStream

from ..clock import Clock
from ..errors import DeviceLost, UnusableInput
from ..events import AudioFrame, Failed, Recovered
from ..hearing.microphone import Microphone
from ..record.recording import Recording
from ..speaking.output_device import OutputDevice
from .devices import look_again

PART = "sound device"
SILENT_DBFS = -90.0
_RETRY_S = 1.0  # until devices that were lost are tried again, and that they must run to be back
_UNSURE_S = 0.1  # of the present may still come from a microphone that has just been opened
_SAME_MOMENT_S = 0.02
_FALL_DB = 1.5  # of the level meter, per frame: readable at a few pictures a second
_WAITING_FRAMES = 50  # between the device and us, who only pass them on
_LOST_S = 0.5  # a loudspeaker further behind the clock than this was not running; less is its buffer


class LiveRecording:
    """Places live sound in a recording by the clock."""

    def __init__(self, recording: Recording, clock: Clock) -> None:
        self.origin_s = clock.now_s()
        self._recording, self._clock = recording, clock

    def left(self, frame: AudioFrame) -> None:
        self._recording.left(frame.samples, round((frame.start_s - self.origin_s) * frame.rate_hz))

    def right(self, block: np.ndarray) -> None:
        """A block (n,) at the moment the card takes it; time in which it took none becomes silence."""
        rate_hz, so_far = self._recording.rate_hz, self._recording.right_samples
        missing = round((self._clock.now_s() - self.origin_s) * rate_hz) - so_far
        if missing > (_LOST_S * rate_hz if so_far else 0):
            self._recording.right(np.zeros(missing, np.float32))
        self._recording.right(block)


class LiveSound:
    """The sound of a live conversation; it goes on until `end`.

    Microphone and loudspeaker run together. Where one of them is lost, both are closed, because PortAudio looks for
    devices only when it starts; `tell` hears of it once, and again when both are back. Until then the ears get silence
    and nothing is played: what was to sound waits.
    """

    def __init__(
        self,
        microphone: Microphone,
        card: OutputDevice,
        recording: LiveRecording | None,
        clock: Clock,
        tell: Callable[[Failed | Recovered], None],
    ) -> None:
        self.level_dbfs = SILENT_DBFS
        self._microphone, self._card, self._recording = microphone, card, recording
        self._clock, self._tell = clock, tell
        self._last: AudioFrame | None = None  # that the ears got
        self._lost = False
        self._dropped = 0
        self._ended = anyio.Event()

    @property
    def muted(self) -> bool:
        return self._microphone.muted

    @property
    def dropped(self) -> int:
        """Frames that nobody took in time."""
        return self._microphone.dropped + self._dropped

    def toggle_mute(self) -> None:
        self._microphone.muted = not self._microphone.muted

    def end(self) -> None:
        """The conversation is over; may be called twice."""
        self._ended.set()

    async def run(self, frames: MemoryObjectSendStream[AudioFrame]) -> None:
        """Play, and deliver frames, until the end; closes `frames`.

        Raises (inside an exception group):
            UnusableInput: a device cannot be opened at the beginning.
        """
        async with frames, anyio.create_task_group() as tasks:
            tasks.start_soon(self._keep_running, frames)
            await self._ended.wait()
            tasks.cancel_scope.cancel()

    async def _keep_running(self, frames: MemoryObjectSendStream[AudioFrame]) -> None:
        while True:
            try:
                await self._run_devices(frames)
            except* DeviceLost as group:
                self._say_lost(group)
            except* UnusableInput:
                if not self._lost:
                    raise
            await self._clock.sleep_until(self._clock.now_s() + _RETRY_S)
            self._fill_up(frames, self._clock.now_s() - _UNSURE_S)
            look_again()

    async def _run_devices(self, frames: MemoryObjectSendStream[AudioFrame]) -> None:
        to_us, taken = anyio.create_memory_object_stream[AudioFrame](_WAITING_FRAMES)
        async with to_us, taken, anyio.create_task_group() as tasks:
            tasks.start_soon(self._card.run)
            tasks.start_soon(self._microphone.run, to_us)
            tasks.start_soon(self._say_when_back)
            tasks.start_soon(self._pass_on, taken, frames)

    def _say_lost(self, group: BaseExceptionGroup[DeviceLost]) -> None:
        error: BaseException = group
        while isinstance(error, BaseExceptionGroup):
            error = error.exceptions[0]
        if not self._lost:
            self._lost = True
            self.level_dbfs = SILENT_DBFS
            self._tell(Failed(PART, f"{error}; until then the conversation waits"))

    async def _say_when_back(self) -> None:
        """What runs for a while is back; some devices come and go a few times first."""
        await self._clock.sleep_until(self._clock.now_s() + _RETRY_S)
        if self._lost:
            self._lost = False
            self._tell(Recovered(PART))

    async def _pass_on(
        self, taken: MemoryObjectReceiveStream[AudioFrame], frames: MemoryObjectSendStream[AudioFrame]
    ) -> None:
        async for frame in taken:
            loudness = float(np.sqrt(np.mean(frame.samples**2)))
            self.level_dbfs = max(20 * np.log10(max(loudness, 1e-9)), self.level_dbfs - _FALL_DB, SILENT_DBFS)
            if self._lost:
                self._fill_up(frames, frame.start_s)
            if not self._lost or self._last is None or frame.start_s >= self._last.end_s - _SAME_MOMENT_S:
                self._give(frames, frame)

    def _fill_up(self, frames: MemoryObjectSendStream[AudioFrame], until_s: float) -> None:
        """Silence in place of what the microphone did not deliver: for the ears time has no gaps."""
        while self._last is not None and (start_s := self._last.end_s) + _SAME_MOMENT_S < until_s:
            self._give(
                frames, dataclasses.replace(self._last, start_s=start_s, samples=np.zeros_like(self._last.samples))
            )

    def _give(self, frames: MemoryObjectSendStream[AudioFrame], frame: AudioFrame) -> None:
        self._last = frame
        if self._recording is not None:
            self._recording.left(frame)
        try:
            frames.send_nowait(frame)
        except anyio.WouldBlock:
            self._dropped += 1
