"""Every event with its time, one JSON object a line, written the moment it happens.

    Trace.record(event) -> a line in trace.jsonl, a TraceLine in memory, a call of every subscriber
    read_trace(path) -> list[TraceLine]

`t` is seconds on the conversation's clock. Keys stand in the order of the event's fields and numbers are rounded to
0.1 ms, so that two equal conversations give equal bytes. Events come from the loop and from the sound card's thread.
"""

from __future__ import annotations

import dataclasses
import json
import threading
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TextIO

from ..clock import Clock
from ..errors import UnusableInput
from ..events import Traced, kind_of

_DECIMALS = 4


@dataclass(frozen=True)
class TraceLine:
    """One event: when, what, and its fields by name."""

    t: float
    kind: str
    fields: dict[str, Any]

    def __getitem__(self, field: str) -> Any:
        return self.fields[field]

    def to_json(self) -> str:
        return json.dumps({"t": self.t, "kind": self.kind, **self.fields}, ensure_ascii=False)


class Trace:
    """The running record of one conversation; `path` None keeps it in memory only."""

    def __init__(self, path: Path | None, clock: Clock) -> None:
        self.lines: list[TraceLine] = []
        self._clock = clock
        self._file: TextIO | None = path.open("w", encoding="utf-8", newline="\n") if path else None
        self._subscribers: list[Callable[[TraceLine], None]] = []
        self._lock = threading.RLock()  # a subscriber may record in turn

    def record(self, event: Traced) -> None:
        """Write the event down with the present time; after `close` it is only remembered."""
        values = {field.name: _rounded(getattr(event, field.name)) for field in dataclasses.fields(event)}
        with self._lock:
            line = TraceLine(round(self._clock.now_s(), _DECIMALS), kind_of(event), values)
            self.lines.append(line)
            if self._file:
                self._file.write(line.to_json() + "\n")
                self._file.flush()  # whatever happens next, this much is on disk
            for subscriber in self._subscribers:
                subscriber(line)

    def subscribe(self, subscriber: Callable[[TraceLine], None]) -> None:
        """Call `subscriber` with every further line, on the thread that records it; it must not block."""
        self._subscribers.append(subscriber)

    def close(self) -> None:
        with self._lock:
            if self._file:
                self._file.close()
                self._file = None


def read_trace(path: Path) -> list[TraceLine]:
    """The lines of a trace.jsonl.

    Raises:
        UnusableInput: the file cannot be read, or a line is not an object with `t` and `kind`.
    """
    try:
        texts = path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise UnusableInput(f"cannot read the trace {path}: {error}") from error
    return [_parse(text, f"{path}, line {number}") for number, text in enumerate(texts, start=1)]


def pauses_of(lines: Sequence[TraceLine]) -> Iterator[tuple[float, float]]:
    """From when to when the loudspeaker was held for the user; a reply that is cleared ends its pause."""
    since_s: float | None = None
    for line in lines:
        if line.kind == "paused":
            since_s = line.t
        elif line.kind in ("resumed", "audio_stopped") and since_s is not None:
            yield since_s, line.t
            since_s = None
    if since_s is not None:
        yield since_s, lines[-1].t


def _parse(text: str, where: str) -> TraceLine:
    try:
        values = json.loads(text)
        return TraceLine(float(values.pop("t")), str(values.pop("kind")), values)
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise UnusableInput(f"{where}: expected an object with 't' and 'kind', got {text[:60]!r}") from error


def _rounded(value: Any) -> Any:
    return round(value, _DECIMALS) if isinstance(value, float) else value
