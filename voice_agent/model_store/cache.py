"""Where fetched models lie: one folder for each, named after it.

A model is present when every file that the manifest lists is there in its full size (its bytes were verified when it
was put there), or, where the manifest lists patterns, when the record of a finished download is and each still has a
file.
"""

from __future__ import annotations

import fnmatch
import importlib.util
import os
from pathlib import Path

import platformdirs

from ..errors import UnusableInput
from .manifest import ModelEntry, entry_of, manifest

RECORD_NAME = "fetched.json"  # which source and revision a model came from; written last


def models_folder() -> Path:
    """$VOICE_AGENT_MODELS, else the platform's cache folder; it need not exist."""
    chosen = os.environ.get("VOICE_AGENT_MODELS")
    return Path(chosen).expanduser() if chosen else Path(platformdirs.user_cache_dir("voice-agent")) / "models"


def location(entry: ModelEntry, models: Path) -> Path | None:
    """The file or folder a loader opens, whether or not it is there; None: a package that is not installed."""
    if entry.module:
        spec = importlib.util.find_spec(entry.module)
        return Path(spec.origin).parent if spec and spec.origin else None
    return models / entry.name / entry.opens


def is_present(entry: ModelEntry, models: Path) -> bool:
    if entry.module:
        return location(entry, models) is not None
    folder = models / entry.name
    if entry.patterns:
        return (folder / RECORD_NAME).is_file() and (folder / entry.opens).exists() and not unmatched(entry, folder)
    return all(_has_size(folder / file.path, file.size_bytes) for file in entry.files)


def find(name: str) -> Path:
    """What a loader opens for the model called `name`: a file or a folder. An existing path stands for itself.

    Raises:
        UnusableInput: unknown name, or not fetched yet.
    """
    if name not in manifest() and Path(name).exists():
        return Path(name)
    entry, models = entry_of(name), models_folder()
    path = location(entry, models)
    if path is None or not is_present(entry, models):
        if entry.module:
            raise UnusableInput(f"{entry.role} '{name}' is not installed: run 'pip install {entry.requirement}'")
        raise UnusableInput(f"{entry.role} '{name}' is not in {models}: run 'voice-agent models fetch {name}'")
    return path


def unmatched(entry: ModelEntry, folder: Path) -> list[str]:
    """The patterns of a model that no file below its folder has; they are read as the hub's client reads them."""
    files = [path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()]
    own = [file for file in files if file != RECORD_NAME and not file.startswith(".cache/")]
    return [pattern for pattern in entry.patterns if not fnmatch.filter(own, pattern)]


def _has_size(path: Path, size_bytes: int) -> bool:
    return path.is_file() and path.stat().st_size == size_bytes
