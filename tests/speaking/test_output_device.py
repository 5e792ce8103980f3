"""The sound card's side: blocks of any length at any rate, and a card that is not there or goes away."""

import sys
import types

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from voice_agent.clock import VirtualClock, run_in_virtual_time
from voice_agent.errors import DeviceLost, UnusableInput
from voice_agent.events import Clause, ClauseAudio
from voice_agent.speaking.loudspeaker import Loudspeaker
from voice_agent.speaking.output_device import BlockSource, OutputDevice


def tone(rate_hz: int) -> Loudspeaker:
    sink = Loudspeaker(rate_hz, lambda _: None)
    samples = (0.5 * np.sin(2 * np.pi * 440 * np.arange(rate_hz) / rate_hz)).astype(np.float32)
    sink.enqueue(ClauseAudio(Clause("a", 1, "model"), rate_hz, samples, ()))
    return sink


@given(
    lengths=st.lists(st.integers(1, 700), min_size=1, max_size=20),
    rate_hz=st.sampled_from([22_050, 44_100, 48_000, 16_000]),
)
def test_streamed_is_whole(lengths: list[int], rate_hz: int) -> None:
    blocks: list[np.ndarray] = []
    source = BlockSource(tone(22_050), rate_hz, blocks.append)
    taken = np.concatenate([source.take(n) for n in lengths])
    assert len(taken) == sum(lengths)
    np.testing.assert_allclose(taken, BlockSource(tone(22_050), rate_hz, None).take(sum(lengths)), atol=1e-5)
    pulled = np.concatenate(blocks)
    np.testing.assert_array_equal(pulled, tone(22_050).pull(len(pulled)))


class FakeStream:
    """Stands for PortAudio's stream, which no test machine has."""

    active = True

    def __enter__(self) -> "FakeStream":
        return self

    def __exit__(self, *_: object) -> None:
        return None


def fake_sounddevice(monkeypatch: pytest.MonkeyPatch, fault: Exception | None = None) -> None:
    def open_stream(**_: object) -> FakeStream:
        if fault:
            raise fault
        return FakeStream()

    module = types.SimpleNamespace(
        PortAudioError=RuntimeError, check_output_settings=lambda *_, **__: None, OutputStream=open_stream
    )
    monkeypatch.setitem(sys.modules, "sounddevice", module)


def play(device: str) -> None:
    async def main(clock: VirtualClock) -> None:
        await OutputDevice(Loudspeaker(22_050, lambda _: None), device, clock).run()

    run_in_virtual_time(main)


def test_a_card_that_stops_asking_is_lost(monkeypatch: pytest.MonkeyPatch) -> None:
    fake_sounddevice(monkeypatch)
    with pytest.raises(DeviceLost, match="'speakers' stopped taking sound"):
        play("speakers")


def test_a_card_that_is_not_there(monkeypatch: pytest.MonkeyPatch) -> None:
    fake_sounddevice(monkeypatch, ValueError("No output device matching 'speakers'"))
    with pytest.raises(UnusableInput, match=r"'speakers' cannot be opened .* --output-device"):
        play("speakers")
