"""An `AsyncReasoner` on a random model with a byte tokenizer: talks nonsense, in milliseconds, in virtual time."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cache
from typing import Any

import pytest
import torch

from tests.reasoning.tiny_models import tiny_model
from tests.reasoning.tiny_tokenizer import VOCABULARY, tiny_tokenizer
from voice_agent.clock import VirtualClock, run_in_virtual_time
from voice_agent.events import AnswerEvent
from voice_agent.reasoning.engine import Engine
from voice_agent.reasoning.reasoner import AsyncReasoner
from voice_agent.reasoning.token_stepper import Row, TokenStepper
from voice_agent.settings import DeclaredCosts, Reasoning

COSTS = DeclaredCosts(step_ms=70.0, prefill_token_ms=0.0)
TOKENIZER = tiny_tokenizer()
SETTINGS = Reasoning(
    thinking_budget=24,
    speaking_budget=16,
    reconsider_tokens=4,
    context_tokens=1200,
    gate_first_tokens=4,
    gate_period=8,
    thinker_temperature=1.0,
    writer_temperature=1.0,
    kernel="plain",
)


@cache
def shared_model() -> Any:
    """Prefers letters and spaces, so that there are words to give out."""
    model = tiny_model("llama", vocab_size=VOCABULARY)
    preferred = TOKENIZER("abcdefghijklmnopqrstuvwxyz", add_special_tokens=False).input_ids
    bias = torch.full((VOCABULARY,), -4.0)
    bias[preferred] = 0.0
    bias[TOKENIZER(" ", add_special_tokens=False).input_ids] = 6.0
    model.lm_head.bias = torch.nn.Parameter(bias, requires_grad=False)
    return model


def tiny_reasoner(clock: VirtualClock, settings: Reasoning = SETTINGS, **options: Any) -> AsyncReasoner:
    engine = Engine(shared_model(), kernel="plain", clock=clock, costs=COSTS)
    return AsyncReasoner(engine, TOKENIZER, settings=settings, **options)


At = Callable[[AsyncReasoner], None]  # what happens to a running reasoner


def hear(words: str) -> At:
    return lambda reasoner: reasoner.hear(words)


def converse(
    question: str | None = "How far?",
    mode: str = "async",
    happens: dict[float, At] | None = None,
    settings: Reasoning = SETTINGS,
    seed: int = 0,
) -> list[tuple[float, AnswerEvent]]:
    """One answer in virtual time, with things that happen at given seconds; the events and their times."""

    async def main(clock: VirtualClock) -> list[tuple[float, AnswerEvent]]:
        reasoner = tiny_reasoner(clock, settings, seed=seed)

        async def outside() -> None:
            for t_s, change in sorted((happens or {}).items()):
                await clock.sleep_until(t_s)
                change(reasoner)

        beside = asyncio.create_task(outside())
        events = [(clock.now_s(), event) async for event in reasoner.answer(question, mode=mode)]
        beside.cancel()
        return events

    return run_in_virtual_time(main)


@dataclass
class Fed:
    """Every row that a model was fed: block, its length before, tokens."""

    rows: list[tuple[str, int, list[int]]] = field(default_factory=list)

    def of(self, block: str) -> list[tuple[int, list[int]]]:
        return [(start, tokens) for name, start, tokens in self.rows if name == block]

    def text(self, block: str) -> str:
        """Everything that was fed to it, in order."""
        return str(TOKENIZER.decode([token for _, tokens in self.of(block) for token in tokens]))

    def read_twice(self, block: str) -> int:
        """Tokens that were fed to a place where the block had been filled already."""
        filled = again = 0
        for start, tokens in self.of(block):
            assert start <= filled
            again += filled - start
            filled = start + len(tokens)
        return again


def watch(monkeypatch: pytest.MonkeyPatch) -> Fed:
    fed, step = Fed(), TokenStepper.step

    def watched(self: TokenStepper, rows: list[Row]) -> torch.Tensor:
        fed.rows += [(row.view.own.name, row.view.own.length, list(row.tokens)) for row in rows]
        return step(self, rows)

    monkeypatch.setattr(TokenStepper, "step", watched)
    return fed
