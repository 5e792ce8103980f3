"""What is counted in a conversation: sound and events laid out by hand, one occasion each."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from voice_agent.record.summary import ClipTruth
from voice_agent.record.trace import TraceLine
from voice_agent.replay.expectations import evaluate
from voice_agent.replay.observation import Observation, observe, together
from voice_agent.replay.scenario import Expect, UserItem
from voice_agent.replay.word_error import aligned, word_errors

RATE_HZ = 1000
QUESTION = ("turn", "How fast is it?", 0.5, 2.0)
Said = tuple[str, str, float, float]  # (means, text, onset_s, end_s)


def line(t: float, kind: str, **fields: Any) -> TraceLine:
    return TraceLine(t, kind, fields)


def spoken(text: str, from_s: float, to_s: float, reply: int = 1, heard: str | None = None) -> list[TraceLine]:
    """A reply that is sent to the voice, sounds (as far as `heard`) and ends."""
    return [
        line(from_s - 0.2, "clause", text=text, reply=reply, source="model"),
        line(from_s, "audio_started", reply=reply),
        line(to_s, "sounded", text=text if heard is None else heard, reply=reply),
        line(to_s, "audio_stopped", reply=reply),
    ]


def seen(said: list[Said], sound: list[tuple[float, float]], lines: list[TraceLine] | None = None) -> Observation:
    right = np.zeros(30 * RATE_HZ, np.float32)
    for start_s, end_s in sound:
        right[int(start_s * RATE_HZ) : int(end_s * RATE_HZ)] = 0.2
    items = [UserItem(audio="a.wav", text=text, means=means, at=0.0) for means, text, *_ in said]  # type: ignore[arg-type]
    truth = [ClipTruth(number, *rest) for number, (_, *rest) in enumerate(said, start=1)]  # type: ignore[arg-type]
    return observe(items, truth, sorted(lines or [], key=lambda one: one.t), right, RATE_HZ, 0.0)


def share(observation: Observation, name: str) -> list[bool]:
    return observation.shares.get(name, [])


@pytest.mark.parametrize(
    ("said", "sound", "takeover", "response_s"),
    [
        pytest.param([QUESTION], [(3.0, 6.0)], [True], [1.0], id="answered"),
        pytest.param([QUESTION], [], [False], [], id="silence loses"),
        pytest.param([QUESTION, ("turn", "And?", 3.0, 4.0)], [(5.0, 6.0)], [True], [1.0], id="the user went on"),
        pytest.param([QUESTION, ("noise", "", 3.0, 3.5)], [(4.0, 6.0)], [True], [2.0], id="a noise is no turn"),
        pytest.param([("stop", "Stop.", 1.0, 1.5)], [], [], [], id="nobody answers a stop"),
    ],
)
def test_takeover(
    said: list[Said], sound: list[tuple[float, float]], takeover: list[bool], response_s: list[float]
) -> None:
    observation = seen(said, sound)
    assert share(observation, "takeover") == takeover
    assert observation.seconds["response"] == pytest.approx(response_s, abs=0.006)


@pytest.mark.parametrize(("sound", "cut_off"), [([(4.6, 6.0)], False), ([(2.5, 3.0), (4.6, 6.0)], True)])
def test_a_pause_that_is_taken_for_the_end(sound: list[tuple[float, float]], cut_off: bool) -> None:
    observation = seen([("unfinished", "A train, um", 0.5, 2.0), ("turn", "is slow.", 3.2, 4.0)], sound)
    assert share(observation, "cut off") == [cut_off]


@pytest.mark.parametrize(
    ("sound", "stop_s", "obeyed"),
    [
        pytest.param([(3.0, 4.2)], [0.2], True, id="at once"),
        pytest.param([(3.0, 6.0)], [2.0], False, id="late"),
        pytest.param([(3.0, 4.2), (6.0, 7.0)], [0.2], False, id="goes on afterwards"),
        pytest.param([(3.0, 3.5)], [], True, id="nothing sounded"),
        pytest.param([(5.0, 7.0)], [], False, id="begins after it"),
    ],
)
def test_stops(sound: list[tuple[float, float]], stop_s: list[float], obeyed: bool) -> None:
    observation = seen([QUESTION, ("stop", "Stop.", 4.0, 4.4)], sound)
    assert observation.seconds["stop"] == pytest.approx(stop_s, abs=0.006)
    assert share(observation, "stop obeyed") == [obeyed]


def test_a_new_question_after_a_stop_may_be_answered() -> None:
    said = [QUESTION, ("stop", "Stop.", 4.0, 4.4), ("turn", "And you?", 6.0, 7.0)]
    observation = seen(said, [(3.0, 4.1), (8.0, 9.0)])
    assert share(observation, "stop obeyed") == [True]
    assert share(observation, "takeover") == [True, True]


CUT = [
    *spoken("one two three four", 3.0, 4.1, heard="one two three "),
    line(5.0, "interrupted", reply=1, reason="question"),
    line(5.0, "retracted", text="four", reply=1),
]


@pytest.mark.parametrize(
    ("lines", "sound", "goes_on", "once"),
    [
        pytest.param(spoken("one two", 3.0, 7.0), [(3.0, 4.1), (5.0, 7.0)], True, True, id="went on"),
        pytest.param(spoken("one two", 3.0, 4.2), [(3.0, 4.2)], True, True, id="it was its last word"),
        pytest.param(spoken("one two", 3.0, 4.2, heard="one"), [(3.0, 4.2)], False, False, id="killed and lost"),
        pytest.param([*CUT, *spoken("four", 6.0, 7.0, 2)], [(3.0, 4.1), (6.0, 7.0)], False, True, id="taken for a cut"),
        pytest.param(
            [*CUT, *spoken("one two three four", 6.0, 7.0, 2)], [(3.0, 4.1), (6.0, 7.0)], False, False, id="retold"
        ),
        pytest.param(
            spoken("one two", 3.0, 7.0, heard="one one two"), [(3.0, 4.1), (5.0, 7.0)], True, False, id="said twice"
        ),
    ],
)
@pytest.mark.parametrize("means", ["back-channel", "noise", "not-to-me"])
def test_false_alarms(
    means: str, lines: list[TraceLine], sound: list[tuple[float, float]], goes_on: bool, once: bool
) -> None:
    observation = seen([QUESTION, (means, "", 4.0, 4.5)], sound, lines)
    assert share(observation, f"goes on after {means}") == [goes_on]
    assert share(observation, "every word once") == [once]
    assert share(observation, f"resumes after {means}") == [goes_on and once]


def test_a_noise_in_the_gap_between_two_clauses_is_over_the_answer() -> None:
    lines = [*spoken("one", 3.0, 3.5), line(3.9, "thought", text="hm", step=4), *spoken("two", 5.0, 6.0)]
    observation = seen([QUESTION, ("noise", "", 4.0, 4.3)], [(3.0, 3.5), (5.0, 6.0)], lines)
    assert share(observation, "goes on after noise") == [True]
    assert not share(observation, "uninvited")


@pytest.mark.parametrize(
    ("said", "sound", "lines", "uninvited"),
    [
        pytest.param([("noise", "", 1.0, 1.5)], [], [], [False], id="quiet"),
        pytest.param([("noise", "", 1.0, 1.5)], [(2.0, 3.0)], [], [True], id="a noise is answered"),
        pytest.param([QUESTION, ("noise", "", 2.5, 2.8)], [(3.0, 4.0)], [], [], id="an answer is due"),
        pytest.param(
            [QUESTION, ("not-to-me", "", 6.0, 7.0)],
            [(3.0, 4.0), (8.0, 9.0)],
            spoken("one", 3.0, 4.0),
            [True],
            id="answered to the end before",
        ),
    ],
)
def test_who_speaks_uninvited(
    said: list[Said], sound: list[tuple[float, float]], lines: list[TraceLine], uninvited: list[bool]
) -> None:
    assert share(seen(said, sound, lines), "uninvited") == uninvited


def word(text: str, start_s: float, end_s: float, t: float) -> TraceLine:
    return line(t, "word", text=text, start_s=start_s, end_s=end_s, final=True)


def test_words_wrong_late_and_invented() -> None:
    lines = [
        word("How", 0.5, 0.8, 1.8),
        word("far", 0.9, 1.2, 1.8),
        word("is", 1.3, 1.5, 2.1),
        word("it?", 1.6, 2.0, 2.4),
    ]
    lines += [word("Thanks.", 6.0, 6.5, 7.0), line(7.0, "underrun", reply=1)]
    observation = seen([QUESTION, ("noise", "", 6.0, 6.5)], [(3.0, 4.0)], lines)
    assert (observation.word_errors, observation.words) == (2, 4), "far for fast, and a word too many"
    assert observation.invented_words == 1
    assert observation.underruns == 1
    assert observation.seconds["lag"] == pytest.approx([1.0, 0.6, 0.6, 0.4, 0.5])


def test_delays_of_a_correction() -> None:
    said = [QUESTION, ("correction", "No, ninety.", 4.0, 5.0)]
    lines = [line(2.4, "turn_ended", end_s=2.0), line(5.6, "injected", text="No, 90.", step=9)]
    observation = seen(said, [(3.0, 4.2), (6.0, 7.0)], lines)
    assert observation.seconds["dead air"] == pytest.approx([0.4])
    assert observation.seconds["taken in"] == pytest.approx([0.6])
    assert observation.seconds["stop"] == pytest.approx([0.2], abs=0.006)


def test_conversations_are_put_together() -> None:
    one, two = seen([QUESTION], [(3.0, 4.0)]), seen([QUESTION], [])
    both = together([one, two])
    assert both.shares["takeover"] == [True, False]
    assert both.words == one.words + two.words == 8
    assert both.word_errors == 8, "nothing was heard"


@pytest.mark.parametrize(
    ("said", "heard", "errors"),
    [
        ("It is 120.", "it is one hundred twenty", 0),
        ("one two three", "one three", 1),
        ("one two", "one too two", 1),
        ("one two", "one too", 1),
        ("", "thank you", 2),
        ("one two", "", 2),
        ("It costs forty dollars at half past seven.", "It costs $40 at half past 7.", 0),
        ("twenty percent in nineteen sixty nine", "20% in 1969", 0),
    ],
)
def test_word_errors(said: str, heard: str, errors: int) -> None:
    assert word_errors(said, heard)[0] == errors


@pytest.mark.parametrize(
    ("one", "other", "pairs"),
    [
        ("a b c", "a c", [("a", "a"), ("b", None), ("c", "c")]),
        ("a c", "a b c", [("a", "a"), (None, "b"), ("c", "c")]),
        ("a b", "a d", [("a", "a"), ("b", "d")]),
        ("", "a", [(None, "a")]),
        ("a", "", [("a", None)]),
    ],
)
def test_aligned(one: str, other: str, pairs: list[tuple[str | None, str | None]]) -> None:
    assert aligned(one.split(), other.split()) == pairs


@pytest.mark.parametrize(
    ("expect", "value", "ok"),
    [
        ({"answered": True}, "1 of 1", True),
        ({"answered": False}, "1 of 1", False),
        ({"goes_on": True}, "0 of 0", False),
        ({"stops_obeyed": True}, "0 of 1", False),
        ({"cut_offs_at_most": 0}, 0, True),
        ({"uninvited_at_most": 0}, 0, True),
        ({"word_error_at_most": 0.5}, 0.4, True),
        ({"word_error_at_most": 0.3}, 0.4, False),
        ({"invented_words_at_most": 0}, 0, True),
        ({"words_final_within_s": 2.0}, 1.0, True),
        ({"words_final_within_s": 0.5}, 1.0, False),
        ({"underruns_at_most": 0}, 0, True),
        ({"turns": 1}, 1, True),
        ({"turns": 2}, 1, False),
    ],
)
def test_expectations_on_what_was_seen(expect: dict[str, Any], value: Any, ok: bool) -> None:
    heard = [word("How fast is", 0.5, 1.4, 2.4)]
    observation = seen([QUESTION, ("stop", "Stop.", 4.0, 4.4)], [(3.0, 7.0)], heard)
    (result,) = evaluate(Expect(**expect), {"turns": [{}]}, [], observation)
    assert (result["value"], result["ok"]) == (value, ok)


def test_a_limit_on_what_was_never_measured_does_not_hold() -> None:
    for expect in ({"word_error_at_most": 1.0}, {"words_final_within_s": 9.0}):
        (result,) = evaluate(Expect(**expect), {"turns": []}, [], Observation())  # type: ignore[arg-type]
        assert result == {"name": next(iter(expect)), "ok": False, "value": None}
