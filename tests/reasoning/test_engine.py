"""Several conversations in one step: the same words as alone, fewer steps, and nobody suffers from another."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from contextlib import aclosing

import pytest
import torch

from tests.reasoning.tiny_reasoner import COSTS, SETTINGS, TOKENIZER, converse, hear, shared_model, tiny_reasoner
from voice_agent.clock import VirtualClock, WallClock, run_in_virtual_time
from voice_agent.errors import UnusableInput
from voice_agent.events import AnswerEvent, Done, Injected, Thought, Written
from voice_agent.reasoning.cache_view import View
from voice_agent.reasoning.engine import Engine, Feed
from voice_agent.reasoning.reasoner import AsyncReasoner
from voice_agent.reasoning.token_stepper import Row, TokenStepper

QUESTIONS = ("How far?", "What is seven times eight?", "Why?", "When does the next train leave?", "Who?")


def many(engine: Engine) -> list[AsyncReasoner]:
    return [AsyncReasoner(engine, TOKENIZER, settings=SETTINGS, seed=seed) for seed in range(len(QUESTIONS))]


async def told(reasoner: AsyncReasoner, question: str, mode: str = "async") -> list[AnswerEvent]:
    return [event async for event in reasoner.answer(question, mode=mode)]


def texts(events: Sequence[AnswerEvent]) -> tuple[str, str, int, int]:
    end = events[-1]
    assert isinstance(end, Done)
    return end.thoughts, end.spoken, end.thinking_tokens, end.spoken_tokens


@pytest.fixture
def steps(monkeypatch: pytest.MonkeyPatch) -> list[list[Row]]:
    seen, step = [], TokenStepper.step

    def watched(self: TokenStepper, rows: list[Row]) -> torch.Tensor:
        seen.append(rows)
        return step(self, rows)

    monkeypatch.setattr(TokenStepper, "step", watched)
    return seen


@pytest.mark.parametrize("mode", ["think", "direct"])  # where no clock decides when to speak
@pytest.mark.parametrize("virtual", [True, False])
def test_together_they_say_what_each_says_alone(mode: str, virtual: bool, steps: list[list[Row]]) -> None:
    async def alone(clock: VirtualClock | None = None) -> list[object]:
        engine = Engine(shared_model(), kernel="plain", clock=clock)
        return [texts(await told(r, q, mode)) for r, q in zip(many(engine), QUESTIONS, strict=True)]

    async def together(clock: VirtualClock | None = None) -> list[object]:
        engine = Engine(shared_model(), kernel="plain", clock=clock)
        answers = (told(r, q, mode) for r, q in zip(many(engine), QUESTIONS, strict=True))
        return [texts(events) for events in await asyncio.gather(*answers)]

    run = run_in_virtual_time if virtual else lambda main: asyncio.run(main())
    expected, steps_alone = run(alone), len(steps)
    steps.clear()
    assert run(together) == expected
    assert len(steps) < steps_alone / 2
    assert max(len(rows) for rows in steps) >= len(QUESTIONS)


def test_thinker_and_writer_of_everybody_share_steps(steps: list[list[Row]]) -> None:
    async def main(clock: VirtualClock) -> list[list[AnswerEvent]]:
        engine = Engine(shared_model(), kernel="plain", clock=clock, costs=COSTS)
        answers = (told(r, q) for r, q in zip(many(engine), QUESTIONS, strict=True))
        return await asyncio.gather(*answers)

    answers = run_in_virtual_time(main)
    assert all(texts(events)[1] for events in answers)
    assert max(len(rows) for rows in steps) > len(QUESTIONS)
    beginnings = {id(row.view.blocks[0]) for rows in steps for row in rows}
    assert len(beginnings) == 1  # the preamble stands there once


def test_a_correction_reaches_its_own_conversation_only() -> None:
    async def main(clock: VirtualClock) -> list[list[AnswerEvent]]:
        engine = Engine(shared_model(), kernel="plain", clock=clock, costs=COSTS)
        reasoners = many(engine)

        async def corrected() -> None:
            await clock.sleep_until(1.0)
            hear("No, ninety.")(reasoners[0])

        asyncio.create_task(corrected())  # noqa: RUF006 - it is over long before main is
        return await asyncio.gather(*(told(r, q, "think") for r, q in zip(reasoners, QUESTIONS, strict=True)))

    async def undisturbed(clock: VirtualClock) -> list[object]:
        engine = Engine(shared_model(), kernel="plain", clock=clock, costs=COSTS)
        return [texts(await told(r, q, "think")) for r, q in zip(many(engine), QUESTIONS, strict=True)]

    answers, expected = run_in_virtual_time(main), run_in_virtual_time(undisturbed)
    assert [any(isinstance(event, Injected) for event in events) for events in answers] == [True] + [False] * 4
    assert [texts(events) for events in answers[1:]] == expected[1:]
    assert texts(answers[0]) != expected[0]


@pytest.mark.parametrize("virtual", [True, False])
def test_one_that_is_cancelled_leaves_the_others_alone(virtual: bool) -> None:
    async def main(clock: VirtualClock | WallClock) -> list[object]:
        engine = Engine(shared_model(), kernel="plain", clock=clock, costs=COSTS)
        reasoners = many(engine)
        begun = asyncio.Event()

        async def watched() -> None:
            async with aclosing(reasoners[0].answer(QUESTIONS[0], mode="think")) as events:
                async for _ in events:
                    begun.set()

        first = asyncio.create_task(watched())
        others = [asyncio.create_task(told(reasoners[i], QUESTIONS[i], "think")) for i in range(1, 5)]
        await begun.wait()
        first.cancel()
        with pytest.raises(asyncio.CancelledError):
            await first
        rest = [texts(events) for events in await asyncio.gather(*others)]
        assert isinstance((await told(reasoners[0], "And now?"))[-1], Done)
        return rest

    async def undisturbed(clock: VirtualClock) -> list[object]:
        engine = Engine(shared_model(), kernel="plain", clock=clock)
        return [texts(await told(r, q, "think")) for r, q in zip(many(engine), QUESTIONS, strict=True)]

    rest = run_in_virtual_time(main) if virtual else asyncio.run(main(WallClock()))
    assert rest == run_in_virtual_time(undisturbed)[1:]


def test_a_failed_step_is_told_to_all_who_were_in_it_and_the_next_one_works(monkeypatch: pytest.MonkeyPatch) -> None:
    async def main(clock: VirtualClock) -> None:
        engine = Engine(shared_model(), kernel="plain", clock=clock)
        reasoners = many(engine)
        with monkeypatch.context() as patch:
            patch.setattr(TokenStepper, "step", lambda self, rows: 1 / 0)
            answers = (told(r, q) for r, q in zip(reasoners, QUESTIONS, strict=True))
            results = await asyncio.gather(*answers, return_exceptions=True)
        assert [type(result) for result in results] == [ZeroDivisionError] * len(QUESTIONS)
        assert all(isinstance(event, Done) for event in [(await told(r, "And now?"))[-1] for r in reasoners])

    run_in_virtual_time(main)


def test_who_waits_for_a_step_hears_that_it_was_cancelled() -> None:
    """A loop that ends cancels every task: those who wait, and the one that serves them."""

    async def main() -> None:
        engine = Engine(shared_model(), kernel="plain")
        answers = [asyncio.create_task(told(r, q)) for r, q in zip(many(engine), QUESTIONS, strict=True)]
        while engine._serving is None or engine._waiting:
            await asyncio.sleep(0)
        engine._serving.cancel()  # a step is in flight
        first, _ = await asyncio.wait(answers, return_when=asyncio.FIRST_COMPLETED)
        assert all(answer.cancelled() for answer in first)
        await asyncio.wait(answers)
        assert isinstance((await told(many(engine)[0], "And now?"))[-1], Done)

    asyncio.run(main())


def test_an_engine_serves_one_loop_after_the_other() -> None:
    engine = Engine(shared_model())
    talkers = many(engine)[:2]

    async def talk() -> None:
        await asyncio.gather(*(told(talker, "Who?", mode="direct") for talker in talkers))
        await asyncio.gather(*(talker.warm_up() for talker in 2 * talkers))  # each twice: the second time waits

    for _ in range(2):
        asyncio.run(talk())
    assert all(talker.dialogue_tokens for talker in talkers)
    engine.worker.close()


def test_requests_are_admitted_in_order_until_the_step_is_full(steps: list[list[Row]]) -> None:
    async def main(clock: VirtualClock) -> None:
        engine = Engine(shared_model(), kernel="plain", clock=clock, step_tokens=8)
        steps.clear()
        texts = [View((engine.arena.new_block(name),)) for name in "abcde"]
        with engine.taking_part(), engine.taking_part():
            sizes = (5, 3, 1, 20, 2)
            await asyncio.gather(
                *(engine.launch([Feed("text", text, (5,) * size)]) for text, size in zip(texts, sizes, strict=True))
            )

    run_in_virtual_time(main)
    assert [[row.view.own.name for row in rows] for rows in steps] == [["a", "b"], ["c"], ["d"], ["e"]]


def test_a_step_is_launched_before_what_the_last_one_wrote_is_handed_out(steps: list[list[Row]]) -> None:
    async def main(clock: VirtualClock) -> list[tuple[int, int]]:
        reasoner, seen = tiny_reasoner(clock), []
        await reasoner.warm_up()
        steps.clear()
        async for event in reasoner.answer("How far?"):
            if isinstance(event, Thought | Written):
                seen.append((event.step, len(steps)))
        return seen

    seen = run_in_virtual_time(main)
    ahead = [launched - step for step, launched in seen]
    assert set(ahead) == {0, 1}
    assert ahead[:-4] == [1] * (len(ahead) - 4)  # at the end there is nothing left to launch


def test_words_heard_while_a_step_is_in_flight_discard_its_thought() -> None:
    """A step that was launched before the words came in chose its thought without them."""
    events = converse(happens={1.0: hear("No, ninety.")})
    injected = next(i for i, (_, event) in enumerate(events) if isinstance(event, Injected))
    assert not any(isinstance(e, Thought) for t_s, e in events[:injected] if t_s > 1.0)


def test_a_new_conversation_forgets_the_old_one(steps: list[list[Row]]) -> None:
    async def main(clock: VirtualClock) -> None:
        reasoner = tiny_reasoner(clock)
        first = texts(await told(reasoner, "How far?", "direct"))
        reasoner.hear("And how high?")
        reasoner.end_turn()
        reasoner.forget()
        steps.clear()
        assert texts(await told(reasoner, "How far?", "direct"))[1]
        assert first[1]

    run_in_virtual_time(main)
    assert not [row for rows in steps for row in rows if row.view.own.name == "dialogue"]


def test_a_closed_reasoner_leaves_its_memory_to_the_next() -> None:
    async def main(clock: VirtualClock) -> tuple[list[int], list[int], list[int]]:
        engine = Engine(shared_model(), kernel="plain", clock=clock)
        places, used, held = [], [], []
        for reasoner in many(engine):
            await told(reasoner, "How far is it? " * 6, "direct")
            await reasoner.warm_up()
            places.append(reasoner._dialogue.block.start)
            held.append(reasoner.held_bytes)
            reasoner.close()
            used.append(engine.arena.used_bytes)
        return places, used, held

    places, used, held = run_in_virtual_time(main)
    assert len(set(places)) == len(set(used)) == len(set(held)) == 1
    assert used[0] < held[0]


def test_a_reasoner_that_answers_is_not_closed() -> None:
    async def main(clock: VirtualClock) -> None:
        reasoner = tiny_reasoner(clock)
        async with aclosing(reasoner.answer("How far?")) as events:
            await anext(events)
            with pytest.raises(UnusableInput, match="another answer is running"):
                reasoner.close()
        reasoner.close()

    run_in_virtual_time(main)
