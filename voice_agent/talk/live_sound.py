"""The microphone on its way to the ears, and both channels on their way into the recording.

    Microphone -> LiveSound.run -> frames;  every frame also to the level meter and to the left channel
    OutputDevice's tap -> LiveRecording.right

Both channels begin when the conversation does, so that times in the trace are places in the sound.
"""

from __future__ import annotations

import anyio
import numpy as np
from anyio.streams.memory import MemoryObjectReceiveStream, MemoryObjectSendStream

from ..clock import Clock
from ..events import AudioFrame
from ..hearing.microphone import Microphone
from ..record.recording import Recording

SILENT_DBFS = -90.0
_FALL_DB = 1.5  # of the level meter, per frame: readable at a few pictures a second
_WAITING_FRAMES = 50  # between the device and us, who only pass them on
_LOST_S = 0.5  # a loudspeaker further behind the clock than this was not running; less is its buffer


class LiveRecording:
    """Places live sound in a recording by the clock."""

    def __init__(self, recording: Recording, clock: Clock) -> None:
        self.origin_s = clock.now_s()
        self._recording, self._clock = recording, clock
        self._right_samples = 0

    def left(self, frame: AudioFrame) -> None:
        self._recording.left(frame.samples, round((frame.start_s - self.origin_s) * frame.rate_hz))

    def right(self, block: np.ndarray) -> None:
        """A block (n,) at the moment the card takes it; time in which it took none becomes silence."""
        rate_hz = self._recording.rate_hz
        missing = round((self._clock.now_s() - self.origin_s) * rate_hz) - self._right_samples
        if missing > (_LOST_S * rate_hz if self._right_samples else 0):
            self._recording.right(np.zeros(missing, np.float32))
            self._right_samples += missing
        self._recording.right(block)
        self._right_samples += len(block)


class LiveSound:
    """The sound of a live conversation; it goes on until `end`, or until the microphone is lost."""

    def __init__(self, microphone: Microphone, recording: LiveRecording | None) -> None:
        self.level_dbfs = SILENT_DBFS
        self._microphone, self._recording = microphone, recording
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
        """Deliver frames until the end; closes `frames`.

        Raises (inside an exception group):
            UnusableInput: the microphone cannot be opened.
            DeviceLost: it stopped delivering.
        """
        to_us, taken = anyio.create_memory_object_stream[AudioFrame](_WAITING_FRAMES)
        async with frames, taken, anyio.create_task_group() as tasks:
            tasks.start_soon(self._microphone.run, to_us)
            tasks.start_soon(self._pass_on, taken, frames)
            await self._ended.wait()
            tasks.cancel_scope.cancel()

    async def _pass_on(
        self, taken: MemoryObjectReceiveStream[AudioFrame], frames: MemoryObjectSendStream[AudioFrame]
    ) -> None:
        async for frame in taken:
            loudness = float(np.sqrt(np.mean(frame.samples**2)))
            self.level_dbfs = max(20 * np.log10(max(loudness, 1e-9)), self.level_dbfs - _FALL_DB, SILENT_DBFS)
            if self._recording is not None:
                self._recording.left(frame)
            try:
                frames.send_nowait(frame)
            except anyio.WouldBlock:
                self._dropped += 1
