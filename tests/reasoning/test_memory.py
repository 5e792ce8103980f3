"""Memory stays what it is over ten thousand steps of random conversations."""

from __future__ import annotations

import gc
import random

from tests.reasoning.tiny_models import tiny_model
from tests.reasoning.tiny_reasoner import SETTINGS, TOKENIZER
from tests.reasoning.tiny_tokenizer import VOCABULARY
from voice_agent.clock import VirtualClock, run_in_virtual_time
from voice_agent.events import ModelCall
from voice_agent.reasoning.engine import Engine
from voice_agent.reasoning.reasoner import AsyncReasoner

STEPS = 10_000
SMALLEST = {
    "vocab_size": VOCABULARY,
    "num_hidden_layers": 1,
    "hidden_size": 16,
    "intermediate_size": 16,
    "num_attention_heads": 1,
    "num_key_value_heads": 1,
}
WORDS = ["How far?", "Sorry, I meant ninety.", "Why is that so?", "And in miles " * 8]


async def random_turn(reasoner: AsyncReasoner, draw: random.Random) -> None:
    """A question, and words, cuts and an end that come when they come."""
    async for _ in reasoner.answer(draw.choice(WORDS), mode=draw.choice(["async", "async", "think", "direct"])):
        match draw.randrange(40):
            case 0:
                reasoner.hear(draw.choice(WORDS))
            case 1:
                reasoner.cut_spoken(reasoner.spoken[: draw.randrange(len(reasoner.spoken) + 1)])
            case 2:
                reasoner.stop()


def test_nothing_leaks_over_ten_thousand_steps() -> None:
    draw, steps = random.Random(4), 0

    def count(call: ModelCall) -> None:
        nonlocal steps
        steps += 1

    async def main(clock: VirtualClock) -> list[tuple[int, int]]:
        engine = Engine(tiny_model("llama", **SMALLEST), clock=clock)
        reasoner = AsyncReasoner(engine, TOKENIZER, settings=SETTINGS, record=count)
        arena, measured = engine.arena, []
        for share in (0.3, 1.0):
            while steps < share * STEPS:
                await random_turn(reasoner, draw)
                between_turns = reasoner._preamble.own.held_bytes + reasoner._dialogue.block.held_bytes
                assert arena.used_bytes == between_turns <= arena.held_bytes
            gc.collect()
            measured.append((arena.held_bytes, len(gc.get_objects())))
        return measured

    (held_early, objects_early), (held, objects) = run_in_virtual_time(main)
    assert held == held_early
    assert objects - objects_early < 500  # it is hundreds of turns, each of which made more than that
