"""One live conversation from the command line to its report.

    run_talk(...) -> exit status 0; UnusableInput (2) when devices or models cannot be used, or a model breaks

Devices are tried before models are loaded; one that goes later is waited for (live_sound.py). However the conversation
ends (/quit, Ctrl-C, a part that breaks), the terminal is put back and, with a folder, everything recorded so far is
complete.
"""

from __future__ import annotations

import asyncio
import contextlib
import signal
import sys
from collections.abc import Iterator
from pathlib import Path

from rich.console import Console

from ..clock import Clock, WallClock
from ..conversation import Conversation
from ..errors import UnusableInput
from ..events import Failed
from ..floor import State
from ..hearing.microphone import Microphone, SoundDevice
from ..parts import Parts, load_parts
from ..record.recording import Recording
from ..record.report import SOUND, TRACE, prepare_folder, write_report
from ..record.trace import Trace, TraceLine
from ..settings import Settings
from ..speaking.output_device import OutputDevice
from .devices import choose_device, handle
from .keyboard import LineEditor, typing
from .live_sound import LiveRecording, LiveSound
from .screen import Screen
from .terminal import PICTURES_PER_S, Rooms, View, open_view

FLOOR = {State.LISTENING: "listening", State.ANSWERING: "answering", State.OVERLAP: "you speak over the answer"}


def run_talk(
    *,
    settings: Settings,
    input_device: int | str | None,
    output_device: int | str | None,
    out: Path | None,
    mode: str,
    seed: int,
) -> int:
    """Talk until the user ends it.

    Raises:
        UnusableInput: no such device, a missing model, a folder that cannot be written; a part that broke on the way
            (what was recorded until then is complete).
    """
    devices = choose_device("input", input_device), choose_device("output", output_device)
    if out is not None:
        prepare_folder(out)
    console = Console(highlight=False)
    parts = _load(settings, seed, console)
    talk = Talk(parts, settings, devices, out, console, mode=mode, seed=seed)
    try:
        asyncio.run(talk.hold())
    finally:
        parts.workers.close()
        talk.report()
    if talk.failure is not None:
        kept = f"; what was recorded until then is in {out}" if out is not None else ""
        raise UnusableInput(f"{talk.failure.error}{kept}")
    return 0


def _load(settings: Settings, seed: int, console: Console) -> Parts:
    clock = WallClock()

    def tell(part: str) -> None:
        console.print(f"{part} ready in {clock.now_s():.1f} s", style="dim")

    with console.status("loading the models ..."):
        return load_parts(settings, tell, seed)


class Talk:
    """The conversation, what is recorded of it, and who watches and types."""

    def __init__(
        self,
        parts: Parts,
        settings: Settings,
        devices: tuple[SoundDevice, SoundDevice],
        out: Path | None,
        console: Console,
        *,
        mode: str,
        seed: int,
    ) -> None:
        """devices: microphone, loudspeaker."""
        self._parts, self._settings, self._devices, self._out, self._console = parts, settings, devices, out, console
        self._mode = mode
        self._clock: Clock = WallClock()
        self._trace = Trace(out / TRACE if out else None, self._clock)
        self._conversation = Conversation(parts, settings, clock=self._clock, trace=self._trace, mode=mode, seed=seed)
        self._screen, self._editor = Screen(), LineEditor()
        self._origin_s: float | None = None  # where the recording begins on the clock

    @property
    def failure(self) -> Failed | None:
        return self._conversation.failure

    async def hold(self) -> None:
        """From the first sound to the last.

        Raises:
            UnusableInput: a device cannot be opened.
        """
        with contextlib.closing(self._trace):
            with self._console.status("reading in what every answer builds on ..."):
                await self._conversation.warm_up()
            names = f"ready: microphone '{self._devices[0].name}', loudspeaker '{self._devices[1].name}'"
            self._console.print(names, style="dim", markup=False, soft_wrap=True)
            with self._recording() as recording:
                await self._converse(recording)

    def report(self) -> None:
        """Summary and picture of what was recorded, if anything was."""
        if self._out is None or self._origin_s is None:
            return
        write_report(
            self._out,
            self._trace.lines,
            name="live conversation",
            turns=self._conversation.turns,
            truth=(),
            origin_s=self._origin_s,
            profile=self._settings.profile,
            time="real",
            mode=self._mode,
            device=self._parts.device,
        )
        self._console.print(
            f"{self._out}/: conversation.wav, trace.jsonl, summary.json, timeline.png", style="dim", markup=False
        )

    @contextlib.contextmanager
    def _recording(self) -> Iterator[LiveRecording | None]:
        if self._out is None:
            yield None
            return
        with Recording(
            self._out / SOUND,
            left_rate_hz=self._settings.hearing.rate_hz,
            right_rate_hz=self._conversation.loudspeaker.rate_hz,
        ) as recording:
            live = LiveRecording(recording, self._clock)
            self._origin_s = live.origin_s
            yield live

    async def _converse(self, recording: LiveRecording | None) -> None:
        microphone = Microphone(self._settings.hearing, self._clock, handle(self._devices[0]))
        card = OutputDevice(
            self._conversation.loudspeaker,
            handle(self._devices[1]),
            self._clock,
            tap=recording.right if recording else None,
        )
        sound = LiveSound(microphone, card, recording, self._clock, self._trace.record)
        with open_view(self._console, self._screen) as view:

            def watch(line: TraceLine) -> None:
                view.log(self._screen.push(line))

            def typed(text: str) -> None:
                for line in self._editor.push(text):
                    self._obey(line, sound, view)

            async def draw() -> None:
                while True:
                    view.draw(self._rooms(sound, card), self._editor.text, self._clock.now_s())
                    await self._clock.sleep_until(self._clock.now_s() + 1 / PICTURES_PER_S)

            self._trace.subscribe(watch)
            try:
                with typing(sys.stdin, typed), _signals_end(sound):
                    await self._conversation.run(sound, beside=[draw])
            except BaseExceptionGroup as group:
                raise _unusable(group) or group from None
            finally:
                view.log(self._screen.finish())

    def _obey(self, line: str, sound: LiveSound, view: View) -> None:
        """A typed line: a command, or words to the assistant."""
        if line == "/quit":
            sound.end()
        elif line == "/mute":
            sound.toggle_mute()
        else:
            answering = self._conversation.floor.answering
            view.log(self._screen.typed(line, self._clock.now_s(), answering))
            self._conversation.type_line(line)

    def _rooms(self, sound: LiveSound, card: OutputDevice) -> Rooms:
        return Rooms(
            level_dbfs=sound.level_dbfs,
            muted=sound.muted,
            floor=FLOOR[self._conversation.floor.state],
            backlog_s=self._conversation.loudspeaker.backlog_s,
            dropped_frames=sound.dropped,
            late_blocks=card.late_blocks,
        )


@contextlib.contextmanager
def _signals_end(sound: LiveSound) -> Iterator[None]:
    """Ctrl-C and its like end the conversation in good order; the second one at once."""
    loop = asyncio.get_running_loop()
    signals = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)

    def end() -> None:
        sound.end()
        loop.remove_signal_handler(signal.SIGINT)

    for number in signals:
        loop.add_signal_handler(number, end)
    try:
        yield
    finally:
        for number in signals:
            loop.remove_signal_handler(number)


def _unusable(group: BaseExceptionGroup) -> UnusableInput | None:
    """The first sentence for the user in a group of groups."""
    for error in group.exceptions:
        found = _unusable(error) if isinstance(error, BaseExceptionGroup) else error
        if isinstance(found, UnusableInput):
            return found
    return None
