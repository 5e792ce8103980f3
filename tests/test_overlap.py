"""What an utterance over an answer means, as a table; and the words behind it."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from voice_agent.overlap import is_trivial, judge, may_become_trivial
from voice_agent.said import said, says
from voice_agent.settings import Floor

PLAYED = "The train travels sixty kilometers in forty-five minutes, so wait, it goes eighty kilometers per hour"


@pytest.mark.parametrize(
    ("text", "lasted_s", "expected"),
    [
        ("Uh-huh.", 0.5, "back-channel"),
        ("Mm-hmm.", 0.5, "back-channel"),
        ("Mm.", 0.3, "back-channel"),
        ("Mmmm.", 0.8, "back-channel"),
        ("Aha.", 0.4, "back-channel"),
        ("Yeah, okay.", 0.9, "back-channel"),
        ("I see.", 0.5, "back-channel"),
        ("Yeah, yeah, yeah, yeah.", 2.0, "correction"),  # too long to be in passing
        ("", 0.4, "noise"),
        (" ... ", 0.4, "noise"),
        ("Stop.", 0.4, "stop"),
        ("Okay, stop please.", 1.2, "stop"),
        ("Stop, stop, stop!", 1.2, "stop"),
        ("Wait.", 0.4, "stop"),
        ("Hold on a second.", 0.9, "stop"),
        ("That's enough.", 0.8, "stop"),
        ("That\u2019s enough, thank you.", 1.2, "stop"),
        ("Never mind.", 0.6, "stop"),
        ("Wait, I meant ninety.", 1.5, "correction"),
        ("Don't stop at sixty.", 1.2, "correction"),
        ("Sorry, I meant 90 kilometers.", 1.9, "correction"),
        ("The train travels ninety kilometers in 45 minutes.", 2.5, "correction"),  # all echo but the number
        ("The train does not travel sixty kilometers", 2.0, "correction"),
        ("travels 60 kilometers in 45 minutes", 2.0, "echo"),
        ("kilometers per hour", 1.2, "echo"),
        ("And what about miles?", 1.0, "question"),
        ("how about miles per hour", 1.3, "question"),
        ("Sorry, is that in miles", 1.3, "question"),
        ("Ninety.", 0.5, "correction"),
        ("No.", 0.3, "correction"),
    ],
)
def test_what_an_overlap_means(text: str, lasted_s: float, expected: str) -> None:
    assert judge(text, lasted_s, PLAYED, Floor()) == expected


@pytest.mark.parametrize(
    ("text", "lasted_s", "expected"),
    [
        ("F-ha.", 0.4, "back-channel"),  # "uh-huh" as tiny.en spells it, far from sure
        ("Mama.", 0.4, "back-channel"),
        ("Come on", 0.4, "back-channel"),
        ("Stop.", 0.4, "stop"),
        ("Ninety.", 0.5, "correction"),
        ("Not now.", 0.5, "correction"),
        ("Mama.", 1.5, "correction"),  # too long to be hummed
        ("The other train.", 0.9, "correction"),
    ],
)
def test_what_an_unsure_overlap_means(text: str, lasted_s: float, expected: str) -> None:
    assert judge(text, lasted_s, PLAYED, Floor(), doubtful=True) == expected


def test_words_that_open_no_answer_and_words_that_might_still_be_such() -> None:
    assert all(is_trivial(text) for text in ("", "Okay.", "Stop.", "Please stop.", "Uh-huh, right."))
    assert not any(is_trivial(text) for text in ("No.", "Please.", "Hold", "Hello", "Stop the train at noon"))
    assert all(may_become_trivial(text) for text in ("", "hold", "I", "okay just a", "please"))
    assert not any(may_become_trivial(text) for text in ("hello", "I am", "hold the"))


@given(
    st.lists(
        st.sampled_from(["okay", "stop", "hold", "on", "i", "see", "just", "a", "moment", "train", "no"]), max_size=6
    )
)
def test_every_beginning_of_a_trivial_text_may_become_trivial(words: list[str]) -> None:
    if is_trivial(" ".join(words)):
        assert all(may_become_trivial(" ".join(words[:n])) for n in range(len(words) + 1))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("It is 120 km/h.", "it is one hundred twenty km h"),
        ("a hundred and five", "one hundred five"),
        ("forty-five, 1,234 and -5", "forty five one thousand two hundred thirty four and minus five"),
        ("1.5 or 10-20", "one point five or ten twenty"),
        ("\\boxed{120} **80**", "boxed one hundred twenty eighty"),
        ("don\u2019t", "don't"),
    ],
)
def test_text_as_it_is_said(text: str, expected: str) -> None:
    assert " ".join(said(text)) == expected


@pytest.mark.parametrize(
    ("text", "phrase", "expected"),
    [
        ("That is one hundred and twenty kilometers per hour.", "120", True),
        ("That is 120 km/h.", "one hundred twenty", True),
        ("That is 120 km/h.", "20", False),
        ("one hundred twenty", "20", False),
        ("one hundred twenty", "100", False),
        ("180", "80", False),
        ("1.5", "5", False),
        ("80, 90", "90", True),
        ("eighty, ninety", "80", True),
        ("between eighty and ninety", "80", True),
        ("It is 80.", "80", True),
        ("It is -80.", "80", False),
        ("The moon pulls the water.", "moon", True),
        ("The moonlight.", "moon", False),
        ("So, the moon, pulls", "moon pulls", True),
        ("anything", "...", False),
    ],
)
def test_whole_words_and_whole_numbers(text: str, phrase: str, expected: bool) -> None:
    assert says(text, phrase) is expected


@given(st.integers(0, 10**14))
def test_a_number_in_digits_is_found_in_its_words_and_the_other_way_round(number: int) -> None:
    spelled = " ".join(said(str(number)))
    assert says(f"It is {spelled}.", str(number))
    assert says(f"It is {number:,}.", spelled)


@given(st.text(max_size=80))
def test_any_text_can_be_said(text: str) -> None:
    assert all(word == word.lower() for word in said(text))
