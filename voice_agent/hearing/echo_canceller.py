"""Take what the loudspeaker plays out of what the microphone hears.

    loudspeaker -> EchoCanceller.played(block);   microphone -> cancel_echo -> frames without echo

WebRTC's audio processing (AEC3) does it, 10 ms at a time: what was played goes in first, then what was heard. It finds
the delay between the two by itself, up to half a second, as long as that stays the same; so both are paired by counting
samples, never by when they happened to arrive. What cannot be an echo (echo_level.py) passes as it was heard. Whatever
goes wrong is told once, and from then on everything does. Who speaks is judged by the cleaned sound; what is said is
read from one that has a little of the echo, and of the user, put back.
"""

from __future__ import annotations

import dataclasses
import math
import threading
from collections.abc import Callable
from typing import Protocol

import numpy as np
import soxr
from anyio.streams.memory import MemoryObjectReceiveStream, MemoryObjectSendStream

from ..events import AudioFrame, Failed
from ..settings import Hearing
from .echo_level import EchoLevel

PART = "echo canceller"
STEP_MS = 10
STATED_DELAY_MS = 40  # between both until AEC3 has found the true one; it looks 50 ms beyond, and never before
LEFT_TO_READ = 0.25  # of what was taken out: with the echo go the soft sounds of words, and "stop" is read as "up"
WATCHED_S = 2.0  # the queue between both is judged by the shortest it has been in so long
NEEDED_S = 0.02  # more than this, all that time, is no jitter: two cards disagree about a second, or one stumbled


class Processing(Protocol):
    """A canceller of 10 ms blocks, (n,) int16."""

    def far(self, played: np.ndarray) -> None: ...

    def near(self, heard: np.ndarray) -> np.ndarray: ...


class WebRtcProcessing:
    """AEC3 of the livekit package, without noise suppression and gain control.

    Raises:
        ImportError, OSError: the package or its library is missing or does not fit this machine.
    """

    def __init__(self, rate_hz: int) -> None:
        from livekit.rtc import AudioFrame as LiveKitFrame
        from livekit.rtc.apm import AudioProcessingModule

        self._frame, self._rate_hz = LiveKitFrame, rate_hz
        self._module = AudioProcessingModule(echo_cancellation=True, high_pass_filter=True)

    def far(self, played: np.ndarray) -> None:
        self._module.process_reverse_stream(self._frame(played.tobytes(), self._rate_hz, 1, len(played)))

    def near(self, heard: np.ndarray) -> np.ndarray:
        frame = self._frame(heard.tobytes(), self._rate_hz, 1, len(heard))
        self._module.set_stream_delay_ms(STATED_DELAY_MS)
        self._module.process_stream(frame)  # in place
        return np.frombuffer(frame.data, np.int16)


class EchoCanceller:
    """The way of every microphone frame; frames must be whole multiples of 10 ms.

    tell: hears of the fault after which frames pass as they are. `played` may be called from any thread.
    """

    def __init__(
        self,
        settings: Hearing,
        loudspeaker_rate_hz: int,
        tell: Callable[[Failed], None],
        processing: Callable[[int], Processing] = WebRtcProcessing,
    ) -> None:
        self._tell = tell
        self._step = settings.rate_hz * STEP_MS // 1000
        self._reference = Reference(loudspeaker_rate_hz, settings.rate_hz)
        self._level = EchoLevel()
        self._passes = True
        self._expected_s: float | None = None  # where the next frame begins
        self._processing: Processing | None = None
        try:
            self._processing = processing(settings.rate_hz)
        except Exception as error:
            self._give_up(error)

    def played(self, block: np.ndarray) -> None:
        """The next (n,) samples on their way into the loudspeaker, silence included."""
        if self._processing is not None:
            self._reference.push(block)

    def clean(self, frame: AudioFrame) -> AudioFrame:
        """The frame without echo, or the frame itself where that cannot be had."""
        if self._processing is None:
            return frame
        try:
            cleaned = self._cancel(frame, self._processing)
        except Exception as error:
            self._give_up(error)
            return frame
        to_read = cleaned + np.float32(LEFT_TO_READ) * (frame.samples - cleaned)
        return dataclasses.replace(frame, samples=cleaned, to_read=to_read)

    def _cancel(self, frame: AudioFrame, processing: Processing) -> np.ndarray:
        self._pair(frame)
        heard = np.round(np.clip(frame.samples, -1.0, 1.0) * 32767.0).astype(np.int16)
        cleaned = np.empty_like(frame.samples)
        for start in range(0, len(heard), self._step):
            step = slice(start, start + self._step)
            played = self._reference.take(self._step)
            processing.far(played)
            cleaned[step] = processing.near(heard[step]) / np.float32(32767.0)
            before = self._passes
            if not frame.muted:  # which would say that the path has no echo
                self._passes = self._level.push(_dbfs(played), _dbfs(heard[step]))
            share = np.linspace(before, self._passes, self._step, dtype=np.float32)
            cleaned[step] += share * (frame.samples[step] - cleaned[step])
        return cleaned

    def _pair(self, frame: AudioFrame) -> None:
        """What was played while frames were dropped is not what this one heard."""
        if self._expected_s is None:
            self._reference.keep_newest(len(frame.samples))
        else:
            self._reference.skip(round((frame.start_s - self._expected_s) * frame.rate_hz))
        self._expected_s = frame.end_s

    def _give_up(self, error: Exception) -> None:
        self._processing = None
        self._tell(Failed(PART, f"{type(error).__name__}: {error}; an open loudspeaker will be heard, use headphones"))


def _dbfs(samples: np.ndarray) -> float:
    """Level of (n,) int16."""
    power = float(np.mean(np.square(samples, dtype=np.float64))) / 32767.0**2
    return 10.0 * math.log10(max(power, 1e-12))


async def cancel_echo(
    frames: MemoryObjectReceiveStream[AudioFrame],
    cleaned: MemoryObjectSendStream[AudioFrame],
    canceller: EchoCanceller,
) -> None:
    """Microphone frames in, the same frames without echo out; ends when they end."""
    async with frames, cleaned:
        async for frame in frames:
            await cleaned.send(canceller.clean(frame))


class Reference:
    """What was played and not yet paired with what was heard, at the microphone's rate; a queue of samples.

    Where it runs dry, silence is given, and what comes late waits that much longer: so the queue finds the length that
    the unevenness of both cards needs.
    """

    def __init__(self, loudspeaker_rate_hz: int, rate_hz: int) -> None:
        # "QQ" gives each sample at once, the others up to 40 ms late, when its echo may have been heard already; what
        # it folds down from above 8 kHz costs nothing that scripts/compare_echo_cancellers could measure.
        self._resampler = soxr.ResampleStream(loudspeaker_rate_hz, rate_hz, 1, dtype="float32", quality="QQ")
        self._waiting = np.zeros(0, np.float32)
        self._watched, self._needed = round(WATCHED_S * rate_hz), round(NEEDED_S * rate_hz)
        self._since, self._shortest = 0, self._watched  # samples taken since it was judged, and its least length
        self._lock = threading.Lock()

    def push(self, block: np.ndarray) -> None:
        with self._lock:
            arrived = self._resampler.resample_chunk(np.ascontiguousarray(block, np.float32))
            self._waiting = np.concatenate([self._waiting, arrived])

    def take(self, n: int) -> np.ndarray:
        """The next (n,) samples, int16."""
        with self._lock:
            taken, self._waiting = self._waiting[:n], self._waiting[n:]
            self._judge_length(n)
        step = np.zeros(n, np.float32)
        step[n - len(taken) :] = taken
        return np.round(np.clip(step, -1.0, 1.0) * 32767.0).astype(np.int16)

    def skip(self, n: int) -> None:
        with self._lock:
            self._waiting = self._waiting[max(0, n) :]

    def keep_newest(self, n: int) -> None:
        with self._lock:
            self._waiting = self._waiting[max(0, len(self._waiting) - n) :]

    def _judge_length(self, taken: int) -> None:
        """A queue that is always long makes the echo come before what caused it: forget what it never needs."""
        self._since += taken
        self._shortest = min(self._shortest, len(self._waiting))
        if self._since >= self._watched:
            if self._shortest > self._needed:
                self._waiting = self._waiting[self._shortest :]
            self._since, self._shortest = 0, self._watched
