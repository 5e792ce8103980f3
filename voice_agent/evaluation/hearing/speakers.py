"""Everybody on this machine who can say a text: the fixture voice, and Debian's espeak-ng and flite.

speakers_here() -> {name: say}, and for each that is missing the reason
say(text) -> (n,) float32 at 16 kHz, trimmed to the spoken part
"""

from __future__ import annotations

import shutil
import subprocess
import tempfile
from collections.abc import Callable
from functools import cache, partial
from pathlib import Path

import numpy as np

from ...errors import UnusableInput
from ...model_store import models_folder
from ...replay.sound_files import read_sound, voiced_extent
from ...replay.user_voice import UserVoice
from .ear import RATE_HZ

Say = Callable[[str], np.ndarray]
_COMMANDS: dict[str, tuple[str, ...]] = {  # speaker -> what writes the text to the file
    "espeak": ("espeak-ng", "-v", "en-us", "-w", "{file}", "{text}"),
    "flite": ("flite", "-voice", "slt", "-t", "{text}", "-o", "{file}"),
}


def speakers_here() -> tuple[dict[str, Say], dict[str, str]]:
    """Who can speak, and why the others cannot."""
    fixture = UserVoice(models_folder() / "user-voice")
    here: dict[str, Say] = {}
    missing: dict[str, str] = {}
    try:
        fixture.say("Hello!")
        here["hibari"] = cache(fixture.say)
    except UnusableInput as problem:
        missing["hibari"] = str(problem)
    for name, (program, *_) in _COMMANDS.items():
        if shutil.which(program):
            here[name] = cache(partial(_say, name))
        else:
            missing[name] = f"{program} is not installed: apt-get install {program}"
    return here, missing


def trimmed(samples: np.ndarray) -> np.ndarray:
    """From the first 10 ms that are loud enough to be speech to the last; as it is where none are."""
    extent = voiced_extent(samples, RATE_HZ)
    return samples[extent[0] : extent[1]] if extent else samples


def _say(name: str, text: str) -> np.ndarray:
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "speech.wav"
        command = [part.format(file=file, text=text) for part in _COMMANDS[name]]
        done = subprocess.run(command, capture_output=True, text=True, check=False, stdin=subprocess.DEVNULL)
        if done.returncode != 0:
            raise UnusableInput(f"{command[0]} cannot say {text!r}: {done.stderr.strip() or done.returncode}")
        return trimmed(read_sound(file, RATE_HZ))
