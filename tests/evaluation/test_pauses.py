"""A question with a pause in it: thought about meanwhile, heard whole in the end."""

from __future__ import annotations

import asyncio
import io

import pytest
from rich.console import Console

from tests.evaluation.tiny_subject import tiny_subject
from voice_agent.evaluation.datasets import Item
from voice_agent.evaluation.pauses import _job, table
from voice_agent.evaluation.runs import Line
from voice_agent.reasoning.prompts import NOTICE
from voice_agent.reasoning.thinker import Thinker


def run(pause: int) -> Line:
    item = Item(dataset="gsm8k", row=3, question="A pen costs $2. How much are 3 pens?", gold="6", source={})
    return asyncio.run(_job(tiny_subject(), item, pause, seed=0).run())  # type: ignore[arg-type]


@pytest.mark.parametrize("pause", [0, 1, 5])
def test_the_last_sentence_comes_after_the_pause(pause: int, monkeypatch: pytest.MonkeyPatch) -> None:
    told: list[tuple[int, list[int]]] = []
    hear = Thinker.hear

    def watched(self: Thinker, words: list[int]) -> None:
        told.append((self.sampled, words))
        hear(self, words)

    monkeypatch.setattr(Thinker, "hear", watched)
    line = run(pause)
    subject = tiny_subject()
    notice = "How much are 3 pens?".join(NOTICE)
    assert [subject.tokenizer.decode(words) for _, words in told] == ([notice] if pause else [])
    assert all(sampled >= pause for sampled, _ in told)
    assert line["thinking_tokens"] > pause


def test_the_table_compares_with_the_first_pause() -> None:
    lines = [
        {"pause": p, "right": r, "thinking_tokens": 10} for p, r in [(0, True), (0, True), (12, True), (12, False)]
    ]
    shown = io.StringIO()
    Console(file=shown, width=200).print(table(lines, [0, 12]))
    assert "-50.0 points" in shown.getvalue()
