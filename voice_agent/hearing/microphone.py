"""The microphone: a sound device becomes a stream of frames.

    PortAudio callback thread -> Microphone.run -> AudioFrame (20 ms, float32, mono, settings.rate_hz)

The device runs at its own rate where it does not know ours. It never waits: when nobody takes the frames they are
dropped and counted. Times are counted in samples from the moment the first of them was taken.
"""

from __future__ import annotations

import asyncio
from collections import deque
from contextlib import ExitStack
from dataclasses import dataclass
from types import ModuleType
from typing import Any

import anyio
import numpy as np
import soxr
from anyio.streams.memory import MemoryObjectSendStream

from ..clock import Clock
from ..errors import DeviceLost, UnusableInput
from ..events import AudioFrame
from ..settings import Hearing

LOOK_PERIOD_S = 0.5
SLIPPED_S, LAG_BLOCKS = 0.1, 100  # blocks that all come so much too late: sound was lost before them
LOST_AFTER_LOOKS = 4  # without a callback between them: where the whole machine slept, it did not look either


@dataclass(frozen=True)
class SoundDevice:
    """A device as PortAudio names it; the defaults are those that the system uses when none is chosen."""

    index: int
    name: str
    inputs: int
    outputs: int
    rate_hz: int
    default_input: bool
    default_output: bool


def list_devices() -> list[SoundDevice]:
    """Every sound device; an empty list where there is none.

    Raises:
        UnusableInput: PortAudio is missing.
    """
    sounddevice = _portaudio()
    default_input, default_output = sounddevice.default.device  # -1: the system names none
    return [
        SoundDevice(
            index=int(found["index"]),
            name=str(found["name"]),
            inputs=int(found["max_input_channels"]),
            outputs=int(found["max_output_channels"]),
            rate_hz=round(found["default_samplerate"]),
            default_input=found["index"] == default_input,
            default_output=found["index"] == default_output,
        )
        for found in sounddevice.query_devices()
    ]


class Microphone:
    """One input device. `muted`: send silence, time goes on. `dropped`: frames that nobody took.

    device: index, part of a name (any case), or None for the default device.
    """

    def __init__(self, settings: Hearing, clock: Clock, device: int | str | None = None) -> None:
        self._settings, self._clock, self._wanted = settings, clock, device
        self._frame_samples = settings.rate_hz * settings.frame_ms // 1000
        self.muted = False
        self.dropped = 0
        self._resampler: soxr.ResampleStream | None = None
        self._rest = np.zeros(0, dtype=np.float32)  # samples that do not fill a frame yet
        self._sent_samples = 0
        self._started_s: float | None = None
        self._blocks = 0  # that came
        self._lags_s: deque[float] = deque(maxlen=LAG_BLOCKS)  # from the end of what came to the moment it came

    async def run(self, frames: MemoryObjectSendStream[AudioFrame]) -> None:
        """Deliver frames until cancelled; may be run again after that.

        Raises:
            UnusableInput: PortAudio is missing, there is no such device, or it cannot be opened.
            DeviceLost: the device stopped delivering.
        """
        sounddevice = _portaudio()
        self._rest, self._sent_samples, self._started_s, self._resampler = np.zeros(0, np.float32), 0, None, None
        self._lags_s.clear()
        device = self._choose()
        rate_hz = self._supported_rate(sounddevice, device)
        loop = asyncio.get_running_loop()

        def callback(block: np.ndarray, count: int, time: Any, status: Any) -> None:
            loop.call_soon_threadsafe(self._deliver, block[:, 0].copy(), rate_hz, frames)

        async with frames:
            with ExitStack() as stack:
                try:
                    stream = sounddevice.InputStream(
                        device=device.index,
                        samplerate=rate_hz,
                        channels=1,
                        dtype="float32",
                        blocksize=rate_hz * self._settings.frame_ms // 1000,
                        latency="low",
                        callback=callback,
                    )
                    stack.enter_context(stream)
                except sounddevice.PortAudioError as error:
                    raise UnusableInput(
                        f"the microphone '{device.name}' cannot be opened ({error}): close what uses it, or choose "
                        "another"
                    ) from error
                await self._watch(stream, device)

    def _choose(self) -> SoundDevice:
        devices = [device for device in list_devices() if device.inputs]
        if not devices:
            raise UnusableInput("no microphone was found: connect one, or play a recorded conversation with 'replay'")
        wanted = self._wanted
        if wanted is None:
            return next((device for device in devices if device.default_input), devices[0])
        for fits in (
            lambda device: wanted in (device.index, device.name),
            lambda device: isinstance(wanted, str) and wanted.lower() in device.name.lower(),
        ):
            if found := next(filter(fits, devices), None):
                return found
        known = ", ".join(f"{device.index} '{device.name}'" for device in devices)
        raise UnusableInput(f"there is no microphone '{wanted}': choose one of {known}")

    def _supported_rate(self, sounddevice: ModuleType, device: SoundDevice) -> int:
        """Our rate if the device knows it, else its own, with a resampler behind it."""
        try:
            sounddevice.check_input_settings(
                device=device.index, channels=1, dtype="float32", samplerate=self._settings.rate_hz
            )
        except sounddevice.PortAudioError:
            self._resampler = soxr.ResampleStream(device.rate_hz, self._settings.rate_hz, 1, dtype="float32")
            return device.rate_hz
        return self._settings.rate_hz

    async def _watch(self, stream: Any, device: SoundDevice) -> None:
        silent_looks = 0
        while stream.active and silent_looks < LOST_AFTER_LOOKS:
            blocks = self._blocks
            await self._clock.sleep_until(self._clock.now_s() + LOOK_PERIOD_S)
            silent_looks = silent_looks + 1 if self._blocks == blocks else 0
        raise DeviceLost(f"the microphone '{device.name}' stopped delivering sound: connect it again")

    def _deliver(self, block: np.ndarray, rate_hz: int, frames: MemoryObjectSendStream[AudioFrame]) -> None:
        """A block (n,) at the device's rate; runs on the event loop."""
        self._blocks += 1
        if self._started_s is None:
            self._started_s = self._clock.now_s() - len(block) / rate_hz
        if self._resampler is not None:
            block = self._resampler.resample_chunk(block)
        self._rest = np.concatenate([self._rest, block])
        self._keep_time()
        while len(self._rest) >= self._frame_samples:
            samples, self._rest = self._rest[: self._frame_samples], self._rest[self._frame_samples :]
            start_s = self._started_s + self._sent_samples / self._settings.rate_hz
            self._sent_samples += self._frame_samples
            samples = np.zeros_like(samples) if self.muted else samples
            frame = AudioFrame(start_s, self._settings.rate_hz, samples, muted=self.muted)
            try:
                frames.send_nowait(frame)
            except anyio.WouldBlock:
                self.dropped += 1
            except (anyio.ClosedResourceError, anyio.BrokenResourceError):
                return  # the conversation is ending: this block came after it

    def _keep_time(self) -> None:
        """Sound that a busy machine lost, or a slow card, would let turns end too early: time goes on all the same."""
        assert self._started_s is not None
        taken_s = self._started_s + (self._sent_samples + len(self._rest)) / self._settings.rate_hz
        self._lags_s.append(self._clock.now_s() - taken_s)
        if len(self._lags_s) == self._lags_s.maxlen and min(self._lags_s) > SLIPPED_S:  # no block came in time
            self._started_s += min(self._lags_s)
            self._lags_s.clear()


def _portaudio() -> ModuleType:
    """sounddevice, imported only when a device is wanted."""
    try:
        import sounddevice
    except OSError as error:
        raise UnusableInput(
            f"the PortAudio library is missing ({error}): install it with 'sudo apt-get install libportaudio2'"
        ) from error
    return sounddevice
