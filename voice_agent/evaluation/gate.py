"""When may the writer speak? The experiment behind scripts/calibrate_gate.

    run_calibration(...) -> OUT/gate.jsonl; the ROC of the probe; proposed settings of the gate

Every GSM8K row is thought through in silence first. Then, for each of some moments of those thoughts, it is answered
again with a gate that asks the probe at that moment and lets one sentence be spoken, whatever the probe says. Speaking
was good where every number of the sentence stood in the question or in the thoughts by then, and the answer still ended
right. Rows that are answered wrongly in silence say nothing about the gate and are left out.
"""

from __future__ import annotations

import asyncio
import dataclasses
from collections.abc import Sequence
from pathlib import Path

from ..reasoning.speak_gate import Decision, GateInputs, SpeakGate
from ..reasoning.stated_numbers import number_spans, numbers_in
from ..reasoning.writer import sentence_end
from ..settings import Reasoning, Settings
from .answering import Answered, Piece, ask
from .datasets import Item, load_items, seed_of
from .runs import Job, KeptLines, Line, run_jobs
from .scoring import score_number
from .subject import Subject, about_run

MOMENTS = 6  # evenly over the thoughts


class MomentGate(SpeakGate):
    """Asks once, when so many tokens have been thought; then one sentence is spoken, and the rest at the end."""

    tells_back = False

    def __init__(self, settings: Reasoning, moment: int) -> None:
        super().__init__(settings)
        self._moment = moment
        self.asked: GateInputs | None = None

    def wants_probe(self, inputs: GateInputs) -> bool:
        return self.asked is None and not inputs.thinker_done and inputs.new_thoughts >= self._moment

    def may_draft(self, inputs: GateInputs) -> bool:
        return False

    def decide(self, inputs: GateInputs) -> Decision:
        if inputs.yes is not None:
            self.asked = inputs
            self.is_open = True
        if inputs.thinker_done:
            self.is_open = True
        return "speak" if self.is_open else "think"


def run_calibration(
    *,
    settings: Settings,
    out: Path,
    data: Path | None,
    offset: int,
    rows: int,
    at_once: int,
    seed: int,
) -> tuple[list[Line], list[Line]]:
    """Make the lines that are missing; the silent runs and the moments of these rows.

    Raises:
        UnusableInput: an unusable question set, model or folder.
    """
    settings = dataclasses.replace(settings, reasoning=dataclasses.replace(settings.reasoning, number_guard=False))
    items = load_items("gsm8k", data, offset=offset, limit=rows)
    about = about_run(settings, "virtual", seed, "gsm8k", data)
    with KeptLines.open(out / "gate.jsonl", about) as kept:
        keys = [_key(item, moment) for item in items for moment in range(MOMENTS + 1)]
        if any(key not in kept.lines for key in keys):
            asyncio.run(_run(Subject.load(settings), items, kept, at_once, seed))
        lines = [kept.lines[key] for key in keys]
    return [line for line in lines if line["moment"] == 0], [line for line in lines if line["moment"] > 0]


async def _run(subject: Subject, items: Sequence[Item], kept: KeptLines, at_once: int, seed: int) -> None:
    """Silent runs first: they say how long the thoughts are."""
    await run_jobs([_silent_job(subject, item, seed) for item in items], kept, at_once=at_once, what="in silence")
    moments = [
        _moment_job(subject, item, moment, kept.lines[_key(item, 0)], seed)
        for item in items
        for moment in range(1, MOMENTS + 1)
    ]
    await run_jobs(moments, kept, at_once=at_once, what="moments")


def _key(item: Item, moment: int) -> str:
    return f"{item.row} {moment}"


def _silent_job(subject: Subject, item: Item, seed: int) -> Job:
    async def run() -> Line:
        reasoner, time = subject.reasoner(seed_of("gsm8k", item.row, "gate") + seed)
        answered = await ask(reasoner, time, item.question, "think")
        done = answered.done
        found = numbers_in(done.thoughts) - numbers_in(item.question)
        return {
            "row": item.row,
            "moment": 0,
            "right": score_number(done.spoken, item.gold, item.question).right,
            "thinking_tokens": done.thinking_tokens,
            "new_numbers": len(found),
            "spoken": done.spoken,
            "thoughts": done.thoughts,
        }

    return Job(_key(item, 0), run)


def _moment_job(subject: Subject, item: Item, moment: int, silent: Line, seed: int) -> Job:
    at = max(1, round(silent["thinking_tokens"] * moment / (MOMENTS + 1)))

    async def run() -> Line:
        gates: list[MomentGate] = []

        def gate(settings: Reasoning) -> SpeakGate:
            gates.append(MomentGate(settings, at))
            return gates[-1]

        reasoner, time = subject.reasoner(seed_of("gsm8k", item.row, "gate") + seed, gate=gate)
        answered = await ask(reasoner, time, item.question, "async")
        asked = gates[0].asked
        sentence = first_sentence(answered.written)
        return {
            "row": item.row,
            "moment": moment,
            "silently_right": silent["right"],
            "thoughts": asked.new_thoughts if asked else None,
            "yes": asked.yes if asked else None,
            "no": asked.no if asked else None,
            "share": asked.share_of_yes if asked else None,
            "covered": covered(sentence, answered, item.question),
            "right": score_number(answered.done.spoken, item.gold, item.question).right,
            "sentence": "".join(piece.text for piece in sentence),
            "spoken": answered.done.spoken,
        }

    return Job(_key(item, moment), run)


def first_sentence(written: Sequence[Piece]) -> list[Piece]:
    """The pieces up to the one that completes the first sentence."""
    text = ""
    for index, piece in enumerate(written):
        text += piece.text
        if sentence_end(text, 0) is not None:
            return list(written[: index + 1])
    return list(written)


def covered(sentence: Sequence[Piece], answered: Answered, question: str) -> bool:
    """Whether every number of the sentence stood in the question, or in the thoughts when it was given out."""
    text = "".join(piece.text for piece in sentence)
    asked = numbers_in(question)
    return all(
        value in asked or value in numbers_in(_thoughts_until(answered, _step_of(sentence, end)))
        for _, end, value in number_spans(text)
    )


def _step_of(pieces: Sequence[Piece], end: int) -> int:
    """The step that gave the character before `end`."""
    for piece in pieces:
        end -= len(piece.text)
        if end <= 0:
            return piece.step
    raise AssertionError("no such character")


def _thoughts_until(answered: Answered, step: int) -> str:
    return "".join(piece.text for piece in answered.thoughts if piece.step <= step)
