"""Scenario files: what is read, and one clear sentence for every mistake."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import soundfile

from voice_agent.errors import UnusableInput
from voice_agent.replay.scenario import load_scenario, parse_trigger
from voice_agent.replay.script import make_script
from voice_agent.replay.sound_files import read_sound, voiced_extent

FIXTURES = Path(__file__).resolve().parents[2] / "audio_fixtures"
GOOD = "name: n\nuser:\n  - {say: hello, at: 0.5}\n"


def hum(seconds: float = 0.5, rate_hz: int = 16_000, level: float = 0.2) -> np.ndarray:
    return (level * np.sin(np.arange(int(seconds * rate_hz)) / 20)).astype(np.float32)


def complaint(folder: Path, text: str) -> str:
    path = folder / "scenario.yaml"
    path.write_text(text)
    with pytest.raises(UnusableInput) as raised:
        make_script(path, lambda _: hum(), 16_000)
    sentence = str(raised.value)
    assert str(path) in sentence
    assert "\n" not in sentence
    return sentence


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (GOOD + "expext: {}", "unknown key 'expext'; known are name, user"),
        (GOOD + "expect: {says: [x]}", "unknown key 'expect.says'; known are first_audio_within_s"),
        ("name: n\nuser: [{say: a, at: 0, from: 2}]", "unknown key 'from' of user item 1; known are say, audio, at"),
        (
            GOOD + "  - {say: a, after: lunch + 1}",
            "'after' of user item 2: unknown event 'lunch'; the events are user_end",
        ),
        (GOOD + "  - {say: a, after: thinking - 1}", "lies before its event"),
        (GOOD + "  - {say: a, after: thinking 1}", "is no trigger"),
        (GOOD + "  - {say: a, at: 1, after: thinking}", "user item 2: needs either 'at' (seconds) or 'after'"),
        (GOOD + "  - {say: a}", "user item 2: needs either 'at' (seconds) or 'after'"),
        (GOOD + "  - {at: 3}", "user item 2: needs either 'say' (text) or 'audio'"),
        (GOOD + "  - {say: a, at: -1}", "'at' of user item 2: Input should be greater than or equal to 0 (got -1)"),
        (GOOD + "  - {say: a, at: 0.1}", "in the order of their times"),
        (GOOD + "  - {say: a, at: soon}", "'at' of user item 2"),
        (GOOD + "lasts_s: 0.2", "begins after the end"),
        ("name: n\nuser: [{say: a, after: thinking}]", "user item 1 needs 'at'"),
        ("name: n\nuser: []", "'user'"),
        ("user: [{say: a, at: 0}]", "'name' is missing"),
        (GOOD + "  - {say: a, at: 1, means: hope}", "'means' of user item 2"),
        (GOOD + "  - {say: a, text: a, at: 1}", "user item 2: 'text' tells what is said in 'audio'"),
        ("- 1", "a scenario is a table"),
        ("name: [", "not valid YAML"),
        ("name: n\nuser: [{audio: missing.wav, at: 0}]", "there is no sound file"),
        ("name: n\nuser: [{audio: text.wav, at: 0}]", "cannot be read as sound"),
        ("name: n\nuser: [{audio: silence.wav, at: 0}]", "only silence"),
        (GOOD + "noise: {file: missing.wav, snr_db: 10}", "noise: there is no sound file"),
        (GOOD + "echo: {delay_ms: 1, gain_db: -20}", "'echo.delay_ms'"),
    ],
)
def test_every_mistake_is_one_sentence_with_file_place_and_remedy(tmp_path: Path, text: str, expected: str) -> None:
    (tmp_path / "text.wav").write_text("not a sound")
    soundfile.write(tmp_path / "silence.wav", np.zeros(16_000), 16_000)
    assert expected in complaint(tmp_path, text)


def test_an_unreadable_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(UnusableInput, match="cannot read the scenario"):
        load_scenario(tmp_path / "none.yaml")


def test_triggers() -> None:
    assert parse_trigger("thinking + 1.0") == ("thinking", 1.0)
    assert parse_trigger(" assistant_end ") == ("assistant_end", 0.0)
    assert parse_trigger("user_end+.5".replace("+.", "+0.")) == ("user_end", 0.5)


def test_numbers_stand_for_themselves_in_what_is_expected(tmp_path: Path) -> None:
    path = tmp_path / "s.yaml"
    path.write_text(GOOD + "expect: {finally_says: [120, half]}")
    assert load_scenario(path).expect.finally_says == ["120", "half"]


@pytest.mark.parametrize("name", ["a.wav", "a.flac", "a.ogg", "a.mp3"])
def test_any_format_and_rate_becomes_mono_at_the_microphones_rate(tmp_path: Path, name: str) -> None:
    soundfile.write(tmp_path / name, np.stack([hum(1.0, 44_100), hum(1.0, 44_100)], axis=1), 44_100)
    samples = read_sound(tmp_path / name, 16_000)
    assert samples.dtype == np.float32
    assert samples.ndim == 1
    assert len(samples) == pytest.approx(16_000, abs=1200)


def test_noise_is_as_far_below_the_speech_as_asked(tmp_path: Path) -> None:
    soundfile.write(tmp_path / "hiss.wav", np.random.default_rng(0).normal(0, 0.3, 16_000).clip(-1, 1), 16_000)
    (tmp_path / "s.yaml").write_text(GOOD + "noise: {file: hiss.wav, snr_db: 20}")
    script = make_script(tmp_path / "s.yaml", lambda _: hum(), 16_000)
    assert script.noise is not None
    ratio_db = 10 * np.log10(np.mean(script.clips[0].speech ** 2) / np.mean(script.noise**2))
    assert ratio_db == pytest.approx(20.0, abs=0.1)


def test_the_voiced_part_is_found_to_ten_milliseconds() -> None:
    samples = np.concatenate([np.zeros(1600), hum(0.5), np.zeros(3200)]).astype(np.float32)
    assert voiced_extent(samples, 16_000) == pytest.approx((1600, 9600), abs=160)
    assert voiced_extent(np.zeros(1600, np.float32), 16_000) is None


@pytest.mark.parametrize("path", sorted(FIXTURES.glob("*.yaml")), ids=lambda path: path.stem)
def test_the_bundled_conversations_are_whole_and_small(path: Path) -> None:
    script = make_script(path, lambda _: hum(), 16_000)
    assert script.scenario.expect.model_dump(exclude_none=True)
    for item in script.scenario.user:
        assert item.audio
        assert (FIXTURES / item.audio).stat().st_size < 300_000
