"""What must hold of any conversation that is over; two turns, typed lines, corrections over the voice, cancelling."""

from __future__ import annotations

import asyncio
import dataclasses
import gc
import threading
from contextlib import suppress
from itertools import groupby, pairwise
from pathlib import Path

import pytest
import soundfile
import torch

from voice_agent.clock import VirtualClock, run_in_virtual_time
from voice_agent.conversation import Conversation
from voice_agent.errors import PartFailed, UnusableInput
from voice_agent.events import Done, SpeechStarted, TurnEnded, TypedLine, UtteranceRecognized, Written
from voice_agent.floor_values import StopAnswer
from voice_agent.parts import Parts
from voice_agent.reasoning.prompts import Prompts
from voice_agent.record.trace import Trace, TraceLine, read_trace
from voice_agent.replay.runner import set_stage

from .whole_conversation import SHORT, Held, broken, bundled, converse, hold, script_of

APPLES = {"audio": "apples_question.flac", "at": 0.5}
TRAIN = {"audio": "train_question.flac", "at": 0.5}
HELLO = {"audio": "hello.flac", "at": 0.5}
SORRY, STOP, UH_HUH = "sorry_ninety.flac", "stop.flac", "uh_huh.flac"
CONVERSATIONS = {
    "two questions": [HELLO, {"audio": "train_question.flac", "after": "assistant_end + 0.5"}],
    "corrected while it thinks": [APPLES, {"audio": SORRY, "after": "thinking + 0.2"}],
    "corrected while it speaks, then stopped": [
        TRAIN,
        {"audio": SORRY, "after": "assistant_audio + 1.2"},
        {"audio": STOP, "after": "assistant_audio + 0.4"},
    ],
    "heard out, then stopped": [
        APPLES,
        {"audio": UH_HUH, "after": "assistant_audio + 0.2"},
        {"audio": STOP, "after": "user_end + 1.0"},
    ],
}
CUT = ("stop", "correction", "question")


@pytest.fixture(scope="module")
def conversations(parts: Parts, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Held]:
    """Conversations that are over."""
    over = {}
    for name, user in CONVERSATIONS.items():
        folder = tmp_path_factory.mktemp("held")
        over[name] = hold(script_of(folder, *user), parts, folder)
    return over


@pytest.fixture(params=CONVERSATIONS)
def held(request: pytest.FixtureRequest, conversations: dict[str, Held]) -> Held:
    return conversations[request.param]


def of(lines: list[TraceLine], kind: str, reply: int | None = None) -> list[TraceLine]:
    return [line for line in lines if line.kind == kind and reply in (None, line.fields.get("reply"))]


def text(lines: list[TraceLine], kind: str, reply: int | None = None) -> str:
    return "".join(line["text"] for line in of(lines, kind, reply))


def replies(lines: list[TraceLine]) -> list[int]:
    return [reply for reply, _ in groupby(line["reply"] for line in of(lines, "written"))]


def turns(held: Held) -> list[list[TraceLine]]:
    """The trace from each turn's beginning to the next one's."""
    begins = [turn.began_s for turn in held.conversation.turns] + [float("inf")]
    return [[line for line in held.lines if begin <= line.t < end] for begin, end in pairwise(begins)]


def test_it_ends_by_itself_when_all_was_said(held: Held) -> None:
    assert held.conversation.failure is None
    assert not held.sound.never_triggered
    assert held.sound.dropped == 0
    assert held.conversation.is_idle


def test_replies_are_written_one_after_the_other(held: Held) -> None:
    assert replies(held.lines) == sorted(set(replies(held.lines)))


def test_only_what_was_written_is_voiced_each_word_once(held: Held) -> None:
    for reply in replies(held.lines):
        written, clauses = text(held.lines, "written", reply), text(held.lines, "clause", reply)
        sounded, retracted = text(held.lines, "sounded", reply), text(held.lines, "retracted", reply)
        assert written.startswith(clauses)
        assert clauses.lstrip().startswith(sounded.lstrip())  # a space that was left before a cut may come first
        assert written.strip() == (sounded + retracted).strip()


def test_the_dialogue_remembers_what_sounded(held: Held) -> None:
    assert held.remembered().rstrip() == text(turns(held)[-1], "sounded").rstrip()


def test_nothing_comes_of_a_reply_that_was_cut(held: Held) -> None:
    for at, line in enumerate(held.lines):
        if line.kind == "interrupted" and line["reason"] in CUT:
            later = held.lines[at:]
            stale = line["reply"]
            for kind in ("written", "clause", "sounded", "audio_started", "paused", "resumed"):
                assert not stale or not of(later, kind, stale)


def test_a_correction_is_thought_about_and_a_stop_is_not(held: Held) -> None:
    for at, line in enumerate(held.lines):
        if line.kind == "interrupted" and line["reason"] in CUT:
            until = next(
                (i for i, later in enumerate(held.lines[at + 1 :], at + 1) if later.kind == "interrupted"), None
            )
            then = {later.kind for later in held.lines[at + 1 : until]}
            assert ({"injected", "thought", "written"} <= then) == (line["reason"] != "stop")


def test_pauses_are_ended(held: Held) -> None:
    held_back: int | None = None
    for line in held.lines:
        if line.kind == "paused":
            assert held_back is None
            held_back = line["reply"]
        elif line.kind in ("resumed", "audio_stopped") and line["reply"] == held_back:
            held_back = None
        elif line.kind == "sounded":
            assert held_back is None
    assert held_back is None


def test_the_trace_on_disk_is_the_trace(held: Held, tmp_path: Path) -> None:
    path = tmp_path / "trace.jsonl"
    path.write_text("".join(line.to_json() + "\n" for line in held.lines))
    assert read_trace(path) == held.lines


def test_each_turn_is_told_as_it_was(held: Held) -> None:
    assert len(of(held.lines, "thought")) <= sum(turn.thinking_tokens for turn in held.conversation.turns)
    for turn, lines in zip(held.conversation.turns, turns(held), strict=True):
        assert turn.spoken_tokens > 0
        for injected in of(lines, "injected"):
            assert injected["text"] in turn.user_text


def test_words_on_both_sides_of_a_cut_stand_apart(conversations: dict[str, Held]) -> None:
    held = conversations["corrected while it speaks, then stopped"]
    assert len({line["reply"] for line in of(held.lines, "sounded")}) == 2
    assert text(held.lines, "sounded").split() == [line["text"].strip() for line in of(held.lines, "sounded")]


# --- what the voice gets ---------------------------------------------------------------------------------------------


def test_the_voice_gets_words_only(parts: Parts, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The model is made to write markdown and tokens of its template; the voice is given neither."""
    said: list[str] = []
    say = parts.voice._say
    monkeypatch.setattr(parts.voice, "_say", lambda form: said.append(form) or say(form))
    written = iter(parts.language.tokenizer.encode("## **Sum** <|im_end|> is `3` * 4 <|im_start|> now.\n- that\n"))
    choose = "voice_agent.reasoning.speech.Speech.choose_word"
    end = parts.language.tokenizer.eos_token_id

    def choose_in_turn(answer: object, logits: torch.Tensor) -> torch.Tensor:
        token = next(written, end)
        return torch.tensor(token if token not in Prompts(parts.language.tokenizer).control else next(written, end))

    monkeypatch.setattr(choose, choose_in_turn)
    over = hold(script_of(tmp_path, HELLO), parts, tmp_path, mode="direct")
    assert "**" in text(over.lines, "written")
    assert said
    assert not [form for form in said for mark in ("*", "#", "`", "<|", "|>", "\n") if mark in form]
    assert text(over.lines, "sounded").rstrip() == text(over.lines, "written").rstrip()


# --- several turns, and a keyboard -----------------------------------------------------------------------------------


def test_the_second_answer_has_read_the_first_turn(conversations: dict[str, Held], parts: Parts) -> None:
    over = conversations["two questions"]
    first, second = turns(over)
    past = Prompts(parts.language.tokenizer).past_turn(over.conversation.turns[0].user_text, text(first, "sounded"))
    assert over.conversation.reasoner._dialogue.block.tokens[: len(past)] == past
    assert text(second, "sounded").strip()
    assert min(line["reply"] for line in of(second, "written")) > max(line["reply"] for line in of(first, "written"))


def test_lines_that_are_typed(parts: Parts, tmp_path: Path) -> None:
    """A whole turn at once, then words over the answer, then the end of it."""

    async def type_lines(conversation: Conversation, clock: VirtualClock) -> None:
        await clock.sleep_until(1.5)
        conversation.type_line("What are twelve apples and nine apples?")
        await clock.sleep_until(1.8)
        conversation.type_line("Sorry, I meant ten apples.")
        await clock.sleep_until(3.0)
        conversation.type_line("stop")

    over = hold(script_of(tmp_path, {"audio": STOP, "at": 0.0}), parts, tmp_path, beside=type_lines)
    (turn,) = over.conversation.turns
    assert turn.user_text == "What are twelve apples and nine apples? Sorry, I meant ten apples."
    assert [(line.t, line["reason"]) for line in of(over.lines, "interrupted")] == [(1.8, "correction"), (3.0, "stop")]
    assert [line["text"] for line in of(over.lines, "injected")] == ["Sorry, I meant ten apples."]
    assert not [line for line in over.lines if line.t > 3.0 and line.kind in ("thought", "written", "sounded")]
    assert over.conversation.is_idle


def test_a_question_behind_a_stop_is_answered(parts: Parts, tmp_path: Path) -> None:
    """Typed in one breath: the stopped answer has not ended when the next question comes."""

    async def type_lines(conversation: Conversation, clock: VirtualClock) -> None:
        await clock.sleep_until(1.5)
        conversation.type_line("What are twelve apples and nine apples?")
        await clock.sleep_until(2.5)
        conversation.type_line("stop")
        conversation.type_line("What is two plus two?")

    over = hold(script_of(tmp_path, {"audio": STOP, "at": 0.0}), parts, tmp_path, beside=type_lines)
    stopped, asked = over.conversation.turns
    assert (stopped.user_text, asked.user_text) == ("What are twelve apples and nine apples?", "What is two plus two?")
    assert asked.thinking_tokens > 0
    assert [line for line in of(over.lines, "sounded") if line.t > 2.5]
    assert over.conversation.is_idle


def test_words_that_the_sound_card_has_just_played_count_as_heard(parts: Parts, tmp_path: Path) -> None:
    """A sound card pulls in a thread of its own, and the event loop may be about to cut."""

    async def cut(conversation: Conversation, clock: VirtualClock) -> None:
        await clock.sleep_until(1.5)
        conversation.type_line("What are twelve apples and nine apples?")
        while not conversation._turns or not conversation._turns[-1].sounded:
            await clock.sleep_until(clock.now_s() + 0.05)
        (turn,), reply = conversation._turns, conversation.reasoner.reply
        before = turn.sounded
        half_a_second = conversation.loudspeaker.rate_hz // 2
        card = threading.Thread(target=conversation.loudspeaker.pull, args=(half_a_second,))
        card.start()
        card.join()
        assert turn.sounded == before, "the loop has not come round yet"
        conversation._act(StopAnswer(turn.number))
        assert turn.sounded == conversation.loudspeaker.sounded(reply) != before
        conversation.loudspeaker.pull(half_a_second)
        await clock.sleep_until(clock.now_s() + 0.05)
        assert turn.sounded == conversation.loudspeaker.sounded(reply)

    over = hold(script_of(tmp_path, {"audio": STOP, "at": 0.0}), parts, tmp_path, beside=cut)
    assert over.conversation.failure is None
    assert over.remembered() == text(over.lines, "sounded")


def test_a_question_that_is_too_long_is_told_and_the_conversation_goes_on(parts: Parts, tmp_path: Path) -> None:
    async def type_lines(conversation: Conversation, clock: VirtualClock) -> None:
        await clock.sleep_until(1.5)
        conversation.type_line("far " * 4000)
        conversation.type_line("far " * 4000)
        conversation.type_line("How far is the sun?")
        await clock.sleep_until(2.0)
        conversation.type_line("And " * 4000)

    over = hold(script_of(tmp_path, {"audio": STOP, "at": 0.0}), parts, tmp_path, beside=type_lines)
    assert over.conversation.failure is None
    assert {line["part"] for line in of(over.lines, "failed")} == {"question"}
    assert len(of(over.lines, "failed")) == 3
    assert all("shorten it" in line["error"] for line in of(over.lines, "failed"))
    (turn,) = over.conversation.turns
    assert turn.user_text == "How far is the sun?"
    assert text(over.lines, "sounded").strip()
    assert over.conversation.is_idle


def test_words_of_an_open_clause_are_no_backlog(parts: Parts, tmp_path: Path) -> None:
    """Else the writer would wait for sound that waits for the writer."""

    async def main(clock: VirtualClock) -> list[float]:
        backlogs = []
        with set_stage(bundled("plain"), parts, SHORT, tmp_path, clock, mode="async", seed=0) as stage:
            for written in ("`for word in one, two, three, four, five, six, seven, eight, nine, ten", ":`\n", "Then"):
                stage.conversation._take(Written(written, 1, 1))
                backlogs.append(stage.conversation._backlog_s())
            stage.conversation.close()
        return backlogs

    before, code, after = run_in_virtual_time(main)
    assert before == 0.0
    assert code == after > 3.0


def test_a_model_that_breaks_at_its_first_words_is_one_sentence(parts: Parts, tmp_path: Path) -> None:
    async def main(clock: VirtualClock) -> None:
        with set_stage(bundled("plain"), parts, SHORT, tmp_path, clock, mode="async", seed=0) as stage:
            try:
                with broken(parts, "language model", at_call=1):
                    await stage.conversation.warm_up()
            finally:
                stage.conversation.close()

    with pytest.raises(UnusableInput, match=r"the language model '.*' broke at its first words .*pulled the plug"):
        run_in_virtual_time(main)


@pytest.mark.parametrize("mode", ["async", "direct"])
def test_an_answer_that_is_left_in_the_middle_is_counted(mode: str, parts: Parts, tmp_path: Path) -> None:
    async def main(clock: VirtualClock) -> Held:
        with set_stage(script_of(tmp_path, TRAIN), parts, SHORT, tmp_path, clock, mode=mode, seed=0) as stage:
            await stage.conversation.warm_up()

            async def leave_when_it_speaks() -> None:
                written = asyncio.Event()
                stage.trace.subscribe(lambda line: written.set() if line.kind == "written" else None)
                await written.wait()
                raise PartFailed("test", RuntimeError("enough"))

            await stage.conversation.run(stage.sound, [leave_when_it_speaks])
        return Held(stage.conversation, stage.sound, stage.trace.lines)

    (turn,) = run_in_virtual_time(main).conversation.turns
    assert turn.spoken_tokens > 0
    assert (turn.thinking_tokens > 0) == (mode == "async")


# --- words that may have been for somebody else -----------------------------------------------------------------------


async def speak_over(conversation: Conversation, clock: VirtualClock) -> None:
    """What hearing sends of words that do not tell whom they are for, while a typed question is being answered."""
    await clock.sleep_until(1.5)
    conversation.type_line("What are twelve apples and nine apples?")
    await clock.sleep_until(3.0)
    conversation._to_floor.send_nowait(SpeechStarted(3.0))
    conversation._to_floor.send_nowait(UtteranceRecognized("My mother is visiting.", 3.0, 4.2))


@pytest.mark.parametrize("below", [-50.0, 50.0])
def test_the_model_tells_whether_words_were_for_others(below: float, parts: Parts, tmp_path: Path) -> None:
    """Whatever it makes of them: the threshold decides, and the voice waits for it."""
    script = script_of(tmp_path, {"audio": STOP, "at": 0.0})
    settings = dataclasses.replace(SHORT, floor=dataclasses.replace(SHORT.floor, not_to_me_below=below))
    over, again = (hold(script, parts, tmp_path, settings=settings, beside=speak_over) for _ in range(2))
    assert over.lines == again.lines
    (interrupted,) = of(over.lines, "interrupted")
    assert 3.0 < interrupted.t < 3.6
    (turn,) = over.conversation.turns
    if below < 0:
        assert interrupted["reason"] == "correction"
        assert [line["text"] for line in of(over.lines, "injected")] == ["My mother is visiting."]
        assert turn.user_text.endswith("My mother is visiting.")
    else:
        assert interrupted["reason"] == "not-to-me"
        assert not of(over.lines, "injected")
        assert not of(over.lines, "retracted")
        assert len(replies(over.lines)) == 1
        assert text(over.lines, "sounded").rstrip() == text(over.lines, "written").rstrip()
    assert over.conversation.is_idle


def test_a_conversation_that_is_cancelled_while_the_model_is_asked(parts: Parts, tmp_path: Path) -> None:
    async def main(clock: VirtualClock) -> None:
        async def leave(conversation: Conversation, clock: VirtualClock) -> None:
            await speak_over(conversation, clock)
            await clock.sleep_until(3.02)
            running.cancel()

        script = script_of(tmp_path, {"audio": STOP, "at": 0.0})
        running = asyncio.ensure_future(converse(script, parts, tmp_path, clock, beside=leave))
        with suppress(asyncio.CancelledError):
            await running
        assert running.cancelled()
        assert asyncio.all_tasks() == {asyncio.current_task()}

    run_in_virtual_time(main)


# --- cancelling ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("moment", ["speech_started", "thought", "clause", "paused", "injected"])
def test_cancelling_leaves_nothing_behind(moment: str, parts: Parts, tmp_path: Path) -> None:
    script = script_of(tmp_path, *CONVERSATIONS["corrected while it speaks, then stopped"])

    async def cancel_at_moment(clock: VirtualClock) -> list[TraceLine]:
        seen: list[TraceLine] = []

        def watch(line: TraceLine) -> None:
            seen.append(line)
            if line.kind == moment:
                conversation.cancel()

        conversation = asyncio.ensure_future(converse(script, parts, tmp_path, clock, on_line=watch))
        with suppress(asyncio.CancelledError):
            await conversation
        assert conversation.cancelled()
        assert asyncio.all_tasks() == {asyncio.current_task()}
        return seen

    seen = run_in_virtual_time(cancel_at_moment)
    gc.collect()
    assert moment in [line.kind for line in seen]
    assert read_trace(tmp_path / "trace.jsonl") == seen
    assert soundfile.info(tmp_path / "conversation.wav").duration == pytest.approx(seen[-1].t, abs=0.3)


def test_what_was_heard_as_the_answer_ended_opens_the_next_turn(parts: Parts, tmp_path: Path) -> None:
    """The end of an answer counts from its last sound on, whatever still waits for the floor."""

    async def main(clock: VirtualClock) -> None:
        trace = Trace(tmp_path / "trace.jsonl", clock)
        conversation = Conversation(parts, SHORT, clock=clock, trace=trace, mode="async", seed=0)
        heard: list[str] = []
        conversation.reasoner.hear = heard.append  # type: ignore[method-assign, assignment]
        conversation._push(TypedLine("What is two plus two?"))
        conversation._push(SpeechStarted(1.0))
        conversation._take(Done("finished", "", "Four.", 1, 1, 1, 1))
        assert not conversation.floor.answering
        conversation._push(UtteranceRecognized("And three plus three?", 1.0, 2.0))
        conversation._push(TurnEnded(2.0))
        assert heard == ["What is two plus two?", "And three plus three?"]
        assert conversation.floor.turn == 2
        conversation.close()
        trace.close()

    run_in_virtual_time(main)
