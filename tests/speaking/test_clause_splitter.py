"""Clauses: lossless, independent of chunking, early at first, and never cut where it would change what is said."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from voice_agent.settings import Speaking
from voice_agent.speaking.clause_splitter import ClauseSplitter

SETTINGS = Speaking(first_clause_words=4, clause_words=12)


def clauses_of(*chunks: str) -> list[str]:
    splitter = ClauseSplitter(SETTINGS)
    pushed = [clause for chunk in chunks for clause in splitter.push(chunk)]
    return pushed + splitter.flush()


@pytest.mark.parametrize(
    ("text", "clauses"),
    [
        ("Yes. It is.", ["Yes.", " It is."]),
        ("Well, I think so.", ["Well, I think so."]),
        ("Let's see, the speed is 80.", ["Let's see,", " the speed is 80."]),
        ("The train travels sixty kilometers.", ["The train travels sixty", " kilometers."]),
        ("The answer is the speed of the train.", ["The answer is the speed", " of the train."]),
        ("The answer is 120 km/h. Good.", ["The answer is 120 km/h.", " Good."]),
        ("It costs 3.14 or 1,234 at 3:45. Yes.", ["It costs 3.14 or 1,234 at 3:45.", " Yes."]),
        ("Ask Dr. Smith, e.g. now. Bye.", ["Ask Dr. Smith,", " e.g. now.", " Bye."]),
        ("So $x = 3 + 4 = 7$ holds.", ["So $x = 3 + 4 = 7$ holds."]),
        ("So it is $5. Then $10 more.", ["So it is $5.", " Then $10 more."]),
        ("You pay 2 * $5 = $10 total. Good.", ["You pay 2 * $5 = $10 total.", " Good."]),
        (r"It is \boxed{1, 2, 3} now, see?", [r"It is \boxed{1, 2, 3} now,", " see?"]),
        (r"Then \( a, b, c \) hold. Yes.", [r"Then \( a, b, c \)", " hold.", " Yes."]),
        ("Call `a, b. c` now. Done.", ["Call `a, b. c`", " now.", " Done."]),
        ("See [the docs. Here](http://a.b/c) please. Ok.", ["See [the docs. Here](http://a.b/c)", " please.", " Ok."]),
        ("**Note:** it is late.", ["**Note:** it is late."]),
        ("It is **very late.** Go home.", ["It is **very late.**", " Go home."]),
        ("1. First, multiply.\n2. Then add.", ["1. First,", " multiply.", "\n2. Then add."]),
        ("<think>No, wait. It is</think> Fine. Go.", ["<think>No, wait. It is</think>", " Fine.", " Go."]),
        ("", []),
        ("  \n", ["  \n"]),
    ],
)
def test_cuts(text: str, clauses: list[str]) -> None:
    assert clauses_of(text) == clauses


def test_later_clauses_are_longer() -> None:
    text = "Well then, we go on, and the train, which is fast, leaves the station, and then it comes to the next one."
    first, *later = clauses_of(text)
    assert first == "Well then,"
    assert all(6 <= len(clause.split()) <= 14 for clause in later[:-1])


def test_a_word_is_cut_off_only_when_it_is_complete() -> None:
    splitter = ClauseSplitter(SETTINGS)
    assert splitter.push("It is 3.") == []
    assert splitter.push("14") == []
    assert splitter.push(". ") == ["It is 3.14."]


def test_clear_opens_a_new_reply() -> None:
    splitter = ClauseSplitter(SETTINGS)
    splitter.push("Let us see, and then")
    splitter.clear()
    assert splitter.push("All right, then what") == ["All right,"]
    assert splitter.flush() == [" then what"]


MARKS = [
    "the", "train", " ", ", ", ". ", "3", ".", ",", "14", "$", "`", "**", "\\(", "\\)", "{", "}", "[", "]", "\n", "Dr.",
    "e.g.", "km/h", "<think>", "</think>", " - ", "!", "?", "x", "=", '"', "\u00a0", "é", "😀",
]  # fmt: skip
WRITTEN = st.lists(st.sampled_from(MARKS), max_size=60).map("".join)


@given(text=WRITTEN | st.text(max_size=200), data=st.data())
def test_lossless_and_streamed_is_whole(text: str, data: st.DataObject) -> None:
    cuts = sorted(data.draw(st.lists(st.integers(0, len(text)), max_size=20)))
    chunks = [text[a:b] for a, b in zip([0, *cuts], [*cuts, len(text)], strict=True)]
    whole = clauses_of(text)
    assert "".join(whole) == text
    assert clauses_of(*chunks) == whole
    assert clauses_of(*text) == whole
