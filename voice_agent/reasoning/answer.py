"""One answer: which streams move in the next step, and what their new tokens mean.

    Answer.plan(...)       -> the rows of the next step, empty when nothing can move (the engine runs them)
    Answer.commit(...)     -> events, from what each row chose

Views, as pictures; each cue is the beginning of the block it opens:

    user      [preamble][dialogue][user>
    thinker   [preamble][dialogue][user][thoughts>
    aware     [preamble][dialogue][user][spoken][thoughts>               the thinker, if it reads what is spoken
    writer    [preamble][dialogue][user][thoughts][spoken>
    probe     [preamble][dialogue][user][thoughts][spoken][question>     may the writer speak? (speak_gate)
    reread    [preamble][dialogue][user][thoughts][again>                does what was said still hold? (second_reading)
    request   [preamble][dialogue][user][verdict>                        may it be answered at all? (safety)
    judge     [preamble][dialogue][user][thoughts][verdict>
    instead   [preamble][dialogue][user][thoughts][spoken][other>        how likely are other last words? (rate)
    heard     [preamble][dialogue][user][thoughts][spoken][heard>        do words that were heard belong? (relevance)
    unspoken  [preamble][dialogue][user][thoughts][heard>                the same while nothing is spoken
    overheard [preamble][overheard>                                      and as words for somebody else

At any moment, also while a step is in flight, words may be injected and the spoken words cut; what the step chose
without knowing of it is then discarded. Knows no asyncio; time comes in as a number.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import partial
from typing import Any

import torch

from ..events import AnswerEvent, Done, Gate, Injected, ReplyEnd, Thought, Withdrawn, Written
from ..settings import Reasoning
from .asides import bears_on
from .cache_block import CacheBlock
from .cache_view import views_from_picture
from .engine import Feed
from .modes import Mode
from .prompts import FILLER, Prompts
from .relevance import ROWS, RelevanceProbe
from .safety import SafetyJudge
from .sampling import Sampler, TokenSet, log_likelihood
from .second_reading import Reading, SecondReader
from .speak_gate import GateInputs, SpeakGate, asks_for_something
from .stated_numbers import numbers_in
from .stream import Stream
from .thinker import Thinker
from .writer import Cue, Taken, Writer

VIEWS = """
    user      [preamble][dialogue][user>
    thinker   [preamble][dialogue][user][thoughts>
    aware     [preamble][dialogue][user][spoken][thoughts>
    writer    [preamble][dialogue][user][thoughts][spoken>
    probe     [preamble][dialogue][user][thoughts][spoken][question>
    reread    [preamble][dialogue][user][thoughts][again>
    request   [preamble][dialogue][user][verdict>
    judge     [preamble][dialogue][user][thoughts][verdict>
    instead   [preamble][dialogue][user][thoughts][spoken][other>
    heard     [preamble][dialogue][user][thoughts][spoken][heard>
    unspoken  [preamble][dialogue][user][thoughts][heard>
    overheard [preamble][overheard>
"""
RESULT_TOKENS = 64  # of the speaking budget that no progress may take
REWORDING_TEMPERATURE = 1.0  # of an utterance that comes in place of one that had been said before
SHARED_BLOCKS = ("preamble", "dialogue", "overheard")
OWN_BLOCKS = ("user", "thoughts", "spoken", "question", "again", "verdict", "other", "heard")


@dataclass(frozen=True)
class Surroundings:
    """What an answer must know of the world outside the model at this moment."""

    now_s: float
    backlog_s: float
    user_speaking: bool
    voice_full: bool


class Answer:
    """The streams of one turn over the blocks of one conversation."""

    def __init__(
        self,
        prompts: Prompts,
        tokenizer: Any,
        settings: Reasoning,
        mode: Mode,
        shared: tuple[CacheBlock, CacheBlock, CacheBlock],  # preamble, dialogue, overheard
        stop_tokens: frozenset[int],
        first_reply: int,
        seed: int,
        gate: SpeakGate,
    ) -> None:
        self.reply = first_reply
        self.steps = 0
        self.user_text = ""
        self.first_written_step: int | None = None
        self._prompts = prompts
        self._settings = settings
        self._mode = mode
        self._stop_tokens = stop_tokens
        self._never_spoken = TokenSet(prompts.control - stop_tokens)
        self._yes, self._no, self._refusals = (TokenSet(t) for t in (prompts.yes, prompts.no, prompts.refusals))
        new = {name: shared[0].arena.new_block(name) for name in OWN_BLOCKS}
        self._own_blocks = list(new.values())
        self._views = views_from_picture(VIEWS, {**dict(zip(SHARED_BLOCKS, shared, strict=True)), **new})
        self._user_pending: list[int] = []
        thinks_in = self._views["aware" if settings.thinker_reads_spoken else "thinker"]
        self.thinker = Thinker(thinks_in, prompts, tokenizer, settings, mode, stop_tokens, seed=2 * seed)
        first_cue: Cue = "direct" if not mode.thinks else "progress" if mode.speaks_meanwhile else "conclude"
        self.writer = Writer(self._views["writer"], first_cue, prompts, tokenizer)
        self._writer_sampler = Sampler(settings.writer_temperature, settings.writer_top_p, seed=2 * seed + 1)
        self._freer_sampler = Sampler(REWORDING_TEMPERATURE, settings.writer_top_p, seed=2 * seed + 1)
        self._gate = gate
        self._judge = SafetyJudge(settings)
        self._second_reader = SecondReader(prompts, settings.second_reading_period)
        self._relevance = RelevanceProbe(self._views, prompts)
        self._turn_ended = False
        self._thinks_ahead = False
        self._thoughts_when_written = 0  # thought tokens when the writer last wrote
        self._last_sound_s: float | None = None
        self._spoken_before = 0  # tokens of the writer when words last came in: they bring a new speaking budget
        self._injected: list[str] = []  # words that no step has fed yet
        self._entering: list[str] = []  # words that the step in flight feeds
        self._speech_spent = False
        self._drafting = False  # the writer's row of this step is a draft: nothing of it is given out yet
        self._said = ""  # given words that have yet to be told of
        self._ended_reply = 0  # the last reply whose end was told

    # --- what may happen at any moment ---------------------------------------------------------------------------

    def hear(self, words: str) -> None:
        """Words of the question, or, once it is complete, words injected into what is running."""
        if not self._turn_ended:
            self._hear_more_of_the_question(words)
            return
        self._injected.append(words)
        self._judge.begin(self.thinker.sampled)
        goes_on = not (self.thinker.done and self.writer.done)
        if self._mode.thinks and goes_on and not bears_on(words, self.user_text):
            self._user_pending += self._prompts.words(" " + words)
        else:
            self._interrupt_with(words)
        self.user_text = f"{self.user_text} {words}"

    def _interrupt_with(self, words: str) -> None:
        """The thoughts are told and think again, and so does the writer."""
        p, inline = self._prompts, self._place(words)
        if self._mode.thinks:
            self.thinker.hear(p.heard_by_thinker(inline) if inline else p.noticed_by_thinker(p.words(words)))
        self.writer.hear(inline)
        self._thoughts_when_written = self.thinker.sampled
        self._second_reader.hear(self.thinker.sampled)
        self._spoken_before = self.writer.stream.kept
        self._speech_spent = False
        self._gate.close()

    def _hear_more_of_the_question(self, words: str) -> None:
        """Where it was being thought about already, the thoughts are told and wait for the next pause."""
        self._user_pending += self._prompts.words(words if not self.user_text else " " + words)
        self.user_text = f"{self.user_text} {words}".strip()
        self._thinks_ahead = False
        if self.thinker.sampled:
            self.thinker.hear(self._prompts.noticed_by_thinker(self._prompts.words(words)))
        else:
            self.thinker.stream.choose_again()

    def _place(self, words: str) -> list[int]:
        """Let injected words enter before the thoughts, where the settings say so; tokens for a turn inside them."""
        p, s = self._prompts, self._settings
        reminder = p.verified if s.injection_reminder else []
        if s.injection != "inline" and self._mode.thinks:
            self._user_pending += [*p.words(" " + words), *reminder]
        return [] if s.injection == "before" and self._mode.thinks else [*p.words(words), *reminder]

    def say(self, text: str) -> None:
        """Words that are voiced as if the writer had chosen them."""
        self._said += self.writer.say(self._prompts.words(text))

    def think_ahead(self) -> None:
        """The user pauses: think about what there is of the question, until more of it comes."""
        self._thinks_ahead = bool(self.user_text) and not self._turn_ended

    def end_turn(self, now_s: float) -> None:
        """The question is complete."""
        self._turn_ended = True
        self.thinker.question_open = False
        self._last_sound_s = now_s
        if self._mode.filler:
            self.say(FILLER)

    def cut_spoken(self, length: int) -> None:
        """Keep the first `length` characters of the spoken text; what comes next is a new reply."""
        untold = len(self.writer.spoken) - len(self._said)
        self._said = self._said[: max(0, length - untold)]
        self.writer.cut(length)
        self.reply += 1
        self._gate.close()
        self._second_reader.cut(length)

    def ask_relevance(self, words: str, tell: Callable[[float | None], None]) -> None:
        """Let `tell` hear, once, how much what is thought and spoken makes `words` expected, or None."""
        self._relevance.ask(words, tell)

    @property
    def complete(self) -> bool:
        """Nothing is left to think or to write."""
        return self._turn_ended and self.thinker.done and self.writer.done and not self._injected

    @property
    def is_open(self) -> bool:
        """The question has not been completed yet."""
        return not self._turn_ended

    def done(self, reason: str) -> Done:
        """The closing event; a spent budget outranks an ordinary end."""
        spent = reason == "finished" and (self.thinker.budget_spent or self._speech_spent)
        return Done(
            "budget" if spent else reason,  # type: ignore[arg-type]
            self.thinker.text,
            self.writer.spoken,
            self.thinker.sampled,
            self.writer.stream.sampled,
            self.steps,
            self.first_written_step,
        )

    def rate(self, texts: Sequence[str]) -> Iterator[Feed]:
        """What asks for the log probability of each text in place of the last utterance; the answer must be over.

        Feed each before the next one is taken: they stand in the same place.
        """
        *before, last = self.writer.before_last_utterance()
        behind, view = (*self._views["writer"].own.keep(before), last), self._views["instead"]
        for text in texts:
            words = self._prompts.words(text)
            view.own.truncate(0)
            yield Feed("instead", view, (*behind, *words[:-1]), partial(log_likelihood, words), wanted=len(words))

    def release(self) -> None:
        """Give the blocks of this turn back; the answer is over, and whoever asked it something is told so."""
        self._relevance.end()
        for block in self._own_blocks:
            block.arena.release(block)

    # --- one step ------------------------------------------------------------------------------------------------

    def plan(self, around: Surroundings) -> list[Feed]:
        """The rows of the next step; empty when everything waits."""
        if self._user_pending:
            chunk = tuple(self._user_pending[: self._settings.prefill_chunk])
            if len(chunk) == len(self._user_pending):
                self._enter()
            return [Feed("user", self._views["user"], chunk)]
        if not self._turn_ended and not self._thinks_ahead:
            return []
        feeds = []
        if not self.thinker.done:
            feeds.append(self._feed("thinker", self.thinker.stream, self.thinker.choose))
        if not self._turn_ended:
            return feeds  # nothing may be said yet, nor asked about what is said
        reading = self._second_reading()
        if reading is not None:
            feeds.append(self._ask("reread", reading.tokens, reading.choose, reading.wanted))
        stream = self.writer.stream
        writes = reading is None and self._may_write(around)
        self._drafting = reading is None and not writes and self._may_draft(around)
        if self._drafting or (writes and not self.writer.drafted):
            self.writer.open(self._next_cue())
            feeds.append(self._feed("writer", stream, self._choose_word))
        elif self.thinker.begun and (cue := stream.unfed()[:-1]):  # read in before it is needed
            feeds.append(Feed("writer", stream.view, tuple(cue[: self._settings.prefill_chunk])))
        if self._may_ask(around):
            feeds.append(self._ask("probe", self._prompts.question, self._answer_of_probe))
        if self._mode.safe and self._judge.wants(self.thinker.sampled, self.thinker.done):
            view = "judge" if self.thinker.sampled else "request"
            would_say = [*(self._prompts.close_thoughts if self.thinker.sampled else []), *self._prompts.would_say]
            feeds.append(self._ask(view, would_say, self._inclination_to_refuse))
        behind = "heard" if self.writer.spoken or not self._mode.thinks else "unspoken"
        feeds += self._relevance.plan(behind, self._changes(behind), soon=around.user_speaking)
        if feeds:
            self._enter()
        return feeds

    def _enter(self) -> None:
        """What was injected is in the step that is planned."""
        self._entering, self._injected = self._injected, []

    def commit(self, feeds: Sequence[Feed], chosen: Sequence[Any], around: Surroundings) -> list[AnswerEvent]:
        """Take a step's results in."""
        self.steps += 1
        events: list[AnswerEvent] = [Injected(words, self.steps) for words in self._entering]
        self._entering = []
        if self._said:
            events.append(Written(self._said, self.steps, self.reply))
            self._said = ""
        for feed, choice in zip(feeds, chosen, strict=True):
            if feed.name == "user":
                del self._user_pending[: len(feed.tokens)]
            elif choice is None or feed.changes != self._changes(feed.name):
                continue
            elif feed.name == "thinker":
                events += self._take_thought(choice)
            elif feed.name == "writer":
                events += self._take_word(choice, around.now_s)
            elif feed.name == "probe":
                events.append(self._take_probe(choice, around))
            elif feed.name == "reread":
                events += self._take_reading(choice)
            elif feed.name in ROWS:
                self._relevance.take(feed.name, choice[0])
            else:
                events += self._take_verdict(choice)
        events += self._take_draft(around)
        if self.complete and self._ended_reply != self.reply:
            self._ended_reply = self.reply
            events.append(ReplyEnd(self.reply))
        return events

    def _feed(self, name: str, stream: Stream, choose: Callable[[torch.Tensor], torch.Tensor]) -> Feed:
        pending = stream.unfed() or stream.last_again()
        tokens = tuple(pending[: self._settings.prefill_chunk])
        whole = len(tokens) == len(pending)
        return Feed(name, stream.view, tokens, choose if whole else None, changes=self._changes(name))

    def _ask(
        self, name: str, tokens: Sequence[int], choose: Callable[[torch.Tensor], torch.Tensor], wanted: int = 1
    ) -> Feed:
        """Something that is asked of the memory as it is now; whatever was asked there before is forgotten."""
        view = self._views[name]
        view.own.truncate(0)
        return Feed(name, view, tuple(tokens), choose, wanted, self._changes(name))

    def _changes(self, name: str) -> int:
        """Of the streams that a choice rests on; what is asked of the memory rests on both."""
        counts = {"thinker": self.thinker.stream.changes, "writer": self.writer.stream.changes}
        return counts.get(name, sum(counts.values()))

    def _take_thought(self, token: int) -> list[AnswerEvent]:
        piece = self.thinker.take(token)
        return [Thought(piece, self.steps)] if piece else []

    @property
    def _new_thoughts(self) -> int:
        return self.thinker.sampled - self._thoughts_when_written

    # --- gate ----------------------------------------------------------------------------------------------------

    def _may_write(self, around: Surroundings) -> bool:
        if self.writer.done or around.voice_full or not self.thinker.begun or around.user_speaking:
            return False
        if self._mode.safe and self._judge.verdict == "unknown":
            return False
        if not self._mode.thinks:
            return True
        if not self._mode.speaks_meanwhile:
            return self.thinker.done
        if self._progress_spent and not self.thinker.done and not self.writer.mid_utterance:
            return False
        return self._gate.decide(self._inputs(around)) == "speak"

    def _may_draft(self, around: Surroundings) -> bool:
        """Whether the next progress may be written before it may be spoken."""
        meanwhile = self._mode.thinks and self._mode.speaks_meanwhile and self.thinker.begun
        if not meanwhile or self.writer.done or self.writer.drafted or self.writer.aloud or self._progress_spent:
            return False
        return self._judge.verdict != "unsafe" and self._gate.may_draft(self._inputs(around))

    @property
    def _progress_spent(self) -> bool:
        budget = self._settings.speaking_budget
        return self._spoken_tokens >= max(budget // 2, budget - RESULT_TOKENS)

    def _may_ask(self, around: Surroundings) -> bool:
        meanwhile = self._mode.thinks and self._mode.speaks_meanwhile and not self.writer.done
        cue_is_read = len(self.writer.stream.unfed()) <= 1
        return meanwhile and cue_is_read and self._gate.wants_probe(self._inputs(around))

    def _inputs(self, around: Surroundings, yes: float | None = None, no: float | None = None) -> GateInputs:
        if around.backlog_s > 0.0 or self._last_sound_s is None:
            self._last_sound_s = around.now_s
        return GateInputs(
            thinker_done=self.thinker.done,
            new_thoughts=self._new_thoughts,
            backlog_s=around.backlog_s,
            silence_s=around.now_s - self._last_sound_s,
            user_speaking=around.user_speaking,
            has_spoken=bool(self.writer.spoken),
            asked=asks_for_something(self.user_text),
            yes=yes,
            no=no,
        )

    def _answer_of_probe(self, logits: torch.Tensor) -> torch.Tensor:
        """(2,): the probabilities of yes and of no."""
        probabilities = logits.softmax(-1)
        return torch.stack([words.probability(probabilities) for words in (self._yes, self._no)])

    def _take_probe(self, answer: tuple[float, float], around: Surroundings) -> Gate:
        yes, no = answer
        decision = self._gate.decide(self._inputs(around, yes, no))
        if decision == "think":
            self._thoughts_when_written = self.thinker.sampled  # ask again when there is more
        return Gate(round(yes, 4), round(no, 4), decision)

    # --- safety and second thoughts ------------------------------------------------------------------------------

    def _inclination_to_refuse(self, logits: torch.Tensor) -> torch.Tensor:
        """(1,): the probability that an answer begins as a refusal does."""
        return self._refusals.probability(logits.softmax(-1))[None]

    def _take_verdict(self, answer: tuple[float]) -> list[AnswerEvent]:
        verdict = self._judge.take(answer[0], self.thinker.sampled, self.thinker.done)
        if verdict != "unsafe":
            return []
        self.thinker.done = True
        self.writer.drop()
        return [Withdrawn(self.writer.heard, self.reply)] if self.writer.given > self.writer.heard else []

    def _second_reading(self) -> Reading | None:
        if not self._mode.speaks_meanwhile or not self._mode.thinks or self.writer.done:
            return None
        return self._second_reader.due(self.writer, self.user_text, self.thinker.sampled, self.thinker.done)

    def _take_reading(self, answer: tuple[float, ...]) -> list[AnswerEvent]:
        wrong = self._second_reader.take(answer)
        if wrong is None:
            return []
        self.writer.drop()
        self._gate.close()
        return [Withdrawn(wrong, self.reply)]

    # --- writer --------------------------------------------------------------------------------------------------

    def _choose_word(self, logits: torch.Tensor) -> torch.Tensor:
        sampler = self._freer_sampler if self.writer.repeating else self._writer_sampler
        return sampler.choose(logits, banned=self._never_spoken)

    def _take_word(self, token: int, now_s: float) -> list[AnswerEvent]:
        free = self.thinker.done or not self._settings.number_guard
        known = None if free else self._known_numbers()
        taken = self.writer.take(token, token in self._stop_tokens, known, hold=self._drafting)
        return [] if self._drafting else self._give_out(taken, now_s)

    def _take_draft(self, around: Surroundings) -> list[AnswerEvent]:
        """A draft is given out as soon as its words may be spoken; the thoughts' end makes it needless."""
        if not self.writer.holds_draft:
            return []
        if self.thinker.done:
            self.writer.discard_draft()
            return []
        return self._give_out(self.writer.release(), around.now_s) if self._may_write(around) else []

    def _give_out(self, taken: Taken, now_s: float) -> list[AnswerEvent]:
        if self.first_written_step is None:
            self.first_written_step = self.steps
        self._thoughts_when_written = self.thinker.sampled
        written = taken.written
        if taken.then != "go on":
            self._gate.close()
        if self._spoken_tokens >= self._settings.speaking_budget:
            written += self.writer.break_off()
            self._speech_spent = True
        if not written:
            return []
        self._last_sound_s = now_s  # it will sound at once; where nobody plays it, this is when it was said
        return [Written(written, self.steps, self.reply)]

    @property
    def _spoken_tokens(self) -> int:
        """Since words last came in."""
        return self.writer.stream.kept - self._spoken_before

    def _next_cue(self) -> Cue:
        if not self._mode.thinks:
            return "direct"
        if self._judge.verdict == "unsafe":
            return "refuse"
        if not self.thinker.done:
            return "opening" if self.writer.untouched and asks_for_something(self.user_text) else "progress"
        return "conclude" if self._second_reader.wrong_from is None else "correct"

    def _known_numbers(self) -> set[Fraction]:
        """What may be said while the thoughts go on: the user's numbers, and the thoughts' since words came in."""
        return numbers_in(self.user_text) | numbers_in(self.thinker.text_since_heard)
