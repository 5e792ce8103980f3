"""Thoughts that words came into do not end again where they were cut off."""

from __future__ import annotations

from dataclasses import replace

import torch

from tests.reasoning.tiny_reasoner import SETTINGS, TOKENIZER, tiny_reasoner
from voice_agent.clock import VirtualClock
from voice_agent.reasoning.answer import Answer
from voice_agent.reasoning.modes import parse_mode


def think(answer: Answer, text: str) -> None:
    for token in TOKENIZER(text, add_special_tokens=False).input_ids:
        answer.thinker.take(token)


def wants_to_end(answer: Answer) -> bool:
    """The model prefers to end: is it let?"""
    logits = torch.zeros(len(TOKENIZER))
    logits[TOKENIZER.eos_token_id] = 9.0
    return int(answer.thinker.choose(logits)) == TOKENIZER.eos_token_id


def test_an_end_that_copies_the_interruption_is_not_taken() -> None:
    settings = replace(SETTINGS, thinker_temperature=0.0)
    answer = tiny_reasoner(VirtualClock(), settings)._begin(parse_mode("async"))
    answer.hear("How fast?")
    answer.end_turn(0.0)
    think(answer, "we convert minutes to hours")
    assert wants_to_end(answer)
    answer.hear("Ninety kilometers.")
    assert not wants_to_end(answer)  # it must think about the new words first
    think(answer, "we convert minutes to hours")
    assert not wants_to_end(answer)  # here it was cut off
    think(answer, " and divide")
    assert wants_to_end(answer)
