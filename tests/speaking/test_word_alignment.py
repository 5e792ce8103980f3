"""Which sample ends which written word, also where espeak runs words together or makes two of one."""
# ruff: noqa: RUF001 - phonetic letters

import pytest

from voice_agent.events import WordTiming
from voice_agent.speaking.spoken_form import spoken_form
from voice_agent.speaking.word_alignment import spread, word_ends, word_timings


def timed(phonemes: str) -> list[tuple[str, int]]:
    """Every symbol lasts ten samples."""
    return [(symbol, 10 * (n + 1)) for n, symbol in enumerate(phonemes)]


@pytest.mark.parametrize(
    ("heard", "alone", "ended"),
    [
        ("^ðə kˈæt.$", ["ðə", "kˈæt"], ["^ðə", "^ðə kˈæt"]),
        ("^ʌvðə kˈæt.$", ["ˈʌv", "ðə", "kˈæt"], ["^ʌv", "^ʌvðə", "^ʌvðə kˈæt"]),  # run together
        ("^fɚðə mˈæn$", ["fɔːɹ", "ðə", "mˈæn"], ["^fɚ", "^fɚðə", "^fɚðə mˈæn"]),  # said differently in company
        ("^θɹˈiː ˈɛks ɪz$", ["θɹˈiːʲ ˈɛks", "ɪz"], ["^θɹˈiː ˈɛks", "^θɹˈiː ˈɛks ɪz"]),  # one word, said as two
        ("^soʊ, iː.$^jɛs.$", ["soʊ", "iː.", "jɛs"], ["^soʊ", "^soʊ, iː", "^soʊ, iː.$^jɛs"]),  # two sentences
        ("^ðə kæt$", ["ðə", "", "kæt"], ["^ðə", "^ðə", "^ðə kæt"]),  # a word without sound
    ],
)
def test_ends(heard: str, alone: list[str], ended: list[str]) -> None:
    assert word_ends(timed(heard), alone) == [10 * len(part) for part in ended]


@pytest.mark.parametrize(("heard", "alone"), [("", ["ðə"]), ("^ðə$", [""]), ("^kæt bɪg$", ["ʃuːlɔːdʒ", "ʒoʊɹwʌm"])])
def test_pronunciations_that_do_not_fit(heard: str, alone: list[str]) -> None:
    assert word_ends(timed(heard), alone) is None


def test_fall_back_spreads_by_letters() -> None:
    assert spread(["two", "--", "longer,"], 1000) == [300, 400, 1000]


def test_written_words_cover_the_clause() -> None:
    written = " - So **60 km** (now): "
    form = spoken_form(written)
    timings = word_timings(written, form, [10, 20, 30, 40], samples=35)
    assert [written[t.start : t.end] for t in timings] == [" - So", " **60", " km**", " (now): "]
    assert [t.end_sample for t in timings] == [10, 20, 30, 35]


def test_a_clause_without_words_has_sounded_at_once() -> None:
    assert word_timings("**", spoken_form("**"), [], 0) == (WordTiming(0, 2, 0),)
    assert word_timings("", spoken_form(""), [], 0) == ()
