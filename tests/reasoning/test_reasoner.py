"""A whole answer on a random model, in virtual time: order of events, endings, words and cuts at any moment."""

from __future__ import annotations

import asyncio
import copy
from contextlib import aclosing
from dataclasses import replace
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import settings as examples
from hypothesis import strategies as st

from tests.reasoning.architectures import FAMILIES
from tests.reasoning.tiny_models import tiny_model
from tests.reasoning.tiny_reasoner import SETTINGS, TOKENIZER, At, converse, hear, shared_model, tiny_reasoner, watch
from tests.reasoning.tiny_tokenizer import VOCABULARY, tiny_tokenizer
from voice_agent.clock import VirtualClock, Worker, run_in_virtual_time
from voice_agent.errors import UnusableInput
from voice_agent.events import AnswerEvent, Done, Gate, Injected, ModelCall, ReplyEnd, Thought, Written
from voice_agent.reasoning.engine import Engine
from voice_agent.reasoning.prompts import NOTICE, VERIFIED, Prompts
from voice_agent.reasoning.reasoner import AsyncReasoner
from voice_agent.reasoning.token_stepper import TokenStepper
from voice_agent.settings import DeclaredCosts, Reasoning

MODES = ["async", "think", "think:5", "direct"]


ASIDE = "My dog likes your voice."


def texts(events: list[tuple[float, AnswerEvent]], kind: type) -> str:
    return "".join(event.text for _, event in events if isinstance(event, kind))


def done(events: list[tuple[float, AnswerEvent]]) -> Done:
    last = events[-1][1]
    assert isinstance(last, Done)
    return last


# --- one answer ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("mode", MODES)
def test_events_come_in_the_order_of_the_contract(mode: str, seed: int) -> None:
    events = converse(mode=mode, seed=seed)
    kinds = [type(event) for _, event in events]
    assert kinds[-1] is Done
    assert kinds.count(Done) == 1
    assert kinds[-2] is ReplyEnd
    end = done(events)
    assert (texts(events, Thought), texts(events, Written)) == (end.thoughts, end.spoken)
    steps = [event.step for _, event in events if isinstance(event, Thought | Written)]
    assert steps == sorted(steps)
    assert end.steps >= max(steps, default=0)
    assert end.thinking_tokens <= {"direct": 0, "think:5": 5}.get(mode, SETTINGS.thinking_budget)
    assert end.spoken_tokens <= SETTINGS.speaking_budget
    if mode.startswith("think"):
        last_thought = max(i for i, kind in enumerate(kinds) if kind is Thought)
        assert Written not in kinds[:last_thought]
    assert (Gate in kinds) <= (mode == "async")
    times = [t_s for t_s, _ in events]
    assert times == sorted(times)


@pytest.mark.parametrize("mode", MODES)
def test_the_same_seed_gives_the_same_events_at_the_same_times(mode: str) -> None:
    happens = {1.0: hear("No, 90."), 1.5: lambda reasoner: reasoner.cut_spoken(reasoner.spoken[:3])}
    first, second = (converse(mode=mode, happens=dict(happens), seed=3) for _ in range(2))
    assert first == second
    assert first != converse(mode=mode, happens=dict(happens), seed=4)


def test_costs_are_declared_and_recorded() -> None:
    async def main(clock: VirtualClock) -> tuple[list[ModelCall], float]:
        calls: list[ModelCall] = []
        costs = DeclaredCosts(step_ms=20.0, step_rows=3, prefill_token_ms=2.0)
        reasoner = AsyncReasoner(
            Engine(shared_model(), clock=clock, costs=costs), TOKENIZER, settings=SETTINGS, record=calls.append
        )
        async for _ in reasoner.answer("How far?", mode="direct"):
            pass
        return calls, clock.now_s()

    calls, now_s = run_in_virtual_time(main)
    assert all(call.which == "language" and call.rows == 1 for call in calls)
    assert sum(call.ms for call in calls) == pytest.approx(1000 * now_s)
    assert [call.ms for call in calls] == pytest.approx([20 + 2 * max(0, call.tokens - 3) for call in calls])


def test_a_question_whose_words_come_one_by_one() -> None:
    happens: dict[float, At] = {1.0 + i / 10: hear(word) for i, word in enumerate(["How", "far", "is", "it?"])}
    pieces = converse(None, happens=happens | {2.0: lambda reasoner: reasoner.end_turn()})
    assert pieces[0][0] > 2.0  # no thought before the question is complete
    assert not any(isinstance(event, Injected) for _, event in pieces)
    assert done(pieces).reason != "stopped"


def ahead(reasoner: AsyncReasoner) -> None:
    reasoner.think_ahead()


def end(reasoner: AsyncReasoner) -> None:
    reasoner.end_turn()


def test_thoughts_begin_in_a_pause_of_the_question(monkeypatch: pytest.MonkeyPatch) -> None:
    """And stay: what the user says after it is told to them; nothing is said before the question is complete."""
    fed = watch(monkeypatch)
    events = converse(None, happens={0.1: hear("A train, um."), 0.5: ahead, 1.0: hear("How far?"), 2.0: end})
    first = "".join(event.text for t_s, event in events if isinstance(event, Thought) and t_s <= 1.0)
    assert first
    assert not [event for t_s, event in events if 1.0 < t_s <= 2.0]  # waits for the next pause
    assert min(t_s for t_s, event in events if isinstance(event, Written | Gate)) > 2.0
    assert not any(isinstance(event, Injected) for _, event in events)
    assert done(events).thoughts.startswith(first)
    assert fed.text("user") == "A train, um. How far?"
    assert "How far?".join(NOTICE) in fed.text("thoughts")
    assert fed.read_twice("thoughts") == fed.read_twice("user") == 0


@examples(max_examples=25)
@given(
    mode=st.sampled_from(MODES),
    pauses=st.lists(st.floats(0.1, 3.0), max_size=4),
    words=st.lists(st.floats(0.1, 3.0), min_size=1, max_size=4),
)
def test_thinking_ahead_says_nothing_and_loses_nothing(mode: str, pauses: list[float], words: list[float]) -> None:
    happens: dict[float, At] = dict.fromkeys(pauses, ahead) | {t_s: hear("90") for t_s in words}
    with pytest.MonkeyPatch.context() as patch:
        fed = watch(patch)
        events = converse(None, mode=mode, happens=happens | {4.0: end})
    assert not [event for t_s, event in events if t_s <= 4.0 and not isinstance(event, Thought)]
    assert mode != "direct" or not [event for t_s, event in events if t_s <= 4.0]
    assert texts(events, Thought) == done(events).thoughts
    assert fed.text("user") == " ".join(["90"] * sum(t_s in words for t_s in happens))
    assert fed.read_twice("user") == 0
    assert fed.read_twice("thoughts") <= len(words)  # a token from which the first thought is chosen once more


@pytest.mark.parametrize("mode", ["async", "think", "direct"])
def test_words_heard_while_the_end_is_told_are_taken_in(mode: str) -> None:
    """The next step had been planned by then, and nothing was left to do."""

    async def main(clock: VirtualClock) -> list[AnswerEvent]:
        reasoner, events = tiny_reasoner(clock), []
        async for event in reasoner.answer("How far?", mode=mode):
            if isinstance(event, ReplyEnd) and not any(isinstance(e, ReplyEnd) for e in events):
                reasoner.hear("Ninety.")
            events.append(event)
        return events

    kinds = [type(event) for event in run_in_virtual_time(main)]
    assert kinds.index(ReplyEnd) < kinds.index(Injected)
    assert kinds[-1] is Done


def test_warming_up_is_done_once(monkeypatch: pytest.MonkeyPatch) -> None:
    fed = watch(monkeypatch)

    async def main(clock: VirtualClock) -> None:
        reasoner = tiny_reasoner(clock)
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(reasoner.warm_up())
            tasks.create_task(reasoner.warm_up())
            tasks.create_task(_all(reasoner, "How far?"))

    run_in_virtual_time(main)
    assert fed.text("preamble") == TOKENIZER.decode(Prompts(TOKENIZER).preamble)


async def _all(reasoner: AsyncReasoner, question: str | None = None, mode: str = "async") -> list[AnswerEvent]:
    return [event async for event in reasoner.answer(question, mode=mode)]


def test_no_steering_token_is_spoken() -> None:
    model = copy.deepcopy(shared_model())
    steering = ["<tool_call>", "<think>", "<|im_start|>"]
    model.lm_head.bias[TOKENIZER.convert_tokens_to_ids(steering)] = 100.0

    async def main(clock: VirtualClock) -> list[AnswerEvent]:
        return await _all(AsyncReasoner(Engine(model, clock=clock), TOKENIZER, settings=SETTINGS), "How far?")

    end = run_in_virtual_time(main)[-1]
    assert isinstance(end, Done)
    assert end.spoken != ""
    assert not any(mark in end.spoken for mark in steering)


# --- words and cuts while it runs ----------------------------------------------------------------------------------


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("at_s", [0.9, 1.1, 1.53])
def test_words_enter_the_running_thoughts(mode: str, at_s: float, monkeypatch: pytest.MonkeyPatch) -> None:
    before = converse(mode=mode)
    fed = watch(monkeypatch)
    events = converse(mode=mode, happens={at_s: hear("No, 90.")})
    assert [event for _, event in events if isinstance(event, Injected)] != []
    assert not [event for t_s, event in events if at_s < t_s <= at_s + 0.07]  # chosen without the words: discarded
    thoughts = [event.text for t_s, event in events if isinstance(event, Thought) and t_s <= at_s]
    assert done(events).thoughts.startswith("".join(thoughts))
    assert done(before).thoughts.startswith("".join(thoughts))
    assert "<|im_start|>user\nNo, 90." in fed.text("spoken" if mode == "direct" else "thoughts")
    for block in ("preamble", "dialogue", "user", "thoughts"):
        assert fed.read_twice(block) == 0


@pytest.mark.parametrize("reminder", [False, True])
@pytest.mark.parametrize("injection", ["inline", "before", "both"])
@pytest.mark.parametrize("mode", MODES)
def test_where_words_enter(mode: str, injection: Any, reminder: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    """Before the thoughts the question grows; within them words are a turn; the earlier thoughts stay as they are."""
    settings = replace(SETTINGS, injection=injection, injection_reminder=reminder)
    fed = watch(monkeypatch)
    events = converse(mode=mode, happens={1.53: hear("No, 90.")}, settings=settings)
    said = "No, 90." + (VERIFIED if reminder else "")
    inline = mode == "direct" or injection != "before"
    assert (f"<|im_start|>user\n{said}" in fed.text("spoken" if mode == "direct" else "thoughts")) is inline
    assert fed.text("user") == "How far?" + ("" if mode == "direct" or injection == "inline" else f" {said}")
    assert not [event for t_s, event in events if 1.53 < t_s <= 1.6]  # chosen without the words: discarded
    assert sum(isinstance(event, Injected) for _, event in events) == 1
    assert fed.read_twice("user") == 0
    assert fed.read_twice("thoughts") == 0
    assert ("No, 90.".join(NOTICE) in fed.text("thoughts")) is not inline


def test_what_is_spoken_can_stand_before_the_thoughts() -> None:
    """The same streams; only from the first spoken word on may the thoughts differ."""
    plain = converse()
    aware = converse(settings=replace(SETTINGS, thinker_reads_spoken=True))
    first = next(t_s for t_s, event in aware if isinstance(event, Written))
    assert texts(aware, Thought) == done(aware).thoughts
    assert [event for t_s, event in aware if t_s < first] != []
    assert texts(aware, Thought) != texts(plain, Thought)


@pytest.mark.parametrize("injection", ["inline", "before", "both"])
@pytest.mark.parametrize("mode", ["async", "async-safe", "think"])
@pytest.mark.parametrize("at_s", [0.9, 1.53])
def test_an_aside_is_read_and_interrupts_nobody(
    mode: str, at_s: float, injection: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    fed = watch(monkeypatch)
    events = converse(mode=mode, happens={at_s: hear(ASIDE)}, settings=replace(SETTINGS, injection=injection))
    assert fed.text("user") == f"How far? {ASIDE}"
    assert "dog" not in fed.text("thoughts") + fed.text("spoken")
    assert [event.text for _, event in events if isinstance(event, Injected)] == [ASIDE]
    steps = [event.step for _, event in events if isinstance(event, Thought)]
    assert steps == sorted(set(range(steps[0], steps[-1] + 1)) - {injected_step(events)})  # it goes on behind it
    for block in ("user", "thoughts", *([] if mode == "async-safe" else ["spoken"])):  # the judge may close it
        assert fed.read_twice(block) == 0


@pytest.mark.parametrize("mode", ["async", "think"])
def test_an_aside_over_the_result_brings_no_new_thoughts(mode: str) -> None:
    talkative = replace(SETTINGS, speaking_budget=60)
    plain = converse(mode=mode, settings=talkative)
    last_thought = max(t_s for t_s, event in plain if isinstance(event, Thought))
    events = converse(mode=mode, happens={last_thought + 0.1: hear(ASIDE)}, settings=talkative)
    assert [event.text for _, event in events if isinstance(event, Injected)] == [ASIDE]
    assert done(events).thoughts == done(plain).thoughts
    assert texts(events, Written) == done(events).spoken


def injected_step(events: list[tuple[float, AnswerEvent]]) -> int:
    return next(event.step for _, event in events if isinstance(event, Injected))


@pytest.mark.parametrize("injection", ["inline", "before", "both"])
def test_words_that_come_in_the_last_step_are_not_lost(injection: Any) -> None:
    """Whatever the step in flight has chosen, its end included, does not outrun them."""
    plain = converse()
    settings = replace(SETTINGS, injection=injection)
    for at_s in {t_s - 0.01 for t_s, _ in plain[-6:]}:
        events = converse(happens={at_s: hear("No, 90.")}, settings=settings)
        injected = next(i for i, (_, event) in enumerate(events) if isinstance(event, Injected))
        assert any(isinstance(event, Thought) for _, event in events[injected:])
        assert done(events).thinking_tokens > done(plain).thinking_tokens


def test_words_bring_a_budget_of_their_own() -> None:
    events = converse(mode="direct", happens={1.5: hear("No, 90.")})
    assert SETTINGS.speaking_budget < done(events).spoken_tokens <= 2 * SETTINGS.speaking_budget


@pytest.mark.parametrize(
    ("mode", "at_s"),
    [("async", 1.3), ("async", 1.85), ("async", 2.0), ("direct", 1.0), ("direct", 1.25), ("direct", 1.5)],
)
def test_what_did_not_sound_is_forgotten(mode: str, at_s: float, monkeypatch: pytest.MonkeyPatch) -> None:
    fed, seen = watch(monkeypatch), []

    def cut(reasoner: AsyncReasoner) -> None:
        seen.append(reasoner.spoken)
        reasoner.cut_spoken(reasoner.spoken[:4])
        seen.append(reasoner.spoken)
        assert reasoner.reply == 2

    events = converse(mode=mode, happens={at_s: cut})
    assert not [event for t_s, event in events if isinstance(event, Written) and at_s < t_s <= at_s + 0.07]
    before, kept = seen
    assert before.startswith(kept)
    assert len(kept) <= max(4, len(before))
    assert texts([e for e in events if isinstance(e[1], Written) and e[1].reply == 1], Written) == before
    replies = [event.reply for _, event in events if isinstance(event, Written)]
    assert replies == sorted(replies)
    after = texts([e for e in events if isinstance(e[1], Written) and e[1].reply == 2], Written)
    assert done(events).spoken == kept + after
    assert fed.read_twice("thoughts") == 0


WHAT_HAPPENS = st.lists(
    st.tuples(
        st.floats(0.0, 4.0),
        st.sampled_from(["hear", "aside", "cut", "cut", "cut all", "speaks", "silent", "end turn"]),
    ),
    max_size=6,
)


@examples(max_examples=25)
@given(
    what=WHAT_HAPPENS,
    mode=st.sampled_from(MODES),
    seed=st.integers(0, 99),
    injection=st.sampled_from(["inline", "before", "both"]),
    aware=st.booleans(),
)
def test_whatever_happens_written_words_and_blocks_agree(
    what: list[tuple[float, str]], mode: str, seed: int, injection: Any, aware: bool
) -> None:
    changes: dict[str, At] = {
        "hear": hear("No, 90."),
        "aside": hear(ASIDE),
        "cut": lambda reasoner: reasoner.cut_spoken(reasoner.spoken[: len(reasoner.spoken) // 2]),
        "cut all": lambda reasoner: reasoner.cut_spoken(""),
        "speaks": lambda reasoner: setattr(reasoner, "user_speaking", True),
        "silent": lambda reasoner: setattr(reasoner, "user_speaking", False),
        "end turn": lambda reasoner: reasoner.end_turn(),
    }
    spoken_at_cut = [""]

    def happen(name: str) -> At:
        def change(reasoner: AsyncReasoner) -> None:
            changes[name](reasoner)
            if name.startswith("cut"):
                spoken_at_cut[0] = reasoner.spoken
            reasoner.wake()

        return change

    happens = {t_s: happen(name) for t_s, name in what}
    with pytest.MonkeyPatch.context() as patch:
        fed = watch(patch)
        settings = replace(SETTINGS, injection=injection, thinker_reads_spoken=aware)
        events = converse(mode=mode, happens=happens | {5.0: happen("silent")}, seed=seed, settings=settings)
    last = max((e.reply for _, e in events if isinstance(e, Written | ReplyEnd)), default=1)
    newest = texts([e for e in events if isinstance(e[1], Written) and e[1].reply == last], Written)
    assert done(events).spoken == spoken_at_cut[0] + newest or (
        newest == "" and done(events).spoken == spoken_at_cut[0]
    )
    for block in ("preamble", "dialogue", "user", "thoughts"):
        assert fed.read_twice(block) == 0


# --- endings -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("question", ["How far?", None])
def test_stopping_ends_it_at_once(question: str | None) -> None:
    events = converse(question, happens={1.53: lambda reasoner: reasoner.stop()})
    assert done(events).reason == "stopped"
    assert events[-1][0] <= 1.53 + 0.07
    assert texts(events, Written) == done(events).spoken


def test_stopping_concerns_the_running_answer_only() -> None:
    async def main(clock: VirtualClock) -> list[str]:
        reasoner, reasons = tiny_reasoner(clock), []
        reasoner.stop()
        for stops in (False, True, False):
            async for event in reasoner.answer("How far?"):
                if stops:
                    reasoner.stop()
                if isinstance(event, Done):
                    reasons.append(event.reason)
                    reasoner.stop()
        return reasons

    assert [reason == "stopped" for reason in run_in_virtual_time(main)] == [False, True, False]


def test_the_answer_stays_open_while_it_sounds() -> None:
    async def main(clock: VirtualClock) -> list[AnswerEvent]:
        reasoner, sounding = tiny_reasoner(clock), [True]
        reasoner.voicing = lambda: sounding[0]

        async def player() -> None:
            await clock.sleep_until(30.0)
            reasoner.hear("No, 90.")
            await clock.sleep_until(60.0)
            sounding[0] = False
            reasoner.wake()

        playing = asyncio.create_task(player())
        events = await _all(reasoner, "How far?")
        await playing
        assert clock.now_s() == 60.0
        return events

    events = run_in_virtual_time(main)
    assert sum(isinstance(event, ReplyEnd) for event in events) >= 1
    assert sum(isinstance(event, Injected) for event in events) == 1


@pytest.mark.parametrize("voice", ["full", "spoken over"])
def test_thinking_goes_on_while_nothing_may_be_written(voice: str) -> None:
    def quiet(reasoner: AsyncReasoner, is_quiet: bool) -> None:
        reasoner.voice_full = lambda: voice == "full" and is_quiet
        reasoner.user_speaking = voice == "spoken over" and is_quiet
        reasoner.wake()

    events = converse(happens={0.0: lambda r: quiet(r, True), 20.0: lambda r: quiet(r, False)})
    assert all(t_s > 20.0 for t_s, event in events if isinstance(event, Written))
    assert all(t_s < 20.0 for t_s, event in events if isinstance(event, Thought))
    assert texts(events, Written) != ""


@pytest.mark.parametrize("by", ["closing", "cancelling", "failing"])
def test_an_answer_that_ends_early_leaves_a_usable_reasoner(by: str, monkeypatch: pytest.MonkeyPatch) -> None:
    async def main(clock: VirtualClock) -> None:
        reasoner = tiny_reasoner(clock)
        if by == "closing":
            async with aclosing(reasoner.answer("How far?")) as events:
                async for event in events:
                    if isinstance(event, Written):
                        break
        elif by == "cancelling":
            task = asyncio.create_task(_all(reasoner, "How far?"))
            await clock.sleep_until(1.53)
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task
        else:
            with monkeypatch.context() as patch:
                patch.setattr(TokenStepper, "step", lambda self, rows: 1 / 0)
                with pytest.raises(ZeroDivisionError):
                    await _all(reasoner, "How far?")
        assert isinstance((await _all(reasoner, "And now?"))[-1], Done)

    run_in_virtual_time(main)


def test_cancelling_in_real_time_waits_for_the_step_in_flight(monkeypatch: pytest.MonkeyPatch) -> None:
    """Its blocks must not be given to the next answer while it writes to them."""
    step, inside = TokenStepper.step, []

    async def main() -> None:
        worker, loop, reached = Worker("model"), asyncio.get_running_loop(), asyncio.Event()
        reasoner = AsyncReasoner(Engine(shared_model(), worker=worker), TOKENIZER, settings=SETTINGS)

        def announced(self: TokenStepper, rows: list) -> object:
            inside.append(True)
            loop.call_soon_threadsafe(reached.set)
            result = step(self, rows)
            inside.pop()
            return result

        monkeypatch.setattr(TokenStepper, "step", announced)
        for _ in range(5):
            task = asyncio.create_task(_all(reasoner, "How far?"))
            reached.clear()
            await reached.wait()
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task
            assert inside == []
        assert isinstance((await _all(reasoner, "And now?", mode="direct"))[-1], Done)
        worker.close()

    asyncio.run(main())


def test_one_reasoner_serves_several_loops_in_its_life() -> None:
    reasoner = AsyncReasoner(shared_model(), TOKENIZER, settings=SETTINGS)

    async def stopped_while_it_waits() -> AnswerEvent:
        looked = asyncio.Event()
        reasoner.voice_full = lambda: bool(looked.set())
        task = asyncio.create_task(_all(reasoner))
        await looked.wait()  # it has looked what is to be done, and goes to wait for words
        reasoner.stop()
        return (await task)[-1]

    for _ in range(2):
        assert isinstance(asyncio.run(stopped_while_it_waits()), Done)


# --- turns ---------------------------------------------------------------------------------------------------------


def test_words_after_the_end_open_the_next_turn(monkeypatch: pytest.MonkeyPatch) -> None:
    fed = watch(monkeypatch)

    async def main(clock: VirtualClock) -> None:
        reasoner = tiny_reasoner(clock)
        async for event in reasoner.answer("How far?"):
            if isinstance(event, Done):
                reasoner.hear("And back?")
                reasoner.end_turn()
        del fed.rows[:]
        assert isinstance((await _all(reasoner))[-1], Done)

    run_in_virtual_time(main)
    assert fed.text("user") == "And back?"
    past = fed.text("dialogue")
    assert past.startswith("How far?<|im_end|>\n<|im_start|>assistant\n")


def test_words_between_answers_stand_before_the_next_question(monkeypatch: pytest.MonkeyPatch) -> None:
    fed = watch(monkeypatch)

    async def main(clock: VirtualClock) -> list[AnswerEvent]:
        reasoner = tiny_reasoner(clock)
        reasoner.end_turn()  # nothing was asked: nothing has ended
        reasoner.hear("  ")
        reasoner.hear("Now then.")
        reasoner.end_turn()
        return await _all(reasoner, "How far?")

    assert not any(isinstance(event, Injected) for event in run_in_virtual_time(main))
    assert fed.text("user") == "Now then. How far?"


def test_an_end_before_the_first_word_ends_nothing() -> None:
    async def main(clock: VirtualClock) -> float:
        reasoner = tiny_reasoner(clock)
        reasoner.end_turn()
        reasoner.hear("How far?")

        async def outside() -> None:
            await clock.sleep_until(9.0)
            reasoner.end_turn()

        ending = asyncio.create_task(outside())
        async for _ in reasoner.answer():
            break
        await ending
        return clock.now_s()

    assert run_in_virtual_time(main) > 9.0


def test_the_dialogue_remembers_what_sounded(monkeypatch: pytest.MonkeyPatch) -> None:
    fed = watch(monkeypatch)

    async def main(clock: VirtualClock) -> str:
        reasoner = tiny_reasoner(clock)
        spoken = (await _all(reasoner, "How far?", mode="direct"))[-1].spoken  # type: ignore[union-attr]
        reasoner.cut_spoken(spoken[:2])
        await reasoner.warm_up()
        return str(spoken)

    spoken = run_in_virtual_time(main)
    past = fed.text("dialogue")
    assert past == f"How far?<|im_end|>\n<|im_start|>assistant\n{spoken[:2]}<|im_end|>\n<|im_start|>user\n"


def test_a_long_conversation_stays_within_its_room(monkeypatch: pytest.MonkeyPatch) -> None:
    fed = watch(monkeypatch)

    async def main(clock: VirtualClock) -> int:
        reasoner = tiny_reasoner(clock)
        for turn in range(12):
            await _all(reasoner, f"{turn}. " + "How far is it? " * 6, mode="direct")
        return reasoner._engine.arena.held_bytes

    held = run_in_virtual_time(main)
    assert held < 2_000_000
    ends = [start + len(tokens) for start, tokens in fed.of("dialogue")]
    assert max(ends) <= SETTINGS.context_tokens // 2
    assert any(later < earlier for earlier, later in pairwise(start for start, _ in fed.of("dialogue")))  # some left


def test_two_reasoners_on_one_model_do_not_disturb_each_other() -> None:
    async def main() -> tuple[list[str], list[str]]:
        model = copy.deepcopy(shared_model())
        workers = [Worker("one"), Worker("two")]
        pair = [AsyncReasoner(Engine(model, worker=worker), TOKENIZER, settings=SETTINGS) for worker in workers]
        alone = [(await _all(reasoner, "How far?"))[-1] for reasoner in pair]
        fresh = [AsyncReasoner(Engine(model, worker=worker), TOKENIZER, settings=SETTINGS) for worker in workers]
        together = await asyncio.gather(*(_all(reasoner, "How far?") for reasoner in fresh))
        for worker in workers:
            worker.close()
        return [str(end) for end in alone], [str(events[-1]) for events in together]

    alone, together = asyncio.run(main())
    assert alone[0] == alone[1]
    assert together == alone


# --- bad input -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("question", "mode", "sentence"),
    [
        ("", "async", "the question is empty"),
        (" \n", "async", "the question is empty"),
        ("How far?", "fast", "unknown mode 'fast'"),
        ("far " * 400, "async", r"the question has \d+ tokens, the context leaves room for \d+: shorten it"),
    ],
)
def test_questions_that_cannot_be_asked(question: str, mode: str, sentence: str) -> None:
    async def main(clock: VirtualClock) -> None:
        reasoner = tiny_reasoner(clock)
        with pytest.raises(UnusableInput, match=sentence):
            await _all(reasoner, question, mode=mode)
        assert isinstance((await _all(reasoner, "How far?"))[-1], Done)  # nothing was left half begun

    run_in_virtual_time(main)


def test_words_that_do_not_fit_are_not_taken_in() -> None:
    def too_much(reasoner: AsyncReasoner) -> None:
        with pytest.raises(UnusableInput, match="shorten it"):
            reasoner.hear("far " * 400)

    events = converse(happens={1.0: too_much})
    assert not any(isinstance(event, Injected) for _, event in events)


@pytest.mark.parametrize("answering", [True, False])
def test_a_cut_must_be_the_beginning_of_what_was_spoken(answering: bool) -> None:
    def wrong(reasoner: AsyncReasoner) -> None:
        with pytest.raises(UnusableInput, match=r"cannot cut the spoken words to 'never said'"):
            reasoner.cut_spoken("never said")
        assert reasoner.reply == int(answering)

    if answering:
        assert isinstance(done(converse(happens={1.5: wrong})), Done)
    else:

        async def main(clock: VirtualClock) -> None:
            wrong(tiny_reasoner(clock))

        run_in_virtual_time(main)


def test_an_end_without_a_question() -> None:
    def too_early(reasoner: AsyncReasoner) -> None:
        with pytest.raises(UnusableInput, match="the question is empty"):
            reasoner.end_turn()
        reasoner.stop()

    assert done(converse(None, happens={9.0: too_early})).reason == "stopped"


def test_one_answer_at_a_time() -> None:
    async def main(clock: VirtualClock) -> None:
        reasoner = tiny_reasoner(clock)
        async for event in reasoner.answer("How far?"):
            if not isinstance(event, Done):
                with pytest.raises(UnusableInput, match="another answer is running"):
                    await _all(reasoner, "And now?")

    run_in_virtual_time(main)


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"thinking_budget": -1}, "thinking_budget must be at least 1, not -1"),
        ({"speaking_budget": 0}, "speaking_budget must be at least 1, not 0"),
        ({"prefill_chunk": 0}, "prefill_chunk must be at least 1"),
        ({"thinker_top_p": 0.0}, "top_p of thinker or writer is 0.0"),
        ({"writer_temperature": -1.0}, "temperature of thinker or writer is -1.0"),
        ({"context_tokens": 400}, "context_tokens 400 leaves no room"),
        ({"thinking_budget": 5000}, "leaves no room beside the preamble and the budgets"),
    ],
)
def test_settings_that_cannot_work(changes: dict[str, int], sentence: str) -> None:
    with pytest.raises(UnusableInput, match=sentence):
        tiny_reasoner(VirtualClock(), replace(SETTINGS, **changes))  # type: ignore[arg-type]


def test_a_context_beyond_what_is_exact() -> None:
    phi3 = next(family for family in FAMILIES if family.beyond.startswith("longrope"))
    model = tiny_model("phi3", **{**phi3.changes, "vocab_size": VOCABULARY})
    with pytest.raises(UnusableInput, match=r"context_tokens allows 1200 tokens: .* exact .* up to 256 \(longrope"):
        AsyncReasoner(model, TOKENIZER, settings=SETTINGS)


def test_a_tokenizer_without_a_chat_template() -> None:
    with pytest.raises(UnusableInput, match="no chat template"):
        AsyncReasoner(shared_model(), tiny_tokenizer(None), settings=Reasoning(kernel="plain"))


# --- without an event loop -----------------------------------------------------------------------------------------


def test_an_answer_can_be_iterated_without_an_event_loop() -> None:
    reasoner = AsyncReasoner(Engine(shared_model(), kernel="plain"), TOKENIZER, settings=SETTINGS)
    events = list(reasoner.iterate("How far?", mode="think"))
    assert isinstance(events[-1], Done)
    assert "".join(event.text for event in events if isinstance(event, Thought)) == events[-1].thoughts
    again = AsyncReasoner(Engine(shared_model(), kernel="plain"), TOKENIZER, settings=SETTINGS)
    assert asyncio.run(_all(again, "How far?", "think"))[-1] == events[-1]


def test_between_two_events_words_may_be_heard_and_the_answer_left() -> None:
    reasoner = AsyncReasoner(Engine(shared_model(), kernel="plain"), TOKENIZER, settings=SETTINGS)
    kinds = []
    for event in reasoner.iterate("How far?"):
        if isinstance(event, Thought) and not kinds:
            reasoner.hear("No, ninety.")
        kinds.append(type(event))
        if isinstance(event, Injected):
            break
    assert Injected in kinds
    assert Done not in kinds
    assert isinstance(list(reasoner.iterate("And now?", mode="direct"))[-1], Done)


def test_two_loops_on_one_engine_are_refused() -> None:
    """Neither of them runs while the other waits for its step."""
    engine = Engine(shared_model(), kernel="plain")
    first, second = (AsyncReasoner(engine, TOKENIZER, settings=SETTINGS) for _ in range(2))
    with pytest.raises(UnusableInput, match="two event loops use this engine at once"):
        list(zip(first.iterate("How far?"), second.iterate("How high?"), strict=False))
    assert isinstance(list(first.iterate("And now?", mode="direct"))[-1], Done)


def test_iterating_inside_an_event_loop_is_refused() -> None:
    reasoner = AsyncReasoner(Engine(shared_model(), kernel="plain"), TOKENIZER, settings=SETTINGS)

    async def main() -> None:
        with pytest.raises(UnusableInput, match="an event loop is running here"):
            next(iter(reasoner.iterate("How far?")))

    asyncio.run(main())
