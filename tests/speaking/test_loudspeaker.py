"""The sink: nothing is lost or doubled, whatever the order of pulls, pauses and cuts."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from voice_agent.events import (
    AudioStarted,
    AudioStopped,
    Clause,
    ClauseAudio,
    Paused,
    PlaybackEvent,
    Resumed,
    Retracted,
    Sounded,
    Underrun,
    WordTiming,
)
from voice_agent.speaking.loudspeaker import Loudspeaker

RATE_HZ = 1000  # the fade is 8 samples
FADE = 8


def clause_audio(text: str, samples_a_word: int = 100, reply: int = 1, level: float = 0.5) -> ClauseAudio:
    """A clause whose words last `samples_a_word` each; the sound is a ramp, so that a lost sample shows."""
    timings, start = [], 0
    for number, word in enumerate(text.split(" ")):
        end = start + len(word) + (number > 0)
        timings.append(WordTiming(start, end, (number + 1) * samples_a_word))
        start = end
    samples = np.linspace(level, level / 2, len(timings) * samples_a_word, dtype=np.float32)
    return ClauseAudio(Clause(text, reply, "model"), RATE_HZ, samples, tuple(timings))


def loudspeaker() -> tuple[Loudspeaker, list[PlaybackEvent]]:
    events: list[PlaybackEvent] = []
    return Loudspeaker(RATE_HZ, events.append), events


def test_a_reply_from_start_to_stop() -> None:
    sink, events = loudspeaker()
    sink.enqueue(clause_audio("one two"))
    sink.finish(1)
    assert (sink.backlog_s, sink.playing) == (0.2, True)
    sink.pull(150)
    assert events == [AudioStarted(1), Sounded("one", 1)]
    assert (sink.backlog_s, sink.sounded(1)) == (0.05, "one")
    sink.pull(100)
    assert events[2:] == [Sounded(" two", 1), AudioStopped(1)]
    assert (sink.playing, sink.reply, sink.position_samples) == (False, None, 250)


def test_the_first_audible_sample_starts_the_reply() -> None:
    sink, events = loudspeaker()
    quiet = clause_audio("hush now")
    quiet.samples[:150] = 0.005
    sink.enqueue(quiet)
    sink.pull(100)
    assert events == [Sounded("hush", 1)]
    sink.pull(60)
    assert events == [Sounded("hush", 1), AudioStarted(1)]


def test_an_underrun_is_told_once_a_gap_and_never_at_the_end() -> None:
    sink, events = loudspeaker()
    sink.pull(10)
    sink.enqueue(clause_audio("one"))
    for _ in range(4):
        sink.pull(60)
    sink.enqueue(clause_audio("two"))
    for _ in range(3):
        sink.pull(60)
    sink.enqueue(clause_audio("three"))
    sink.finish(1)
    for _ in range(4):
        sink.pull(60)
    assert [e for e in events if isinstance(e, Underrun)] == [Underrun(1), Underrun(1)]
    assert events[-1] == AudioStopped(1)


def test_a_pause_goes_on_where_it_was() -> None:
    sink, events = loudspeaker()
    audio = clause_audio("one two")
    sink.enqueue(audio)
    before = sink.pull(50)
    sink.pause()
    silence = sink.pull(100)
    assert not sink.playing
    sink.resume()
    after = sink.pull(200)
    assert np.all(np.abs(silence[FADE:]) == 0)
    assert np.all(np.abs(np.diff(np.concatenate([before, silence, after[:150]]))) < 0.08)  # no click
    whole = np.concatenate([before, after[:150]])
    whole[50 : 50 + FADE] += silence[:FADE]
    np.testing.assert_allclose(whole, audio.samples, atol=1e-6)
    assert events[:3] == [AudioStarted(1), Paused(1), Resumed(1)]


def test_a_pause_holds_what_comes_meanwhile() -> None:
    sink, events = loudspeaker()
    sink.pause()
    sink.enqueue(clause_audio("one"))
    assert not sink.pull(50).any()
    sink.resume()
    np.testing.assert_array_equal(sink.pull(100), clause_audio("one").samples)
    assert events == [AudioStarted(1), Sounded("one", 1)]


def test_clear_takes_back_what_has_not_sounded() -> None:
    sink, events = loudspeaker()
    sink.enqueue(clause_audio("one two three"))
    sink.enqueue(clause_audio(" four"))
    sink.pull(150)
    assert sink.clear() == " two three four"
    tail = sink.pull(50)
    assert tail[: FADE - 1].all()
    assert not tail[FADE:].any()
    assert events[2:] == [AudioStopped(1), Retracted(" two three four", 1)]
    sink.enqueue(clause_audio("late"))  # of the reply that was cleared
    assert sink.backlog_s == 0
    sink.enqueue(clause_audio("new", reply=2))
    sink.pull(200)
    assert events[4:] == [AudioStarted(2), Sounded("new", 2), Underrun(2)]


def test_clear_ends_a_pause_and_knows_replies_that_have_not_come_yet() -> None:
    sink, events = loudspeaker()
    sink.pause()
    assert sink.clear(reply=3) == ""
    sink.enqueue(clause_audio("late", reply=3))
    sink.finish(3)
    sink.enqueue(clause_audio("new", reply=4))
    sink.finish(4)
    sink.pull(200)
    assert events == [AudioStarted(4), Sounded("new", 4), AudioStopped(4)]


def test_replies_follow_one_another() -> None:
    sink, events = loudspeaker()
    sink.enqueue(clause_audio("one", reply=1))
    sink.finish(1)
    sink.enqueue(clause_audio("two", reply=2))
    sink.pull(250)
    sink.finish(2)
    sink.finish(2)
    assert events == [
        *(AudioStarted(1), Sounded("one", 1), AudioStopped(1)),
        *(AudioStarted(2), Sounded("two", 2), Underrun(2), AudioStopped(2)),
    ]


def test_a_reply_without_sound_ends_too() -> None:
    sink, events = loudspeaker()
    silent = ClauseAudio(Clause("**", 1, "model"), RATE_HZ, np.zeros(0, np.float32), (WordTiming(0, 2, 0),))
    sink.enqueue(silent)
    sink.finish(1)
    sink.pull(10)
    sink.finish(2)
    assert events == [Sounded("**", 1), AudioStopped(1), AudioStopped(2)]


def test_playing_text_is_what_an_echo_can_say() -> None:
    sink, _ = loudspeaker()
    sink.enqueue(clause_audio("a b c d e f g h i j", samples_a_word=500))
    for _ in range(42):
        sink.pull(100)
    assert sink.playing_text == " c d e f g h i j"
    sink.clear()
    sink.pull(3500)
    assert sink.playing_text == ""


def test_a_clause_at_another_rate_is_a_bug() -> None:
    sink, _ = loudspeaker()
    audio = clause_audio("one")
    with pytest.raises(ValueError, match="samples a second"):
        sink.enqueue(ClauseAudio(audio.clause, 2000, audio.samples, audio.words))


TEXTS = st.lists(st.text("ab ", min_size=1, max_size=12), min_size=1, max_size=4)


@given(texts=TEXTS, pulls=st.lists(st.integers(1, 90), max_size=40), data=st.data())
def test_every_sample_and_word_comes_once(texts: list[str], pulls: list[int], data: st.DataObject) -> None:
    sink, events = loudspeaker()
    clauses = [clause_audio(text, data.draw(st.integers(1, 60))) for text in texts]
    for clause in clauses:
        sink.enqueue(clause)
    heard = []
    for n in pulls:
        heard.append(sink.pull(n))
        if data.draw(st.booleans()):
            sink.pause()
            pause = sink.pull(FADE + 20)
            sink.resume()
            head = sink.pull(FADE)
            heard.append(head + pause[:FADE])  # the fades add up to the sound that was cut
    heard.append(sink.pull(20_000))
    samples = np.concatenate([clause.samples for clause in clauses])
    np.testing.assert_allclose(np.concatenate(heard)[: len(samples)], samples, atol=1e-6)
    assert "".join(e.text for e in events if isinstance(e, Sounded)) == "".join(texts) == sink.sounded(1)
    assert sum(isinstance(e, AudioStarted) for e in events) == 1


@given(texts=TEXTS, pulls=st.lists(st.integers(1, 90), max_size=20))
def test_sounded_and_retracted_split_the_text(texts: list[str], pulls: list[int]) -> None:
    sink, events = loudspeaker()
    for text in texts:
        sink.enqueue(clause_audio(text, 30))
    for n in pulls:
        sink.pull(n)
    retracted = sink.clear()
    assert sink.sounded(1) + retracted == "".join(texts)
    assert "".join(e.text for e in events if isinstance(e, Sounded | Retracted)) == "".join(texts)
