"""Several speakers for scripted users, so that no scenario depends on one voice.

    Speakers(folder).say("flite slt", text) -> (n,) float32 at 16 kHz, all equally loud
    run_program("flite slt", text) -> the same as the program says it

A speaker is named by its program and, behind a space, by that program's own voice: `heart` (hibari-tts, the fixture
voice), `espeak-ng en-us`, `flite slt`. The last two are programs of the system (Debian packages of the same names).
"""

from __future__ import annotations

import shutil
import subprocess
import tempfile
from pathlib import Path

import numpy as np

from ..errors import UnusableInput
from .sound_files import read_sound, voiced_extent
from .user_voice import RATE_HZ, UserVoice

FIXTURE_VOICE = "heart"
PROGRAMS = ("espeak-ng", "flite")
LEVEL_DBFS = -24.0  # of the voiced part: somebody who speaks at arm's length
_LONGEST_RUN_S = 60


class Speakers:
    """Says a text in any of the voices; the fixture voice keeps what it said in `folder`."""

    def __init__(self, folder: Path) -> None:
        self._heart = UserVoice(folder)

    def say(self, speaker: str, text: str) -> np.ndarray:
        """The text, spoken.

        Raises:
            UnusableInput: as `UserVoice.say`; an unknown speaker; one whose program fails or is not installed.
        """
        samples = self._heart.say(text) if speaker == FIXTURE_VOICE else run_program(speaker, text)
        return at_level(samples, LEVEL_DBFS)


def missing(speaker: str) -> str | None:
    """Why this speaker cannot speak here; None where it can."""
    program = speaker.partition(" ")[0]
    if program in PROGRAMS and shutil.which(program) is None:
        return f"{program} is not installed: apt-get install {program}"
    return None


def at_level(samples: np.ndarray, level_dbfs: float) -> np.ndarray:
    """The sound with its voiced part at this level (rms); what would clip is made no louder than full scale."""
    first, last = voiced_extent(samples, RATE_HZ) or (0, len(samples))
    rms = float(np.sqrt(np.mean(samples[first:last] ** 2)))
    factor = min(10 ** (level_dbfs / 20) / rms, 1.0 / float(np.abs(samples).max()))
    return (samples * np.float32(factor)).astype(np.float32)


def run_program(speaker: str, text: str) -> np.ndarray:
    """(n,) float32 at 16 kHz, trimmed to the spoken part."""
    program, _, voice = speaker.partition(" ")
    if program not in PROGRAMS:
        raise UnusableInput(f"no speaker '{speaker}': name {FIXTURE_VOICE}, or {' or '.join(PROGRAMS)} and a voice")
    reason = missing(speaker)
    if reason:
        raise UnusableInput(f"the speaker '{speaker}' cannot speak: {reason}")
    with tempfile.TemporaryDirectory() as folder:
        sound = Path(folder) / "said.wav"
        command = {
            "espeak-ng": ["espeak-ng", "-v", voice or "en-us", "-w", str(sound), "--", text],
            "flite": ["flite", "-voice", voice or "slt", "-t", text, "-o", str(sound)],
        }[program]
        ended = subprocess.run(command, capture_output=True, text=True, timeout=_LONGEST_RUN_S, check=False)
        if ended.returncode or not sound.exists():
            raise UnusableInput(f"{program} could not say {text!r}: {ended.stderr.strip() or 'it made no sound'}")
        samples = read_sound(sound, RATE_HZ)
    first, last = voiced_extent(samples, RATE_HZ) or (0, len(samples))
    return samples[first:last]
