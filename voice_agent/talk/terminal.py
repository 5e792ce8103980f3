"""How a live conversation looks: finished lines scroll away above, the present is redrawn below them.

with open_view(console, screen) as view: view.log(entries); view.draw(rooms, typed, now_s) for the present
"""

from __future__ import annotations

import contextlib
import os
import sys
import tempfile
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Protocol

from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.rule import Rule
from rich.table import Table
from rich.text import Text

from .screen import Entry, Screen

HINTS = "Enter says the line · /mute · /quit · headphones keep it from hearing itself"
PICTURES_PER_S = 8
_LABEL = 10
_LOOKS = {"you": "cyan", "assistant": "bold", "unsaid": "dim strike", "note": "yellow"}
_METER = (-60.0, -10.0)  # dBFS at the meter's ends
_METER_CELLS = 10
_FRAME_LINES = 6  # rule, hearing, two of rooms, typed line, hints


@dataclass(frozen=True)
class Rooms:
    """The state of each room at one moment."""

    level_dbfs: float
    muted: bool
    floor: str
    backlog_s: float
    dropped_frames: int
    late_blocks: int


class View(Protocol):
    def log(self, entries: Iterable[Entry]) -> None: ...

    def draw(self, rooms: Rooms, typed: str, now_s: float) -> None: ...


@contextlib.contextmanager
def open_view(console: Console, screen: Screen) -> Iterator[View]:
    """The view that suits the console; the terminal is left clean."""
    if not console.is_terminal:
        console.print(HINTS, soft_wrap=True)
        yield PlainView(console)
        return
    with _others_held_back(console), Live(console=console, auto_refresh=False, transient=True) as live:
        yield TerminalView(live, screen)


class PlainView:
    """Lines for a log or a pipe."""

    def __init__(self, console: Console) -> None:
        self._console = console

    def log(self, entries: Iterable[Entry]) -> None:
        for entry in entries:
            remark = f" ({entry.remark})" if entry.remark else ""
            self._console.print(f"{entry.who}{remark}: {_shown(entry.text)}", markup=False, soft_wrap=True)

    def draw(self, rooms: Rooms, typed: str, now_s: float) -> None:
        """A log has no present."""


class TerminalView:
    """The picture is redrawn only by `draw` and `log`, on the caller's thread."""

    def __init__(self, live: Live, screen: Screen) -> None:
        self._live, self._console, self._screen = live, live.console, screen

    def log(self, entries: Iterable[Entry]) -> None:
        for entry in entries:
            self._console.print(_row(entry.who, _entry_text(entry)))

    def draw(self, rooms: Rooms, typed: str, now_s: float) -> None:
        self._live.update(self._picture(rooms, typed, now_s), refresh=True)

    def _picture(self, rooms: Rooms, typed: str, now_s: float) -> RenderableType:
        """As many lines as ever, so that nothing jumps: what is longer shows its end."""
        screen, width = self._screen, max(20, self._console.width - _LABEL - 2)
        spare = self._console.height - _FRAME_LINES - 1
        heard = Text(_shown(screen.heard), style=_LOOKS["you"])
        heard.append(" " + _shown(screen.guess), style="dim")
        saying = Text(_shown(screen.sounded), style=_LOOKS["assistant"])
        saying.append(_shown(screen.unsounded), style="not bold dim")
        thoughts = Text(_shown(screen.thoughts), style="dim")
        return Group(
            Rule(style="dim"),
            _row("hearing", self._tail(heard, width, 1)),
            _row("thinking", self._tail(thoughts, width, min(5, max(1, spare - 3)))),
            _row("saying", self._tail(saying, width, min(2, max(1, spare - 1)))),
            _row("rooms", self._rooms(rooms, now_s)),
            _row(">", Text(_shown(typed)[-width + 1 :] + "▏")),
            Text(HINTS, style="dim", no_wrap=True, overflow="ellipsis"),
        )

    def _rooms(self, rooms: Rooms, now_s: float) -> Text:
        """Two lines: who hears and thinks, what is about to sound."""
        screen = self._screen
        faults = {
            "dropped by the microphone": rooms.dropped_frames,
            "crackles": rooms.late_blocks,
            "times out of words": screen.underruns,
        }
        inward = [
            f"microphone {'muted' if rooms.muted else _meter(rooms.level_dbfs)}",
            rooms.floor,
            f"{screen.thoughts_per_s(now_s):.0f} thoughts/s",
        ]
        outward = [
            f"gate {screen.gate}" if screen.gate else "gate not asked",
            f"voice {rooms.backlog_s:.1f} s ahead",
            *(f"{count} {what}" for what, count in faults.items() if count),
        ]
        lines = " · ".join(inward) + "\n" + " · ".join(outward)
        return Text(lines, style="dim", no_wrap=True, overflow="ellipsis")

    def _tail(self, text: Text, width: int, lines: int) -> Text:
        """The last `lines` lines of a text, or the text and blank lines."""
        recent = Text("\n").join(text.split("\n")[-lines:])
        wrapped = list(recent.wrap(self._console, width))[-lines:]
        return Text("\n").join(wrapped + [Text()] * (lines - len(wrapped)))


@contextlib.contextmanager
def _others_held_back(console: Console) -> Iterator[None]:
    """What libraries in C write to standard error (ALSA tells of every gap) would tear the picture: it comes after."""
    sys.stderr.flush()
    with tempfile.TemporaryFile() as held:
        standard_error = os.dup(2)
        os.dup2(held.fileno(), 2)
        try:
            yield
        finally:
            os.dup2(standard_error, 2)
            os.close(standard_error)
            held.seek(0)
            lines = Counter(held.read().decode(errors="replace").splitlines())
            for line, count in lines.items():
                console.print(f"{line} ({count} x)", style="dim", markup=False, soft_wrap=True)


def _row(label: str, content: RenderableType) -> Table:
    row = Table.grid(padding=(0, 2, 0, 0))
    row.add_column(width=_LABEL, justify="right", style="dim")
    row.add_column(overflow="fold")
    row.add_row(label, content)
    return row


def _entry_text(entry: Entry) -> Text:
    text = Text(_shown(entry.text), style=_LOOKS[entry.who])
    if entry.remark:
        text.append(f"  {entry.remark}", style="not bold dim")
    return text


def _meter(level_dbfs: float) -> str:
    quietest, loudest = _METER
    share = (level_dbfs - quietest) / (loudest - quietest)
    filled = round(_METER_CELLS * min(1.0, max(0.0, share)))
    return "▮" * filled + "▯" * (_METER_CELLS - filled)


def _shown(text: str) -> str:
    """Without escape codes, whoever wrote them."""
    return "".join(letter if letter.isprintable() or letter == "\n" else " " for letter in text)
