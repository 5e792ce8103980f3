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
        ("That's all right.", 0.9, "back-channel"),
        ("That's all good, thanks.", 1.2, "back-channel"),
        ("Good enough.", 0.6, "back-channel"),
        ("That's all.", 0.6, "stop"),
        ("That's enough.", 0.7, "stop"),
        ("Mm-hmm.", 0.5, "back-channel"),
        ("Mm.", 0.3, "back-channel"),
        ("Mmmm.", 0.8, "back-channel"),
        ("Aha.", 0.4, "back-channel"),
        ("M.H.M.", 0.5, "back-channel"),
        ("N-M-H-N-N.", 1.0, "back-channel"),
        ("N-H-N-N, okay.", 1.0, "back-channel"),
        ("U turn.", 0.8, "correction"),
        ("One minute.", 0.8, "stop"),
        ("Yeah, okay.", 0.9, "back-channel"),
        ("I see.", 0.5, "back-channel"),
        ("Yeah, yeah, yeah, yeah.", 2.0, "correction"),  # too long to be in passing
        ("", 0.4, "noise"),
        (" ... ", 0.4, "noise"),
        ("Stop.", 0.4, "stop"),
        ("Okay, stop please.", 1.2, "stop"),
        ("Stop, stop, stop!", 1.2, "stop"),
        ("start, stop, stop.", 1.2, "stop"),
        ("Don't stop, stop.", 1.2, "correction"),
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


# With Whisper's spellings of synthetic voices: "1 sec." was "One sec.", "F-ha." was "Uh-huh."
STOPS = """
Stop. | Stop! | Stop, stop, stop. | stop it | Stop that now. | No, stop. | No stop. | No, no, stop. | Nope, stop.
Okay, stop please. | Okay stop, please. | Please stop. | Just stop. | Hey, stop. | Hey stop! | B. Stop. | Sorry, stop.
I said stop. | You can stop now. | Can you stop? | Could you please stop? | Would you stop talking, please?
Stop right there. | Wait. | Wait, wait. | wait wait | Wait a sec. | Wait, stop. | No, wait. | Okay, wait a minute.
Hold on. | Hold on a sec. | Hang on. | Hang on a sec. | Hang on a second, please. | Hold up. | Just a sec. | 1 sec.
One second. | Give me a second. | Enough. | That's enough. | That's enough, thanks. | That\u2019s enough for now.
Okay, that's enough, thank you. | That's all, thanks. | Thank you, that'll do. | That's it, thanks.
Be quiet, please. | Quiet. | Shut up. | Shh. | Never mind. | Okay, never mind. | Forget it. | Cancel. | Pause, please.
All right, enough. | Well, stop then. | M. Stop. | Hmm, stop.
"""
HEARD_OUT = """
Uh-huh. | Uh huh, uh huh. | F-ha. | Aha | A-ha. | Aha, aha. | Uh-huh, right. | Huh. | Mm-hmm. | Mhm. | Mmmhm. | MHM
Mm. | M-M. | muh | HMM. | MMMM | Hmm, okay. | Ah. | Oh. | Um. | Okay. | OK. | Okay, okay. | Yeah. | Yes.
Yep. | Yup. | Yeah, yeah, yeah | Right. | Right, right. | Alright. | All right. | Sure. | I see. | Oh I see. | Got it.
Okay, got it. | Gotcha. | I understand. | That makes sense. | Makes sense. | Go on. | Go ahead. | Come on
Good. | Very good. | Great. | Cool. | Nice. | Wow. | Oh, wow. | Well. | Exactly. | Of course. | Interesting.
sounds good. | fair enough. | Ugh, right. | Thank you. | Thanks. | Ha ha. | Ahem. | Oops. | So. | The |  | ...
and then | You
"""
TAKEN_IN = """
No. | Ninety. | Rome. | Miles. | Sorry, ninety. | No, ninety. | Not sixty. | Wrong. | Wait, ninety. | Stop at Rome.
The bus stop. | Don't stop. | Never stop at noon. | It stops twice. | Wait times are longer.
In one second it goes ten meters. | Enough apples? | Right turn. | The right one. | Good trains only.
You said sixty. | So what? | And then? | Why? | Okay, but why? | Yes, but in miles. | Oh, and a bus.
Thank you, now in miles. | Sure, but it was ninety. | How come? | That's not enough. | Is that all of them?
"""


def phrases(table: str) -> list[str]:
    return [phrase.strip() for line in table.strip("\n").splitlines() for phrase in line.split("|")]


@pytest.mark.parametrize("text", phrases(STOPS))
def test_a_stop_is_obeyed(text: str) -> None:
    assert judge(text, 1.2, PLAYED, Floor()) == "stop"


@pytest.mark.parametrize("text", phrases(HEARD_OUT))
def test_what_says_nothing_ends_no_answer(text: str) -> None:
    assert judge(text, 0.8, PLAYED, Floor()) in ("back-channel", "noise")


@pytest.mark.parametrize("text", phrases(TAKEN_IN))
def test_short_words_that_say_something_are_taken_in(text: str) -> None:
    assert judge(text, 0.8, PLAYED, Floor()) in ("correction", "question")


def test_the_tables_are_long_enough_to_speak_of_shares() -> None:
    assert min(len(phrases(table)) for table in (STOPS, HEARD_OUT, TAKEN_IN)) >= 30


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
