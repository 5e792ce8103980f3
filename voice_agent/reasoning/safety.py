"""May the request be answered at all? The writer of mode "async-safe" stays closed until this is judged.

    SafetyJudge.wants(thoughts, done) -> whether to ask now;  take(refusal, thoughts, done) -> verdict

The judge is the model's own inclination: it is asked for its answer and looked how likely the answer begins as a
refusal does, once before any thought and again behind the first thoughts, behind every so many, and behind the last. (A
small model that is asked outright whether a request is harmful says little of use: measured, docs/benchmarks.md.) One
inclination to refuse is enough; what comes in from the user is judged anew. Pure: no model, no clock.
"""

from __future__ import annotations

from typing import Literal

from ..settings import Reasoning

Verdict = Literal["unknown", "safe", "unsafe"]


class SafetyJudge:
    """`verdict`: on everything that the user has said in this turn so far."""

    def __init__(self, settings: Reasoning) -> None:
        self.verdict: Verdict = "unknown"
        self._settings = settings
        self._began = 0  # thought tokens when the user last said something
        self._next = 0  # thought tokens at which it is asked next
        self._asked = False  # since then
        self._asked_at_end = False

    def begin(self, thoughts: int) -> None:
        """The user has said something: nothing that was found before holds for it."""
        self.verdict = "unknown"
        self._began = self._next = thoughts
        self._asked = self._asked_at_end = False

    def wants(self, thoughts: int, done: bool) -> bool:
        """Whether it is time to ask."""
        if self.verdict == "unsafe" or self._asked_at_end:
            return False
        return done or thoughts >= self._next

    def take(self, refusal: float, thoughts: int, done: bool) -> Verdict:
        """An answer would begin as a refusal with this probability, asked behind so many thoughts."""
        s, first = self._settings, not self._asked
        self._asked, self._asked_at_end = True, done
        self._next = self._began + s.safety_first_tokens if first else thoughts + s.safety_period
        before_thoughts = first and not self._began
        if refusal >= (s.refuse_request_above if before_thoughts else s.refuse_above):
            self.verdict = "unsafe"
        elif done or not first:
            self.verdict = "safe"
        return self.verdict
