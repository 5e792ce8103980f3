"""Many jobs, each kept as one JSON line as soon as it is done: resumable, several at once, every job exactly once.

    KeptLines.open(path, about)  -> what an earlier run of the same thing has kept; a torn last line is dropped
    run_jobs(jobs, kept, ...)    -> the lines that were missing, made by asyncio tasks
    read_lines(path, about)      -> what is kept so far of the same thing, while another process may be writing
    read_run(path)               -> the same of whatever it is: head, lines

The first line of a file says what its lines were made with; a run with other settings must not go on with them.
"""

from __future__ import annotations

import asyncio
import json
import os
import sys
from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from filelock import FileLock, Timeout
from tqdm import tqdm

from ..errors import UnusableInput

Line = dict[str, Any]
LOG_PERIOD_S = 30.0  # between two progress lines where standard error is no terminal


@dataclass(frozen=True)
class Job:
    """Something to be done once. `key` names it among all jobs of its file; `run` gives the line's values."""

    key: str
    run: Callable[[], Awaitable[Line]]


class KeptLines:
    """Lines on disk by key. `about` is the head; `lines` holds what has been done."""

    def __init__(self, path: Path, about: Line, lines: dict[str, Line]) -> None:
        self.path, self.about, self.lines = path, about, lines

    @classmethod
    @contextmanager
    def open(cls, path: Path, about: Line) -> Iterator[KeptLines]:
        """Hold the file for this process alone; begin it, or go on with it.

        about: what makes two runs the same (model, settings, questions); plain JSON values.

        Raises:
            UnusableInput: another process holds it, its lines were made with something else, it cannot be written, or a
            line before the last is none of a run.
        """
        about = json.loads(json.dumps(about))
        lock = FileLock(path.with_name(path.name + ".lock"))
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            lock.acquire(timeout=0)
        except Timeout as error:
            raise UnusableInput(
                f"{path}: another run is writing it; wait for its end, or choose another --out"
            ) from error
        except OSError as error:
            raise UnusableInput(f"cannot write {path}: {error.strerror or error}; choose another --out") from error
        try:
            head, lines = _read(path)
            if head is None:
                _append(path, about)
            _refuse_another(path, head, about)
            yield cls(path, about, lines)
        finally:
            lock.release()

    def keep(self, key: str, line: Line) -> None:
        """Write a line; it is on disk when this returns."""
        assert key not in self.lines, f"{key} is done already"
        self.lines[key] = {"key": key, **line}
        _append(self.path, self.lines[key])


async def run_jobs(jobs: Sequence[Job], kept: KeptLines, *, at_once: int, what: str) -> None:
    """Do the jobs that have no line yet, `at_once` at a time; progress and time left on standard error.

    The first failure ends the others; what was kept stays.

    Raises:
        UnusableInput: a job's input is unusable.
        ExceptionGroup: jobs failed otherwise.
    """
    missing = [job for job in jobs if job.key not in kept.lines]
    waiting = iter(missing)
    terminal = sys.stderr.isatty()
    with tqdm(
        total=len(jobs),
        initial=len(jobs) - len(missing),
        desc=what,
        mininterval=0.1 if terminal else LOG_PERIOD_S,
        maxinterval=LOG_PERIOD_S,
        dynamic_ncols=terminal,
        smoothing=0.0,  # jobs differ in length: the mean of all foretells better than the last
    ) as bar:

        async def work() -> None:
            for job in waiting:  # shared: each job is taken by one task
                try:
                    line = await job.run()
                except UnusableInput as error:
                    raise UnusableInput(f"{what}, {job.key}: {error}") from error
                kept.keep(job.key, line)
                bar.update()

        try:
            async with asyncio.TaskGroup() as tasks:
                for _ in range(min(at_once, len(missing))):
                    tasks.create_task(work())
        except BaseExceptionGroup as group:
            unusable = [error for error in group.exceptions if isinstance(error, UnusableInput)]
            raise unusable[0] if unusable else group from None


def read_lines(path: Path, about: Line) -> dict[str, Line]:
    """The whole lines of a file that another process may be writing; none where there is no file yet.

    Raises:
        UnusableInput: they were made with something else, or a line is none of a run.
    """
    if not path.exists():
        return {}
    head, lines = read_run(path)
    _refuse_another(path, head, about)
    return lines


def read_run(path: Path) -> tuple[Line | None, dict[str, Line]]:
    """Head (None: nothing has been written) and whole lines by key.

    Raises:
        UnusableInput: the file cannot be read, or a line is none of a run.
    """
    try:
        whole, _ = _whole_lines(path.read_bytes())
    except OSError as error:
        raise UnusableInput(f"cannot read {path}: {error.strerror or error}") from error
    return _parsed(path, whole)


def _read(path: Path) -> tuple[Line | None, dict[str, Line]]:
    """Head and lines; what was being written when the process was killed is cut off."""
    if not path.exists():
        return None, {}
    whole, torn = _whole_lines(path.read_bytes())
    if torn:
        with path.open("r+b") as file:
            file.truncate(len(whole))
    return _parsed(path, whole)


def _parsed(path: Path, whole: bytes) -> tuple[Line | None, dict[str, Line]]:
    head: Line | None = None
    lines: dict[str, Line] = {}
    for number, text in enumerate(whole.split(b"\n")[:-1], 1):
        try:
            line = json.loads(text)
            if head is None:
                head = dict(line)
            else:
                lines[line["key"]] = line
        except (ValueError, TypeError, KeyError) as error:
            raise UnusableInput(
                f"{path}, line {number}: no line of a run ({type(error).__name__}: {error}); repair it, or choose "
                "another --out"
            ) from error
    return head, lines


def _whole_lines(content: bytes) -> tuple[bytes, bytes]:
    end = content.rfind(b"\n") + 1
    return content[:end], content[end:]


def _append(path: Path, line: Line) -> None:
    with path.open("ab") as file:
        file.write(json.dumps(line, ensure_ascii=False).encode("utf-8") + b"\n")
        file.flush()
        os.fsync(file.fileno())


def _refuse_another(path: Path, head: Line | None, about: Line) -> None:
    about = json.loads(json.dumps(about))
    if head is not None and head != about:
        raise UnusableInput(f"{path} was made with {_differences(head, about)}; choose another --out")


def _differences(head: Line, about: Line) -> str:
    keys = [key for key in sorted({*head, *about}) if head.get(key) != about.get(key)]
    return ", ".join(f"{key} {head.get(key)!r}, not {about.get(key)!r}" for key in keys)
