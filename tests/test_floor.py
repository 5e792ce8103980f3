"""The floor as a table of conversations, and its promises under any order of events."""

from __future__ import annotations

from typing import Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from voice_agent.events import Interrupted, SpeechEnded, SpeechStarted, TurnEnded, TypedLine, UtteranceRecognized, Word
from voice_agent.floor import Floor, State
from voice_agent.floor_values import (
    Action,
    AnswerEnded,
    AskRelevance,
    EndTurn,
    FloorEvent,
    Hear,
    Inject,
    PausePlayback,
    Playing,
    RelevanceTold,
    ResumePlayback,
    StopAnswer,
    ThinkAhead,
)
from voice_agent.settings import Floor as FloorSettings

PLAYING = Playing(1, "the train travels sixty kilometers in forty five minutes so it goes")
PAUSE, RESUME = PausePlayback(), ResumePlayback()
BACK = Interrupted(1, "back-channel")


def words(text: str) -> list[FloorEvent]:
    return [Word(word, 0.0, 0.1, final=True) for word in text.split()]


def utterance(text: str, lasted_s: float = 0.6) -> list[FloorEvent]:
    """What hearing sends about one stretch of speech, in its order."""
    recognized = UtteranceRecognized(text, 1.0, 1.0 + lasted_s)
    return [SpeechStarted(1.0), SpeechEnded(1.0 + lasted_s), *words(text), recognized]


QUESTION: list[FloorEvent] = [*utterance("How fast is it?", 2.0), TurnEnded(3.0)]


def play(*events: FloorEvent, playing: Playing = PLAYING) -> list[Action]:
    floor = Floor(FloorSettings())
    return [action for event in events for action in floor.push(event, playing)]


def during_answer(*events: FloorEvent) -> list[Action]:
    """The actions after a question was put."""
    return play(*QUESTION, *events)[len(play(*QUESTION)) :]


def test_a_question_is_handed_on_as_its_words_become_final_and_ends_once() -> None:
    assert play(*QUESTION) == [Hear("How"), Hear("fast"), Hear("is"), Hear("it?"), EndTurn(1)]


def test_a_question_is_thought_about_in_its_pauses() -> None:
    heard, again = utterance("A train travels."), utterance("How far?", 3.0)
    hears = [Hear("A train"), Hear("travels.")]

    def ahead(*events: FloorEvent) -> list[Action]:
        floor = Floor(FloorSettings(think_ahead=True))
        return [action for event in events for action in floor.push(event, PLAYING)]

    assert ahead(*heard) == [*hears, ThinkAhead()]
    assert ahead(*heard[:1], *again[:1], *heard[1:]) == hears, "the next utterance has begun by then"
    assert ahead(*utterance("Okay."), TurnEnded(2.0)) == [], "that may be all there is"
    assert ahead(*heard, TurnEnded(2.0), *utterance("Uh-huh.", 0.3))[-1] == RESUME, "never over an answer"
    assert play(*heard) == hears


@pytest.mark.parametrize(
    ("text", "lasted_s", "expected"),
    [
        ("Uh-huh.", 0.6, [PAUSE, Interrupted(1, "back-channel"), RESUME]),
        ("Okay, right.", 0.9, [PAUSE, Interrupted(1, "back-channel"), RESUME]),
        ("", 0.3, [PAUSE, Interrupted(1, "noise"), RESUME]),
        ("travels sixty kilometers", 1.2, [PAUSE, Interrupted(1, "echo"), RESUME]),
        ("Honey, have you seen my keys?", 1.6, [PAUSE, Interrupted(1, "not-to-me"), RESUME]),
        ("Stop.", 0.5, [PAUSE, Interrupted(1, "stop"), StopAnswer(1)]),
        (
            "Sorry, I meant 90.",
            1.5,
            [PAUSE, Interrupted(1, "correction"), Inject(1, "Sorry, I meant 90.", "correction")],
        ),
        ("And not in miles?", 1.0, [PAUSE, Interrupted(1, "question"), Inject(1, "And not in miles?", "question")]),
    ],
)
def test_speech_over_an_answer_pauses_it_at_once_and_then_goes_by_what_was_said(
    text: str, lasted_s: float, expected: list[Action]
) -> None:
    assert during_answer(*utterance(text, lasted_s)) == expected


# --- words that may have been for somebody else -----------------------------------------------------------------------

BELOW, ABOVE = FloorSettings().not_to_me_below - 0.1, FloorSettings().not_to_me_below + 0.1
CUP, LATE = "The red cup, please.", "Is it late?"


def told(number: int, gain: float | None) -> FloorEvent:
    return RelevanceTold(number, gain)


def meant(text: str, kind: Literal["correction", "question"]) -> list[Action]:
    return [Interrupted(1, kind), Inject(1, text, kind)]


@pytest.mark.parametrize(
    ("text", "asked"),
    [
        (CUP, True),
        (LATE, True),
        ("It takes nine cups.", False),  # a number
        ("Not that cup.", False),  # it contradicts
        ("The train is red.", False),  # the answer's word
        ("Is it faster?", True),
        ("Is it fast?", False),  # the question's word
        ("Uh-huh.", False),
        ("Stop.", False),
        ("Honey, have you seen my keys?", False),  # the rules know
        ("", False),
    ],
)
def test_the_model_is_asked_only_where_words_leave_it_open(text: str, asked: bool) -> None:
    actions = during_answer(*utterance(text))
    assert (AskRelevance(1, text) in actions) == asked
    assert (actions == [PAUSE, AskRelevance(1, text)]) == asked


def test_it_is_not_asked_where_the_settings_say_so_nor_about_typed_words_nor_after_the_answer() -> None:
    floor = Floor(FloorSettings(probe_relevance=False))
    actions = [action for event in [*QUESTION, *utterance(CUP)] for action in floor.push(event, PLAYING)]
    assert actions[-3:] == [PAUSE, *meant(CUP, "correction")]
    assert during_answer(TypedLine(CUP)) == meant(CUP, "correction")
    started, *rest = utterance(CUP)
    assert during_answer(started, AnswerEnded(1), *rest)[-1] == Hear(CUP)


@pytest.mark.parametrize(
    ("then", "expected"),
    [
        ([told(1, BELOW)], [Interrupted(1, "not-to-me"), RESUME]),
        ([told(1, ABOVE)], meant(CUP, "correction")),
        ([told(1, None)], meant(CUP, "correction")),
        ([told(7, BELOW), told(1, ABOVE), told(1, BELOW)], meant(CUP, "correction")),  # told late, or of another
        # the voice stays paused until all is understood
        ([told(1, BELOW), *utterance("Right.")], [Interrupted(1, "not-to-me"), RESUME, PAUSE, BACK, RESUME]),
        ([*utterance("Right."), told(1, BELOW)], [BACK, Interrupted(1, "not-to-me"), RESUME]),
        ([SpeechStarted(3.0), told(1, BELOW)], [Interrupted(1, "not-to-me")]),
        ([SpeechStarted(3.0), told(1, ABOVE)], [*meant(CUP, "correction"), PAUSE]),
        # each of several by itself, in order
        (
            [*utterance(LATE), told(1, BELOW), told(2, ABOVE)],
            [AskRelevance(2, LATE), Interrupted(1, "not-to-me"), *meant(LATE, "question")],
        ),
        (
            [*utterance(LATE), told(1, ABOVE), told(2, BELOW)],
            [AskRelevance(2, LATE), *meant(CUP, "correction"), PAUSE, Interrupted(1, "not-to-me"), RESUME],
        ),
        # what needs no asking is not kept waiting, and comes behind what was said before it
        (
            [*utterance("I meant ninety."), told(1, BELOW)],
            [*meant(CUP, "correction"), *meant("I meant ninety.", "correction")],
        ),
        (
            [TypedLine("I meant ninety."), told(1, BELOW)],
            [*meant(CUP, "correction"), *meant("I meant ninety.", "correction")],
        ),
        ([*utterance("Stop."), told(1, BELOW)], [*meant(CUP, "correction"), Interrupted(1, "stop"), StopAnswer(1)]),
        # the answer ends under it: as ever, it opens the next turn
        (
            [AnswerEnded(1), TurnEnded(4.0), told(1, BELOW)],
            [Interrupted(1, "correction"), Hear(CUP), RESUME, EndTurn(2)],
        ),
        (
            [TurnEnded(4.0), AnswerEnded(1), told(1, BELOW)],
            [Interrupted(1, "correction"), Hear(CUP), EndTurn(2), RESUME],
        ),
        ([TurnEnded(4.0), told(1, ABOVE), AnswerEnded(1)], meant(CUP, "correction")),
    ],
)
def test_words_that_were_asked_about(then: list[FloorEvent], expected: list[Action]) -> None:
    assert during_answer(*utterance(CUP), *then) == [PAUSE, AskRelevance(1, CUP), *expected]


def test_a_word_that_was_hardly_understood_does_not_end_an_answer() -> None:
    for doubtful, expected in ((True, Interrupted(1, "back-channel")), (False, AskRelevance(1, "Mama."))):
        floor = Floor(FloorSettings())
        floor.push(TypedLine("How fast is it?"))
        floor.push(SpeechStarted(1.0))
        actions = floor.push(UtteranceRecognized("Mama.", 1.0, 1.4, doubtful), Playing(1, "It goes eighty"))
        assert expected in actions


def test_the_voice_stays_paused_until_the_last_of_several_utterances_is_understood() -> None:
    first, second = utterance("Right."), utterance("I meant ninety.", 1.4)
    interleaved = [*first[:2], second[0], *first[2:], *second[1:]]  # the second begins before the first is recognised
    assert during_answer(*interleaved) == [
        PAUSE,
        Interrupted(1, "back-channel"),
        Interrupted(1, "correction"),
        Inject(1, "I meant ninety.", "correction"),
    ]


def test_who_speaks_on_after_a_correction_is_not_spoken_over() -> None:
    first, second = utterance("I meant ninety.", 1.4), utterance("Okay?")
    assert during_answer(*first[:2], second[0], *first[2:], *second[1:]) == [
        PAUSE,
        Interrupted(1, "correction"),
        Inject(1, "I meant ninety.", "correction"),
        PAUSE,
        Interrupted(1, "back-channel"),
        RESUME,
    ]


def test_the_end_of_a_turn_that_was_injected_opens_no_second_answer() -> None:
    assert EndTurn(2) not in during_answer(*utterance("I meant ninety.", 1.4), TurnEnded(4.0))


def test_words_for_others_that_outlast_the_answer_open_no_turn() -> None:
    started, *rest = utterance("Mum, can I go outside?", 1.4)
    over = [PAUSE, RESUME, Interrupted(1, "not-to-me")]
    assert during_answer(started, AnswerEnded(1), *rest, TurnEnded(5.0)) == over


def test_speech_that_outlasts_the_answer_becomes_the_next_turn() -> None:
    started, *rest = utterance("What about ninety?", 1.4)
    assert during_answer(started, AnswerEnded(1), *rest, TurnEnded(5.0)) == [
        PAUSE,
        RESUME,
        Interrupted(1, "question"),
        Hear("What about ninety?"),
        EndTurn(2),
    ]


def test_a_new_question_after_a_stop_is_not_ended_by_the_late_report_of_the_old_answer() -> None:
    floor = Floor(FloorSettings())
    for event in [*QUESTION, *utterance("Stop."), TurnEnded(4.0), *QUESTION, AnswerEnded(1)]:
        floor.push(event, PLAYING)
    assert floor.state is State.ANSWERING
    assert floor.turn == 2


@pytest.mark.parametrize("text", ["Stop.", "Okay.", "Uh-huh.", "Hold on.", "Okay, stop."])
def test_words_that_need_no_answer_open_none(text: str) -> None:
    assert play(*utterance(text), TurnEnded(2.0)) == []


def test_an_okay_that_goes_on_is_handed_on_whole() -> None:
    assert play(*utterance("Okay, what now?"), TurnEnded(2.0)) == [Hear("Okay, what"), Hear("now?"), EndTurn(1)]


def test_words_that_only_began_like_a_stop_are_a_turn() -> None:
    assert play(*utterance("Hold."), TurnEnded(2.0)) == [Hear("Hold."), EndTurn(1)]


def test_yes_answers_a_question_of_the_assistant() -> None:
    done = during_answer(AnswerEnded(1, asked=True), *utterance("Yes."), TurnEnded(5.0))
    assert done == [Hear("Yes."), EndTurn(2)]


def test_a_typed_line_is_a_whole_turn_and_joins_a_running_answer() -> None:
    assert play(TypedLine("What is 2 + 2?")) == [Hear("What is 2 + 2?"), EndTurn(1)]
    assert during_answer(TypedLine("I meant 90")) == [
        Interrupted(1, "correction"),
        Inject(1, "I meant 90", "correction"),
    ]
    assert during_answer(TypedLine("stop")) == [Interrupted(1, "stop"), StopAnswer(1)]


def test_a_line_typed_while_speaking_sends_the_rest_of_the_speech_into_the_answer() -> None:
    actions = play(SpeechStarted(0.0), *words("The train"), TypedLine("from Rome"), *words("goes at ninety"))
    assert actions == [Hear("The"), Hear("train"), Hear("from Rome"), EndTurn(1), PAUSE]
    actions = play(
        SpeechStarted(0.0),
        *words("The train"),
        TypedLine("from Rome"),
        *words("goes at ninety"),
        UtteranceRecognized("The train goes at ninety", 0.0, 2.0),
    )
    assert actions[-2:] == [Interrupted(1, "correction"), Inject(1, "goes at ninety", "correction")]


SAYINGS = (
    "Uh-huh.",
    "",
    "Stop.",
    "wait",
    "hold",
    "I meant ninety.",
    "And in miles?",
    "travels sixty kilometers",
    "I",
    "Mum, look!",
    CUP,
)


@st.composite
def conversations(draw: st.DrawFn) -> list[FloorEvent]:
    """Any order that hearing can send, with typed lines and answers' ends thrown in anywhere."""
    events: list[FloorEvent] = []
    unrecognized: list[tuple[str, float]] = []
    speaking, finished_turn = False, True
    for _ in range(draw(st.integers(5, 40))):
        choices = ["end_answer", "stale_end", "type", "tell"]
        choices += ["stop_speaking"] * 3 if speaking else ["start_speaking"] * 2
        choices += ["recognize"] * 3 if len(unrecognized) > speaking else []
        choices += ["end_turn"] * 2 if not speaking and not unrecognized and not finished_turn else []
        match draw(st.sampled_from(choices)):
            case "start_speaking":
                unrecognized.append((draw(st.sampled_from(SAYINGS)), draw(st.sampled_from([0.4, 2.0]))))
                events.append(SpeechStarted(0.0))
                speaking = True
            case "stop_speaking":
                events.append(SpeechEnded(0.0))
                speaking = False
            case "recognize":
                text, lasted_s = unrecognized.pop(0)
                events += [*words(text), UtteranceRecognized(text, 0.0, lasted_s)]
                finished_turn = finished_turn and not text
            case "end_turn":
                events.append(TurnEnded(0.0))
                finished_turn = True
            case "type":
                events.append(TypedLine(draw(st.sampled_from(SAYINGS))))
            case "end_answer":
                events.append(AnswerEnded(-1, draw(st.booleans())))  # -1: the running one, filled in below
            case "stale_end":
                events.append(AnswerEnded(0))
            case "tell":
                events.append(RelevanceTold(draw(st.integers(1, 4)), draw(st.sampled_from([BELOW, ABOVE, None]))))
    events += [SpeechEnded(0.0)] * speaking
    for text, lasted_s in unrecognized:
        events += [*words(text), UtteranceRecognized(text, 0.0, lasted_s)]
    return [*events, *(RelevanceTold(number, ABOVE) for number in range(1, 42)), TurnEnded(0.0)]


@given(conversations())
def test_no_order_of_events_leaves_the_voice_paused_swallows_words_or_answers_twice(events: list[FloorEvent]) -> None:
    floor, paused, overlaps, interrupted, turns = Floor(FloorSettings()), False, 0, 0, 0
    heard_since_answer = ""
    for event in events:
        if isinstance(event, AnswerEnded) and event.turn == -1:
            event = AnswerEnded(floor.turn, event.asked)
        was = floor.state
        overlaps += (
            isinstance(event, SpeechStarted | TypedLine) and was is not State.LISTENING and event != TypedLine("")
        )
        actions = floor.push(event, PLAYING)
        if isinstance(event, SpeechStarted) and was is State.ANSWERING:
            assert actions == [PAUSE]
        for action in actions:
            match action:
                case PausePlayback() | ResumePlayback():
                    assert paused is (action == RESUME), "every pause has one resume"
                    paused = not paused
                case Interrupted():
                    interrupted += 1
                case EndTurn(turn):
                    assert turn == turns + 1
                    assert heard_since_answer, "an answer needs words"
                    turns, heard_since_answer = turn, ""
                case Inject(turn) | StopAnswer(turn):
                    paused = False
                    assert turn == turns
                    assert was is not State.LISTENING, "nothing enters an answer that is over"
                case Hear(text):
                    heard_since_answer += text
        assert paused is (floor.state is State.OVERLAP)
    assert not paused
    assert not floor.user_has_floor, "after the last turn ended no word waits"
    assert heard_since_answer == ""
    assert interrupted >= overlaps
