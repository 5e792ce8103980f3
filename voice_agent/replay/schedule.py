"""When does the scripted user speak? Pure: trace lines and frame times in, clip starts out.

    Schedule.observe(line); Schedule.due(until_s, idle) -> (item, start_s) | None; Schedule.began(...)

Items begin in order. A trigger counts from the first event of its kind since the item before it began:

    user_end         the last voiced sound of that item
    thinking         the first `thought` behind the last voiced sound of that item
    assistant_audio  the first `audio_started`: sound began to leave the loudspeaker
    assistant_end    the last `audio_stopped`, once the conversation is idle: an answer that is cut goes on elsewhere
Times are seconds on the conversation's clock.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from ..record.trace import TraceLine
from .scenario import TriggerEvent, UserItem, parse_trigger


@dataclass(frozen=True)
class _Trigger:
    event: TriggerEvent
    offset_s: float


class Schedule:
    """The user's items, of which the next one waits for its time or its event."""

    def __init__(self, items: Sequence[UserItem], origin_s: float = 0.0) -> None:
        self._waits = [_Trigger(*parse_trigger(item.after)) if item.after else float(item.at or 0.0) for item in items]
        self.origin_s = origin_s  # where on the clock the scenario's second 0 lies
        self._next = 0
        self._events: dict[TriggerEvent, float] = {}
        self._stopped_s: float | None = None  # the assistant's sound ended here, perhaps not for good

    @property
    def all_begun(self) -> bool:
        return self._next == len(self._waits)

    @property
    def waits_for_event(self) -> bool:
        """Whether the next item hangs on an event that has not come."""
        if self.all_begun:
            return False
        waits = self._waits[self._next]
        return isinstance(waits, _Trigger) and waits.event not in self._events

    @property
    def not_begun(self) -> list[int]:
        """Indices of the items that never had their turn."""
        return list(range(self._next, len(self._waits)))

    def observe(self, line: TraceLine) -> None:
        if line.kind == "thought" and line.t >= self._events.get("user_end", self.origin_s):
            self._events.setdefault("thinking", line.t)
        elif line.kind == "audio_started":
            self._events.setdefault("assistant_audio", line.t)
            self._stopped_s = None
        elif line.kind == "audio_stopped":
            self._stopped_s = line.t

    def due(self, until_s: float, idle: bool) -> tuple[int, float] | None:
        """The next item and when it begins, if that is before `until_s` (and possibly past)."""
        if idle and self._stopped_s is not None:
            self._events.setdefault("assistant_end", self._stopped_s)
        if self.all_begun or self.waits_for_event:
            return None
        waits = self._waits[self._next]
        start_s = self._events[waits.event] + waits.offset_s if isinstance(waits, _Trigger) else self.origin_s + waits
        return (self._next, start_s) if start_s < until_s else None

    def began(self, user_end_s: float) -> None:
        """The item that was due has begun and its speech will end at `user_end_s`; forget the events before."""
        self._next += 1
        self._events = {"user_end": user_end_s}
        self._stopped_s = None
