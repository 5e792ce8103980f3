"""What a conversation's trace means for who watches it: the present state of things, and lines for the log.

    TraceLine -> Screen.push -> entries that are complete and can scroll away

Pure: no terminal, no clock. Times are seconds on the trace's clock.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field
from typing import Literal

from ..record.trace import TraceLine

Who = Literal["you", "assistant", "unsaid", "note"]

_SAME_GUESS_S = 0.05  # the words of one guess come together; the next reading is further away
_RATE_WINDOW_S = 2.0
_CUTTING = ("correction", "question", "stop")


@dataclass(frozen=True)
class Entry:
    """A line of the log: who, what, and a remark."""

    who: Who
    text: str
    remark: str = ""


@dataclass
class Screen:
    """Everything the view shows of the conversation itself."""

    heard: str = ""  # final words of the user that are not in the log yet
    guess: str = ""  # what the recogniser believes to follow; may change
    thoughts: str = ""  # of this turn
    sounded: str = ""  # of this reply
    gate: str = ""
    underruns: int = 0
    _written: str = ""
    _reply: int = 0
    _unsaid: str = ""
    _guessed_s: float = 0.0
    _asked_s: float | None = None  # end of the question that has had no answer yet
    _delay_s: float | None = None  # from there to the first sound
    _thought_s: deque[float] = field(default_factory=deque)

    @property
    def unsounded(self) -> str:
        """Written, not yet heard."""
        return self._written[len(self.sounded) :]

    def thoughts_per_s(self, now_s: float) -> float:
        while self._thought_s and self._thought_s[0] < now_s - _RATE_WINDOW_S:
            self._thought_s.popleft()
        return len(self._thought_s) / _RATE_WINDOW_S

    def typed(self, text: str, now_s: float, over_answer: bool) -> list[Entry]:
        """A line typed by the user; over an answer it waits for the verdict on what it is."""
        self.heard = f"{self.heard} {text}".strip()
        if over_answer:
            return []
        self._asked_s = now_s
        return self._close_question("typed")

    def push(self, line: TraceLine) -> list[Entry]:
        """Take one line of the trace in."""
        entries = self._take_unsaid() if line.kind != "retracted" else []
        match line.kind:
            case "word":
                self._hear(line)
            case "speech_ended":
                self._asked_s = line["end_s"]
            case "turn_ended":
                entries += self._close_question()
            case "thought":
                self.thoughts += line["text"]
                self._thought_s.append(line.t)
            case "injected":
                self.thoughts += f"\n>> {line['text'].strip()}\n"
            case "gate":
                share = line["yes"] / max(line["yes"] + line["no"], 1e-9)
                self.gate = f"{line['decision']}, {share:.0%} yes"
            case "written":
                entries += self._begin_reply(line["reply"])
                self._written += line["text"]
            case "audio_started":
                self._delay_s, self._asked_s = line.t - self._asked_s if self._asked_s is not None else None, None
            case "sounded":
                self.sounded += line["text"]
            case "audio_stopped" if line["reply"] == self._reply:
                entries += self._close_reply()
            case "interrupted":
                entries += self._interrupt(line["reason"])
            case "retracted":
                self._unsaid += line["text"]
            case "underrun":
                self.underruns += 1
            case "failed":
                entries.append(Entry("note", line["error"]))
            case "recovered":
                entries.append(Entry("note", f"the {line['part']} is back"))
        return entries

    def finish(self) -> list[Entry]:
        """The conversation is over: what is left."""
        return [*self._close_reply(" ..."), *self._take_unsaid(), *self._close_question()]

    def _hear(self, line: TraceLine) -> None:
        if line["final"]:
            self.heard, self.guess = f"{self.heard} {line['text'].strip()}".strip(), ""
            return
        if line.t - self._guessed_s > _SAME_GUESS_S:
            self.guess = ""
        self.guess, self._guessed_s = f"{self.guess} {line['text'].strip()}".strip(), line.t

    def _close_question(self, remark: str = "") -> list[Entry]:
        text, self.heard, self.guess = self.heard, "", ""
        if not text:
            return []
        self.thoughts = ""
        return [Entry("you", text, remark)]

    def _interrupt(self, reason: str) -> list[Entry]:
        """What was heard over an answer; where it cuts the answer, that one's words come first."""
        text, self.heard, self.guess = self.heard, "", ""
        cut = self._close_reply(" ...") if reason in _CUTTING else []
        return cut + ([Entry("you", text, reason)] if text else [])

    def _begin_reply(self, reply: int) -> list[Entry]:
        if reply == self._reply:
            return []
        entries = self._close_reply(" ...")
        self._reply = reply
        return entries

    def _close_reply(self, mark: str = "") -> list[Entry]:
        text, self.sounded, self._written = self.sounded.strip(), "", ""
        if not text:
            return []
        remark = f"{self._delay_s:.1f} s" if self._delay_s is not None else ""
        self._delay_s = None
        return [Entry("assistant", text + mark, remark)]

    def _take_unsaid(self) -> list[Entry]:
        text, self._unsaid = self._unsaid.strip(), ""
        return [Entry("unsaid", text)] if text else []
