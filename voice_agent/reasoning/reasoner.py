"""Asynchronous reasoning over one language model, as a library: `AsyncReasoner`.

    reasoner = AsyncReasoner(model, tokenizer)
    async for event in reasoner.answer("What is 17 * 23?"):   # Thought | Written | ... | Done (events.AnswerEvent)
        ...

Source: "Asynchronous Reasoning: Training-Free Interactive Thinking LLMs", arXiv 2512.10931. Here live the loop and the
conversation; one turn is in answer.py, the model in engine.py. One call is one token step, so whatever is said (`hear`,
`cut_spoken`, `stop`) takes effect in the next one. A step is launched before what the last one wrote is handed out, so
that the model never waits for who reads it. Needs torch and transformers only.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable, Iterator, Sequence
from contextlib import aclosing, suppress
from typing import Any

from transformers import PreTrainedModel

from ..errors import UnusableInput
from ..events import AnswerEvent, Done, ModelCall, Rated
from ..settings import Reasoning
from .answer import Answer
from .cache_view import View
from .dialogue import Dialogue
from .engine import Engine, Feed, LoopLock
from .modes import Mode, parse_mode
from .prompts import Prompts, stop_tokens
from .sampling import Sampler
from .speak_gate import SpeakGate
from .speech import Surroundings

RESERVE_TOKENS = 64  # cues and a short question must fit beside the budgets


class AsyncReasoner:
    """Answers questions while it thinks, over one model and one memory.

    model: any supported causal language model of transformers; its attention is switched to shared blocks for good. Or
    an `Engine`, which several reasoners may share and which knows other clocks than the wall's.
    tokenizer: the model's, with a chat template.
    settings: budgets, gate, sampling. record: hears of every step. now_s: this conversation's time, the engine's unless
    given. gate: made for every answer, decides when the writer may speak. seed: of everything that draws.

    Not thread-safe: use it from one event loop at a time. Only one answer at a time.

    Raises:
        UnsupportedModel: the model cannot be run exactly over shared blocks.
        UnusableInput: a negative budget, budgets that do not fit the context, a context beyond what is exact, or a
        temperature or share that cannot be sampled with.
    """

    def __init__(
        self,
        model: PreTrainedModel | Engine,
        tokenizer: Any,
        *,
        settings: Reasoning | None = None,
        record: Callable[[ModelCall], None] | None = None,
        now_s: Callable[[], float] | None = None,
        gate: Callable[[Reasoning], SpeakGate] = SpeakGate,
        seed: int = 0,
    ) -> None:
        self.settings = settings or Reasoning()
        _check_settings(self.settings)
        self._tokenizer = tokenizer
        if not isinstance(model, Engine):
            model = Engine(model, kernel=self.settings.kernel, cuda_graphs=self.settings.cuda_graphs)
        self._engine = model
        self._now_s = now_s or self._engine.clock.now_s
        self._gate = gate
        self._record = record or (lambda call: None)
        self._seed = seed
        self._prompts = Prompts(tokenizer)
        self._stop_tokens = stop_tokens(tokenizer, self._engine.model)
        if self._engine.exact_to:
            self._engine.exact_to.check(self.settings.context_tokens, "context_tokens allows")
        self._preamble = self._engine.preamble(self._prompts.preamble)
        taken = len(self._prompts.preamble) + self.settings.thinking_budget + self.settings.speaking_budget
        self._room = self.settings.context_tokens - taken - RESERVE_TOKENS  # for past turns and the question, half each
        if self._room < RESERVE_TOKENS:
            raise UnusableInput(
                f"context_tokens {self.settings.context_tokens} leaves no room beside the preamble and the budgets "
                f"({taken} tokens): raise it, or lower the budgets"
            )
        self._dialogue = Dialogue(self._preamble.own, self._prompts, self._room // 2)
        self._overheard = self._engine.arena.new_block("overheard")  # keeps its cue from one answer to the next
        self._answer: Answer | None = None
        self._heard_tokens = 0  # of this turn's words
        self._heard_between: list[str] = []  # words after one answer's end, before the next one begins
        self._turn_ended_between = False
        self._stopped = False
        self._turns = 0
        self._reply = 0
        self._wake = asyncio.Event()
        self._reading = LoopLock()
        self.backlog_s: Callable[[], float] = lambda: 0.0
        """Seconds of audio still to be played; set by whoever plays it."""
        self.voicing: Callable[[], bool] = lambda: False
        """Whether written words have yet to sound; the answer stays open for corrections until they have."""
        self.voice_full: Callable[[], bool] = lambda: False
        self.user_speaking = False
        self.last_done: Done | None = None
        """How the last answer ended; of one that was closed in the middle, what it had come to."""

    # --- what may be called at any moment ------------------------------------------------------------------------

    def hear(self, words: str) -> None:
        """The user said `words`: mid-answer they join the turn; after its end, or after `stop`, they open the next.

        Raises:
            UnusableInput: more words in one turn than the context has room for; these ones are not taken in.
        """
        words = words.strip()
        if not words:
            return
        heard, room = self._heard_tokens + len(self._prompts.words(words)), self._room // 2
        if heard > room:
            raise UnusableInput(
                f"the question has {heard} tokens, the context leaves room for {room}: "
                "shorten it, or raise context_tokens"
            )
        self._heard_tokens = heard
        if self._answer is None or self._stopped:
            self._heard_between.append(words)
        else:
            self._answer.hear(words)
        self.wake()

    def say(self, text: str) -> None:
        """Let the running answer say `text` now, as if the model had chosen these words: a filler, an announcement.

        Raises:
            UnusableInput: there is no answer that could say it, or nothing to say.
        """
        if self._answer is None or self._answer.is_open or not text.strip():
            raise UnusableInput("nothing can be said: there are no words, or no answer is running; ask first")
        self._answer.say(text.strip())
        self.wake()

    def think_ahead(self) -> None:
        """The user pauses, and may go on: think already about what was heard of the question, say nothing yet.

        Words that come later join the question, and the thoughts go on from there; `end_turn` lets the answer be
        spoken. Nothing happens where no word was heard or the question is complete.
        """
        if self._answer is not None and not self._stopped:
            self._answer.think_ahead()
        self.wake()

    def end_turn(self) -> None:
        """The question is complete: think. Nothing happens where it was complete already, or nothing was asked.

        Raises:
            UnusableInput: an answer waits for its question, and no word of it was heard.
        """
        if self._answer is None or self._stopped:
            self._turn_ended_between = bool(self._heard_between)
        elif self._answer.is_open:
            if not self._answer.user_text:
                raise UnusableInput("the question is empty: hear() its words before end_turn()")
            self._answer.end_turn(self._now_s())
        self.wake()

    def cut_spoken(self, sounded: str) -> None:
        """Only `sounded`, the beginning of this answer's spoken text, was heard: forget the rest.

        Mid-answer the model goes on from there; after the end of an answer the dialogue remembers only this much.

        Raises:
            UnusableInput: `sounded` is not the beginning of what was spoken, or there is no answer to cut.
        """
        past = self._dialogue.last
        spoken = self.spoken if self._answer else (past.spoken if past else "")
        if not spoken.startswith(sounded):
            raise UnusableInput(
                f"cannot cut the spoken words to {sounded[-60:]!r}: they are not the beginning of what was written, "
                f"{spoken[:60]!r}"
            )
        if self._answer is not None:
            self._answer.cut_spoken(len(sounded))
            self._reply = self._answer.reply
        elif past is not None:
            past.spoken = sounded
        self.wake()

    def stop(self) -> None:
        """End the running answer after the step in flight; what was spoken stays in the dialogue."""
        if self._answer is not None and not self._stopped:
            self._stopped, self._heard_tokens = True, 0  # what is heard from here on is the next turn
        self.wake()

    async def relevance(self, words: str) -> float | None:
        """How much likelier `words` are as the next turn here than overheard elsewhere, in nats a token (relevance.py).

        They are weighed beside the answer's next step and leave nothing behind. None: no answer is running, its
        question is not complete, nothing was thought or spoken yet, or it ended before it could be told.
        """
        if self._answer is None or self._answer.is_open or not words.strip():
            return None
        told: asyncio.Future[float | None] = asyncio.get_running_loop().create_future()
        self._answer.ask_relevance(words.strip(), lambda gain: None if told.done() else told.set_result(gain))
        self.wake()
        return await told

    def wake(self) -> None:
        """Something outside has changed (audio ran out, the user fell silent): look again."""
        self._wake.set()

    @property
    def spoken(self) -> str:
        """What the running answer has given out to be spoken, cuts applied."""
        return self._answer.writer.spoken if self._answer else ""

    @property
    def reply(self) -> int:
        """The reply that is being written, or was written last; cutting the spoken words begins a new one."""
        return self._reply

    # --- the loop ------------------------------------------------------------------------------------------------

    async def warm_up(self) -> None:
        """Read in what the next answer builds on (preamble, past turns), so that it does not have to."""
        async with self._engine.reading:
            await self._read_in_preamble()
        async with self._reading:
            await self._read_in(*self._dialogue.unread())

    @property
    def dialogue_tokens(self) -> int:
        """Tokens of past turns that the next answer reads."""
        return self._dialogue.block.length

    @property
    def held_bytes(self) -> int:
        """Memory for keys and values, of all reasoners on this engine, free slots included."""
        return self._engine.arena.held_bytes

    def close(self) -> None:
        """Give the memory of past turns back to the engine; the reasoner must not be used again.

        Raises:
            UnusableInput: an answer is running.
        """
        self._refuse_while_answering()
        self._dialogue.release()
        self._engine.arena.release(self._overheard)

    def forget(self) -> None:
        """Begin a new conversation: past turns are gone, and so are words heard after the last of them.

        Raises:
            UnusableInput: an answer is running.
        """
        self._refuse_while_answering()
        self._dialogue.forget()
        self._heard_between.clear()
        self._turn_ended_between, self._heard_tokens = False, 0

    async def answer(
        self, question: str | None = None, *, mode: str = "async", rate: Sequence[str] = ()
    ) -> AsyncGenerator[AnswerEvent]:
        """Think about a question and speak about it at the same time.

        question: None when its words come by `hear` and its end by `end_turn`.
        mode: "async", "async-safe", "think", "think:N", "direct" or "direct-filler" (modes.py).
        rate: texts; the end tells how likely the model would have said each of them in place of its last utterance.

        Yields `Thought`, `Written`, `Withdrawn`, `Gate`, `Injected` as they happen, `ReplyEnd` when nothing is left to
        write, `Rated` where that was asked for, and `Done` last. Closing the iterator (`contextlib.aclosing`, `aclose`)
        stops the answer; what had been spoken stays in the dialogue.

        Raises:
            UnusableInput: unknown mode, empty question or text to rate, a question longer than the context, another
                answer is running.
        """
        self._refuse_while_answering()
        parsed = parse_mode(mode)
        if question is not None and not question.strip():
            raise UnusableInput("the question is empty: say what is to be answered")
        if not all(text.strip() for text in rate):
            raise UnusableInput("a text to rate is empty: leave it out")
        if question is not None:
            self.hear(question)
            self.end_turn()
        answer = self._begin(parsed)
        try:
            with self._engine.taking_part():
                await self.warm_up()
                async with aclosing(self._run(answer)) as events:
                    async for event in events:
                        yield event
                self.last_done = done = answer.done("stopped" if self._stopped else "finished")
                if rate:
                    yield await self._rate(answer, rate)
        except BaseException:
            self.last_done = answer.done("stopped")
            raise
        finally:
            self._finish(answer)
        yield done  # the answer is over by now: words heard from here on open the next turn

    def iterate(self, question: str, *, mode: str = "async") -> Iterator[AnswerEvent]:
        """`answer` for code without an event loop: `for event in reasoner.iterate("How far?")`.

        Between two events `hear`, `cut_spoken` and `stop` may be called. Leaving the loop early stops the answer.

        Raises:
            UnusableInput: as `answer`; or an event loop is running, where `async for ... in answer(...)` belongs.
        """
        with suppress(RuntimeError):
            asyncio.get_running_loop()
            raise UnusableInput("an event loop is running here: use 'async for event in reasoner.answer(...)'")
        answer = self.answer(question, mode=mode)

        async def upcoming() -> AnswerEvent | None:
            return await anext(answer, None)

        with asyncio.Runner() as loop:
            try:
                while (event := loop.run(upcoming())) is not None:
                    yield event
            finally:
                loop.run(answer.aclose())

    async def _run(self, answer: Answer) -> AsyncGenerator[AnswerEvent]:
        step: Awaitable[list[Any]] | None = None
        events: list[AnswerEvent] = []
        try:
            while not self._stopped:
                self._wake.clear()  # what happens from here on, also while events are handed out, wakes it again
                around = Surroundings(self._now_s(), self.backlog_s(), self.user_speaking, self.voice_full())
                feeds = answer.plan(around)
                step = self._launch(feeds) if feeds else None
                for event in events:
                    yield event
                events = []
                if step is not None:
                    launched, step = step, None
                    events = answer.commit(feeds, await launched, around)
                elif answer.complete and not self.voicing() and not self.user_speaking:
                    break
                else:
                    await self._wake.wait()
            for event in events:
                yield event
        finally:
            if step is not None:
                await step

    async def _rate(self, answer: Answer, texts: Sequence[str]) -> Rated:
        """No step of the answer: nobody hears of it, and it takes none of the conversation's declared time."""
        steps = [await self._engine.launch([feed]) for feed in answer.rate(texts)]
        return Rated(tuple(chosen[0][0] for chosen, _ in steps))

    def _launch(self, feeds: Sequence[Feed]) -> Awaitable[list[Any]]:
        return self._recorded(self._engine.launch(feeds), feeds)

    async def _recorded(self, step: Awaitable[tuple[list[Any], float]], feeds: Sequence[Feed]) -> list[Any]:
        chosen, took_s = await step
        tokens = sum(len(feed.tokens) for feed in feeds)
        self._record(ModelCall("language", len(feeds), tokens, round(1000 * took_s, 3)))
        return chosen

    async def _read_in_preamble(self) -> None:
        block, tokens, chunk = self._preamble.own, self._prompts.preamble, self.settings.prefill_chunk
        await self._engine.recall(block, tokens, chunk)
        missing = block.keep(tokens)
        if missing:
            await self._read_in(self._preamble, missing)
            await self._engine.keep(block, chunk)

    async def _read_in(self, view: View, tokens: Sequence[int]) -> None:
        """Feed a long text in short chunks."""
        for at in range(0, len(tokens), self.settings.prefill_chunk):
            chunk = tuple(tokens[at : at + self.settings.prefill_chunk])
            await self._launch([Feed(view.own.name, view, chunk)])

    # --- turns ---------------------------------------------------------------------------------------------------

    def _begin(self, mode: Mode) -> Answer:
        self._reply += 1
        answer = Answer(
            self._prompts,
            self._tokenizer,
            self.settings,
            mode,
            (self._preamble.own, self._dialogue.block, self._overheard),
            self._stop_tokens,
            self._reply,
            self._seed + self._turns,
            self._gate(self.settings),
        )
        self._turns += 1
        self._stopped = False
        self._wake = asyncio.Event()  # an event belongs to one loop, a reasoner may serve several in its life
        self._answer = answer
        heard, self._heard_between = self._heard_between, []
        ended, self._turn_ended_between = self._turn_ended_between, False
        for words in heard:
            answer.hear(words)
        if ended:
            answer.end_turn(self._now_s())
        return answer

    def _finish(self, answer: Answer) -> None:
        if answer.user_text:
            thoughts = answer.thinker.text if self.settings.keep_thoughts else ""
            self._dialogue.add(answer.user_text, answer.writer.spoken, thoughts, answer.writer.remarks)
        answer.release()
        if not self._stopped:
            self._heard_tokens = 0
        self._answer, self._stopped = None, False

    def _refuse_while_answering(self) -> None:
        if self._answer is not None:
            raise UnusableInput(
                "another answer is running on this reasoner: wait for its Done, close its iterator (aclose), or make "
                "another reasoner"
            )


def _check_settings(settings: Reasoning) -> None:
    for name in ("thinking_budget", "speaking_budget", "context_tokens", "prefill_chunk", "gate_period"):
        if getattr(settings, name) < 1:
            raise UnusableInput(f"reasoning setting {name} must be at least 1, not {getattr(settings, name)}")
    # Made for every answer; what is wrong with them is to be known before the first one.
    Sampler(settings.thinker_temperature, settings.thinker_top_p, settings.thinker_greedy_above)
    Sampler(settings.writer_temperature, settings.writer_top_p)
