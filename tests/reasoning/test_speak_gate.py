"""The speak gate as a table."""

from __future__ import annotations

from dataclasses import replace

import pytest

from voice_agent.reasoning.speak_gate import Decision, GateInputs, SpeakGate, asks_for_something
from voice_agent.settings import Reasoning

SETTINGS = Reasoning(gate_first_tokens=8, gate_period=24, gate_open=0.5, longest_silence_s=4.0, backlog_enough_s=3.0)
QUIET = GateInputs(
    thinker_done=False, new_thoughts=30, backlog_s=0.0, silence_s=1.0, user_speaking=False, has_spoken=True
)
OPENING = {"has_spoken": False, "can_be_told_back": True}


@pytest.mark.parametrize(
    ("change", "decision"),
    [
        ({}, "think"),  # nobody asked
        ({"yes": 0.6, "no": 0.4}, "speak"),
        ({"yes": 0.4, "no": 0.6}, "think"),
        ({"yes": 0.002, "no": 0.001}, "speak"),  # only the share counts
        ({"yes": 0.0, "no": 0.0}, "think"),  # no answer
        ({"thinker_done": True}, "speak"),
        ({"thinker_done": True, "yes": 0.0, "no": 1.0}, "speak"),
        ({"thinker_done": True, "user_speaking": True}, "think"),
        ({"yes": 1.0, "no": 0.0, "user_speaking": True}, "think"),
        ({"yes": 1.0, "no": 0.0, "backlog_s": 3.0}, "think"),
        ({"silence_s": 1.9}, "think"),
        ({"silence_s": 2.0}, "speak"),  # in time for 4.0
        ({"silence_s": 4.0, "new_thoughts": 0}, "think"),  # nothing to say
        ({"silence_s": 9.0, "backlog_s": 5.0}, "think"),
        (OPENING | {"new_thoughts": 7}, "think"),
        (OPENING | {"new_thoughts": 8}, "speak"),  # what was asked is told back without asking
        (OPENING | {"new_thoughts": 8, "user_speaking": True}, "think"),
        (OPENING | {"new_thoughts": 30, "can_be_told_back": False}, "think"),  # a greeting, a few words
        (OPENING | {"new_thoughts": 30, "can_be_told_back": False, "yes": 0.6, "no": 0.4}, "speak"),
    ],
)
def test_decisions_of_a_closed_gate(change: dict[str, float], decision: Decision) -> None:
    assert SpeakGate(SETTINGS).decide(replace(QUIET, **change)) == decision  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("change", "wants"),
    [
        ({"new_thoughts": 23}, False),
        ({"new_thoughts": 24}, True),
        (OPENING | {"new_thoughts": 7}, False),
        (OPENING | {"new_thoughts": 50}, False),
        (OPENING | {"new_thoughts": 23, "can_be_told_back": False}, False),
        (OPENING | {"new_thoughts": 24, "can_be_told_back": False}, True),
        ({"new_thoughts": 50, "thinker_done": True}, False),  # ruled already
        ({"new_thoughts": 50, "user_speaking": True}, False),
        ({"new_thoughts": 50, "backlog_s": 3.0}, False),
        ({"new_thoughts": 50, "silence_s": 4.0}, False),
    ],
)
def test_it_asks_only_where_an_answer_counts(change: dict[str, float], wants: bool) -> None:
    assert SpeakGate(SETTINGS).wants_probe(replace(QUIET, **change)) is wants  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("change", "drafts"),
    [
        (OPENING | {"new_thoughts": 2}, False),
        (OPENING | {"new_thoughts": 3}, True),  # five thoughts before it opens
        (OPENING | {"new_thoughts": 8}, False),  # no draft, the words themselves
        (OPENING | {"new_thoughts": 18, "can_be_told_back": False}, False),
        ({"new_thoughts": 18}, False),
        ({"new_thoughts": 19}, True),  # before it is asked
        ({"new_thoughts": 19, "thinker_done": True}, False),
        ({"user_speaking": True}, False),
        ({"backlog_s": 3.0}, False),
        ({"silence_s": 4.0}, False),  # it opens by rule: no draft, the words themselves
    ],
)
def test_it_lets_a_draft_be_written_shortly_before_it_asks(change: dict[str, float], drafts: bool) -> None:
    inputs = replace(QUIET, **change)  # type: ignore[arg-type]
    assert SpeakGate(replace(SETTINGS, draft_ahead_tokens=5)).may_draft(inputs) is drafts
    assert not SpeakGate(replace(SETTINGS, draft_ahead_tokens=0)).may_draft(inputs)


def test_it_stays_as_it_is_until_asked_or_closed() -> None:
    gate = SpeakGate(SETTINGS)
    gate.decide(replace(QUIET, yes=0.9, no=0.1))
    assert gate.decide(replace(QUIET, new_thoughts=0)) == "speak"
    assert not gate.wants_probe(replace(QUIET, new_thoughts=99))  # an open gate does not ask
    gate.close()
    assert gate.decide(replace(QUIET, new_thoughts=0)) == "think"


def test_a_sentence_that_has_begun_is_not_broken_off_for_a_backlog() -> None:
    gate = SpeakGate(SETTINGS)
    much = replace(QUIET, backlog_s=5.0, mid_sentence=True)
    assert gate.decide(much) == "think"  # it was not open: a number waits for the thoughts
    gate.decide(replace(QUIET, yes=0.9, no=0.1))
    assert gate.decide(much) == "speak"
    assert gate.decide(replace(much, mid_sentence=False)) == "think"


def test_after_a_yes_a_little_less_is_enough() -> None:
    gate = SpeakGate(replace(SETTINGS, gate_hysteresis=0.1))
    shares = [0.45, 0.5, 0.45, 0.39, 0.45]
    decisions = []
    for share in shares:
        decisions.append(gate.decide(replace(QUIET, yes=share, no=1 - share)))
        gate.close()
    assert decisions == ["think", "speak", "speak", "think", "think"]


@pytest.mark.parametrize(
    ("words", "asks"),
    [
        ("Hello!", False),
        ("How are you today?", False),
        ("What is twelve times eleven?", True),
        ("Please explain, in a few sentences, why the sea has tides.", True),
        ("My name is Anna.", False),
        ("", False),
    ],
)
def test_what_can_be_told_back(words: str, asks: bool) -> None:
    assert asks_for_something(words) is asks
