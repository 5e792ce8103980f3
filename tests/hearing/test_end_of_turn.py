"""The end of a turn, decided without a clock: what was heard in, when it is due out."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from voice_agent.events import SpeechEnded, SpeechStarted, TurnEnded, UtteranceRecognized, Word
from voice_agent.hearing.end_of_turn import EndOfTurn, SilenceJudged, TurnEvent, silence_needed_s
from voice_agent.settings import Settings

SETTINGS = Settings()
SHORT, DOUBTFUL, STATED, LONG = (
    SETTINGS.hearing.complete_silence_s,
    SETTINGS.hearing.doubtful_silence_s,
    SETTINGS.hearing.statement_silence_s,
    SETTINGS.hearing.unfinished_silence_s,
)
STARTED, ENDED = SpeechStarted(1.0), SpeechEnded(2.0)
WORDS, NO_WORDS = UtteranceRecognized("How fast?", 1.0, 2.0), UtteranceRecognized("", 1.0, 2.0)
LATER = [SpeechStarted(2.3), SpeechEnded(3.0)]
COMPLETE, BROKEN_OFF, UNKNOWN = SilenceJudged(2.0, 0.9), SilenceJudged(2.0, 0.02), SilenceJudged(2.0, None)


def due_s(heard: list[TurnEvent], judged: bool) -> float | None:
    turn = EndOfTurn(SETTINGS, judged)
    for event in heard:
        turn.push(event)
    return turn.due_s()


@pytest.mark.parametrize(
    ("heard", "expected_s"),
    [
        ([], None),
        ([STARTED], None),
        ([STARTED, ENDED], None),  # not recognised yet
        ([STARTED, ENDED, NO_WORDS], None),  # a cough is no turn
        ([STARTED, ENDED, WORDS], 2.6),
        ([STARTED, Word("how", 1.0, 1.5, True), ENDED, WORDS], 2.6),
        ([STARTED, ENDED, WORDS, SpeechStarted(2.3)], None),  # goes on
        ([STARTED, ENDED, SpeechStarted(2.3), WORDS], None),  # went on before it was recognised
        ([STARTED, ENDED, *LATER, WORDS], None),  # the second utterance is not recognised yet
        ([STARTED, ENDED, *LATER, WORDS, UtteranceRecognized("is it", 2.3, 3.0)], 3.6),
        ([STARTED, ENDED, WORDS, *LATER, NO_WORDS], 3.6),  # a breath after the words: wait on
    ],
)
def test_due_by_silence_alone(heard: list[TurnEvent], expected_s: float | None) -> None:
    assert due_s(heard, judged=False) == expected_s


@pytest.mark.parametrize(
    ("heard", "silence_s"),
    [
        ([STARTED, ENDED, COMPLETE], None),  # not recognised yet
        ([STARTED, ENDED, WORDS], LONG),  # not judged yet
        ([STARTED, ENDED, WORDS, COMPLETE], SHORT),
        ([STARTED, ENDED, COMPLETE, WORDS], SHORT),
        ([STARTED, ENDED, COMPLETE, replace(WORDS, last_word_probability=0.3)], STATED),
        ([STARTED, ENDED, BROKEN_OFF, WORDS], LONG),
        ([STARTED, ENDED, UNKNOWN, WORDS], SETTINGS.floor.turn_silence_s),
        ([STARTED, ENDED, WORDS, COMPLETE, *LATER, NO_WORDS], 1.0 + LONG),  # an old judgement: the silence is another
        ([STARTED, ENDED, WORDS, *LATER, COMPLETE, NO_WORDS, SilenceJudged(3.0, 0.9)], 1.0 + SHORT),
    ],
)
def test_due_by_judgement(heard: list[TurnEvent], silence_s: float | None) -> None:
    assert due_s(heard, judged=True) == (None if silence_s is None else pytest.approx(2.0 + silence_s))


@pytest.mark.parametrize(
    ("probability", "words", "silence_s"),
    [
        (0.9, "How fast is it?", SHORT),
        (0.9, "Where does the salt come from?", SHORT),  # ends in a word that a statement would not end in
        (0.9, "how fast is it.", SHORT),  # the recogniser missed the question mark
        (0.9, "So, tell me how tides work.", SHORT),
        (0.9, "Sorry, I meant ninety.", SHORT),
        (0.9, "A train travels 60 km in 45 minutes. How fast is it going?", SHORT),
        (0.9, "It is 3.5 miles away. How long do I walk?", SHORT),
        (0.9, "A train travels 60 km in 45 minutes.", STATED),
        (0.9, "Can you help me? I have twelve apples.", STATED),
        (0.2, "How fast is it?", DOUBTFUL),
        (0.02, "How fast is it?", LONG),  # sounds as if it went on: "... when it rains"
        (0.2, "Tell me how tides work.", LONG),
        (0.2, "Can you tell me, um?", LONG),
        (0.9, "Can you tell me, um?", LONG),
        (0.9, "What is the difference between a?", LONG),
        (0.9, "I was thinking that we could go to.", LONG),
        (0.9, "A train travels", LONG),
        (0.9, "My sister is...", LONG),
        (0.9, "If I have 12 apples and...", LONG),
        (0.9, "...", LONG),
        (None, "A train travels", SETTINGS.floor.turn_silence_s),
    ],
)
def test_table(probability: float | None, words: str, silence_s: float) -> None:
    assert silence_needed_s(probability, words, 0.9, SETTINGS) == silence_s


@pytest.mark.parametrize(
    ("probability", "words", "silence_s"),
    [
        (0.9, "Could we arm?", STATED),  # "could we, um"
        (0.9, "Could you please read me, either?", STATED),  # "... read me the"
        (0.2, "Is it true out?", LONG),
        (0.9, "How long does it take to?", LONG),
        (None, "Could we arm?", SETTINGS.floor.turn_silence_s),
    ],
)
def test_an_unsure_last_word_ends_no_question(probability: float | None, words: str, silence_s: float) -> None:
    assert silence_needed_s(probability, words, 0.4, SETTINGS) == silence_s


@given(st.one_of(st.none(), st.floats(0.0, 1.0)), st.text(), st.floats(0.0, 1.0))
def test_any_words_end_some_time(probability: float | None, words: str, last_word_probability: float) -> None:
    assert SHORT <= silence_needed_s(probability, words, last_word_probability, SETTINGS) <= LONG


def test_a_turn_ends_once_and_at_its_last_words() -> None:
    turn = EndOfTurn(SETTINGS, judged=False)
    for event in (STARTED, ENDED, WORDS, *LATER, NO_WORDS):
        turn.push(event)
    assert turn.end() == TurnEnded(end_s=2.0)
    assert turn.due_s() is None


def test_the_next_turn_knows_nothing_of_the_last() -> None:
    turn = EndOfTurn(SETTINGS, judged=True)
    for event in (STARTED, ENDED, WORDS, COMPLETE):
        turn.push(event)
    turn.end()
    for event in (*LATER, UtteranceRecognized("It is green.", 2.3, 3.0), SilenceJudged(3.0, 0.9)):
        turn.push(event)
    assert turn.due_s() == pytest.approx(3.0 + STATED)
