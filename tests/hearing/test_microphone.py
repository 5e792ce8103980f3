"""The microphone against a small stand-in for PortAudio, which few test machines have a device for."""

from __future__ import annotations

import sys
from collections.abc import Callable, Container
from types import SimpleNamespace
from typing import Any

import anyio
import numpy as np
import pytest

from voice_agent.clock import VirtualClock, run_in_virtual_time
from voice_agent.errors import DeviceLost, UnusableInput
from voice_agent.events import AudioFrame
from voice_agent.hearing.microphone import Microphone, list_devices
from voice_agent.settings import Hearing


class PortAudio:
    """A module like sounddevice with one loudspeaker and two microphones; the first knows 48 kHz only."""

    PortAudioError = type("PortAudioError", (Exception,), {})

    def __init__(self) -> None:
        self.default = SimpleNamespace(device=(1, 0))
        self.stream: Any = None
        self.broken = False

    def query_devices(self) -> list[dict[str, Any]]:
        rows = (("Loudspeaker", 0, 2, 44_100.0), ("Studio Mic", 1, 0, 48_000.0), ("Headset", 1, 2, 16_000.0))
        keys = ("index", "name", "max_input_channels", "max_output_channels", "default_samplerate")
        return [dict(zip(keys, (i, *row), strict=True)) for i, row in enumerate(rows)]

    def check_input_settings(self, device: int, channels: int, dtype: str, samplerate: float) -> None:
        if device == 1 and samplerate != 48_000:
            raise self.PortAudioError("Invalid sample rate")

    def InputStream(self, **options: Any) -> Any:
        if self.broken:
            raise self.PortAudioError("Device unavailable")
        self.stream = _Stream(options)
        return self.stream


class _Stream:
    def __init__(self, options: dict[str, Any]) -> None:
        self.options, self.active = options, True

    def __enter__(self) -> _Stream:
        return self

    def __exit__(self, *reason: object) -> None:
        self.active = False

    def play(self, samples: np.ndarray) -> None:
        self.options["callback"](samples.reshape(-1, 1), len(samples), None, None)


@pytest.fixture
def portaudio(monkeypatch: pytest.MonkeyPatch) -> PortAudio:
    module = PortAudio()
    monkeypatch.setitem(sys.modules, "sounddevice", module)  # type: ignore[arg-type]
    return module


def record(
    portaudio: PortAudio,
    device: int | str | None,
    blocks: int,
    *,
    act: Callable[[Microphone, int], None] = lambda microphone, block: None,
    capacity: int = 1000,
    lost: Container[int] = (),
    late: Container[int] = (),
) -> tuple[list[AudioFrame], Microphone]:
    """Play `blocks` blocks of 20 ms of a 440 Hz tone into a microphone that opens 1 s after the conversation.

    lost: blocks that never come. late: those that come with the next one that is not.
    """

    async def main(clock: VirtualClock) -> tuple[list[AudioFrame], Microphone]:
        microphone = Microphone(Hearing(), clock, device)
        send, frames = anyio.create_memory_object_stream[AudioFrame](capacity)
        await clock.sleep_until(1.0)
        async with frames, anyio.create_task_group() as tasks:
            tasks.start_soon(microphone.run, send)
            await clock.sleep_until(1.0)
            rate_hz = portaudio.stream.options["samplerate"]
            size = rate_hz // 50
            held: list[np.ndarray] = []
            for block in range(blocks):
                await clock.sleep_until(1.0 + (block + 1) * 0.02)
                act(microphone, block)
                at_s = (np.arange(size) + block * size) / rate_hz
                held.append((0.5 * np.sin(2 * np.pi * 440 * at_s)).astype(np.float32))
                if block in lost:
                    held.clear()
                elif block not in late:
                    for sound in held:
                        portaudio.stream.play(sound)
                    held.clear()
            await clock.sleep_until(clock.now_s())
            tasks.cancel_scope.cancel()
            return [frames.receive_nowait() for _ in range(frames.statistics().current_buffer_used)], microphone

    return run_in_virtual_time(main)


def test_frames_are_counted_in_samples(portaudio: PortAudio) -> None:
    frames, microphone = record(portaudio, "headset", 50)
    assert [frame.start_s for frame in frames] == pytest.approx([1.0 + i * 0.02 for i in range(50)])
    assert {(len(frame.samples), frame.rate_hz, frame.samples.dtype.name) for frame in frames} == {
        (320, 16_000, "float32")
    }
    assert microphone.dropped == 0
    assert not portaudio.stream.active


def test_another_rate_is_resampled_in_one_stream(portaudio: PortAudio) -> None:
    frames, _ = record(portaudio, None, 100)
    sound = np.concatenate([frame.samples for frame in frames])
    assert len(sound) >= 1.9 * 16_000  # the resampler keeps a little
    spectrum = np.abs(np.fft.rfft(sound[1600:17600] * np.hanning(16_000)))
    assert int(np.argmax(spectrum)) == 440
    assert spectrum[600:].max() < spectrum.max() / 1000  # no clicks between blocks


def test_time_goes_on_where_sound_was_lost(portaudio: PortAudio) -> None:
    """Half a second never came, as on a machine that was too busy; two seconds later that is certain."""
    frames, _ = record(portaudio, 2, 200, lost=range(50, 75))
    ends_s = [frame.end_s for frame in frames]
    assert ends_s[49:60] == pytest.approx([2.0 + i * 0.02 for i in range(11)])
    assert ends_s[-1] == pytest.approx(5.0)
    steps_s = np.diff(ends_s)
    assert steps_s.max() == pytest.approx(0.52)
    assert sum(steps_s > 0.021) == 1


def test_blocks_that_come_late_together_are_not_lost(portaudio: PortAudio) -> None:
    frames, _ = record(portaudio, 2, 200, late=range(50, 75))
    assert [frame.start_s for frame in frames] == pytest.approx([1.0 + i * 0.02 for i in range(200)])


def test_muted_is_silence_and_time_goes_on(portaudio: PortAudio) -> None:
    def mute(microphone: Microphone, block: int) -> None:
        microphone.muted = 10 <= block < 20

    frames, _ = record(portaudio, 2, 30, act=mute)
    assert [bool(np.any(frame.samples)) for frame in frames] == [True] * 10 + [False] * 10 + [True] * 10


def test_a_full_stream_drops_and_counts(portaudio: PortAudio) -> None:
    frames, microphone = record(portaudio, 2, 30, capacity=12)
    assert len(frames) == 12
    assert microphone.dropped == 18


def test_a_device_that_falls_silent_or_goes_is_lost(portaudio: PortAudio) -> None:
    async def main(clock: VirtualClock, *, unplug: bool) -> float:
        send, frames = anyio.create_memory_object_stream[AudioFrame](10)
        async with frames, anyio.create_task_group() as tasks:
            tasks.start_soon(_expect_lost, Microphone(Hearing(), clock, 2), send)
            await clock.sleep_until(0.1)
            portaudio.stream.active = not unplug
        return clock.now_s()

    assert run_in_virtual_time(lambda clock: main(clock, unplug=False)) == pytest.approx(2.0, abs=0.5)
    assert run_in_virtual_time(lambda clock: main(clock, unplug=True)) <= 0.6


async def _expect_lost(microphone: Microphone, send: Any) -> None:
    with pytest.raises(DeviceLost, match="'Headset' stopped"):
        await microphone.run(send)


@pytest.mark.parametrize("device", ["kitchen", 7, 0])
def test_an_unknown_device_names_those_that_exist(portaudio: PortAudio, device: int | str) -> None:
    with pytest.raises(UnusableInput, match="1 'Studio Mic', 2 'Headset'"):
        run_in_virtual_time(lambda clock: _open(clock, device))


def test_no_device_a_busy_one_and_no_portaudio(portaudio: PortAudio, monkeypatch: pytest.MonkeyPatch) -> None:
    portaudio.broken = True
    with pytest.raises(UnusableInput, match=r"'Headset' cannot be opened \(Device unavailable\)"):
        run_in_virtual_time(lambda clock: _open(clock, 2))
    monkeypatch.setattr(portaudio, "query_devices", list)
    assert list_devices() == []
    with pytest.raises(UnusableInput, match="no microphone was found"):
        run_in_virtual_time(lambda clock: _open(clock, None))

    class Missing:
        def find_spec(self, name: str, *rest: object) -> None:
            if name == "sounddevice":
                raise OSError("PortAudio library not found")

    monkeypatch.delitem(sys.modules, "sounddevice")
    monkeypatch.setattr(sys, "meta_path", [Missing(), *sys.meta_path])
    with pytest.raises(UnusableInput, match="apt-get install libportaudio2"):
        list_devices()


async def _open(clock: VirtualClock, device: int | str | None) -> None:
    send, frames = anyio.create_memory_object_stream[AudioFrame](1)
    with frames, send:
        await Microphone(Hearing(), clock, device).run(send)


def test_devices_are_listed(portaudio: PortAudio) -> None:
    assert [(device.name, device.inputs, device.default_input, device.default_output) for device in list_devices()] == [
        ("Loudspeaker", 0, False, True),
        ("Studio Mic", 1, True, False),
        ("Headset", 1, False, False),
    ]
