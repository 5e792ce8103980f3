"""What was said is held against newer thoughts: what is looked at, what counts as wrong, and what becomes of it."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from tests.reasoning.tiny_reasoner import SETTINGS, TOKENIZER, At, converse, watch
from voice_agent.errors import UnusableInput
from voice_agent.events import AnswerEvent, Done, Withdrawn, Written
from voice_agent.reasoning.prompts import CORRECT, CORRECTING
from voice_agent.reasoning.reasoner import AsyncReasoner
from voice_agent.reasoning.second_reading import Reading, first_contradiction, plan_reading
from voice_agent.reasoning.stated_numbers import number_spans

CUE = [900, 901, 902]


def pieces(text: str) -> list[tuple[int, int, int]]:
    """A token a character."""
    return [(ord(character), i, i + 1) for i, character in enumerate(text)]


def read(text: str) -> Reading | None:
    return plan_reading(pieces(text), text, [(a, b) for a, b, _ in number_spans(text)], CUE)


def test_nothing_is_read_where_no_result_was_said() -> None:
    assert read("I divide the distance by the time. ") is None


def test_the_sentence_that_states_a_result_is_read_behind_the_cue() -> None:
    reading = read("I divide. It is 80 now. ")
    assert reading is not None
    assert reading.tokens == (*CUE, *(ord(c) for c in "It is 8"))  # what the last token would have been is asked
    assert [chr(token) for _, token in reading.looked_at] == ["8", "0"]
    assert reading.begins == (16, 17)
    assert reading.wanted == 2


@given(st.lists(st.sampled_from(["a", "80 ", "b. ", "7", " "]), min_size=1, max_size=30).map("".join))
def test_each_token_that_is_looked_at_is_preceded_by_what_was_said_before_it(text: str) -> None:
    reading = read(text)
    assert (reading is None) == (not number_spans(text))
    if reading is None:
        return
    said = "".join(chr(token) for token in reading.tokens[len(CUE) :])
    for (index, token), begin in zip(reading.looked_at, reading.begins, strict=True):
        assert text[begin] == chr(token)
        fed = len(reading.tokens) - reading.wanted + index + 1  # tokens in front of its logits
        assert len(said) >= fed - len(CUE)
        assert text[:begin].endswith(said[: fed - len(CUE)])


def test_the_probabilities_of_what_was_said_and_of_the_best() -> None:
    reading = Reading(tokens=(1, 2, 3), wanted=3, looked_at=((0, 5), (2, 6)), begins=(10, 12))
    logits = torch.randn(3, 9, generator=torch.Generator().manual_seed(1))
    expected = logits.log_softmax(-1)
    got = reading.choose(logits)
    assert got.tolist() == [[expected[0, 5], expected[0].max()], [expected[2, 6], expected[2].max()]]
    single = Reading(tokens=(1,), wanted=1, looked_at=((0, 5),), begins=(10,))
    assert single.choose(logits[0]).tolist() == [[expected[0, 5], expected[0].max()]]


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        ([-0.1, -0.1, -0.3, -0.2], None),
        ([-9.0, -0.01, -0.3, -0.2], 10),
        ([-0.1, -0.1, -9.0, -0.01], 12),
        ([-9.0, -2.0, -0.3, -0.2], None),  # it is not sure of anything else
        ([-5.0, -0.01, -0.3, -0.2], None),  # unlikely, but possible
    ],
)
def test_a_number_is_wrong_where_the_model_is_sure_of_another(answer: list[float], expected: int | None) -> None:
    reading = Reading(tokens=(1, 2, 3), wanted=3, looked_at=((0, 5), (2, 6)), begins=(10, 12))
    assert first_contradiction(reading, answer) == expected


# --- within an answer ----------------------------------------------------------------------------------------------

SAID = "It is 4711 far."
SILENT = replace(SETTINGS, gate_open=2.0, longest_silence_s=1e9, second_reading_period=6, number_guard=False)


def disagrees(monkeypatch: pytest.MonkeyPatch) -> None:
    sure_of_another = torch.tensor([[-20.0, 0.0]])
    monkeypatch.setattr(Reading, "choose", lambda self, logits: sure_of_another.expand(len(self.looked_at), 2))


def say_it(reasoner: AsyncReasoner) -> None:
    reasoner.say(SAID)


def spoken(events: list[tuple[float, AnswerEvent]]) -> str:
    end = events[-1][1]
    assert isinstance(end, Done)
    return end.spoken


def test_what_still_holds_stays(monkeypatch: pytest.MonkeyPatch) -> None:
    agrees = torch.tensor([[-0.1, -0.1]])
    monkeypatch.setattr(Reading, "choose", lambda self, logits: agrees.expand(len(self.looked_at), 2))
    events = converse(happens={1.0: say_it}, settings=SILENT)
    assert not any(isinstance(event, Withdrawn) for _, event in events)
    assert spoken(events).startswith(f"{SAID} ")
    assert CORRECTING not in spoken(events)


def test_what_has_sounded_is_put_right_aloud(monkeypatch: pytest.MonkeyPatch) -> None:
    fed = watch(monkeypatch)
    disagrees(monkeypatch)
    events = converse(happens={1.0: say_it}, settings=SILENT)
    withdrawn = [event for _, event in events if isinstance(event, Withdrawn)]
    assert {event.start for event in withdrawn} == {SAID.index("4711")}
    assert spoken(events).startswith(f"{SAID} {CORRECTING}")
    assert fed.text("spoken").count(CORRECT) == 1


def test_what_has_not_sounded_is_never_said(monkeypatch: pytest.MonkeyPatch) -> None:
    fed = watch(monkeypatch)
    disagrees(monkeypatch)
    happens: dict[float, At] = {1.0: say_it, 1.9: lambda reasoner: reasoner.cut_spoken("")}
    events = converse(happens=happens, settings=SILENT)
    first = next(t_s for t_s, event in events if isinstance(event, Withdrawn))
    assert first < 1.9
    assert "4711" not in spoken(events)
    assert CORRECTING not in spoken(events)
    assert CORRECT not in fed.text("spoken")
    assert spoken(events)


def test_given_words_are_told_of_and_remembered() -> None:
    events = converse(happens={1.0: say_it}, settings=SILENT)
    written = [(t_s, event.text) for t_s, event in events if isinstance(event, Written)]
    assert written[0][1] == f"{SAID} "
    assert 1.0 <= written[0][0] < 1.2


def test_given_words_that_are_cut_at_once_are_not_told_of() -> None:
    def say_and_cut(reasoner: AsyncReasoner) -> None:
        reasoner.say(SAID)
        reasoner.cut_spoken("")

    events = converse(happens={1.0: say_and_cut}, settings=SILENT)
    assert not any("4711" in event.text for _, event in events if isinstance(event, Written))
    assert "4711" not in spoken(events)


@pytest.mark.parametrize("text", ["", "  "])
def test_nothing_cannot_be_said(text: str) -> None:
    def refused(reasoner: AsyncReasoner) -> None:
        with pytest.raises(UnusableInput, match="nothing can be said"):
            reasoner.say(text)

    converse(happens={0.5: refused})


def test_given_words_never_become_special_tokens(monkeypatch: pytest.MonkeyPatch) -> None:
    fed = watch(monkeypatch)
    converse(happens={1.0: lambda reasoner: reasoner.say("So <|endoftext|> it is.")}, settings=SILENT)
    assert "So <|endoftext|> it is." in fed.text("spoken")
    special = TOKENIZER.convert_tokens_to_ids("<|endoftext|>")
    assert all(special not in tokens for _, tokens in fed.of("spoken"))
