"""What is spoken of one answer: when the writer may write, draft, or be asked about, and what its words become.

    Speech.moves(around) -> whether the writer has a row in the next step (its cue then stands)
    Speech.take_word(token, ...), take_draft(...), take_probe(...) -> events, from what the rows chose

Which words may be given out is the writer's business (writer.py), when speaking is timely the gate's (speak_gate.py);
here stands what the two must know of each other, of the thoughts and of the mode. Time comes in as a number.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction

import torch

from ..events import AnswerEvent, Gate, Written
from ..settings import Reasoning
from .modes import Mode
from .prompts import Prompts
from .safety import SafetyJudge
from .sampling import Sampler, TokenSet
from .second_reading import SecondReader
from .speak_gate import GateInputs, SpeakGate, asks_for_something
from .stated_numbers import numbers_in
from .thinker import Thinker
from .writer import Cue, Taken, Writer

RESULT_TOKENS = 64  # of the speaking budget that no progress may take
REWORDING_TEMPERATURE = 1.0  # of an utterance that comes in place of one that had been said before


@dataclass(frozen=True)
class Surroundings:
    """What an answer must know of the world outside the model at this moment."""

    now_s: float
    backlog_s: float
    user_speaking: bool
    voice_full: bool


class Speech:
    """The writer of one answer, its gate and its budget.

    question: what the user has said of this turn. later_turn: others stand before it. `spent`: the speaking budget is
    used up.
    """

    def __init__(
        self,
        writer: Writer,
        thinker: Thinker,
        gate: SpeakGate,
        judge: SafetyJudge,
        second_reader: SecondReader,
        question: Callable[[], str],
        *,
        later_turn: bool,
        prompts: Prompts,
        settings: Reasoning,
        mode: Mode,
        stop_tokens: frozenset[int],
        seed: int,
    ) -> None:
        self.first_written_step: int | None = None
        self.spent = False
        self._writer, self._thinker, self._gate = writer, thinker, gate
        self._judge, self._second_reader = judge, second_reader
        self._question, self._later_turn = question, later_turn
        self._settings, self._mode = settings, mode
        self._stop_tokens = stop_tokens
        self._never_spoken = TokenSet(prompts.control - stop_tokens)
        self._yes, self._no = (TokenSet(spellings) for spellings in (prompts.yes, prompts.no))
        self._sampler = Sampler(settings.writer_temperature, settings.writer_top_p, seed=seed)
        self._freer_sampler = Sampler(REWORDING_TEMPERATURE, settings.writer_top_p, seed=seed)
        self._drafting = False  # the writer's row of this step is a draft: nothing of it is given out yet
        self._thoughts_when_written = 0  # thought tokens when the writer last wrote
        self._last_sound_s: float | None = None
        self._spoken_before = 0  # tokens of the writer when words last came in: they bring a new speaking budget

    # --- what may happen at any moment ---------------------------------------------------------------------------

    def begin(self, now_s: float) -> None:
        """The question is complete: silence counts from here."""
        self._last_sound_s = now_s

    def hear(self) -> None:
        """Words came in, and the writer has been told: it has a new budget, and thinks first."""
        self._thoughts_when_written = self._thinker.sampled
        self._spoken_before = self._writer.stream.kept
        self.spent = False
        self._gate.close()

    def close(self) -> None:
        """Something was taken back: the next words wait until they are timely."""
        self._gate.close()

    # --- before a step -------------------------------------------------------------------------------------------

    def moves(self, around: Surroundings) -> bool:
        """Whether the writer goes on in the next step, aloud or as a draft; its cue then stands."""
        writes = self._may_write(around)
        self._drafting = not writes and self._may_draft(around)
        if not self._drafting and (not writes or self._writer.drafted):
            return False
        cue = self._next_cue()
        self._writer.open(cue, self._quoted(cue))
        return True

    def may_ask(self, around: Surroundings) -> bool:
        """Whether the memory is to be asked if there is something to say."""
        cue_is_read = len(self._writer.stream.unfed()) <= 1
        return self._meanwhile and cue_is_read and self._gate.wants_probe(self._inputs(around))

    @property
    def _meanwhile(self) -> bool:
        return self._mode.thinks and self._mode.speaks_meanwhile and not self._writer.done

    def _may_write(self, around: Surroundings) -> bool:
        if self._writer.done or around.voice_full or not self._thinker.begun or around.user_speaking:
            return False
        if self._mode.safe and self._judge.verdict == "unknown":
            return False
        if not self._mode.thinks:
            return True
        if not self._mode.speaks_meanwhile:
            return self._thinker.done
        if self._progress_spent and not self._thinker.done and not self._writer.mid_utterance:
            return False
        return self._gate.decide(self._inputs(around)) == "speak"

    def _may_draft(self, around: Surroundings) -> bool:
        """Whether the next utterance may be written before it may be spoken."""
        if not self._meanwhile or not self._thinker.begun or self._writer.drafted or self._writer.aloud:
            return False
        unsafe = self._judge.verdict == "unsafe"
        return not unsafe and not self._progress_spent and self._gate.may_draft(self._inputs(around))

    @property
    def _progress_spent(self) -> bool:
        budget = self._settings.speaking_budget
        return self._spoken_tokens >= max(budget // 2, budget - RESULT_TOKENS)

    @property
    def _spoken_tokens(self) -> int:
        """Since words last came in."""
        return self._writer.stream.kept - self._spoken_before

    def _next_cue(self) -> Cue:
        if not self._mode.thinks:
            return "direct"
        if self._judge.verdict == "unsafe":
            return "refuse"
        if not self._thinker.done:
            opens = self._gate.tells_back and self._writer.untouched and asks_for_something(self._question())
            return "opening" if opens else "progress"
        return "conclude" if self._second_reader.wrong_from is None else "correct"

    def _quoted(self, cue: Cue) -> str:
        """What the writer is reminded of: other turns, or its own remarks, stand between."""
        if cue == "opening":
            return self._question() if self._later_turn else ""
        complete = self._thinker.done and not self._thinker.budget_spent
        return self._thinker.text if cue == "conclude" and complete and self._writer.spoken else ""

    def _inputs(self, around: Surroundings, yes: float | None = None, no: float | None = None) -> GateInputs:
        if around.backlog_s > 0.0 or self._last_sound_s is None:
            self._last_sound_s = around.now_s
        return GateInputs(
            thinker_done=self._thinker.done,
            new_thoughts=self._thinker.sampled - self._thoughts_when_written,
            backlog_s=around.backlog_s,
            silence_s=around.now_s - self._last_sound_s,
            user_speaking=around.user_speaking,
            has_spoken=bool(self._writer.spoken),
            mid_sentence=self._writer.aloud,
            can_be_told_back=asks_for_something(self._question()),
            yes=yes,
            no=no,
        )

    # --- on the device -------------------------------------------------------------------------------------------

    def choose_word(self, logits: torch.Tensor) -> torch.Tensor:
        """logits: (vocabulary,) -> () int64."""
        sampler = self._freer_sampler if self._writer.repeating else self._sampler
        return sampler.choose(logits, banned=self._never_spoken)

    def answer_of_probe(self, logits: torch.Tensor) -> torch.Tensor:
        """(2,): the probabilities of yes and of no."""
        probabilities = logits.softmax(-1)
        return torch.stack([words.probability(probabilities) for words in (self._yes, self._no)])

    # --- after a step --------------------------------------------------------------------------------------------

    def take_word(self, token: int, now_s: float, step: int, reply: int) -> list[AnswerEvent]:
        """What the writer's row chose."""
        free = self._thinker.done or not self._settings.number_guard
        known = None if free else self._known_numbers()
        taken = self._writer.take(token, token in self._stop_tokens, known, hold=self._drafting)
        return [] if self._drafting else self._give_out(taken, now_s, step, reply)

    def take_draft(self, around: Surroundings, step: int, reply: int) -> list[AnswerEvent]:
        """A draft is given out as soon as its words may be spoken; the thoughts' end makes it needless."""
        if not self._writer.holds_draft:
            return []
        if self._thinker.done:
            self._writer.discard_draft()
            return []
        return self._give_out(self._writer.release(), around.now_s, step, reply) if self._may_write(around) else []

    def take_probe(self, answer: tuple[float, float], around: Surroundings) -> Gate:
        """What the probe answered."""
        yes, no = answer
        decision = self._gate.decide(self._inputs(around, yes, no))
        if decision == "think":
            self._thoughts_when_written = self._thinker.sampled  # ask again when there is more
            if self._writer.holds_draft:
                self._writer.discard_draft()  # by then there is better to say
        return Gate(round(yes, 4), round(no, 4), decision)

    def _give_out(self, taken: Taken, now_s: float, step: int, reply: int) -> list[AnswerEvent]:
        if self.first_written_step is None:
            self.first_written_step = step
        self._thoughts_when_written = self._thinker.sampled
        written = taken.written
        if taken.then != "go on":
            self._gate.close()
        if self._spoken_tokens >= self._settings.speaking_budget:
            written += self._writer.break_off()
            self.spent = True
        if not written:
            return []
        self._last_sound_s = now_s  # it will sound at once; where nobody plays it, this is when it was said
        return [Written(written, step, reply)]

    def _known_numbers(self) -> set[Fraction]:
        """What may be said while the thoughts go on: the user's numbers, and the thoughts' since words came in."""
        return numbers_in(self._question()) | numbers_in(self._thinker.text_since_heard)
