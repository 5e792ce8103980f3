"""Files of kept lines -> runs: lines that were made alike, each with the file and the line it stands in.

    read_runs([folder, file, ...]) -> Sources: runs of every kind, the measures of suites, traces

A file whose name ends in .jsonl is one of kept lines (runs.py) or a trace; what else lies in a folder is left alone.
Files with equal heads are shards of one run; what was asked outright (outright.py) joins the run that it is held
against, as a mode of its own.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path, PurePath
from typing import Any, Literal, cast

from ...errors import UnusableInput
from ..outright import MODES as OUTRIGHT
from ..runs import Line

Kind = Literal["set", "spoken", "injection", "gate", "pauses", "openings", "other"]
KINDS: tuple[tuple[Kind, frozenset[str]], ...] = (  # the first whose keys a line has
    ("spoken", frozenset({"condition", "mode", "row"})),
    ("set", frozenset({"mode", "row", "dataset"})),
    ("injection", frozenset({"what", "row", "thought_pieces"})),
    ("openings", frozenset({"what", "row", "withdrawn"})),
    ("gate", frozenset({"moment", "row"})),
    ("pauses", frozenset({"pause", "row"})),
)
MEASURES_FILE = "measures.json"
MODES = ("async", "async-safe", "think", "direct", "direct-filler", *OUTRIGHT.values())  # others behind them


@dataclass(frozen=True)
class Kept:
    """One line, and where it stands."""

    values: Line
    file: str
    number: int  # counted from 1, the head being the first
    anchor: str  # its id on the page

    def __getitem__(self, key: str) -> Any:
        return self.values[key]

    def get(self, key: str, default: Any = None) -> Any:
        return self.values.get(key, default)


@dataclass
class Run:
    """Lines of one kind that were made alike; `head` says with what."""

    id: str
    kind: Kind
    head: Line
    files: list[str]
    lines: list[Kept] = field(default_factory=list)

    @property
    def dataset(self) -> str:
        """The name of the question set; the experiments ask GSM8K."""
        return str(self.lines[0].get("dataset") or self.head.get("dataset") or "gsm8k")

    @property
    def modes(self) -> list[str]:
        """Those that the lines have, in the order of `MODES`."""
        found = sorted({str(line["mode"]) for line in self.lines if "mode" in line.values})
        return sorted(found, key=lambda mode: next((i for i, name in enumerate(MODES) if mode == name), len(MODES)))

    def of_mode(self, mode: str) -> list[Kept]:
        return [line for line in self.lines if line.get("mode") == mode]


@dataclass(frozen=True)
class Suite:
    """The measures of a folder of scenarios (replay/measures.py)."""

    file: str
    values: dict[str, dict[str, Any]]


@dataclass(frozen=True)
class TraceFile:
    """A trace of one conversation; mode and what was said as the summary beside it tells."""

    file: str
    path: Path
    summary: dict[str, Any]


@dataclass
class Sources:
    """All that was found."""

    runs: list[Run] = field(default_factory=list)
    suites: list[Suite] = field(default_factory=list)
    traces: list[TraceFile] = field(default_factory=list)

    def of(self, *kinds: Kind) -> list[Run]:
        return [run for run in self.runs if run.kind in kinds]


def read_sources(places: Sequence[Path]) -> Sources:
    """Read what lies in folders (and below them) and in files that are named outright.

    Raises:
        UnusableInput: a place that does not exist, nothing to report in any, a line that is none, one item kept twice.
    """
    sources = Sources()
    for path, name in _files(places):
        if path.name == MEASURES_FILE:
            sources.suites.append(Suite(name, _json(path)))
        elif path.suffix == ".jsonl":
            _add_lines(sources, path, name)
    if not (sources.runs or sources.suites or sources.traces):
        where = ", ".join(map(str, places))
        raise UnusableInput(f"{where}: no kept lines (*.jsonl) and no {MEASURES_FILE} there; name the --out of an eval")
    _join_outright(sources)
    for run in sources.runs:
        _check_once(run)
    return sources


def line_ranges(lines: Iterable[Kept]) -> str:
    """'gsm8k.jsonl:2-51,60; other.jsonl:3'"""
    by_file: dict[str, list[int]] = {}
    for line in lines:
        by_file.setdefault(line.file, []).append(line.number)
    return "; ".join(f"{file}:{_ranges(sorted(set(numbers)))}" for file, numbers in by_file.items())


def _ranges(numbers: Sequence[int]) -> str:
    """[2, 3, 4, 9] -> '2-4,9'"""
    parts: list[list[int]] = []
    for number in numbers:
        if parts and number == parts[-1][1] + 1:
            parts[-1][1] = number
        else:
            parts.append([number, number])
    return ",".join(f"{a}" if a == b else f"{a}-{b}" for a, b in parts)


def _files(places: Sequence[Path]) -> list[tuple[Path, str]]:
    """Every file and the name it goes by: from the folder that all of them lie in."""
    found: list[Path] = []
    for place in places:
        if not place.exists():
            raise UnusableInput(f"no folder or file {place}: name the --out of an eval")
        inside = sorted(path for path in place.rglob("*") if path.is_file()) if place.is_dir() else [place]
        found += [path for path in inside if path not in found]
    common = Path(_common_folder(places))
    return [(path, path.resolve().relative_to(common).as_posix()) for path in found]


def _common_folder(places: Sequence[Path]) -> Path:
    folders = [place.resolve() if place.is_dir() else place.resolve().parent for place in places]
    common = folders[0]
    while not all(folder.is_relative_to(common) for folder in folders):
        common = common.parent
    return common


def _add_lines(sources: Sources, path: Path, name: str) -> None:
    lines = _read_lines(path)
    if not lines:
        return
    head = lines[0][1]
    if "t" in head and "kind" in head:
        summary = path.with_name("summary.json")
        sources.traces.append(TraceFile(name, path, _json(summary) if summary.exists() else {}))
        return
    if len(lines) == 1 or "key" in head:
        return  # begun and never gone on with, or of another make
    kind = kind_of(lines[1][1])
    if lines[1][1].get("mode") in OUTRIGHT.values():
        head = {**head, "folder": PurePath(name).parent.as_posix()}  # runs of two folders may have asked the same
    run = next((run for run in sources.runs if run.kind == kind and run.head == head), None)
    if run is None:
        run = Run(f"r{len(sources.runs) + 1}", kind, head, [])
        sources.runs.append(run)
    run.files.append(name)
    for number, values in lines[1:]:
        anchor = f"{run.id}-{len(run.lines) + 1}"
        run.lines.append(Kept(values, name, number, anchor))


def kind_of(line: Line) -> Kind:
    """What made a line, by the keys it has."""
    return next((kind for kind, keys in KINDS if keys <= line.keys()), "other")


def _join_outright(sources: Sources) -> None:
    """A run that asked outright goes into the one that it was made for: of the same questions, a folder above it."""
    asked = [run for run in sources.of("set") if set(run.modes) <= set(OUTRIGHT.values())]
    for run in asked:
        above = {PurePath(file).parent.parent for file in run.files}
        hosts = [
            host
            for host in sources.of("set")
            if host not in asked
            and all(host.head.get(key) == run.head.get(key) for key in ("questions", "dataset"))
            and above & {PurePath(file).parent for file in host.files}
        ]
        if len(hosts) == 1:
            hosts[0].head = {**hosts[0].head, " and ".join(run.modes): run.head}
            hosts[0].files += run.files
            hosts[0].lines += run.lines
            sources.runs.remove(run)


def _read_lines(path: Path) -> list[tuple[int, Line]]:
    """Line numbers and objects; an unfinished last line, of a run that was stopped or goes on, is left out."""
    try:
        whole = path.read_text(encoding="utf-8").split("\n")[:-1]
    except (OSError, UnicodeDecodeError) as error:
        raise UnusableInput(f"cannot read {path}: {error}") from error
    lines = []
    for number, text in enumerate(whole, 1):
        try:
            values = json.loads(text)
        except ValueError as error:
            raise UnusableInput(f"{path}, line {number}: no JSON object ({error}); repair or remove it") from error
        if not isinstance(values, dict):
            raise UnusableInput(f"{path}, line {number}: no JSON object but {text[:40]!r}; repair or remove it")
        lines.append((number, values))
    return lines


def _json(path: Path) -> dict[str, Any]:
    try:
        return cast(dict[str, Any], json.loads(path.read_text(encoding="utf-8")))
    except (OSError, ValueError) as error:
        raise UnusableInput(f"cannot read {path}: {error}") from error


def _check_once(run: Run) -> None:
    seen: dict[Any, Kept] = {}
    for line in run.lines:
        key = line.get("key")
        if key in seen:
            raise UnusableInput(
                f"'{key}' stands in {seen[key].file}, line {seen[key].number}, and again in {line.file}, "
                f"line {line.number}: name one of the two folders"
            )
        seen[key] = line
