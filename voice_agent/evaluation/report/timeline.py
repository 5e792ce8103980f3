"""When things happened in one answer: from a line that holds it, or from a trace. Pure.

    of_trace(trace lines) -> Timeline;  of_line(line) -> Timeline | None

Seconds count from the end of the question. A stretch of thoughts or words is broken where it paused.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from ...record.trace import TraceLine
from .sources import Kept

Lane = Literal["user", "thoughts", "written", "audible"]
LANES: tuple[Lane, ...] = ("user", "thoughts", "written", "audible")
PAUSE_S = 0.5  # without a token, that ends a stretch
TOKEN_S = 0.05  # how long the last token of a stretch is drawn
_OF_KIND: dict[str, Lane] = {"thought": "thoughts", "written": "written"}


@dataclass(frozen=True)
class Stretch:
    """What went on from one moment to another, and its words."""

    lane: Lane
    start_s: float
    end_s: float
    text: str

    def to_json(self) -> list[Any]:
        return [self.lane, round(self.start_s, 3), round(self.end_s, 3), self.text]


Timeline = tuple[Stretch, ...]


def of_line(line: Kept) -> Timeline | None:
    """What the line holds as `timeline`: a list of [lane, start_s, end_s, text]; None where it holds none."""
    found = line.get("timeline")
    if not isinstance(found, list) or not found:
        return None
    try:
        stretches = tuple(Stretch(lane, float(start), float(end), str(text)) for lane, start, end, text in found)
    except (TypeError, ValueError):
        return None
    return stretches if all(stretch.lane in LANES for stretch in stretches) else None


def of_trace(lines: Sequence[TraceLine]) -> Timeline:
    """The whole conversation of a trace; seconds count from the end of the user's first turn."""
    ended = next((line.t for line in lines if line.kind == "turn_ended"), None)
    heard = [line["end_s"] for line in lines if line.kind == "speech_ended" and (ended is None or line.t <= ended)]
    zero_s = heard[-1] if heard else 0.0
    stretches = [
        *_user(lines),
        *(stretch for kind in _OF_KIND for stretch in _written(lines, kind)),
        *_audible(lines),
    ]
    moved = (Stretch(s.lane, s.start_s - zero_s, s.end_s - zero_s, s.text) for s in stretches)
    return tuple(sorted(moved, key=lambda s: (LANES.index(s.lane), s.start_s)))


def _user(lines: Sequence[TraceLine]) -> Iterable[Stretch]:
    """From each onset of speech to its end, with the words that were heard in it."""
    words = [line for line in lines if line.kind == "word" and line["final"]]
    onset_s: float | None = None
    for line in lines:
        if line.kind == "speech_started" and onset_s is None:
            onset_s = line["onset_s"]
        elif line.kind == "speech_ended" and onset_s is not None:
            said = [word["text"] for word in words if onset_s - PAUSE_S < word["start_s"] < line["end_s"]]
            yield Stretch("user", onset_s, line["end_s"], " ".join(text.strip() for text in said))
            onset_s = None


def _written(lines: Sequence[TraceLine], kind: str) -> Iterable[Stretch]:
    """Runs of tokens without a pause between them."""
    start_s, last_s, text = 0.0, 0.0, ""
    for line in lines:
        if line.kind != kind:
            continue
        if text and line.t - last_s > PAUSE_S:
            yield Stretch(_OF_KIND[kind], start_s, last_s + TOKEN_S, text)
            text = ""
        start_s = start_s if text else line.t
        last_s, text = line.t, text + line["text"]
    if text:
        yield Stretch(_OF_KIND[kind], start_s, last_s + TOKEN_S, text)


def _audible(lines: Sequence[TraceLine]) -> Iterable[Stretch]:
    """From each start of the loudspeaker to its stop, with the words that sounded."""
    start_s: float | None = None
    for line in lines:
        if line.kind == "audio_started" and start_s is None:
            start_s = line.t
        elif line.kind == "audio_stopped" and start_s is not None:
            sounded = [other["text"] for other in lines if other.kind == "sounded" and start_s <= other.t <= line.t]
            yield Stretch("audible", start_s, line.t, "".join(sounded))
            start_s = None
