"""Clauses: lossless, independent of chunking, early at first, and never cut where it would change what is said."""

import pytest
from hypothesis import given, settings
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
        ("I am thinking about how sound travels in air.", ["I am thinking about how sound", " travels in air."]),
        ("I can tell you why the sea has tides.", ["I can tell you why the sea", " has tides."]),
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


WHOLE = [
    "1,234.5 km", "$5 million", "5 - 3 = 2", "x + 1", "May 5, 2024", "5 May 2024", "+1 (555) 123-4567", "3:45 p.m.",
    "1 1/2",
    "Dr. Smith", "St. Louis", "e.g. this", "No. 5", "Fig. 3", "J. K. Rowling", "Henry VIII", "Chapter IV", "2 h 30 min",
    "$x = 3, y + 4 = 7$", r"$\ln x$", r"\( a, b. c \)", r"\[ x = 1. y = 2 \]",
    r"\begin{aligned} a &= b. \\ c &= d \end{aligned}",
    r"\boxed{1, 2, 3}", "```python\nfor x in y:\n    stop(1, 2). Now\n```", "`a, b. c`",
    "[the docs. Here](http://a.b/c d)",
    "https://a.com/b,c.d", "jane.b@c-d.com", "from 1939 to 1945",
]  # fmt: skip


@pytest.mark.parametrize("whole", WHOLE)
@given(
    before=st.lists(st.sampled_from(["so", "then", "well,", "the train", "it goes", "yes."]), max_size=8),
    after=st.lists(st.sampled_from(["and", "then", "today.", "goes home", "well,", "6"]), max_size=8),
    first=st.integers(1, 5),
    later=st.integers(2, 12),
)
@settings(max_examples=25)
def test_nothing_is_cut_that_only_makes_sense_whole(
    whole: str, before: list[str], after: list[str], first: int, later: int
) -> None:
    splitter = ClauseSplitter(Speaking(first_clause_words=first, clause_words=later))
    clauses = splitter.push(" ".join([*before, whole, *after])) + splitter.flush()
    assert any(whole in clause for clause in clauses)


def test_a_listing_is_one_clause_and_an_unclosed_formula_does_not_silence_the_rest() -> None:
    listing = "```\n" + "call(1, 2). done\n" * 100 + "```"
    assert listing in "".join(clauses_of(f"Here it is:\n\n{listing}\n\nThat is all.")[1:2])
    rest = "and so the train goes on to the next town. " * 30
    assert len(clauses_of(rf"So \(x = 3 {rest}")) > 5


def test_a_first_clause_is_short_and_waits_for_no_more_than_the_next_word() -> None:
    splitter = ClauseSplitter(SETTINGS)
    assert splitter.push("The train travels sixty") == []
    assert splitter.push(" k") == ["The train travels sixty"]


def test_later_clauses_are_longer() -> None:
    text = "Well then, we go on, and the train, which is fast, leaves the station, and then it comes to the next one."
    first, *later = clauses_of(text)
    assert first == "Well then,"
    assert all(6 <= len(clause.split()) <= 14 for clause in later[:-1])


@pytest.mark.parametrize(("left_s", "clause"), [(1.4, [" the train leaves the station"]), (1.5, [])])
def test_where_sound_runs_out_a_later_clause_is_short_too(left_s: float, clause: list[str]) -> None:
    splitter = ClauseSplitter(SETTINGS)
    assert splitter.push("It is late. ") == ["It is late."]
    assert splitter.push("the train leaves the station with", left_s) == clause


def test_a_later_clause_is_shortest_where_sound_is_about_to_end() -> None:
    splitter = ClauseSplitter(Speaking(first_clause_words=7))
    assert splitter.push("You want to know the final price for", 0) == ["You want to know the final price"]
    assert splitter.push(" a shirt that costs $40 and", 0.75) == []
    assert splitter.push(" is", 0.74) == [" for a shirt that costs"]  # a place that it has passed already
    assert splitter.push(" 20% off. ", 0) == [" $40 and is 20% off."]


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
