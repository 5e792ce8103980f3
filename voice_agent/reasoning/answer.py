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
from functools import partial
from typing import Any

import torch

from ..events import AnswerEvent, Done, Injected, ReplyEnd, Thought, Withdrawn, Written
from ..settings import Reasoning
from .asides import bears_on
from .cache_block import CacheBlock
from .cache_view import View, views_from_picture
from .engine import Feed
from .modes import Mode
from .prompts import FILLER, Prompts
from .relevance import ROWS, RelevanceProbe
from .safety import SafetyJudge
from .sampling import TokenSet, log_likelihood
from .second_reading import Reading, SecondReader
from .speak_gate import SpeakGate
from .speech import Speech, Surroundings
from .stream import Stream
from .thinker import Thinker
from .writer import Cue, Writer

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
SHARED_BLOCKS = ("preamble", "dialogue", "overheard")
OWN_BLOCKS = ("user", "thoughts", "spoken", "question", "again", "verdict", "other", "heard")


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
        self._prompts = prompts
        self._settings = settings
        self._mode = mode
        self._refusals = TokenSet(prompts.refusals)
        new = {name: shared[0].arena.new_block(name) for name in OWN_BLOCKS}
        self._own_blocks = list(new.values())
        self._views = views_from_picture(VIEWS, {**dict(zip(SHARED_BLOCKS, shared, strict=True)), **new})
        self._user_pending: list[int] = []
        thinks_in = self._views["aware" if settings.thinker_reads_spoken else "thinker"]
        self.thinker = Thinker(thinks_in, prompts, tokenizer, settings, mode, stop_tokens, seed=2 * seed)
        first_cue: Cue = "direct" if not mode.thinks else "progress" if mode.speaks_meanwhile else "conclude"
        self.writer = Writer(self._views["writer"], first_cue, prompts, tokenizer)
        self._judge = SafetyJudge(settings)
        self._second_reader = SecondReader(prompts, settings.second_reading_period)
        self.speech = Speech(
            self.writer,
            self.thinker,
            gate,
            self._judge,
            self._second_reader,
            lambda: self.user_text,
            later_turn=shared[1].length > 0,
            prompts=prompts,
            settings=settings,
            mode=mode,
            stop_tokens=stop_tokens,
            seed=2 * seed + 1,
        )
        self._relevance = RelevanceProbe(self._views["overheard"], prompts)
        self._turn_ended = False
        self._thinks_ahead = False
        self._injected: list[str] = []  # words that no step has fed yet
        self._entering: list[str] = []  # words that the step in flight feeds
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
        self._second_reader.hear(self.thinker.sampled)
        self.speech.hear()

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
        self.speech.begin(now_s)
        if self._mode.filler:
            self.say(FILLER)

    def cut_spoken(self, length: int) -> None:
        """Keep the first `length` characters of the spoken text; what comes next is a new reply."""
        untold = len(self.writer.spoken) - len(self._said)
        self._said = self._said[: max(0, length - untold)]
        self.writer.cut(length)
        self.reply += 1
        self.speech.close()
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
        spent = reason == "finished" and (self.thinker.budget_spent or self.speech.spent)
        return Done(
            "budget" if spent else reason,  # type: ignore[arg-type]
            self.thinker.text,
            self.writer.spoken,
            self.thinker.sampled,
            self.writer.stream.kept,
            self.steps,
            self.speech.first_written_step,
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
        speaks = reading is None and self.speech.moves(around)
        if self.speech.may_ask(around):
            feeds.append(self._ask("probe", self._prompts.question, self.speech.answer_of_probe))
        if self._mode.safe and self._judge.wants(self.thinker.sampled, self.thinker.done):
            view = "judge" if self.thinker.sampled else "request"
            would_say = [*(self._prompts.close_thoughts if self.thinker.sampled else []), *self._prompts.would_say]
            feeds.append(self._ask(view, would_say, self._inclination_to_refuse))
        behind = "heard" if self.writer.spoken or not self._mode.thinks else "unspoken"
        feeds += self._relevance.plan(behind, self._as_said(behind), self._changes(behind), soon=around.user_speaking)
        stream = self.writer.stream  # last: what it chooses does not undo what was asked beside it
        if speaks:
            feeds.append(self._feed("writer", stream, self.speech.choose_word))
        elif self.thinker.begun and (cue := stream.unfed()[:-1]):  # read in before it is needed
            feeds.append(Feed("writer", stream.view, tuple(cue[: self._settings.prefill_chunk])))
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
                events += self.speech.take_word(choice, around.now_s, self.steps, self.reply)
            elif feed.name == "probe":
                events.append(self.speech.take_probe(choice, around))
            elif feed.name == "reread":
                events += self._take_reading(choice)
            elif feed.name in ROWS:
                self._relevance.take(feed.name, choice[0])
            else:
                events += self._take_verdict(choice)
        events += self.speech.take_draft(around, self.steps, self.reply)
        if self.complete and self._ended_reply != self.reply:
            self._ended_reply = self.reply
            events.append(ReplyEnd(self.reply))
        return events

    def _feed(self, name: str, stream: Stream, choose: Callable[[torch.Tensor], torch.Tensor]) -> Feed:
        pending = stream.unfed() or stream.last_again()
        tokens = tuple(pending[: self._settings.prefill_chunk])
        whole = len(tokens) == len(pending)
        view = self._as_said("aware") if stream.view is self._views["aware"] else stream.view
        return Feed(name, view, tokens, choose if whole else None, changes=self._changes(name))

    def _as_said(self, name: str) -> View:
        """A view that reads what is spoken without what is only drafted."""
        view, spoken = self._views[name], self.writer.stream.view.own
        return view.up_to(spoken, self.writer.given_tokens) if spoken in view.blocks else view

    def _ask(
        self, name: str, tokens: Sequence[int], choose: Callable[[torch.Tensor], torch.Tensor], wanted: int = 1
    ) -> Feed:
        """Something that is asked of the memory as it is now; whatever was asked there before is forgotten."""
        view = self._as_said(name)
        view.own.truncate(0)
        return Feed(name, view, tuple(tokens), choose, wanted, self._changes(name))

    def _changes(self, name: str) -> int:
        """Of the streams that a choice rests on; what is asked of the memory rests on both."""
        counts = {"thinker": self.thinker.stream.changes, "writer": self.writer.stream.changes}
        return counts.get(name, sum(counts.values()))

    def _take_thought(self, token: int) -> list[AnswerEvent]:
        piece = self.thinker.take(token)
        return [Thought(piece, self.steps)] if piece else []

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
        self.speech.close()
        return [Withdrawn(wrong, self.reply)]
