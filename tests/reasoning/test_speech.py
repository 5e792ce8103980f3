"""When words of an answer are drafted, given out or dropped, through whole answers of a random model."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch

from tests.reasoning.tiny_reasoner import SETTINGS, TOKENIZER, At, converse, watch
from voice_agent.clock import VirtualClock, run_in_virtual_time
from voice_agent.events import AnswerEvent, Done, Gate, Thought, Written
from voice_agent.reasoning.answer import Answer
from voice_agent.reasoning.engine import Engine
from voice_agent.reasoning.model_loading import load_language_model
from voice_agent.reasoning.prompts import CONCLUDE, FOUND, OPENED, PROGRESS, QUESTION, Prompts
from voice_agent.reasoning.reasoner import AsyncReasoner
from voice_agent.reasoning.speech import Speech
from voice_agent.reasoning.thinker import Thinker
from voice_agent.reasoning.token_stepper import Row, TokenStepper
from voice_agent.settings import Reasoning

PROGRESS_CUE = TOKENIZER.decode(Prompts(TOKENIZER).progress_cue)
DIALOGUE = (
    ("I buy three bags with twelve apples each and give away nine, so how many are left?", "apples"),
    ("Can you explain why the sky is blue?", "sky"),
    ("What happens when water boils?", "water"),
)
ASKED = "How far is it from here to there?"  # can be told back
LONG = replace(SETTINGS, thinking_budget=40, thinker_temperature=0.0, gate_open=0.0)


def texts(events: list[tuple[float, AnswerEvent]], kind: Any) -> list[str]:
    return [event.text for _, event in events if isinstance(event, kind)]


def end(events: list[tuple[float, AnswerEvent]]) -> Done:
    last = events[-1][1]
    assert isinstance(last, Done)
    return last


@pytest.mark.parametrize("mode", ["async", "async-safe"])
def test_a_draft_lets_the_first_words_out_sooner_and_changes_no_thought(mode: str) -> None:
    eager = replace(LONG, gate_first_tokens=12, gate_period=12, refuse_request_above=2.0, refuse_above=2.0)
    drafted, plain = (
        converse("How far?", mode=mode, settings=replace(eager, draft_ahead_tokens=ahead)) for ahead in (10, 0)
    )
    first, first_plain = (
        next((t_s, e.text) for t_s, e in events if isinstance(e, Written)) for events in (drafted, plain)
    )
    assert first[0] <= first_plain[0]
    assert len(first[1]) > len(first_plain[1])  # words that were there, not the first of them
    assert texts(drafted, Thought) == texts(plain, Thought)


@pytest.mark.parametrize("ahead", [0, 10])
def test_an_answer_opens_with_what_was_understood_and_nobody_is_asked(ahead: int) -> None:
    settings = replace(LONG, gate_first_tokens=6, draft_ahead_tokens=ahead)
    events = converse(ASKED, settings=settings)
    written = next(i for i, (_, event) in enumerate(events) if isinstance(event, Written))
    assert not any(isinstance(event, Gate) for _, event in events[:written])
    assert len(texts(events[:written], Thought)) == (6 if ahead else 7)  # without a draft a step is needed to write
    assert end(events).spoken.startswith(OPENED)


@pytest.mark.parametrize(
    ("mode", "budget", "reminded"),
    [
        pytest.param("async", 40, True, id="remarks stand between"),
        pytest.param("think", 40, False, id="nothing stands between"),
        pytest.param("async", 25, False, id="the thoughts were broken off"),
    ],
)
def test_the_conclusion_is_reminded_of_what_was_thought(
    mode: str, budget: int, reminded: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    fed = watch(monkeypatch)
    think, write, eos = Thinker.choose, Speech.choose_word, torch.tensor(TOKENIZER.eos_token_id)
    monkeypatch.setattr(Thinker, "choose", lambda self, logits: think(self, logits) if self.sampled < 30 else eos)
    monkeypatch.setattr(
        Speech, "choose_word", lambda self, logits: write(self, logits) if len(self._writer.text) < 25 else eos
    )
    events = converse(ASKED, mode=mode, settings=replace(LONG, thinking_budget=budget, speaking_budget=120))
    assert end(events).spoken.startswith(OPENED) == (mode == "async")
    assert CONCLUDE in fed.text("spoken")
    assert (FOUND[0] in fed.text("spoken")) == reminded


def test_few_words_are_not_told_back() -> None:
    events = converse("Hello!", settings=replace(LONG, draft_ahead_tokens=10))
    assert OPENED not in end(events).spoken


def test_a_draft_is_dropped_when_the_thoughts_are_complete(monkeypatch: pytest.MonkeyPatch) -> None:
    fed = watch(monkeypatch)
    settings = replace(SETTINGS, thinking_budget=7, gate_period=12, draft_ahead_tokens=10, thinker_temperature=0.0)
    events = converse("How far?", settings=settings)
    plain = converse("How far?", settings=replace(settings, draft_ahead_tokens=0))
    assert PROGRESS in fed.text("spoken")  # there was one
    assert end(events).spoken.strip()
    assert not any(isinstance(event, Gate) for _, event in events)
    assert texts(events, Thought) == texts(plain, Thought)
    assert next(t for t, e in events if isinstance(e, Written)) <= next(t for t, e in plain if isinstance(e, Written))


def test_while_the_user_speaks_a_draft_is_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    def speaks(reasoner: AsyncReasoner) -> None:
        reasoner.user_speaking = True
        reasoner.wake()

    def is_silent(reasoner: AsyncReasoner) -> None:
        reasoner.user_speaking = False
        reasoner.wake()

    happens: dict[float, At] = {0.6: speaks, 1.5: is_silent}
    settings = replace(LONG, gate_first_tokens=12, draft_ahead_tokens=11)
    events = converse(ASKED, settings=settings, happens=happens)
    first = next(t for t, event in events if isinstance(event, Written))
    assert 1.5 < first < 1.7
    assert end(events).spoken.startswith(OPENED)


def probed(monkeypatch: pytest.MonkeyPatch) -> list[tuple[int, int]]:
    """Of every question that is asked: tokens of the spoken block that it reads, and that there are."""
    found: list[tuple[int, int]] = []
    step = TokenStepper.step

    def watched(self: TokenStepper, rows: list[Row]) -> torch.Tensor:
        for row in rows:
            if row.view.own.name == "question":
                spoken = row.view.blocks[-2]
                found.append((row.view.lengths[-2], spoken.length))
        return step(self, rows)

    monkeypatch.setattr(TokenStepper, "step", watched)
    return found


def test_the_probe_does_not_read_a_draft_as_if_it_had_been_said(monkeypatch: pytest.MonkeyPatch) -> None:
    asked = probed(monkeypatch)
    converse("How far?", settings=replace(LONG, gate_period=12, draft_ahead_tokens=11))
    (read, there), *_ = asked
    assert read == len(TOKENIZER(PROGRESS_CUE, add_special_tokens=False).input_ids)
    assert there > read


def test_a_draft_that_leads_to_nothing_leaves_the_question_its_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    """The writer ends at once, again and again: the gate is asked once a period all the same."""
    fed = watch(monkeypatch)
    monkeypatch.setattr("voice_agent.reasoning.speech.Speech.choose_word", _ends)
    settings = replace(LONG, gate_period=12, draft_ahead_tokens=11, gate_open=2.0, longest_silence_s=99.0)
    events = converse("How far?", settings=settings)
    asked = fed.text("question").count(QUESTION)
    assert asked == sum(isinstance(event, Gate) for _, event in events)
    assert 1 <= asked <= 4


def _ends(self: Any, logits: torch.Tensor) -> torch.Tensor:
    return torch.tensor(TOKENIZER.eos_token_id)


@pytest.mark.parametrize(
    "settings", [LONG, replace(LONG, draft_ahead_tokens=0), replace(LONG, thinker_reads_spoken=True)]
)
def test_only_words_that_stand_are_counted(settings: Reasoning, monkeypatch: pytest.MonkeyPatch) -> None:
    answers: list[Answer] = []
    finish = AsyncReasoner._finish

    def watched(self: AsyncReasoner, answer: Answer) -> None:
        answers.append(answer)
        finish(self, answer)

    monkeypatch.setattr(AsyncReasoner, "_finish", watched)
    events = converse(ASKED, settings=settings)
    assert end(events).spoken_tokens == answers[0].writer.stream.kept
    assert end(events).spoken == answers[0].writer.text


@pytest.mark.model
def test_the_default_model_tells_the_newest_question_back(language_model: Path) -> None:
    """Not an earlier one of the dialogue, whose words are nearer to what was said last."""
    pytest.importorskip("gguf")
    loaded = load_language_model(language_model, settings=Reasoning())

    async def main(clock: VirtualClock) -> list[str]:
        settings = Reasoning(thinking_budget=24, speaking_budget=80)
        reasoner = AsyncReasoner(Engine(loaded.model, clock=clock), loaded.tokenizer, settings=settings)
        return [[event async for event in reasoner.answer(question)][-1].spoken for question, _ in DIALOGUE]  # type: ignore[union-attr]

    for spoken, (_, about) in zip(run_in_virtual_time(main), DIALOGUE, strict=True):
        opening = spoken.partition(".")[0]
        assert opening.startswith(OPENED)
        assert about in opening
