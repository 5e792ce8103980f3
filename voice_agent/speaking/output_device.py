"""A sound card that plays what the loudspeaker has.

    Loudspeaker.pull, at the card's pace -> sounddevice; resampled where the card does not take the voice's rate

PortAudio's own thread pulls; `run` only watches that it goes on. `tap` sees every block as it was pulled.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import ExitStack
from typing import Any

import numpy as np
import soxr

from ..clock import Clock
from ..errors import DeviceLost, UnusableInput
from .loudspeaker import Loudspeaker

_LOOK_PERIOD_S = 0.25
_LOST_AFTER_LOOKS = 8  # without a callback between them: where the whole machine slept, it did not look either
_LATENCY_S = 0.06  # PortAudio's "low" ran dry every few seconds through PulseAudio on two busy cores, this never
_BLOCK_S = 0.01


class OutputDevice:
    """The chosen card (`None`: the system's default; else its number or a part of its name)."""

    def __init__(
        self,
        loudspeaker: Loudspeaker,
        device: int | str | None,
        clock: Clock,
        tap: Callable[[np.ndarray], None] | None = None,
    ) -> None:
        self._loudspeaker = loudspeaker
        self._device = int(device) if isinstance(device, str) and device.isdecimal() else device
        self._clock = clock
        self._tap = tap
        self._callbacks = 0
        self._fault: Exception | None = None
        self.late_blocks = 0  # the card asked and got nothing in time: heard as crackle

    async def run(self) -> None:
        """Play until cancelled; may be run again after that.

        Raises:
            UnusableInput: there is no such device, or it cannot be opened.
            DeviceLost: it stopped asking for sound.
        """
        with ExitStack() as stack:
            stream = self._open(stack)
            silent_looks = 0
            while stream.active and silent_looks < _LOST_AFTER_LOOKS:
                callbacks = self._callbacks
                await self._clock.sleep_until(self._clock.now_s() + _LOOK_PERIOD_S)
                silent_looks = silent_looks + 1 if self._callbacks == callbacks else 0
        if self._fault:
            raise self._fault
        raise DeviceLost(f"the output device '{self._device or 'default'}' stopped taking sound: connect it again")

    def _open(self, stack: ExitStack) -> Any:
        """The stream, which runs until the stack is left."""
        try:
            import sounddevice
        except OSError as error:
            raise UnusableInput(
                f"PortAudio is missing ({error}): install it (Debian, Ubuntu: apt-get install libportaudio2)"
            ) from error
        try:
            rate_hz = self._rate_hz(sounddevice)
            stream = sounddevice.OutputStream(
                samplerate=rate_hz,
                blocksize=round(_BLOCK_S * rate_hz),
                device=self._device,
                channels=1,
                dtype="float32",
                latency=_LATENCY_S,
                callback=self._callback(rate_hz, sounddevice),
            )
            return stack.enter_context(stream)
        except (sounddevice.PortAudioError, ValueError) as error:
            raise UnusableInput(
                f"the output device '{self._device or 'default'}' cannot be opened ({error}): "
                "choose one with --output-device (`voice-agent doctor` lists them)"
            ) from error

    def _rate_hz(self, sounddevice: Any) -> int:
        """The loudspeaker's own rate where the card takes it, else the card's."""
        try:
            sounddevice.check_output_settings(self._device, 1, "float32", samplerate=self._loudspeaker.rate_hz)
        except sounddevice.PortAudioError:
            return round(sounddevice.query_devices(self._device, "output")["default_samplerate"])
        return self._loudspeaker.rate_hz

    def _callback(self, rate_hz: int, sounddevice: Any) -> Callable[..., None]:
        source = BlockSource(self._loudspeaker, rate_hz, self._tap)

        def fill(out: np.ndarray, frames: int, _time: Any, status: Any) -> None:  # out: (frames, 1)
            self._callbacks += 1
            self.late_blocks += bool(status.output_underflow)
            try:
                out[:, 0] = source.take(frames)
            except Exception as error:  # PortAudio's thread cannot raise into ours
                self._fault = error
                raise sounddevice.CallbackAbort from error

        return fill


class BlockSource:
    """The loudspeaker's sound at another rate: (n,) float32 blocks of any length."""

    def __init__(self, loudspeaker: Loudspeaker, rate_hz: int, tap: Callable[[np.ndarray], None] | None) -> None:
        self._loudspeaker = loudspeaker
        self._tap = tap
        self._ratio = loudspeaker.rate_hz / rate_hz
        self._resampler = (
            soxr.ResampleStream(loudspeaker.rate_hz, rate_hz, 1, dtype="float32", quality="MQ")
            if loudspeaker.rate_hz != rate_hz
            else None
        )
        self._waiting = np.zeros(0, np.float32)

    def take(self, n: int) -> np.ndarray:
        if self._resampler is None:
            return self._pull(n)
        while len(self._waiting) < n:
            missing = n - len(self._waiting)
            made = self._resampler.resample_chunk(self._pull(max(1, round(missing * self._ratio))))
            self._waiting = np.concatenate([self._waiting, made])
        taken, self._waiting = self._waiting[:n], self._waiting[n:]
        return taken

    def _pull(self, n: int) -> np.ndarray:
        block = self._loudspeaker.pull(n)
        if self._tap:
            self._tap(block)
        return block
