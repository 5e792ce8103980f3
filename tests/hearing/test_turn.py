"""Turns in the whole room, in virtual time: pauses inside a question, and the silence after it."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from voice_agent.events import Failed, SpeechEnded, TurnEnded, UtteranceRecognized
from voice_agent.hearing.turn import Judge
from voice_agent.hearing.turn_judge import TurnJudge
from voice_agent.hearing.word_recognizer import WordRecognizer
from voice_agent.settings import Settings

from .sounds import RATE_HZ, Heard, Speak, hear, silence, trimmed
from .test_listening import SETTINGS, VOWELS, VowelRecognizer, vowels

PAUSE_S = 1.2


def listened_to(parts: list[str], recognizer: WordRecognizer, judge: Judge, speak: Speak) -> Heard:
    """What is heard of somebody who pauses between the parts."""
    sound = [silence(0.5)]
    for part in parts:
        sound += [trimmed(speak(part)), silence(PAUSE_S)]
    return hear(np.concatenate([*sound, silence(1.5)]), recognizer, SETTINGS, judge)


@pytest.mark.parametrize(
    "parts",
    [
        ["A train travels, um...", "sixty kilometers in forty five minutes. How fast is it?"],
        ["Can you tell me, um...", "why the sky is blue?"],
        ["A train travels sixty kilometers in forty five minutes.", "How fast is it going?"],
        ["If I have twelve apples and", "give away five, how many are left?"],
    ],
)
def test_a_pause_does_not_end_the_turn(
    recognizer: WordRecognizer, judge: TurnJudge, speak: Speak, parts: list[str]
) -> None:
    heard = listened_to(parts, recognizer, judge, speak)
    assert len(heard.of(SpeechEnded)) >= 2
    assert len(heard.of(TurnEnded)) == 1
    assert isinstance(heard.events[-1], TurnEnded)


@pytest.mark.parametrize("said", ["How fast is it?", "Can you explain why the sky is blue?", "Tell me how tides work."])
def test_a_question_ends_it_at_once(recognizer: WordRecognizer, judge: TurnJudge, speak: Speak, said: str) -> None:
    voice_end_s = 0.5 + len(trimmed(speak(said))) / RATE_HZ
    heard = listened_to([said], recognizer, judge, speak)
    assert [at_s - voice_end_s for at_s in heard.at_s(TurnEnded)] == [pytest.approx(0.45, abs=0.15)]


class Scripted:
    """Gives its verdicts one after the other; an exception is raised."""

    def __init__(self, *verdicts: float | Exception) -> None:
        self.verdicts = list(verdicts)
        self.heard_s: list[float] = []

    def probability(self, samples: np.ndarray) -> float:
        self.heard_s.append(len(samples) / RATE_HZ)
        verdict = self.verdicts.pop(0)
        if isinstance(verdict, Exception):
            raise verdict
        return verdict


def test_a_judge_that_breaks_is_recorded_and_silence_ends_the_turns() -> None:
    judge = Scripted(RuntimeError("pulled the plug"))
    heard = hear(vowels([5, 7], [1.5, 1.5]), VowelRecognizer(), VOWELS, judge)
    assert [call for call in heard.calls if isinstance(call, Failed)] == [
        Failed("end of turn", "RuntimeError: pulled the plug")
    ]
    assert len(judge.heard_s) == 1  # not asked again
    ends_s = [event.end_s for event in heard.of(SpeechEnded) if isinstance(event, SpeechEnded)]
    assert heard.at_s(TurnEnded) == [pytest.approx(end_s + SETTINGS.floor.turn_silence_s) for end_s in ends_s]


def test_the_judge_hears_the_newest_utterance_and_no_more_than_8_s() -> None:
    judge = Scripted(*[0.1] * 3)
    hear(vowels([5] * 32, [0.7, 0.26, *[0.1] * 29, 2.5]), VowelRecognizer(), VOWELS, judge)
    assert judge.heard_s == [pytest.approx(0.3 + 0.3 + 0.24, abs=0.1), pytest.approx(0.3 + 0.3 + 0.24, abs=0.1), 8.0]


def test_a_slow_judge_does_not_hold_the_turn_up_for_ever() -> None:
    settings = replace(VOWELS, costs=replace(SETTINGS.costs, turn_judge_ms=60_000.0))
    heard = hear(vowels([5], [4.0]), VowelRecognizer(), settings, Scripted(0.9))
    ended = heard.of(SpeechEnded)[0]
    assert isinstance(ended, SpeechEnded)
    assert heard.at_s(TurnEnded) == [pytest.approx(ended.end_s + Settings().hearing.unfinished_silence_s)]


def test_without_a_judge_nothing_is_judged() -> None:
    heard = hear(vowels([5], [1.0]), VowelRecognizer(), VOWELS)
    assert {call.which for call in heard.calls if not isinstance(call, Failed)} == {"recognizer"}
    assert len(heard.of(TurnEnded)) == len(heard.of(UtteranceRecognized)) == 1
