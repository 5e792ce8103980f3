"""What is said for what is written, and the map between the two."""
# ruff: noqa: E501, RUF001 - a case a line; signs that look alike are what this file is about

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from voice_agent.settings import Speaking
from voice_agent.speaking.clause_splitter import ClauseSplitter
from voice_agent.speaking.spoken_form import spoken_form
from voice_agent.speaking.spoken_form.rule import CLAIMED, LINE_BREAK
from voice_agent.speaking.word_alignment import word_timings

from .spoken_cases import CASES, KINDS


@pytest.mark.parametrize("kind", KINDS)
def test_said(kind: str) -> None:
    said = {written: spoken_form(written).text for written, _ in KINDS[kind]}
    assert said == dict(KINDS[kind])


def test_there_are_cases_enough() -> None:
    assert len({written for written, _ in CASES}) >= 200


# --- the map ---------------------------------------------------------------------------------------------------------

SPANS = [
    (
        "So **60 km** in 1,234.5 min: $x^2$",
        "So|So 60|sixty km|kilometers in|in 1,234.5|one thousand two hundred thirty-four point five min:|minutes: "
        "x|x ^2|squared",
    ),
    (r"\(\frac{x}{2} + 1\)", r"\frac{x|x }{|over 2|two }_+|plus 1|one"),
    (r"$\sqrt{16} = 4$", r"\sqrt{|the square root of 16|sixteen }_=|equals 4|four"),
    (r"$\frac{1}{2}x$", r"\frac{1}{2|one half }x|x"),
    (r"$\sum_{i=1}^{n} i$", r"\sum|the sum _{|from i|i =|equals 1|one }^{|to n|n }|of i|i"),
    (r"$60 \text{ km/h}$ now", r"60|sixty \text{_km/h|kilometers per hour now|now"),
    ("On May 5, 2024 at 3:45 pm", "On|On May|May 5|fifth, 2024|twenty twenty-four at|at 3:45|three forty-five pm|PM"),
    ("$1,234.56 or 123", "$1,234.56|one thousand two hundred thirty-four dollars and fifty-six cents or|or 123|one hundred twenty-three"),
    ("5-10 kg", "5|five -|to 10|ten kg|kilograms"),
    ("call +1 555-0199!", "call|call +1_555-0199!|plus one, five five five, zero one nine nine!"),
    ("see www.a-b.com now", "see|see www.a-b.com|a dash b dot com now|now"),
    ("Dr. Smith, e.g. Henry VIII", "Dr.|Doctor Smith,|Smith, e.g.|for example Henry|Henry VIII|the eighth"),
    ("1 1/2 of 3/4", "1|one 1/2|and one half of|of 3/4|three quarters"),
    ("[the docs](http://a.b) x", "the|the docs|docs x|x"),
    ("# Title\n- a `b` 😀 c", "Title|Title a|a b|b c|c"),
    ("1.5e6 and -3°C", "1.5|one point five e6|times ten to the power of six and|and -|minus 3|three °C|degrees Celsius"),
    ("x ≤ 5 ± 2%", "x|x _≤_|is at most 5|five _±_|plus or minus 2|two %|percent"),
    ("1914–1918", "1914|nineteen fourteen –1918|to nineteen eighteen"),
]  # fmt: skip


@pytest.mark.parametrize(("written", "pairs"), SPANS)
def test_words_are_found_again_in_what_was_written(written: str, pairs: str) -> None:
    form = spoken_form(written)
    words = form.text.split()
    found = [(written[s.start : s.end].strip(), " ".join(words[s.first_word : s.end_word])) for s in form.spans]
    assert " ".join(f"{stretch.replace(' ', '_')}|{said}" for stretch, said in found) == re.sub(
        r"(?<![\w}])_(?=[≤±])|(?<=[≤±])_", "", pairs
    )


@pytest.mark.parametrize(("written", "_"), CASES)
def test_a_cut_in_a_long_expansion_keeps_to_the_written_words_that_are_through(written: str, _: str) -> None:
    """Word n of the speech ends at sample n: what has sounded is written for the words up to n, and for no other."""
    form = spoken_form(written)
    count = len(form.text.split())
    timings = word_timings(written, form, list(range(1, count + 1)), count)
    for sample in range(1, count):
        sounded = max((t.end for t in timings if t.end_sample <= sample), default=0)
        through = [span for span in form.spans if span.end_word <= sample]
        to_come = [span for span in form.spans if span.end_word > sample]
        assert all(span.end <= sounded for span in through)
        assert all(span.start >= sounded for span in to_come)


# --- any text --------------------------------------------------------------------------------------------------------

MARKS = [
    "60", " ", "km", "*", "**", "$", "\\frac{", "}{", "}", "\\(", "\\)", "-", "/", "=", ".", ",", ":", "1", "[", "](", ")",
    "<think>", "</think>", "<|im_end|>", "\n", "#", "|", "`", "_", "^", "%", "a", "Dr.", "th", "pm", CLAIMED, "\\", "{",
    LINE_BREAK, "```", "\\begin{aligned}", "\\end{aligned}", "&", "\\sqrt", "^2", "½", "²", "@", "www.a.com", "May", "V",
    "\\left(", "\\right)", "2024", "\\sum_", "e6", "°", "€", "+", "~", "<", ">", "\\text{", "→", "😀", "'", '"',
]  # fmt: skip
WILD = st.lists(st.sampled_from(MARKS) | st.sampled_from([written for written, _ in CASES]), max_size=30).map("".join)
SPOKEN_MARKS = re.compile(rf"[*`~^|\\{{}}<>#$_{CLAIMED}{LINE_BREAK}]|think>|im_end|\[|\]")


@given(written=WILD | st.text(max_size=100), language=st.sampled_from(["en-us", "de"]))
def test_any_text_becomes_speech_without_marks_and_keeps_the_map_whole(written: str, language: str) -> None:
    form = spoken_form(written, language)
    assert not SPOKEN_MARKS.search(form.text)
    next_word, position = 0, 0
    for span in form.spans:
        assert span.first_word == next_word < span.end_word
        assert position <= span.start < span.end <= len(written)
        next_word, position = span.end_word, span.end
    count = len(form.text.split())
    assert next_word == count
    timings = word_timings(written, form, list(range(1, count + 1)), count)
    assert "".join(written[t.start : t.end] for t in timings) == written


PROSE = [
    "the",
    "train",
    "so",
    "then",
    "fast",
    "slowly",
    "answer",
    "is",
    "was",
    "of",
    "a",
    "and",
    "it",
    "goes",
    "to",
    "town",
    "speed",
    "which",
    "number",
    "today",
    "I",
    "we",
]
ENDS = ["", "", "", ",", ".", "?", ":", ";", ".\n", "\n", ",\n- "]
PIECES = st.tuples(st.sampled_from(PROSE) | st.sampled_from([written for written, _ in CASES]), st.sampled_from(ENDS))
TEXTS = st.lists(PIECES, min_size=1, max_size=25).map(lambda pieces: " ".join(word + end for word, end in pieces))


def words_of(text: str) -> list[str]:
    return re.findall(r"[^\W_]+(?:['’-][^\W_]+)*", text)


@given(text=TEXTS, first=st.integers(1, 6), later=st.integers(2, 12))
def test_clauses_are_said_as_they_would_be_within_the_whole(text: str, first: int, later: int) -> None:
    splitter = ClauseSplitter(Speaking(first_clause_words=first, clause_words=later))
    clauses = splitter.push(text) + splitter.flush()
    said = [word for clause in clauses for word in words_of(spoken_form(clause).text)]
    assert said == words_of(spoken_form(text).text)


# --- other languages -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("written", "spoken"),
    [
        ("**Um** 15:30 Uhr, 3,5 km für 12 €", "Um 15:30 Uhr, 3,5 km für 12 €"),
        ("# Titel\n- `eins`\n- [zwei](http://a.b)", "Titel eins zwei"),
        (r"Also $x = \frac{1}{2}$ 😀", "Also x = 1 2"),
        ("<think>nein</think>ja", "ja"),
    ],
)
def test_other_languages_leave_numbers_and_signs_to_espeak(written: str, spoken: str) -> None:
    assert spoken_form(written, "de").text == spoken
