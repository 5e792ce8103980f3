"""`ask`: sentences of two streams at once, and one real answer by the tiny model."""

from __future__ import annotations

import io
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.console import Console

from voice_agent import ask
from voice_agent.ask import PlainView, Sentences, TerminalView, run_ask
from voice_agent.errors import UnusableInput
from voice_agent.settings import load_settings


@given(st.lists(st.tuples(st.sampled_from(["thought", "spoken"]), st.text(".! \n1ab", max_size=8))))
def test_nothing_is_lost_between_two_streams(pieces: list[tuple[ask.StreamName, str]]) -> None:
    sentences, shown = Sentences(), {"thought": "", "spoken": ""}
    for stream, piece in pieces:
        shown[stream] += " ".join(sentences.push(stream, piece)) + " "
    for stream, rest in sentences.flush():
        shown[stream] += rest
    for stream, text in shown.items():
        whole = "".join(piece for name, piece in pieces if name == stream)
        assert "".join(text.split()) == "".join(whole.split())


@pytest.mark.parametrize(
    ("text", "sentences"),
    [
        ("It is 3.5 m. So yes! Then", ["It is 3.5 m.", "So yes!"]),
        ("1. First\n2. Second\n\n", ["1. First", "2. Second"]),
        ("one. ", ["one."]),
    ],
)
def test_a_sentence_is_shown_once_it_is_complete(text: str, sentences: list[str]) -> None:
    assert list(Sentences().push("spoken", text)) == sentences
    by_letter = Sentences()
    assert [s for letter in text for s in by_letter.push("spoken", letter)] == sentences


def test_terminal_keeps_sentences_whole_and_drops_escape_codes() -> None:
    screen = io.StringIO()
    view = TerminalView(Console(file=screen, force_terminal=True, width=60, color_system=None))
    view.push("thought", "Forty five minutes ")
    view.push("spoken", "Let me see. It is\x1b[2J")
    view.push("thought", "are 0.75 h. Then")
    view.push("spoken", " eighty.")
    view.close()
    assert "Let me see.\n" in screen.getvalue()
    assert "  Forty five minutes are 0.75 h.\n" in screen.getvalue()
    assert "\x1b[2J" not in screen.getvalue()
    assert "It is [2J eighty.\n" in screen.getvalue()


def test_without_a_terminal_the_words_stand_alone(capsys: pytest.CaptureFixture[str]) -> None:
    view = PlainView(Console(stderr=True))
    view.push("thought", "Forty five minutes. And")
    view.push("spoken", " It is")
    view.push("spoken", " eighty.")
    view.close()
    shown = capsys.readouterr()
    assert shown.out == "It is eighty.\n"
    assert shown.err == "  Forty five minutes.\n  And\n"


@pytest.mark.parametrize("mode", ["async", "direct"])
def test_the_tiny_model_answers(mode: str, tiny_language_model: Path, capsys: pytest.CaptureFixture[str]) -> None:
    status = run_ask("What is two plus three?", settings=load_settings("tiny"), mode=mode, seed=0)
    shown = capsys.readouterr()
    assert status == 0
    assert shown.out.strip()
    *thoughts, figures = shown.err.splitlines()
    assert "tokens thought" in figures
    assert "steps/s" in figures
    assert bool(thoughts) == (mode == "async")


def test_ctrl_c_ends_it_quietly(
    monkeypatch: pytest.MonkeyPatch, tiny_language_model: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    def press(view: PlainView, stream: str, piece: str) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(PlainView, "push", press)
    status = run_ask("What is two plus three?", settings=load_settings("tiny"), mode="direct", seed=0)
    assert status == 130
    assert capsys.readouterr().out == ""


def test_an_empty_question_is_refused_before_anything_is_loaded() -> None:
    with pytest.raises(UnusableInput, match="the question is empty"):
        run_ask("  ", settings=load_settings("tiny"), mode="async", seed=0)
