"""What is said for what is written, and the map between the two."""
# ruff: noqa: E501, RUF001 - a case a line; signs that look alike are what this file is about

import pytest
from hypothesis import given
from hypothesis import strategies as st

from voice_agent.speaking.spoken_form import spoken_form
from voice_agent.speaking.spoken_rules import CLAIMED

CASES = [
    # marks
    ("The **bold** and _slanted_ `word`", "The bold and slanted word"),
    ("# Title\n- one\n* two\n> three", "Title one two three"),
    ("1. First", "one. First"),
    ("[the docs](http://a.b/c) here", "the docs here"),
    ("see https://www.example.com/x?y", "see example dot com"),
    ("```python\nwait()\n```", "wait()"),
    ("| a | b |\n|---|---|\n| c | d |", "a, b c, d"),
    ("snake_case and/or he/she", "snake case and or he or she"),
    ("Yes 😀👍🏽 ok ✅", "Yes ok"),
    ("Well — it is—so", "Well, it is, so"),
    # what must never be voiced
    ("<|im_end|>Hello<|im_start|>", "Hello"),
    ("<think>secret</think>Hello </think>you", "Hello you"),
    ("Hello <think>secret", "Hello"),
    ("<s>Hi</s><end_of_turn>", "Hi"),
    # numbers
    ("120 and 1,234,567", "one hundred twenty and one million two hundred thirty-four thousand five hundred sixty-seven"),
    ("1,234.5 and 0.75 and 3.10", "one thousand two hundred thirty-four point five and zero point seven five and three point one zero"),
    ("-5 and (−3)", "minus five and (minus three)"),
    ("007 and 12345678901234567", "zero zero seven and one two three four five six seven eight nine zero one two three four five six seven"),
    ("the 2nd, 21st and 100th", "the second, twenty-first and one hundredth"),
    ("in 1999, in 2024", "in nineteen ninety-nine, in twenty twenty-four"),
    ("The answer is 1920.", "The answer is one thousand nine hundred twenty."),
    ("May 5, 2024 and 2024-05-01", "May five, twenty twenty-four and May first, twenty twenty-four"),
    ("3/4 of 1/2 and 1 1/2 and ½", "three quarters of one half and one and one half and one half"),
    ("5-10 minutes", "five to ten minutes"),
    ("GPT-4 and H2O and #5", "GPT-four and H2O and number five"),
    # times and amounts
    ("3:45, 3:05, 12:00, 8 pm, 7:30 a.m.", "three forty-five, three oh five, twelve o'clock, eight PM, seven thirty AM"),
    ("a 2:1 ratio", "a two to one ratio"),
    ("$5, $1, $1,234.50, €20 and $5 million", "five dollars, one dollar, one thousand two hundred thirty-four dollars and fifty cents, twenty euros and five million dollars"),
    ("50% of $0.99", "fifty percent of ninety-nine cents"),
    ("80 km/h, 1 km, 21 km", "eighty kilometers per hour, one kilometer, twenty-one kilometers"),
    ("9.8 m/s^2 and 5 m/s in 45 min", "nine point eight meters per second squared and five meters per second in forty-five minutes"),
    ("20 °C, 3 kg, 1 m², in km/h.", "twenty degrees Celsius, three kilograms, one square meter, in kilometers per hour."),
    # formulas
    ("60 * 4 / 3 = 80", "sixty times four divided by three equals eighty"),
    ("60 × 4 ÷ 3 ≈ 80", "sixty times four divided by three is about eighty"),
    ("2*3*4=24 and 7 - 2 + 1", "two times three times four equals twenty-four and seven minus two plus one"),
    ("12-3=9", "twelve minus three equals nine"),
    ("(60 km) / (0.75 h)", "(sixty kilometers) divided by (zero point seven five hours)"),
    ("v = d/t, x - 1 = -3", "v equals d over t, x minus one equals minus three"),
    (r"\boxed{120} km/h", "one hundred twenty kilometers per hour"),
    (r"\(60 \times \frac{4}{3} = 80\)", "sixty times four over three equals eighty"),
    (r"$\frac{1}{2}x^2$", "one half x squared"),
    (r"\[\sqrt{\frac{2}{x}}\]", "the square root of two over x"),
    (r"$60 \text{ km/h}$ and $x_1$", "sixty kilometers per hour and x one"),
    ("x^3, 10^6, 10^{-3}, 2**3", "x cubed, ten to the power of six, ten to the power of minus three, two to the power of three"),
    ("x < 5 and 3 >= 2", "x is less than five and three is at least two"),
    ("it costs $5 and $10", "it costs five dollars and ten dollars"),
    # abbreviations
    ("Dr. Smith, e.g. the U.S. vs. me etc.", "Doctor Smith, for example the U S versus me et cetera"),
    ("No. 5? No. Yes.", "number five? No. Yes."),
    # nothing to say
    ("", ""),
    ("** ```", ""),
    ("...", ""),
]  # fmt: skip


@pytest.mark.parametrize(("written", "spoken"), CASES)
def test_said(written: str, spoken: str) -> None:
    assert spoken_form(written).text == spoken


def test_words_are_found_again_in_what_was_written() -> None:
    written = "So **60 km** in 1,234.5 min: $x^2$"
    form = spoken_form(written)
    words = form.text.split()
    assert [(written[s.start : s.end], " ".join(words[s.first_word : s.end_word])) for s in form.spans] == [
        ("So", "So"),
        ("60", "sixty"),
        ("km", "kilometers"),
        ("in", "in"),
        ("1,234.5", "one thousand two hundred thirty-four point five"),
        ("min:", "minutes:"),
        ("x", "x"),
        ("^2", "squared"),
    ]


MARKS = [
    "60", " ", "km", "*", "**", "$", "\\frac{", "}{", "}", "\\(", "\\)", "-", "/", "=", ".", ",", ":", "1", "[", "](", ")",
    "<think>", "</think>", "<|im_end|>", "\n", "#", "|", "`", "_", "^", "%", "a", "Dr.", "th", "pm", CLAIMED, "\\", "{",
]  # fmt: skip
WILD = st.lists(st.sampled_from(MARKS), max_size=40).map("".join)


@given(written=WILD | st.text(max_size=100))
def test_any_text_keeps_the_map_whole(written: str) -> None:
    form = spoken_form(written)
    assert CLAIMED not in form.text
    assert not any(mark in form.text for mark in ("**", "`", "<|im_end|>", "think>", "\\", "{"))
    next_word, position = 0, 0
    for span in form.spans:
        assert span.first_word == next_word < span.end_word
        assert position <= span.start < span.end <= len(written)
        next_word, position = span.end_word, span.end
    assert next_word == len(form.text.split())
