"""Everybody on this machine who can say a text: the fixture voice, and Debian's espeak-ng and flite.

speakers_here(voices) -> {name: say}, and for each that is missing the reason
say(text) -> (n,) float32 at 16 kHz, trimmed to the spoken part
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import cache, partial

import numpy as np

from ...errors import UnusableInput
from ...model_store import models_folder
from ...replay.sound_files import voiced_extent
from ...replay.speakers import missing as why_missing
from ...replay.speakers import run_program
from ...replay.user_voice import UserVoice
from .ear import RATE_HZ

Say = Callable[[str], np.ndarray]
_PROGRAMS = {"espeak": "espeak-ng en-us", "flite": "flite slt"}


def speakers_here(voices: Iterable[str] = ()) -> tuple[dict[str, Say], dict[str, str]]:
    """Who can speak, and why the others cannot. voices: further ones by program and voice ("flite rms")."""
    fixture = UserVoice(models_folder() / "user-voice")
    here: dict[str, Say] = {}
    missing: dict[str, str] = {}
    try:
        fixture.say("Hello!")
        here["hibari"] = cache(fixture.say)
    except UnusableInput as problem:
        missing["hibari"] = str(problem)
    for name, speaker in {**_PROGRAMS, **{voice: voice for voice in voices}}.items():
        reason = why_missing(speaker)
        if reason:
            missing[name] = reason
        else:
            here[name] = cache(partial(run_program, speaker))
    return here, missing


def trimmed(samples: np.ndarray) -> np.ndarray:
    """From the first 10 ms that are loud enough to be speech to the last; as it is where none are."""
    extent = voiced_extent(samples, RATE_HZ)
    return samples[extent[0] : extent[1]] if extent else samples
