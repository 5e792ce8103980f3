"""SmolLM2-135M: blocks against whole on real weights, and answers from end to end."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import nn

from tests.reasoning.tiny_reasoner import Fed, watch
from voice_agent.clock import VirtualClock, run_in_virtual_time
from voice_agent.events import AnswerEvent, Done, Injected, Thought, Written
from voice_agent.reasoning.cache_block import CacheArena
from voice_agent.reasoning.cache_view import View
from voice_agent.reasoning.engine import Engine
from voice_agent.reasoning.model_loading import LoadedModel, load_language_model
from voice_agent.reasoning.packed.linears import PackedLinear
from voice_agent.reasoning.reasoner import AsyncReasoner
from voice_agent.reasoning.token_stepper import Row, TokenStepper
from voice_agent.settings import PROFILES, Reasoning

QUESTION = "A train travels 60 km in 45 minutes. How fast is it going?"
SETTINGS = replace(PROFILES["tiny"].reasoning, thinking_budget=40, speaking_budget=32)
TEXT = (
    "A train leaves the station at noon and travels sixty kilometers in forty-five minutes; its speed is eighty "
    "kilometers per hour. In the beginning there was nothing, said the teacher, and then there were numbers: one, two, "
    "three, and so on. She wrote 17 times 23 on the board, waited, and asked who could do it in the head. Seventeen "
    "times twenty is three hundred forty, said a boy in the last row, and seventeen times three is fifty-one, so it is "
    "three hundred ninety-one. That is right. The sun rises in the east and sets in the west. Water boils at one "
    "hundred degrees at sea level, and at less in the mountains, because the air is thinner there. Nobody had told him "
    "that before, so he wrote it down at once. When he came home, his mother asked what he had learned at school, and "
    "he said: that water does not always boil at a hundred degrees, and that I can multiply. She laughed, and gave him "
    "an apple, and another one for the teacher, who had so much patience with all of them on such a long and hot day."
)


def unpack(model: Any) -> None:
    """Ordinary linear layers of the same weights: they unpack once, not at every step."""
    for name, packed in [(n, m) for n, m in model.named_modules() if isinstance(m, PackedLinear)]:
        assert packed.bias is None
        layer = nn.Linear(packed.in_features, packed.out_features, bias=False)
        layer.weight = nn.Parameter(packed(torch.eye(packed.in_features)).T.contiguous(), requires_grad=False)
        model.set_submodule(name, layer)


@torch.inference_mode()
def test_blocks_choose_the_tokens_that_the_whole_chooses(tiny_language_model: Path) -> None:
    """200 teacher-forced tokens, one a step, over three blocks."""
    pytest.importorskip("gguf")
    plain = load_language_model(tiny_language_model, settings=Reasoning(kernel="plain"))  # does not round activations
    unpack(plain.model)
    tokens = plain.tokenizer(TEXT, add_special_tokens=False).input_ids[:230]
    whole = plain.model(torch.tensor([tokens]), use_cache=False).logits[0].float()
    stepper, arena = TokenStepper(plain.model, "plain"), CacheArena()
    blocks = tuple(arena.new_block(name) for name in ("first", "second", "third"))
    stepper.step([Row(View(blocks[:1]), tokens[:25])])
    chosen = []
    for i, token in enumerate(tokens[25:]):
        view = View(blocks[:2] if i < 90 else blocks)
        chosen.append(int(stepper.step([Row(view, [token])]).argmax()))
    assert len(chosen) >= 200
    assert chosen == whole[25:].argmax(-1).tolist()


def answer(
    smollm: LoadedModel, mode: str = "async", hear_after: int | None = None, cut_after: int | None = None
) -> list[tuple[float, AnswerEvent]]:
    """One answer in virtual time; words and a cut come while the step after that many events is in flight."""

    async def main(clock: VirtualClock) -> list[tuple[float, AnswerEvent]]:
        reasoner = AsyncReasoner(Engine(smollm.model, clock=clock), smollm.tokenizer, settings=SETTINGS)
        seen = asyncio.Event()
        events: list[tuple[float, AnswerEvent]] = []

        async def user() -> None:
            await seen.wait()
            await clock.sleep_until(clock.now_s() + 0.01)
            if cut_after is not None:
                reasoner.cut_spoken(reasoner.spoken[: len(reasoner.spoken) // 2])
            if hear_after is not None:
                reasoner.hear("Sorry, I meant 90 km.")

        talking = asyncio.create_task(user())
        async for event in reasoner.answer(QUESTION, mode=mode):
            events.append((clock.now_s(), event))
            if len(events) == (hear_after or cut_after):
                seen.set()
        talking.cancel()
        return events

    return run_in_virtual_time(main)


def text(events: list[tuple[float, AnswerEvent]], kind: type) -> str:
    return "".join(event.text for _, event in events if isinstance(event, kind))


@pytest.mark.parametrize("mode", ["async", "think", "think:10", "direct"])
def test_an_answer_has_thoughts_and_words(smollm: LoadedModel, mode: str) -> None:
    events = answer(smollm, mode)
    done = events[-1][1]
    assert isinstance(done, Done)
    assert (text(events, Thought), text(events, Written)) == (done.thoughts, done.spoken)
    assert bool(done.thoughts) == (mode != "direct")
    assert done.spoken.strip()
    assert "<|" not in done.spoken
    assert done.thinking_tokens <= (10 if mode == "think:10" else SETTINGS.thinking_budget)


@pytest.fixture(scope="module")
def interrupted(smollm: LoadedModel) -> tuple[list[tuple[float, AnswerEvent]], Fed]:
    """A correction while it thinks, and every row that the model was fed."""
    with pytest.MonkeyPatch.context() as patch:
        fed = watch(patch)
        return answer(smollm, hear_after=18), fed


def test_the_same_conversation_twice(
    smollm: LoadedModel, interrupted: tuple[list[tuple[float, AnswerEvent]], Fed]
) -> None:
    assert answer(smollm, hear_after=18) == interrupted[0]


def test_a_correction_restarts_nothing(
    smollm: LoadedModel, interrupted: tuple[list[tuple[float, AnswerEvent]], Fed]
) -> None:
    events, fed = interrupted
    at = next(i for i, (_, event) in enumerate(events) if isinstance(event, Injected))
    thoughts = text(events[:at], Thought)
    done = events[-1][1]
    assert isinstance(done, Done)
    assert thoughts != ""
    assert done.thoughts.startswith(thoughts)
    assert len(done.thoughts) > len(thoughts)
    assert text(answer(smollm), Thought).startswith(thoughts)  # as if nothing had been said until then
    for block in ("preamble", "user", "thoughts"):
        assert fed.read_twice(block) == 0
    fed_to_thoughts = smollm.tokenizer.decode([token for _, tokens in fed.of("thoughts") for token in tokens])
    assert fed_to_thoughts.count("Sorry, I meant 90 km.") == 1


def test_a_cut_goes_on_from_what_sounded(smollm: LoadedModel) -> None:
    events = answer(smollm, mode="direct", cut_after=12)
    done = events[-1][1]
    assert isinstance(done, Done)
    first, second = ("".join(e.text for _, e in events if isinstance(e, Written) and e.reply == n) for n in (1, 2))
    kept = done.spoken.removesuffix(second)
    assert second != ""
    assert kept != ""
    assert first.startswith(kept)
    assert len(kept) < len(first)
