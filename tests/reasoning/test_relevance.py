"""How much words belong to a running answer: as the model itself has it, without a trace in the answer, always told."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from contextlib import aclosing, suppress
from pathlib import Path
from typing import Any

import pytest
import torch

from tests.reasoning.tiny_reasoner import SETTINGS, TOKENIZER, converse, shared_model, tiny_reasoner, watch
from voice_agent.clock import VirtualClock, run_in_virtual_time
from voice_agent.events import AnswerEvent, Done, Thought
from voice_agent.reasoning.cache_block import CacheArena
from voice_agent.reasoning.cache_view import View
from voice_agent.reasoning.engine import Engine
from voice_agent.reasoning.model_loading import load_language_model
from voice_agent.reasoning.prompts import Prompts
from voice_agent.reasoning.reasoner import AsyncReasoner
from voice_agent.reasoning.relevance import MOST_TOKENS
from voice_agent.reasoning.sampling import log_likelihood
from voice_agent.reasoning.token_stepper import Row, TokenStepper
from voice_agent.settings import Reasoning

QUESTION, WORDS = "How far?", "And by bus?"
PROMPTS = Prompts(TOKENIZER)


def asked(
    at_s: Sequence[float],
    mode: str = "async",
    change: Callable[[AsyncReasoner], None] | None = None,
    words: str = WORDS,
    after_s: float = 0.08,
) -> tuple[list[float | None], list[AnswerEvent]]:
    """One answer that is asked at these moments; `change` happens to it `after_s` after the last of them."""

    async def main(clock: VirtualClock) -> tuple[list[float | None], list[AnswerEvent]]:
        reasoner = tiny_reasoner(clock)

        async def ask(moment_s: float) -> float | None:
            await clock.sleep_until(moment_s)
            return await reasoner.relevance(words)

        async def alter() -> None:
            await clock.sleep_until(at_s[-1] + after_s)
            if change is not None:
                change(reasoner)

        async with asyncio.TaskGroup() as tasks:
            gains = [tasks.create_task(ask(moment_s)) for moment_s in at_s]
            tasks.create_task(alter())
            events = [event async for event in reasoner.answer(QUESTION, mode=mode)]
        return [gain.result() for gain in gains], events

    return run_in_virtual_time(main)


# --- what is told ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("mode", "cue"), [("think", PROMPTS.thoughts_break), ("direct", PROMPTS.spoken_break)])
@pytest.mark.parametrize("words", [WORDS, "x", "to the moon and back to the sea and on to the hills and far away"])
def test_the_same_as_of_the_whole_text(mode: str, cue: list[int], words: str, monkeypatch: pytest.MonkeyPatch) -> None:
    memory: list[int] = []
    step = TokenStepper.step

    def watched(self: TokenStepper, rows: list[Row]) -> torch.Tensor:
        for row in rows:
            if row.view.own.name == "heard":
                memory[:] = [token for block in row.view.blocks[:-1] for token in block.tokens]
        return step(self, rows)

    monkeypatch.setattr(TokenStepper, "step", watched)
    (gain,), _ = asked([0.75], mode, words=words)
    monkeypatch.undo()
    tokens = PROMPTS.words(words)[:MOST_TOKENS]
    here = of_the_whole_text([*memory, *cue], tokens)
    elsewhere = of_the_whole_text([*PROMPTS.preamble, *PROMPTS.overheard], tokens)
    assert len(memory) > len(PROMPTS.preamble) + len(PROMPTS.words(QUESTION)) + 5
    assert gain == pytest.approx((here - elsewhere) / len(tokens), abs=1e-4)


def of_the_whole_text(before: list[int], text: list[int]) -> float:
    stepper = TokenStepper(shared_model(), "plain")
    view = View((CacheArena().new_block("whole"),))
    return log_likelihood(text, stepper.step([Row(view, [*before, *text[:-1]], wanted=len(text))])).item()


def test_several_questions_are_told_one_after_the_other() -> None:
    gains, _ = asked([0.75, 0.75, 0.75, 1.2])
    assert len({*gains} - {None}) == 4, "the memory has grown in between"


def test_what_words_are_held_against_is_read_once(monkeypatch: pytest.MonkeyPatch) -> None:
    fed = watch(monkeypatch)
    asked([0.75, 1.2])
    words = PROMPTS.words(WORDS)[:-1]
    cue = PROMPTS.overheard
    assert fed.of("overheard") == [(0, [*cue, *words]), (len(cue) - 1, [cue[-1], *words])]


def test_it_is_read_in_ahead_while_somebody_speaks(monkeypatch: pytest.MonkeyPatch) -> None:
    fed = watch(monkeypatch)

    async def main(clock: VirtualClock) -> float | None:
        reasoner = tiny_reasoner(clock)

        async def speak() -> float | None:
            await clock.sleep_until(0.75)
            reasoner.user_speaking = True
            await clock.sleep_until(1.3)
            gain = await reasoner.relevance(WORDS)
            reasoner.user_speaking = False
            reasoner.wake()
            return gain

        beside = asyncio.ensure_future(speak())
        assert [event async for event in reasoner.answer(QUESTION)]
        return await beside

    assert run_in_virtual_time(main) is not None
    *cue, end = PROMPTS.overheard
    assert fed.of("overheard") == [(0, cue), (len(cue), [end, *PROMPTS.words(WORDS)[:-1]])]


# --- the answer ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("mode", ["async", "async-safe", "think", "think:5", "direct"])
def test_the_answer_is_what_it_is_without(mode: str) -> None:
    gains, events = asked([0.75, 1.3, 1.32], mode)
    assert None not in gains
    without = [event for _, event in converse(QUESTION, mode=mode)]
    assert [event for event in events if isinstance(event, Thought)] == [e for e in without if isinstance(e, Thought)]
    assert (last(events).thoughts, last(events).spoken) == (last(without).thoughts, last(without).spoken)


def last(events: Sequence[AnswerEvent]) -> Done:
    done = events[-1]
    assert isinstance(done, Done)
    return done


def test_it_takes_no_step_of_its_own_while_there_is_something_to_think() -> None:
    _, events = asked([0.75, 1.3])
    assert last(events).steps == last([event for _, event in converse(QUESTION)]).steps


# --- whoever asks is told --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("after_s", [0.0, 0.08])  # before the step that weighs the words begins, and while it runs
@pytest.mark.parametrize("moment_s", [0.05, 0.75, 1.3])
@pytest.mark.parametrize(
    "change",
    [
        lambda reasoner: reasoner.stop(),
        lambda reasoner: reasoner.cut_spoken(reasoner.spoken[:2]),  # asked again of what is left
        lambda reasoner: reasoner.hear("No, 90."),
    ],
    ids=["stop", "cut", "hear"],
)
def test_what_happens_to_the_answer_leaves_nobody_waiting(
    change: Callable[[AsyncReasoner], None], moment_s: float, after_s: float, request: pytest.FixtureRequest
) -> None:
    (gain,), _ = asked([moment_s], change=change, after_s=after_s)
    stopped, thought = "stop" in request.node.callspec.id, moment_s > 0.1
    assert (gain is not None) == (thought and not (stopped and not after_s))


def test_nobody_waits_for_an_answer_that_is_over_or_waits_for_its_question() -> None:
    async def main(clock: VirtualClock) -> list[float | None]:
        reasoner = tiny_reasoner(clock)
        gains = [await reasoner.relevance(WORDS)]
        async with aclosing(reasoner.answer()) as events:
            beside = asyncio.ensure_future(anext(events))
            await clock.sleep_until(1.0)
            reasoner.hear(QUESTION)
            gains.append(await reasoner.relevance(WORDS))
            reasoner.end_turn()
            await beside
            left = asyncio.ensure_future(reasoner.relevance(WORDS))
            await asyncio.sleep(0)
        gains += [await left, await reasoner.relevance(WORDS), await reasoner.relevance(" ")]
        return gains

    assert run_in_virtual_time(main) == [None] * 5


def test_an_asker_who_leaves_disturbs_nothing() -> None:
    async def main(clock: VirtualClock) -> tuple[str, float | None]:
        reasoner = tiny_reasoner(clock)

        async def leave() -> float | None:
            await clock.sleep_until(0.75)
            leaver = asyncio.ensure_future(reasoner.relevance(WORDS))
            await clock.sleep_until(0.8)
            leaver.cancel()
            with suppress(asyncio.CancelledError):
                await leaver
            return await reasoner.relevance(WORDS)

        beside = asyncio.ensure_future(leave())
        events: list[Any] = [event async for event in reasoner.answer(QUESTION)]
        return events[-1].thoughts, await beside

    thoughts, gain = run_in_virtual_time(main)
    assert thoughts == last([event for _, event in converse(QUESTION)]).thoughts
    assert gain is not None


def test_words_of_an_answer_that_only_sounds_are_weighed_too() -> None:
    async def main(clock: VirtualClock) -> float | None:
        reasoner = tiny_reasoner(clock, SETTINGS)
        sounds = [True]
        reasoner.voicing = lambda: sounds[0]

        async def ask() -> float | None:
            await clock.sleep_until(20.0)
            gain = await reasoner.relevance(WORDS)
            sounds[0] = False
            reasoner.wake()
            return gain

        beside = asyncio.ensure_future(ask())
        assert [event async for event in reasoner.answer(QUESTION)]
        return await beside

    assert run_in_virtual_time(main) is not None


@pytest.mark.model
def test_the_default_model_tells_the_users_words_from_the_familys(language_model: Path) -> None:
    pytest.importorskip("gguf")
    loaded = load_language_model(language_model, settings=Reasoning())

    async def main(clock: VirtualClock) -> list[float | None]:
        reasoner = AsyncReasoner(Engine(loaded.model, clock=clock), loaded.tokenizer)
        async with aclosing(
            reasoner.answer("A train travels sixty kilometers in 45 minutes. How fast is it?")
        ) as events:
            thought = 0
            while thought < 12:
                thought += isinstance(await anext(events), Thought)
            asked = [
                asyncio.ensure_future(reasoner.relevance(words)) for words in ("In miles, please.", "Dinner is ready!")
            ]
            while not all(question.done() for question in asked):
                await anext(events)
        return [question.result() for question in asked]

    meant, for_others = run_in_virtual_time(main)
    assert meant is not None
    assert for_others is not None
    assert meant > 0.0 > for_others
