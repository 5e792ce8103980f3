"""Corrected questions: the recomputed answer is right, and rows where it might not be are left alone."""

from __future__ import annotations

import json
import re
from fractions import Fraction
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from voice_agent.evaluation.alterations import Alteration, alteration_of, spelled

PEN = "A pen costs $4 and a book costs three times as much. Ann buys 7 pens and 5 books. How much does she pay?"
PEN_SOLUTION = (
    "A book costs 4*3=$<<4*3=12>>12.\nThe pens cost 7*4=$<<7*4=28>>28.\nThe books cost 5*12=$<<5*12=60>>60.\n"
    "She pays 28+60=$<<28+60=88>>88.\n#### 88"
)


def answer_to_pens(price: Fraction, pens: Fraction, books: Fraction) -> Fraction:
    return price * pens + 3 * price * books


@given(st.integers(0, 200))
def test_the_recomputed_answer_is_that_of_the_formula(seed: int) -> None:
    made = alteration_of(PEN, PEN_SOLUTION, seed)
    assert made is not None
    price, pens, books = (made.new if made.old == value else Fraction(value) for value in (4, 7, 5))
    assert made.altered_answer == answer_to_pens(price, pens, books) != made.answer == 88
    assert made.old in (4, 5, 7)
    assert made.new not in (4, 7, 5, 3)
    old, new = spelled(made.old), spelled(made.new)
    assert re.sub(rf"\b{new}\b", old, made.altered_question) == PEN
    assert made.correction in {
        f"Sorry, I meant ${new}, not ${old}.",
        f"Sorry, I meant {new} pens, not {old}.",
        f"Sorry, I meant {new} books, not {old}.",
    }
    assert {made.new, made.altered_answer} <= made.fresh
    assert made.fresh.isdisjoint({Fraction(value) for value in (3, 4, 5, 7, 12, 28, 60, 88)})


def test_the_same_row_gives_the_same_alteration() -> None:
    assert alteration_of(PEN, PEN_SOLUTION, 3) == alteration_of(PEN, PEN_SOLUTION, 3)


@pytest.mark.parametrize(
    ("question", "solution"),
    [
        pytest.param("He has 6 cats and 6 dogs. All?", "6+6=<<6+6=12>>12\n#### 12", id="the number stands twice"),
        pytest.param("He has 12 cats and six dogs.", "He has 18.\n#### 18", id="no annotation"),
        pytest.param("He has 12 cats and 6 dogs.", "12+5=<<12+5=17>>17\n#### 17", id="an operand from nowhere"),
        pytest.param("He has 13 cats and 8 dogs.", "13+8=<<13+8=22>>22\n#### 22", id="an annotation that is wrong"),
        pytest.param("He has 13 cats and 8 dogs.", "13+8=<<13+8=21>>21, so 20.\n#### 20", id="another final answer"),
        pytest.param("He has 13 cats and 8 dogs.", "13+8=<<13+8=21>>21, then 19.\n#### 21", id="a number in prose"),
        pytest.param(
            "He has 4 cats, then half as many dogs.",
            "4/2 = 2 dogs. 4+2=<<4+2=6>>6\n#### 6",
            id="a step without annotation",
        ),
        pytest.param("He has 13 cats, at least 8 dogs.", "13+8=<<13+8=21>>21\n#### 21", id="a comparison"),
        pytest.param("He has 13 cats, most of 8 dogs.", "13+8=<<13+8=21>>21\n#### 21", id="a superlative"),
        pytest.param("He sells 15% of 1/4.", "15/4=<<15/4=3.75>>3.75\n#### 3.75", id="percentages and fractions"),
        pytest.param("He works 7 days a week.", "7+7=<<7+7=14>>14\n#### 14", id="a number that is a constant too"),
        pytest.param(
            "He has 8 cats, and 4 dogs with half of that.",
            "8/2=<<8/2=4>>4, and 4+4=<<4+4=8>>8.\n#### 8",
            id="a result that is also asked for",
        ),
        pytest.param("He has 9 cats.", "9**2=<<9**2=81>>81\n#### 81", id="an operator that is not arithmetic"),
        pytest.param("He has 9 cats.", "9+f(9)=<<9+f(9)=81>>81\n#### 81", id="a call"),
        pytest.param("He has 9 cats.", "#### nine", id="an answer that is no number"),
    ],
)
def test_what_is_not_certain_is_left_alone(question: str, solution: str) -> None:
    assert all(alteration_of(question, solution, seed) is None for seed in range(20))


@given(st.integers(0, 100))
def test_results_stay_positive_and_whole(seed: int) -> None:
    solution = "He gives away 24/8=<<24/8=3>>3 bags... and keeps 24-21=<<24-21=3>>3"
    made = alteration_of("Of 24 sweets he eats 20. The rest goes into bags of 4.", "24-20=<<24-20=4>>4\n#### 4", seed)
    assert made is None or made.altered_answer > 0
    made = alteration_of("He packs 24 sweets into 8 bags.", "24/8=<<24/8=3>>3\n#### 3", seed)
    assert made is None or made.altered_answer.denominator == 1
    assert alteration_of("He has 24 sweets, 21 and 8.", solution + "\n#### 3", seed) is None


@pytest.mark.parametrize(
    ("value", "text"), [("12", "12"), ("2500", "2500"), ("12000", "12,000"), ("2.5", "2.5"), ("0.75", "0.75")]
)
def test_numbers_as_they_are_written(value: str, text: str) -> None:
    assert spelled(Fraction(value)) == text


@given(st.text(max_size=80), st.text(max_size=80), st.integers(0, 5))
def test_any_texts_give_an_alteration_or_none(question: str, solution: str, seed: int) -> None:
    assert isinstance(alteration_of(question, solution, seed), Alteration | None)


def test_enough_rows_of_the_real_set_can_be_altered() -> None:
    path = Path(__file__).resolve().parents[3] / "shared" / "data" / "gsm8k_first400.jsonl"
    if not path.is_file():
        pytest.skip(f"no question set at {path}")
    rows = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
    made = [alteration_of(row["question"], row["answer"], seed=i) for i, row in enumerate(rows)]
    found = [alteration for alteration in made if alteration is not None]
    assert sum(alteration is not None for alteration in made[300:400]) >= 40
    for one in found:
        assert one.altered_question != one.question
        assert one.altered_answer > 0
        assert one.new in one.fresh


@pytest.mark.parametrize(
    ("question", "counted"),
    [
        ("He had 22 green pens.", " green pens"),
        ("He had 22 pails of water.", " pails"),
        ("He had 22 in all.", ""),
        ("He had 22.", ""),
        ("He had 22 more.", ""),
    ],
)
def test_a_correction_names_what_is_counted(question: str, counted: str) -> None:
    seeds = (alteration_of(f"{question} He gets 9 others.", "22+9=<<22+9=31>>31\n#### 31", seed) for seed in range(20))
    corrections = [made.correction for made in seeds if made is not None and made.old == 22]
    assert corrections
    assert all(re.fullmatch(rf"Sorry, I meant \d+{counted}, not 22\.", correction) for correction in corrections)
