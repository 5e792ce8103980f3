"""Decide whether the writer may write now.

    GateInputs -> SpeakGate.decide -> "speak" | "think"

The thinker is asked, through a probe on the live memory, whether it has found something that has not been said; the
share of yes opens the gate; every sentence closes it again. Around that stand plain rules: while audio waits to be
played thinking is more useful, but no sentence is broken off for it; silence has a limit; what the question is about
can be told without asking, after the first thoughts; when they are complete the rest is said. Pure: no model, no clock.

The threshold and the period are settings (`Reasoning.gate_*`), because a small model's yes is badly calibrated.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from ..settings import Reasoning

IN_TIME = 0.5  # of the longest silence: the rest of it goes by while a sentence is written, or a second one
LONG_WORDS, QUESTION_WORDS = 8, 5
Decision = Literal["speak", "think"]


@dataclass(frozen=True)
class GateInputs:
    """What the decision rests on. `yes`, `no`: summed probabilities of their spellings; None where nobody asked."""

    thinker_done: bool
    new_thoughts: int  # thought tokens since the writer last wrote
    backlog_s: float  # audio still to be played
    silence_s: float  # since the last sound of the answer, or the end of the question
    user_speaking: bool
    has_spoken: bool
    mid_sentence: bool = False  # the first words of a sentence were given out: the others must follow
    can_be_told_back: bool = True  # the question (asks_for_something)
    yes: float | None = None
    no: float | None = None

    @property
    def share_of_yes(self) -> float | None:
        if self.yes is None or self.no is None or self.yes + self.no <= 0.0:
            return None
        return self.yes / (self.yes + self.no)


def asks_for_something(words: str) -> bool:
    """Whether what the user wants can be told back: of a greeting, or a few words, the answer itself comes soon."""
    count = len(words.split())
    return count >= LONG_WORDS or (count >= QUESTION_WORDS and "?" in words)


class SpeakGate:
    """Remembers whether it is open, and whether the last answer opened it.

    tells_back: an answer opens by telling what was understood.
    """

    tells_back = True

    def __init__(self, settings: Reasoning) -> None:
        self._settings = settings
        self.is_open = False
        self._was_yes = False

    def wants_probe(self, inputs: GateInputs) -> bool:
        """Whether an answer to the question could change anything now."""
        return self._is_near(inputs, 0)

    def may_draft(self, inputs: GateInputs) -> bool:
        """Whether it may open so soon that what is then said is to be written now."""
        ahead = self._settings.draft_ahead_tokens
        return ahead > 0 and self._is_near(inputs, ahead)

    def _is_near(self, inputs: GateInputs, tokens: int) -> bool:
        """It is shut, no plain rule moves it, and in at most so many thoughts it will be asked."""
        near = inputs.new_thoughts >= self._enough(inputs) - tokens
        return not self.is_open and near and self._by_rule(inputs) is None

    def _enough(self, inputs: GateInputs) -> int:
        return self._settings.gate_first_tokens if self._may_tell_back(inputs) else self._settings.gate_period

    def _may_tell_back(self, inputs: GateInputs) -> bool:
        return self.tells_back and inputs.can_be_told_back and not inputs.has_spoken

    def decide(self, inputs: GateInputs) -> Decision:
        """Open or close; without a probe's answer only the plain rules move it."""
        ruled = self._by_rule(inputs)
        share = inputs.share_of_yes
        if ruled is not None:
            self.is_open = ruled == "speak"
        elif share is not None:
            enough = self._settings.gate_open - (self._settings.gate_hysteresis if self._was_yes else 0.0)
            self.is_open = self._was_yes = share >= enough
        return "speak" if self.is_open else "think"

    def close(self) -> None:
        """After a sentence, a cut or an injection: think until asked again."""
        self.is_open = False

    def _by_rule(self, inputs: GateInputs) -> Decision | None:
        if inputs.user_speaking:
            return "think"
        if inputs.thinker_done:
            return "speak"
        if inputs.backlog_s >= self._settings.backlog_enough_s and not (inputs.mid_sentence and self.is_open):
            return "think"
        if self._may_tell_back(inputs) and inputs.new_thoughts >= self._enough(inputs):
            return "speak"
        if inputs.silence_s >= IN_TIME * self._settings.longest_silence_s and inputs.new_thoughts > 0:
            return "speak"
        return None
