"""One question put to a reasoner: what is measured, in its own declared time, alone and beside others."""

from __future__ import annotations

import asyncio
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.evaluation.tiny_subject import tiny_subject
from tests.reasoning.tiny_reasoner import COSTS
from voice_agent.evaluation.answering import (
    CHARACTERS_PER_S,
    Answered,
    DeclaredVoice,
    Interjection,
    Piece,
    ask,
    first_step_with,
    no_news,
    spoke_ahead,
)
from voice_agent.evaluation.subject import Subject

QUESTIONS = ("How far?", "What is it then, and why?", "Who?")


async def one(subject: Subject, question: str, seed: int, interjection: Interjection | None = None) -> Answered:
    reasoner, time = subject.reasoner(seed)
    return await ask(reasoner, time, question, "async", interjection)


def answer(seed: int = 0, interjection: Interjection | None = None) -> Answered:
    return asyncio.run(one(tiny_subject(), QUESTIONS[0], seed, interjection))


def test_what_is_kept_of_an_answer() -> None:
    answered = answer()
    done = answered.done
    assert "".join(piece.text for piece in answered.thoughts) == done.thoughts
    assert "".join(piece.text for piece in answered.written) == done.spoken
    assert answered.injected_step is None
    assert answered.written[0].step >= (done.first_written_step or 0)
    assert 0 < (answered.first_written_s or 0) <= answered.total_delay_s
    assert answered.took_s == pytest.approx(done.steps * COSTS.step_ms / 1000)


def test_it_says_the_same_beside_others_as_alone() -> None:
    alone = [answer(seed) for seed in range(3)]

    async def together() -> list[Answered]:
        subject = tiny_subject()
        return list(await asyncio.gather(*(one(subject, QUESTIONS[0], seed) for seed in range(3))))

    assert asyncio.run(together()) == alone


def test_words_come_in_after_so_many_thoughts_and_the_voice_is_cut() -> None:
    plain = answer()
    half = len(plain.thoughts) // 2
    corrected = answer(interjection=Interjection("Sorry, I meant the other one.", half))
    assert corrected.thoughts[:half] == plain.thoughts[:half]
    assert corrected.injected_step is not None
    assert corrected.injected_step > corrected.thoughts[half - 1].step
    assert corrected.done.thoughts != plain.done.thoughts
    assert "".join(piece.text for piece in corrected.written if piece.step > corrected.injected_step) in (
        corrected.done.spoken
    )


@given(st.lists(st.tuples(st.floats(0, 9), st.text("ab ", min_size=1, max_size=40)), max_size=8))
def test_the_voice_sounds_everything_once_at_an_even_pace(said: list[tuple[float, str]]) -> None:
    voice, now_s, silent_s, characters = DeclaredVoice(), 0.0, 0.0, 0
    for pause_s, text in said:
        now_s += pause_s
        before_s = voice.end_s
        silent_s += max(0.0, now_s - before_s)
        voice.say(text, now_s)
        characters += len(text)
        assert voice.sounded(now_s) <= voice.sounded(now_s + 0.5) <= characters
    assert voice.sounded(voice.end_s + 1e-6) == characters
    assert voice.end_s == pytest.approx(silent_s + characters / CHARACTERS_PER_S)
    assert voice.backlog_s(voice.end_s - 0.5) == pytest.approx(0.5)
    assert voice.backlog_s(voice.end_s + 5) == 0.0


def test_a_stopped_voice_goes_on_from_what_was_heard() -> None:
    voice = DeclaredVoice()
    voice.say("a" * 30, 0.0)
    assert voice.sounded(1.0) == 15
    voice.stop(1.0, kept=12)
    assert (voice.sounded(9.0), voice.backlog_s(1.0)) == (12, 0.0)
    voice.say("b" * 15, 2.0)
    assert voice.end_s == 3.0
    assert (voice.sounded(2.0), voice.sounded(9.0)) == (12, 27)


@pytest.mark.parametrize(
    ("texts", "step"),
    [
        (["It is ", "18", " dollars"], 2),
        (["It is ", "1", "8", "."], 3),
        (["It is ", "18", "0."], None),
        (["It is ", "eigh", "teen", " of"], 3),
        ([], None),
    ],
)
def test_the_step_at_which_a_number_was_stated(texts: list[str], step: int | None) -> None:
    assert first_step_with([Piece(text, i) for i, text in enumerate(texts)], {Fraction(18), Fraction(-1)}) == step


@pytest.mark.parametrize(
    ("thought_at", "spoken_at", "question", "ahead"),
    [
        (3, 5, "How much?", False),
        (5, 3, "How much?", True),
        (5, 5, "How much?", False),
        (None, 3, "How much?", True),
        (None, 3, "How much are 18 apples?", False),
        (3, None, "How much?", False),
    ],
)
def test_saying_before_thinking(thought_at: int | None, spoken_at: int | None, question: str, ahead: bool) -> None:
    answered = answer()
    thoughts, written = (() if at is None else (Piece("18 apples", at),) for at in (thought_at, spoken_at))
    made = Answered(answered.done, thoughts, written, None, None, 0.0, 0.0, 0.0)
    assert spoke_ahead(made, question, Fraction(18)) is ahead


@pytest.mark.parametrize(
    ("spoken", "mode", "known"),
    [
        ("You want to know how far it is. I add the parts.", "async", "You want to know how far it is."),
        ("You want to know how far it is", "async", "You want to know how far it is"),
        ("I add the parts. You want to know that.", "async", ""),
        ("It is four.", "think", ""),
        ("Let me think about that. It is four.", "direct-filler", "Let me think about that."),
    ],
)
def test_what_a_listener_knew_is_no_news(spoken: str, mode: str, known: str) -> None:
    assert no_news(spoken, mode) == len(known)
