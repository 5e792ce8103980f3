"""Self-doubt and panic by their words and by how little was thought."""

from __future__ import annotations

from typing import Any

import pytest

from voice_agent.evaluation.reactions import AT_ONCE, doubts, reaction, thoughts_after, tokens_after

PLAIN: dict[str, Any] = {"what": "plain", "right": True, "thoughts": "Wait, 3 + 4 = 7.", "thought_pieces": 200}


def line(thoughts: str = "", pieces: int = 400, **values: Any) -> dict[str, Any]:
    return {"what": "correction", "right": False, "thoughts": thoughts, "thought_pieces": pieces, "point": 30, **values}


@pytest.mark.parametrize(
    "text",
    [
        "Wait, that is not so.",
        "Hmm. Let me re-check this.",
        "But the original problem is about 60 km.",
        "The question clearly states 60.",
        "The user might have made a mistake.",
        "You seem to be mistaken.",
        "There seems to be a misunderstanding.",
        "This contradicts what was given.",
        "That doesn't match the question.",
        "I will ignore the correction.",
        "So I stick with the original number.",
    ],
)
def test_words_of_doubt(text: str) -> None:
    assert doubts(text)


@pytest.mark.parametrize(
    "text",
    [
        "The waiter waited. 90 km in 45 minutes is 120 km/h.",
        "Now the number is 90, so I start again with 90.",
        "The original price was $50.",
        "The total is not correct change for a dollar.",
        "They might have been at the farm. The user said 90.",
        "",
    ],
)
def test_words_of_none(text: str) -> None:
    assert not doubts(text)


def test_only_what_was_thought_after_the_words_counts() -> None:
    assert thoughts_after(line("Wait, 3 + 5 = 8."), PLAIN) == "5 = 8."
    assert tokens_after(line(), PLAIN) == 340


@pytest.mark.parametrize(
    ("what", "expected"),
    [
        (line("Wait, 3 + the user may be wrong."), "self-doubt"),
        (line("Wait, 3 + the user may be wrong.", right=True), None),
        (line("Wait, 3 + 5 = 9.", pieces=60 + AT_ONCE), "panic"),
        (line("Wait, 3 + 5 = 9.", pieces=61 + AT_ONCE), None),
        (line("Wait, 3 + 5 = 9.", pieces=70, what="hurry"), "panic"),
    ],
)
def test_reactions(what: dict[str, Any], expected: str | None) -> None:
    assert reaction(what, PLAIN) == expected


def test_haste_loses_only_what_would_have_been_right() -> None:
    assert reaction(line(pieces=70, what="hurry"), {**PLAIN, "right": False}) is None
