"""A scenario with its sounds: read from files beside it, or spoken by the scripted user's voice.

make_script(path, say, rate_hz) -> Script
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from ..errors import UnusableInput
from .scenario import Scenario, UserItem, load_scenario
from .sound_files import read_sound, voiced_extent


@dataclass(frozen=True)
class Clip:
    """One thing the user says, as sound; speech fills samples[first:last]."""

    label: str
    samples: np.ndarray  # (n,) float32 in [-1, 1]
    first: int
    last: int

    @property
    def speech(self) -> np.ndarray:
        return self.samples[self.first : self.last]


@dataclass(frozen=True)
class Script:
    """A scenario ready to be played: clip i belongs to user item i."""

    scenario: Scenario
    rate_hz: int
    clips: tuple[Clip, ...]
    noise: np.ndarray | None = None  # (n,) float32, at its level; repeats


def make_script(path: Path, say: Callable[[str], np.ndarray], rate_hz: int) -> Script:
    """Load a scenario and its sounds; `say` gives speech for text, at `rate_hz`.

    Raises:
        UnusableInput: as `load_scenario`; a sound file that is missing, unreadable or silent; no voice for `say`.
    """
    scenario = load_scenario(path)
    clips = tuple(_clip(item, path, number, say, rate_hz) for number, item in enumerate(scenario.user, start=1))
    noise = None
    if scenario.noise:
        sound = _read(path, "noise", path.parent / scenario.noise.file, rate_hz)
        noise = sound * _gain_for(sound, [clip.speech for clip in clips], scenario.noise.snr_db)
    return Script(scenario, rate_hz, clips, noise)


def _clip(item: UserItem, path: Path, number: int, say: Callable[[str], np.ndarray], rate_hz: int) -> Clip:
    where = f"user item {number}"
    samples = say(item.say) if item.say else _read(path, where, path.parent / str(item.audio), rate_hz)
    extent = voiced_extent(samples, rate_hz)
    if extent is None:
        raise UnusableInput(f"{path}: {where} is silent; give it something to say")
    return Clip(item.say or str(item.audio), samples, *extent)


def _read(path: Path, where: str, sound: Path, rate_hz: int) -> np.ndarray:
    try:
        return read_sound(sound, rate_hz)
    except UnusableInput as error:
        raise UnusableInput(f"{path}, {where}: {error}") from error


def _gain_for(noise: np.ndarray, speech: Sequence[np.ndarray], snr_db: float) -> np.float32:
    """The factor that puts the noise's power `snr_db` below that of the voiced parts of the user's clips."""
    speech_power = float(np.mean(np.concatenate(speech) ** 2))
    return np.float32(np.sqrt(speech_power / float(np.mean(noise**2)) / 10 ** (snr_db / 10)))
