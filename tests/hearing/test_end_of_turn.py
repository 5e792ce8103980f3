"""The end of a turn, decided without a clock: what was heard in, when it is due out."""

from __future__ import annotations

import pytest

from voice_agent.events import HearingEvent, SpeechEnded, SpeechStarted, TurnEnded, UtteranceRecognized, Word
from voice_agent.hearing.end_of_turn import EndOfTurn

STARTED, ENDED = SpeechStarted(1.0), SpeechEnded(2.0)
WORDS, NO_WORDS = UtteranceRecognized("how fast", 1.0, 2.0), UtteranceRecognized("", 1.0, 2.0)
LATER = [SpeechStarted(2.3), SpeechEnded(3.0)]


@pytest.mark.parametrize(
    ("heard", "due_s"),
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
def test_due(heard: list[HearingEvent], due_s: float | None) -> None:
    turn = EndOfTurn(silence_s=0.6)
    for event in heard:
        turn.push(event)
    assert turn.due_s() == due_s


def test_a_turn_ends_once_and_at_its_last_words() -> None:
    turn = EndOfTurn(silence_s=0.6)
    for event in (STARTED, ENDED, WORDS, *LATER, NO_WORDS):
        turn.push(event)
    assert turn.end() == TurnEnded(end_s=2.0)
    assert turn.due_s() is None
