"""Words become final once, in order, whatever the recogniser makes of the rest."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from voice_agent.events import Word
from voice_agent.hearing.word_agreement import WordAgreement, place_to_cut, plain_text

VOCABULARY = ["a", "train", "very", "no", "sixty", "is", "it"]


def said(text: str, start_s: float = 0.0, word_s: float = 0.3) -> list[Word]:
    return [
        Word(word, start_s + i * word_s, start_s + (i + 1) * word_s, final=False) for i, word in enumerate(text.split())
    ]


def texts(words: list[Word]) -> str:
    return " ".join(word.text for word in words)


def test_two_readings_agree() -> None:
    agreement = WordAgreement()
    assert agreement.push(said("a train travels six")) == []
    assert texts(agreement.push(said("A train, travels sixty kilo"))) == "A train, travels"
    assert texts(agreement.pending) == "sixty kilo"
    assert texts(agreement.push(said("A train travels sixty kilometers."))) == "sixty"
    assert texts(agreement.finish(said("A train travels sixty kilometers in all."))) == "kilometers in all."
    assert all(word.final for word in agreement.final)


def test_the_last_word_waits_for_its_punctuation() -> None:
    agreement = WordAgreement()
    agreement.push(said("how fast is."))
    assert texts(agreement.push(said("how fast is."))) == "how fast"
    assert texts(agreement.finish(said("how fast is it?"))) == "is it?"


def test_a_final_word_is_not_revised_nor_repeated() -> None:
    agreement = WordAgreement()
    for _ in range(2):
        agreement.push(said("I met ninety kilometers"))
    assert texts(agreement.final) == "I met ninety"
    assert texts(agreement.finish(said("I meant ninety kilometers"))) == "kilometers"


@pytest.mark.parametrize(
    "readings",
    [
        ("was 86.", "was $86 in favor.", "was $86.50."),
        ("we drove three", "we drove three hundred", "we drove 320 miles"),
        ("it is twenty", "it is twenty f", "it is twenty five now"),
        ("it is 10", "it is 10 for", "it is 10:40 now."),
    ],
)
def test_a_number_waits_until_it_is_over(readings: tuple[str, ...]) -> None:
    agreement = WordAgreement()
    for reading in readings:
        agreement.push(said(reading))
    agreement.finish(said(readings[-1]))
    assert texts(agreement.final) == readings[-1]


def test_a_number_is_final_when_two_readings_hear_what_follows() -> None:
    agreement = WordAgreement()
    assert agreement.push(said("it costs forty two dollars and")) == []
    assert texts(agreement.push(said("it costs forty two dollars and more"))) == "it costs forty two dollars and"
    assert texts(agreement.push(said("it costs forty two dollars and more than two"))) == "more"


def test_a_final_word_split_in_two_is_found_by_time() -> None:
    agreement = WordAgreement()
    for _ in range(2):
        agreement.push(said("go ninety now"))
    revised = [*said("go"), Word("nine", 0.3, 0.45, False), Word("tea", 0.45, 0.6, False), *said("now", 0.6)]
    assert texts(agreement.finish(revised)) == "now"


def test_words_said_twice_stay_twice() -> None:
    agreement = WordAgreement()
    agreement.push(said("no no no I"))
    assert texts(agreement.push(said("no no no I said"))) == "no no no I"
    assert texts(agreement.finish(said("no no no I said no no", word_s=0.29))) == "said no no"


def test_a_phrase_said_twice_is_not_taken_for_the_first_time() -> None:
    """As Whisper times it: the second "population" lasts 40 ms."""
    times_s = (
        (1.2, 1.9),
        (1.9, 1.9),
        (1.9, 2.3),
        (2.3, 2.5),
        (2.5, 3.1),
        (3.1, 3.6),
        (3.62, 3.66),
        (3.7, 4.1),
        (4.1, 4.5),
    )
    text = "the population of Canada with the population of Poland"
    words = [Word(word, start_s, end_s, False) for word, (start_s, end_s) in zip(text.split(), times_s, strict=True)]
    agreement = WordAgreement()
    agreement.push(words[:8])
    agreement.push(words[:8])
    agreement.finish(words)
    assert texts(agreement.final) == text
    agreement = WordAgreement()
    for _ in range(2):
        agreement.push([*words[:6], Word("copulation", 3.62, 3.66, False), *words[7:8]])
    assert texts(agreement.finish([*words[:6], Word("populations", 3.62, 3.7, False), *words[7:]])) == "of Poland"


true_words = st.lists(st.sampled_from(VOCABULARY), max_size=25)
readings = st.lists(st.tuples(st.integers(0, 25), st.lists(st.sampled_from(VOCABULARY), max_size=3)), max_size=12)


@given(true_words, readings, st.lists(st.floats(-0.08, 0.08), min_size=60, max_size=60))
def test_streamed_is_whole_when_only_the_newest_words_are_unsure(
    words: list[str], cuts: list[tuple[int, list[str]]], jitter: list[float]
) -> None:
    """Readings of a growing utterance: true words up to a place, then at most three guesses that never agree twice."""
    whole = said(" ".join(words))
    agreement = WordAgreement()
    for turn, (upto, guesses) in enumerate(sorted(cuts)):
        heard = [
            Word(word.text, word.start_s + jitter[(i + turn) % 60], word.end_s + jitter[(i + turn + 1) % 60], False)
            for i, word in enumerate(whole[:upto])
        ]
        end_s = 0.3 * len(heard) + 0.1
        heard += [
            Word(f"{guess}{turn}", end_s + i * 0.1, end_s + i * 0.1 + 0.1, False) for i, guess in enumerate(guesses)
        ]
        agreement.push(heard)
    agreement.finish(whole)
    assert texts(agreement.final) == texts(whole)


wild_words = st.builds(
    lambda text, start_s, length_s: Word(text, start_s, start_s + length_s, False),
    st.sampled_from(VOCABULARY),
    st.floats(0, 10),
    st.floats(0, 2),
)


@given(
    st.lists(st.lists(wild_words, max_size=10).map(lambda words: sorted(words, key=lambda w: w.start_s)), max_size=8)
)
def test_nothing_final_is_taken_back(readings: list[list[Word]]) -> None:
    agreement, given_out = WordAgreement(), []
    for reading in readings:
        given_out += agreement.push(reading)
        assert agreement.final == given_out
    if readings:
        given_out += agreement.finish(readings[-1])
    assert agreement.final == given_out
    assert agreement.pending == [] or not readings


def test_sound_is_cut_at_final_words_only() -> None:
    final = said("it is late. so go")
    assert place_to_cut(final, 0.0, 5.0, 28.0) is None  # short enough
    assert place_to_cut(final, 0.0, 15.0, 28.0) == final[2].end_s  # long: at the end of a sentence
    assert place_to_cut(final[:2], 0.0, 15.0, 28.0) is None
    assert place_to_cut(final, 0.0, 28.0, 28.0) == final[-1].end_s  # too long: at the last final word
    assert place_to_cut(final, 5.0, 33.0, 28.0) is None  # none of them lies in the sound that is left


def test_plain_text() -> None:
    assert plain_text("Don't STOP, please.") == "don't stop please"
    assert plain_text(" ... ") == ""
