"""Which written words are given out, when an utterance is over, and what a cut or new words leave."""

from __future__ import annotations

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.reasoning.tiny_tokenizer import tiny_tokenizer
from voice_agent.reasoning.cache_block import CacheArena
from voice_agent.reasoning.cache_view import View
from voice_agent.reasoning.prompts import OPENED, Prompts
from voice_agent.reasoning.writer import Cue, Taken, Writer, says_again, sentence_end

TOKENIZER = tiny_tokenizer()
PROMPTS = Prompts(TOKENIZER)
ANY = None  # every number may be said


def writer(cue: Cue = "progress") -> Writer:
    return Writer(View((CacheArena().new_block("spoken"),)), cue, PROMPTS, TOKENIZER)


def write(into: Writer, text: str, known: set[Fraction] | None = ANY, hold: bool = False) -> tuple[str, str]:
    """Choose the text's tokens until something else than 'go on' comes back: what was given out, and that."""
    given = ""
    for token in TOKENIZER(text, add_special_tokens=False).input_ids:
        if into.drafted:
            break
        taken = into.take(token, ends=False, known=known, hold=hold)
        given += taken.written
        if taken.then != "go on":
            return given, taken.then
    return given, "go on"


def end(of: Writer, known: set[Fraction] | None = ANY) -> tuple[str, str]:
    taken = of.take(TOKENIZER.eos_token_id, ends=True, known=known)
    return taken.written, taken.then


def whole(of: Writer) -> str:
    """Everything the stream holds, cues too."""
    unfed = of.stream.unfed()
    return str(TOKENIZER.decode([*of.stream.view.own.tokens, *unfed]))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("We add", None),
        ("We add.", 7),
        ("We add. ", 8),
        ("We add. Th", 8),
        ('We say "add."', 13),
        ("What next?", 10),
        ("It is 0.", None),  # 0.75
        ("It is 0.7", None),
        ("It is 80. ", 10),
        ("It is 80!", 9),
        ("It is 80.)", 10),
        ("1. ", None),  # numbers a list
        ("1. We add.", 10),
        (".", None),
    ],
)
def test_where_a_sentence_ends(text: str, expected: int | None) -> None:
    assert sentence_end(text, 0) == expected


@pytest.mark.parametrize(
    ("sentence", "before", "again"),
    [
        ("I divide.", "", False),
        ("I divide the distance.", "I divide the distance. ", True),
        ("Now I divide the distance by it.", "I divide the distance by it. ", True),  # one new word in seven
        ("I multiply by sixty.", "I divide the distance. ", False),
        ("", "I divide. ", True),
        (
            "I divide and halve the whole sum.",
            "I divide and halve. I add the whole sum. ",
            False,
        ),  # not one sentence that had all of it
    ],
)
def test_what_was_said_before(sentence: str, before: str, again: bool) -> None:
    assert says_again(sentence, before) is again


def test_whole_words_are_given_out_at_once_and_a_sentence_ends_progress() -> None:
    tested = writer()
    assert write(tested, "Let me ad") == ("Let me ", "go on")
    assert write(tested, "d.") == ("add. ", "over")
    assert not tested.done
    assert tested.spoken == "Let me add. "


def test_the_conclusion_ends_with_the_stream() -> None:
    tested = writer("conclude")
    assert write(tested, "It is 80. Or so") == ("It is 80. Or ", "go on")
    assert end(tested) == ("so", "over")
    assert tested.done


@pytest.mark.parametrize(
    ("text", "known", "given", "then"),
    [
        ("I take 60 km.", {60}, "I take 60 km. ", "over"),
        ("It is 80 km.", {60}, "It is ", "wait"),
        ("It is 80.", {60}, "It is ", "go on"),  # 80.5?
        ("It is 0.75 hours.", {"0.75"}, "It is 0.75 hours. ", "over"),
        ("It is 0.75 hours.", {0}, "It is ", "wait"),
        ("It is forty-five minutes.", {45}, "It is forty-five minutes. ", "over"),
        ("It is forty-five minutes.", {40}, "It is ", "wait"),
        ("It is 1,200 km.", {1200}, "It is 1,200 km. ", "over"),
        ("It is eighty.", {60}, "It is ", "wait"),
        ("It is 80. That", {80}, "It is 80. ", "over"),
    ],
)
def test_a_number_waits_for_the_thoughts(text: str, known: set[int | str], given: str, then: str) -> None:
    tested = writer()
    assert write(tested, text, {Fraction(value) for value in known}) == (given, then)


def test_a_number_at_the_end_waits_too() -> None:
    tested = writer()
    write(tested, "It is 80", {Fraction(60)})
    assert end(tested, {Fraction(60)}) == ("", "wait")
    assert tested.text == "It is "
    assert write(tested, "80", {Fraction(80)}) == ("", "go on")
    assert end(tested, {Fraction(80)}) == ("80 ", "over")


def test_a_number_that_was_given_out_is_not_taken_back() -> None:
    tested = writer()
    write(tested, "I take 60 k", {Fraction(60)})
    assert write(tested, "m now.", set()) == ("km now. ", "over")


def test_later_progress_is_given_out_whole_and_only_if_it_is_news() -> None:
    tested = writer()
    write(tested, "I add the parts.")
    tested.open("progress")
    assert write(tested, "I add the parts") == ("", "go on")
    assert write(tested, ".") == ("", "over")
    assert tested.text == tested.spoken == "I add the parts. "
    cues = whole(tested)
    tested.open("progress")  # the cue still stands
    assert whole(tested) == cues
    assert write(tested, "Then I halve it.") == ("Then I halve it. ", "over")


def test_a_conclusion_that_was_said_word_for_word_is_not_said_again() -> None:
    spoken = writer()
    assert write(spoken, "I am here to help. ")[0].strip() == "I am here to help."
    spoken.open("conclude")
    assert write(spoken, "I am here to help.") == ("", "go on")
    assert end(spoken) == ("", "over")
    assert spoken.done
    assert spoken.text.strip() == "I am here to help."


def test_a_conclusion_is_given_out_from_where_it_parts_from_what_was_said() -> None:
    spoken = writer()
    write(spoken, "I am adding the bags. ")
    spoken.open("conclude")
    given = write(spoken, "I am left with nine.")[0] + end(spoken)[0]
    assert given.strip() == "I am left with nine."


def test_after_new_words_the_same_answer_is_news() -> None:
    spoken = writer()
    write(spoken, "There are many left. ")
    spoken.hear(PROMPTS.words("Are you sure?"))
    spoken.open("conclude")
    given = write(spoken, "There are many left.")[0] + end(spoken)[0]
    assert given.strip() == "There are many left."


def test_the_thoughts_end_in_the_middle_of_progress() -> None:
    tested = writer()
    write(tested, "I add")
    tested.open("conclude")
    assert tested.cue == "progress"
    write(tested, " it.")
    tested.open("conclude")
    assert tested.cue == "conclude"
    write(tested, "It is four.")
    end(tested)
    assert (tested.spoken, tested.done) == ("I add it. It is four.", True)


def test_the_first_cue_is_replaced_while_nothing_was_written() -> None:
    tested = writer()
    tested.open("conclude")
    assert whole(tested) == TOKENIZER.decode(PROMPTS.conclude_cue)


def test_words_before_anything_was_spoken_reach_the_writer_through_the_thoughts() -> None:
    tested = writer()
    write(tested, "I")
    tested.hear(PROMPTS.words("no"))
    tested.open("progress")
    assert whole(tested) == TOKENIZER.decode(PROMPTS.progress_cue)


def test_words_drop_what_was_held_back() -> None:
    tested = writer()
    write(tested, "I add it.")
    tested.open("progress")
    write(tested, "Then I hal")
    tested.hear(PROMPTS.words("no"))
    assert tested.text == tested.spoken == "I add it. "
    assert "no\n\n" in whole(tested).rpartition("I add it.")[2]
    assert write(tested, "Ah, so I double it.") == ("Ah, so I double it. ", "over")


def test_a_direct_answer_hears_before_it_has_begun() -> None:
    tested = writer("direct")
    tested.hear(PROMPTS.words("no, 90"))
    assert whole(tested).endswith("<|im_start|>user\nno, 90<|im_end|>\n<|im_start|>assistant\n")


@pytest.mark.parametrize("finished", [False, True])
def test_a_direct_answer_goes_on_after_words(finished: bool) -> None:
    tested = writer("direct")
    write(tested, "It is 80. ")
    if finished:
        end(tested)
    tested.hear(PROMPTS.words("no, 90"))
    assert not tested.done
    tested.open("direct")
    assert whole(tested).endswith("It is 80. <|im_end|>\n<|im_start|>user\nno, 90<|im_end|>\n<|im_start|>assistant\n")


def test_a_direct_answer_goes_on_where_it_was_cut() -> None:
    tested = writer("direct")
    write(tested, "It is 80 now")
    tested.cut(len("It is"))
    tested.open("direct")
    assert whole(tested) == TOKENIZER.decode(PROMPTS.direct_cue) + "It is "
    assert tested.spoken == "It is "  # the space behind a word that sounded stays


def test_after_a_cut_the_next_utterance_gets_a_cue() -> None:
    tested = writer()
    write(tested, "I add it.")
    tested.cut(len("I add"))
    tested.open("conclude")
    assert whole(tested).endswith("I add " + TOKENIZER.decode(PROMPTS.conclude_cue))


def test_a_cut_at_the_beginning_of_an_utterance_keeps_its_cue() -> None:
    tested = writer()
    write(tested, "I add it.")
    tested.open("conclude")
    before = whole(tested)
    write(tested, "It is fo")
    tested.cut(len("I add it."))
    tested.open("conclude")
    assert whole(tested) == before
    tested.cut(0)
    tested.open("conclude")
    assert whole(tested) == TOKENIZER.decode(PROMPTS.conclude_cue)  # nothing stands behind the first cue any more
    assert tested.spoken == ""


def test_a_cut_takes_the_end_of_the_answer_back() -> None:
    tested = writer("conclude")
    write(tested, "It is four.")
    end(tested)
    tested.cut(5)
    assert not tested.done


def test_nothing_more_will_come() -> None:
    tested = writer("conclude")
    write(tested, "It is fo")
    assert tested.break_off() == "fo"
    assert tested.done


def test_a_draft_is_held_until_it_may_be_given_out() -> None:
    tested = writer()
    assert write(tested, "I add the par", hold=True) == ("", "go on")
    assert tested.holds_draft
    assert tested.release() == Taken("I add the ", "go on")
    assert not tested.holds_draft
    assert write(tested, "ts.") == ("parts. ", "over")


def test_a_whole_draft_waits_and_is_then_over() -> None:
    tested = writer()
    assert write(tested, "I add the parts. And so on", hold=True) == ("", "go on")
    assert (tested.drafted, tested.holds_draft, tested.spoken) == (True, True, "")
    assert tested.release() == Taken("I add the parts. ", "over")
    assert (tested.drafted, tested.holds_draft, tested.mid_utterance) == (False, False, False)


def test_a_later_draft_is_given_out_whole_and_only_if_it_is_news() -> None:
    tested = writer()
    write(tested, "I add the parts.")
    tested.open("progress")
    assert write(tested, "I add the parts.", hold=True) == ("", "over")
    assert tested.repeating
    assert write(tested, "Then I hal", hold=True) == ("", "go on")
    assert tested.release() == Taken("", "go on")
    assert write(tested, "ve it.") == ("Then I halve it. ", "over")


def test_a_number_that_is_not_known_ends_a_draft_before_it() -> None:
    tested = writer()
    assert write(tested, "It is 80 km", {Fraction(60)}, hold=True) == ("", "wait")
    assert tested.text == "It is "
    assert tested.release() == Taken("It is ", "go on")


@pytest.mark.parametrize("before", ["", "I add the parts."])
@pytest.mark.parametrize("draft", ["Then I ha", "Then I halve it."])
def test_a_discarded_draft_leaves_nothing_behind(before: str, draft: str) -> None:
    tested = writer()
    write(tested, before)
    plain = whole(tested)
    tested.open("progress")
    write(tested, draft, hold=True)
    tested.discard_draft()
    tested.open("conclude")
    conclude = TOKENIZER.decode(PROMPTS.conclude_cue)
    assert whole(tested) == (plain + conclude if before else conclude)


def test_an_opening_begins_with_given_words_that_leave_nothing_behind() -> None:
    tested = writer("conclude")
    tested.open("opening", "I walk. How far is it?")
    assert whole(tested) == TOKENIZER.decode(PROMPTS.opening_cue("How far is it?")) + OPENED
    assert write(tested, " how far it is.", hold=True) == ("", "go on")
    tested.discard_draft()
    tested.open("opening", "How fast is it?")
    assert write(tested, " how fast it is.") == (f"{OPENED} how fast it is. ", "over")
    assert tested.given_tokens == len(tested.stream.unfed())
    tested.open("progress")
    assert not tested.untouched
    assert whole(tested).endswith(f"{OPENED} how fast it is." + TOKENIZER.decode(PROMPTS.progress_cue))


def test_an_utterance_without_words_is_no_draft() -> None:
    tested = writer()
    assert tested.take(TOKENIZER.eos_token_id, ends=True, known=ANY, hold=True).then == "over"
    assert not tested.drafted


@given(
    steps=st.lists(
        st.tuples(
            st.sampled_from(["write", "write", "write", "draft", "release", "discard", "open", "hear", "cut", "end"]),
            st.sampled_from(["I take 60", " km. ", "Then", " 1,2", "00 €", "👍", "0.75", " x.", "Yes No"]),
            st.integers(0, 30),
        ),
        max_size=15,
    ),
    cue=st.sampled_from(["progress", "conclude", "direct"]),
)
def test_what_was_given_out_is_what_was_spoken(steps: list[tuple[str, str, int]], cue: Cue) -> None:
    """Nothing given out is taken back but by a cut, and what is spoken is exactly what was given out."""
    tested = writer(cue)
    heard = ""
    for operation, text, number in steps:
        if operation == "write":
            heard += write(tested, text, {Fraction(60)} if cue == "progress" and number % 2 else ANY)[0]
        elif operation == "draft" and cue == "progress" and not tested.aloud:
            assert write(tested, text, hold=True)[0] == ""
        elif operation == "release":
            heard += tested.release().written
        elif operation == "discard" and tested.holds_draft:
            tested.discard_draft()
        elif operation == "open":
            tested.open(cue)
        elif operation == "hear":
            tested.hear(PROMPTS.words("no"))
        elif operation == "end":
            heard += end(tested)[0]
        elif operation == "cut":
            tested.cut(min(number, len(heard)))
            assert heard.startswith(tested.spoken)
            heard = tested.spoken
        assert tested.spoken == heard


def test_a_repeated_sentence_is_dropped_and_noticed_until_another_one_comes() -> None:
    of = writer()
    write(of, "I am adding the pens. ")
    for text, out, repeating in (
        ("I am adding the pens.", "", True),
        ("I am adding the pens.", "", True),
        ("Now the cost of one cup.", "Now the cost of one cup. ", False),
    ):
        before = of.stream.kept
        of.open("progress")
        assert write(of, text) == (out, "over")
        assert of.repeating == repeating
        assert (of.stream.kept == before) == repeating  # what was dropped is not counted


def test_a_progress_that_breaks_off_as_the_interrupted_one_did_is_dropped() -> None:
    of = writer()
    write(of, "I am calculating the total")
    of.cut(len("I am calculating the"))
    of.hear(PROMPTS.words("Uh-huh."))
    assert write(of, "I am dividing by") == ("", "go on")
    assert end(of) == ("", "over")
    assert of.repeating
    of.open("progress")
    assert write(of, "Now I divide. ") == ("Now I divide. ", "over")
    assert not of.repeating
