"""Two sound cards that are none, for real streams: a PulseAudio server each, private to a test, with a null sink.

    with sound_cards(folder) as (microphone, loudspeaker, environment): a program in it has them as its default device

What a test plays into the first one's sink the program hears at its monitor, and the other way round. A card can be
unplugged: it is its server's only one, so that no stream is moved to another, as PulseAudio likes to do. Nothing is
shared with servers, settings and cookies of the user. Programs are waited for by what they say; time-outs are
fail-safes.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import IO, Any, TypeVar

import numpy as np
import pytest

RATE_HZ = 16_000  # of what is recorded
PATIENCE_S = 120.0
_PROGRAMS = ("pulseaudio", "pactl", "paplay", "parec")
_LIBRARIES = ("/usr/lib", "/usr/lib64")
_BLOCK_BYTES = 4 * RATE_HZ // 50
_ALSA = """
pcm.default {{
    type asym
    capture.pcm {{ type pulse server "{microphone}" }}
    playback.pcm {{ type pulse server "{loudspeaker}" }}
}}
"""


Listener = TypeVar("Listener", "Lines", "Recording")


def skip_without_pulseaudio() -> None:
    missing = [program for program in _PROGRAMS if not shutil.which(program)]
    plugin = "libasound_module_pcm_pulse.so"
    if not any(next(Path(folder).glob(f"**/alsa-lib/{plugin}"), None) for folder in _LIBRARIES):
        missing.append(plugin)
    if missing:
        pytest.skip(f"no {', '.join(missing)}: apt-get install pulseaudio pulseaudio-utils libasound2-plugins")


class Lines:
    """What a program prints, line by line as it comes."""

    def __init__(self, stream: IO[str]) -> None:
        self.all: list[str] = []
        self._taken = 0
        self._ended = False
        self._news = threading.Condition()
        self._thread = threading.Thread(target=self._read, args=(stream,), name="lines")
        self._thread.start()

    def wait_for(self, *words: str) -> str:
        """The next line that holds all of these words; those before it are passed over."""

        def found() -> bool:
            while self._taken < len(self.all):
                self._taken += 1
                if all(word in self.all[self._taken - 1] for word in words):
                    return True
            return self._ended

        with self._news:
            assert self._news.wait_for(found, PATIENCE_S), f"nothing said of {words}: {self.all}"
            line = self.all[self._taken - 1] if self.all else ""
            assert all(word in line for word in words), f"it ended without a word of {words}: {self.all}"
            return line

    def join(self) -> None:
        self._thread.join()

    def _read(self, stream: IO[str]) -> None:
        for line in stream:
            with self._news:
                self.all.append(line.rstrip("\n"))
                self._news.notify_all()
        with self._news:
            self._ended = True
            self._news.notify_all()


class Recording:
    """Sound as it comes from a card."""

    def __init__(self, stream: IO[bytes]) -> None:
        self._blocks: list[np.ndarray] = []
        self._news = threading.Condition()
        self._thread = threading.Thread(target=self._read, args=(stream,), name="recording")
        self._thread.start()

    @property
    def samples(self) -> np.ndarray:
        """(n,) float32 at RATE_HZ."""
        with self._news:
            return np.concatenate([np.zeros(0, np.float32), *self._blocks])

    def wait_until_louder_than(self, dbfs: float) -> None:
        """Until a block of 20 ms that comes from now on is."""
        with self._news:
            since = len(self._blocks)
            loud = lambda: any(level_dbfs(block) > dbfs for block in self._blocks[since:])  # noqa: E731
            assert self._news.wait_for(loud, PATIENCE_S), f"nothing was louder than {dbfs} dBFS"

    def join(self) -> None:
        self._thread.join()

    def _read(self, stream: IO[bytes]) -> None:
        while len(read := stream.read(_BLOCK_BYTES)) == _BLOCK_BYTES:
            with self._news:
                self._blocks.append(np.frombuffer(read, np.float32))
                self._news.notify_all()


def level_dbfs(samples: np.ndarray) -> float:
    return 20 * float(np.log10(max(1e-9, np.sqrt(np.mean(samples**2)))))


class Card:
    """A PulseAudio server with one null sink, while it is plugged in."""

    def __init__(self, folder: Path, environment: dict[str, str]) -> None:
        self.server = f"unix:{folder}/native"
        self._folder = folder
        self._environment = {**environment, "PULSE_RUNTIME_PATH": str(folder), "PULSE_STATE_PATH": str(folder)}
        self._module = ""

    @contextmanager
    def serving(self) -> Iterator[Card]:
        self._folder.mkdir()
        command = ["pulseaudio", "-n", "--daemonize=no", "--use-pid-file=no", "--exit-idle-time=-1"]
        command += ["--disable-shm=yes", "--high-priority=no", "--realtime=no", "--log-level=info"]
        command += ["--log-target=stderr", f"--load=module-native-protocol-unix socket={self._folder}/native"]
        with _listening_to(command, self._environment, Lines, stderr=subprocess.STDOUT, text=True) as said:
            said.wait_for("startup complete")
            self.plug_in()
            yield self

    def plug_in(self) -> None:
        # Without `norewinds` a null sink renders two seconds at a time where nobody asks for less.
        self._module = self._control("load-module", "module-null-sink", "sink_name=card", "norewinds=1")

    def unplug(self) -> None:
        self._control("unload-module", self._module)

    def play(self, sound: Path) -> None:
        """Returns when all of it has been played."""
        self._run("paplay", "--device=card", str(sound))

    @contextmanager
    def streams(self) -> Iterator[Lines]:
        """What happens to the streams of programs, as the server tells it."""
        command = ["pactl", "subscribe"]
        with _listening_to(command, self._client(), Lines, stderr=subprocess.STDOUT, text=True) as lines:
            yield lines

    @contextmanager
    def recording(self) -> Iterator[Recording]:
        """What programs play into it, from now on."""
        command = ["parec", "--device=card.monitor", f"--rate={RATE_HZ}", "--channels=1", "--format=float32le", "--raw"]
        command.append("--latency-msec=20")
        with _listening_to(command, self._client(), Recording, stderr=subprocess.DEVNULL) as recording:
            yield recording

    def _control(self, *words: str) -> str:
        return self._run("pactl", *words)

    def _run(self, *command: str) -> str:
        return subprocess.run(
            command, env=self._client(), check=True, stdout=subprocess.PIPE, text=True, timeout=PATIENCE_S
        ).stdout.strip()

    def _client(self) -> dict[str, str]:
        return {**self._environment, "PULSE_SERVER": self.server}


@contextmanager
def sound_cards(folder: Path) -> Iterator[tuple[Card, Card, dict[str, str]]]:
    """Microphone, loudspeaker, and the environment in which they are ALSA's default device. `folder`: a short path."""
    own = {"XDG_CONFIG_HOME": str(folder), "XDG_RUNTIME_DIR": str(folder), "PULSE_COOKIE": str(folder / "cookie")}
    environment = {name: value for name, value in os.environ.items() if not name.startswith("PULSE_")} | own
    with ExitStack() as stack:
        names = ("microphone", "loudspeaker")
        cards = [stack.enter_context(Card(folder / name, environment).serving()) for name in names]
        configuration = folder / "alsa.conf"
        configuration.write_text(_ALSA.format(**{name: card.server for name, card in zip(names, cards, strict=True)}))
        yield cards[0], cards[1], {**environment, "ALSA_CONFIG_PATH": str(configuration)}


@contextmanager
def _listening_to(
    command: list[str], environment: dict[str, str], listen: Callable[[IO], Listener], **how: Any
) -> Iterator[Listener]:
    with subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, **how) as process:
        assert process.stdout is not None
        listener = listen(process.stdout)
        try:
            yield listener
        finally:
            process.terminate()
            listener.join()
