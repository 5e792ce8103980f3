"""How likely other last words would have been, and answers that begin with a phrase that says nothing."""

from __future__ import annotations

import asyncio
import dataclasses
from typing import Any

import pytest
import torch

from tests.reasoning.tiny_reasoner import SETTINGS, TOKENIZER, converse, shared_model, tiny_reasoner
from voice_agent.clock import VirtualClock, run_in_virtual_time
from voice_agent.errors import UnusableInput
from voice_agent.events import AnswerEvent, Done, Rated, Written
from voice_agent.reasoning.cache_block import CacheArena
from voice_agent.reasoning.cache_view import View
from voice_agent.reasoning.engine import Engine
from voice_agent.reasoning.prompts import FILLER, Prompts
from voice_agent.reasoning.reasoner import AsyncReasoner
from voice_agent.reasoning.sampling import log_likelihood
from voice_agent.reasoning.token_stepper import Row, TokenStepper

QUESTION = "How far?"
TEXTS = ("It is far.", "x", "Nobody knows, </s> not even I.")
SILENT = dataclasses.replace(SETTINGS, speaking_budget=200)


def rated(mode: str, **options: Any) -> list[AnswerEvent]:
    async def main(clock: VirtualClock) -> list[AnswerEvent]:
        reasoner = tiny_reasoner(clock, **options)
        return [event async for event in reasoner.answer(QUESTION, mode=mode, rate=TEXTS)]

    return run_in_virtual_time(main)


def of_the_whole_text(tokens: list[int], text: list[int]) -> float:
    stepper = TokenStepper(shared_model(), "plain")
    view = View((CacheArena().new_block("whole"),))
    logits = stepper.step([Row(view, [*tokens, *text[:-1]], wanted=len(text))])
    return log_likelihood(text, logits).item()


@pytest.mark.parametrize("mode", ["direct", "direct-filler"])
def test_the_same_as_of_the_whole_text(mode: str) -> None:
    prompts = Prompts(TOKENIZER)
    *_, before, end = rated(mode)
    filler = prompts.words(FILLER) if mode == "direct-filler" else []
    asked = [*prompts.preamble, *prompts.words(QUESTION), *prompts.direct_cue, *filler]
    assert isinstance(before, Rated)
    assert isinstance(end, Done)
    assert before.log_likelihoods == pytest.approx(
        [of_the_whole_text(asked, prompts.words(text)) for text in TEXTS], abs=1e-3
    )


@pytest.mark.parametrize("mode", ["async", "async-safe", "think", "think:5", "direct", "direct-filler"])
def test_the_answer_is_what_it_is_without(mode: str) -> None:
    *events, before, end = rated(mode)
    assert [*events, end] == [event for _, event in converse(QUESTION, mode=mode)]
    assert isinstance(before, Rated)
    assert all(likelihood < 0 for likelihood in before.log_likelihoods)
    assert rated(mode)[-2] == before


def test_the_dialogue_keeps_what_was_said() -> None:
    async def main(clock: VirtualClock) -> tuple[str, str]:
        reasoner = tiny_reasoner(clock, SILENT)
        async for event in reasoner.answer(QUESTION, mode="think", rate=TEXTS):
            said = event.spoken if isinstance(event, Done) else ""
        await reasoner.warm_up()
        return said, str(TOKENIZER.decode(reasoner._dialogue.block.tokens))

    said, remembered = run_in_virtual_time(main)
    assert said
    assert said in remembered


def test_texts_of_one_token_and_more() -> None:
    logits = torch.randn(3, 9)
    whole = logits.log_softmax(-1)
    assert log_likelihood([4, 0, 8], logits).item() == pytest.approx(
        sum(whole[i, t].item() for i, t in enumerate((4, 0, 8)))
    )
    assert log_likelihood([4], logits[0]).item() == pytest.approx(whole[0, 4].item())


def test_nothing_to_rate_is_one_sentence() -> None:
    async def main() -> None:
        reasoner = AsyncReasoner(Engine(shared_model(), kernel="plain"), TOKENIZER, settings=SETTINGS)
        async for _ in reasoner.answer(QUESTION, rate=["yes", " "]):
            pass

    with pytest.raises(UnusableInput, match="a text to rate is empty"):
        asyncio.run(main())


def test_a_filler_sounds_first_and_the_answer_goes_on_behind_it() -> None:
    events = converse(QUESTION, mode="direct-filler", settings=SILENT)
    written = [(t_s, event) for t_s, event in events if isinstance(event, Written)]
    (first_s, first), (second_s, second), *_ = written
    assert first.text.strip() == FILLER
    assert first.step == 1
    assert first_s < second_s
    end = events[-1][1]
    assert isinstance(end, Done)
    assert end.spoken == "".join(event.text for _, event in written)
    assert end.first_written_step is not None
    assert 1 < end.first_written_step <= second.step
    assert end.thoughts == ""
