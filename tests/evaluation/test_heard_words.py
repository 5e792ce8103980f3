"""How much of a known text was heard, told from what a recogniser made of its beginning."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from voice_agent.evaluation.heard_words import KnownText, fitting_length
from voice_agent.evaluation.sounded_texts import SPOKEN_TEXTS

TRAIN = "The train covers 60 km, that is 80 km/h."  # the train covers sixty kilometers that is eighty kilometers ...
WORDS = ["the", "train", "covers", "sixty", "kilometers", "that", "is", "eighty", "kilometers", "per", "hour"]


def test_every_spoken_word_belongs_to_a_written_one() -> None:
    known = KnownText.of(TRAIN)
    assert list(known.words) == WORDS
    assert [(TRAIN[:end].split()[-1], words) for end, words in known.ends] == [
        ("The", 1),
        ("train", 2),
        ("covers", 3),
        ("60", 4),
        ("km,", 5),
        ("that", 6),
        ("is", 7),
        ("80", 8),
        ("km/h.", 11),
    ]


@pytest.mark.parametrize(
    ("transcription", "words"),
    [
        ("", 0),
        ("The train", 2),
        ("the train covers 60", 4),
        ("The train covers sixty kilometers, that is", 7),
        ("The train covers 60 kilo-", 5),  # cut short, and heard as the word that it begins
        ("The drain covered sixty kilometers. That is 80 km/h.", 11),  # misheard
        ("The train 60 kilometers that is", 7),  # one lost in the middle
        ("And the train covers", 3),  # one invented before
    ],
)
def test_what_was_heard(transcription: str, words: int) -> None:
    assert KnownText.of(TRAIN).heard(transcription) == words


@pytest.mark.parametrize(
    ("believed", "spoken", "written"),
    [("", 0, 0), ("The tra", 1, 1), ("The train covers 60 ", 4, 4), ("The train covers 60 km", 4, 4), (TRAIN, 11, 9)],
)
def test_what_is_believed(believed: str, spoken: int, written: int) -> None:
    known = KnownText.of(TRAIN)
    assert known.sounded(believed) == spoken
    assert known.written(spoken) == written


def test_a_written_word_is_heard_with_its_last_spoken_word() -> None:
    known = KnownText.of(TRAIN)
    assert [known.written(words) for words in (8, 9, 10, 11)] == [8, 8, 8, 9]


@given(st.lists(st.sampled_from(["one", "two", "three", "four"]), unique=True), st.integers(0, 4))
def test_a_beginning_is_found(words: list[str], length: int) -> None:
    assert fitting_length(tuple(words), words[:length]) == len(words[:length])


@pytest.mark.parametrize("text", SPOKEN_TEXTS)
def test_texts_hold_enough_to_be_interrupted(text: str) -> None:
    known = KnownText.of(text)
    assert 20 <= len(known.words) <= 60
    assert known.heard(text) == len(known.words)
    assert known.sounded(text) == len(known.words)
