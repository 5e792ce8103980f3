"""Make scenarios with all their sounds from a table of texts.

    make_suite(table.yaml, out folder, say) -> what was made, and what was skipped and why

The table holds scenarios as replay reads them, with three more keys: an item may name its `voice` (replay/speakers.py)
or be a made `sound` (hearing/sounds.py), either at a `level_db` beside that of ordinary speech, and `noise` names a
`sound` too. Every clip becomes a file beside the scenarios, with its text: replaying needs none of the speakers.
"""

from __future__ import annotations

import hashlib
import re
import zlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import soundfile
import yaml

from ..errors import UnusableInput
from ..replay.scenario import load_scenario
from ..replay.speakers import FIXTURE_VOICE, LEVEL_DBFS, at_level, missing
from ..replay.user_voice import RATE_HZ
from .hearing.sounds import NOISES
from .hearing.speakers import trimmed

Say = Callable[[str, str], np.ndarray]  # (speaker, text) -> (n,) float32 at RATE_HZ
SOUNDS_FOLDER = "sounds"
SOUND_S = {"cough": 3.0, "door": 3.0, "breath": 3.0, "typing": 3.0, "music": 12.0, "hum": 10.0, "hiss": 10.0}


@dataclass(frozen=True)
class Suite:
    """The scenario files that were made, and why others were not."""

    made: list[Path]
    skipped: dict[str, str]


def make_suite(
    table: Path, out: Path, say: Say, why_missing: Callable[[str], str | None] = missing, only: str = ""
) -> Suite:
    """Write every scenario of `table` whose name holds `only`, and its sounds.

    why_missing: why a speaker cannot speak here; its scenarios are skipped.

    Raises:
        UnusableInput: a table that is none, a scenario in it that replay would refuse, a folder that cannot be written.
    """
    suite = Suite([], {})
    for entry in _entries(table):
        name = str(entry["name"])
        if only not in name:
            continue
        voices = {item.get("voice", FIXTURE_VOICE) for item in entry["user"] if "say" in item}
        reason = next(filter(None, map(why_missing, sorted(voices))), None)
        if reason:
            suite.skipped[name] = reason
            continue
        suite.made.append(_make(entry, out, say))
    if not suite.made and not suite.skipped:
        raise UnusableInput(f"{table} holds no scenario whose name has '{only}' in it")
    return suite


def _make(entry: Mapping[str, Any], out: Path, say: Say) -> Path:
    scenario = {**entry, "user": [_item(item, out, say) for item in entry["user"]]}
    if "sound" in entry.get("noise", {}):
        noise = dict(entry["noise"])
        scenario["noise"] = {"file": _sound_file(noise.pop("sound"), 0.0, out), **noise}
    path = out / f"{slug(entry['name'])}.yaml"
    path.write_text(yaml.safe_dump(scenario, sort_keys=False, allow_unicode=True, width=120), encoding="utf-8")
    load_scenario(path)
    return path


def _item(item: Mapping[str, Any], out: Path, say: Say) -> dict[str, Any]:
    """An item of the table as replay reads it."""
    rest = dict(item)
    level_db = float(rest.pop("level_db", 0.0))
    if "sound" in rest:
        return {"audio": _sound_file(rest.pop("sound"), level_db, out), "means": "noise", **rest}
    voice, text = rest.pop("voice", FIXTURE_VOICE), rest.pop("say")
    name = hashlib.sha256(f"{voice}\n{level_db}\n{text}".encode()).hexdigest()[:8]
    file = f"{SOUNDS_FOLDER}/{slug(text)[:40].rstrip('-')}-{name}.flac"
    if not (out / file).exists():
        _write(out / file, at_level(say(voice, text), LEVEL_DBFS + level_db))
    return {"audio": file, "text": text, **rest}


def _sound_file(sound: str, level_db: float, out: Path) -> str:
    file = f"{SOUNDS_FOLDER}/made-{sound}{level_db:+g}db.flac"
    _write(out / file, at_level(make_sound(sound), LEVEL_DBFS + level_db))
    return file


def make_sound(name: str) -> np.ndarray:
    """One cough, one slam of a door, some seconds of what lasts: (n,) float32; equal names give equal samples."""
    if name not in SOUND_S:
        raise UnusableInput(f"no sound '{name}' can be made; known are {', '.join(SOUND_S)}")
    return trimmed(NOISES[name](SOUND_S[name], np.random.default_rng(zlib.crc32(name.encode()))))


def _write(path: Path, samples: np.ndarray) -> None:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        soundfile.write(path, samples, RATE_HZ, subtype="PCM_16")
    except (OSError, soundfile.LibsndfileError) as error:
        raise UnusableInput(f"cannot write {path}: {error}") from error


def _entries(table: Path) -> list[dict[str, Any]]:
    try:
        found = yaml.safe_load(table.read_text(encoding="utf-8"))
        entries = [dict(entry) for entry in found["scenarios"]]
        names = [slug(entry["name"]) for entry in entries]
        items = [dict(item) for entry in entries for item in entry["user"]]
    except (OSError, UnicodeDecodeError, yaml.YAMLError, KeyError, TypeError, ValueError) as error:
        raise UnusableInput(
            f"{table} is no table of scenarios ({' '.join(str(error).split())}): it needs the key 'scenarios', a list "
            "of tables with 'name' and 'user'"
        ) from error
    twice = {name for name in names if names.count(name) > 1}
    if twice:
        raise UnusableInput(f"{table}: two scenarios are called {', '.join(sorted(twice))}; give each its own name")
    if wordless := [item for item in items if not {"say", "sound"} & item.keys()]:
        raise UnusableInput(f"{table}: every user item needs 'say' or 'sound' (got {wordless[0]})")
    return entries


def slug(text: str) -> str:
    """'Sorry, I meant 90!' -> 'sorry-i-meant-90', a name for a file."""
    return re.sub(r"[^a-z0-9]+", "-", text.lower()).strip("-")
