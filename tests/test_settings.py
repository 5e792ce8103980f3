"""Profiles, and the file that overrides single values."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest

from voice_agent.errors import UnusableInput
from voice_agent.settings import PROFILES, Settings, load_settings


@pytest.fixture
def config(tmp_path: Path) -> Path:
    return tmp_path / "mine.toml"


def test_the_cpu_profile_is_the_defaults() -> None:
    assert load_settings("cpu") == Settings()


@pytest.mark.parametrize("name", PROFILES)
def test_profiles_know_their_names(name: str) -> None:
    assert load_settings(name).profile == name


def test_a_file_changes_single_values(config: Path) -> None:
    config.write_text('[floor]\nturn_silence_s = 1\n[reasoning]\nkernel = "plain"\nthinking_budget = 9\n')
    settings = load_settings("tiny", config)
    assert settings.floor.turn_silence_s == 1.0
    assert isinstance(settings.floor.turn_silence_s, float)
    assert (settings.reasoning.kernel, settings.reasoning.thinking_budget) == ("plain", 9)
    expected = PROFILES["tiny"]
    assert settings.models == expected.models
    assert dataclasses.replace(settings.reasoning, kernel="auto", thinking_budget=96) == expected.reasoning


def test_an_empty_file_changes_nothing(config: Path) -> None:
    config.write_text("")
    assert load_settings("cpu", config) == Settings()


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("[floor", "is not valid TOML"),
        ("[ears]\na = 1", "unknown group 'ears'; the groups are costs, floor, hearing"),
        ("profile = 'cpu'", "unknown group 'profile'"),
        ("floor = 3", "unknown group 'floor'"),
        ("[floor]\nsilence = 1", r"\[floor\]: unknown key 'silence'; known are turn_silence_s"),
        ("[floor]\nturn_silence_s = 'long'", r"\[floor\]: turn_silence_s must be float, not str \('long'\)"),
        ("[floor]\nturn_silence_s = true", "turn_silence_s must be float, not bool"),
        ("[reasoning]\nthinking_budget = 1.5", "thinking_budget must be int, not float"),
        ("[hearing]\nrate_hz = 44100", "rate_hz must be one of 16000, not 44100"),
        ("[hearing]\nframe_ms = 0", "frame_ms must be one of 10, 20, 30, not 0"),
        ("[speaking]\nclause_stream_capacity = 0", "clause_stream_capacity must be at least 1, not 0"),
        ("[reasoning]\nthreads = -1", "threads must be at least 0, not -1"),
        ("[floor]\nturn_silence_s = nan", "turn_silence_s must be a number, not nan"),
        ("[models]\nlanguage = ''", "language must be the name or the path of a model, not ''"),
        ("[reasoning]\nkernel = 'fast'", "kernel must be one of auto, native, triton, torch, plain, not 'fast'"),
    ],
)
def test_a_wrong_file_is_one_sentence(config: Path, text: str, sentence: str) -> None:
    config.write_text(text)
    with pytest.raises(UnusableInput, match=sentence) as raised:
        load_settings("cpu", config)
    assert str(config) in str(raised.value)


def test_files_that_cannot_be_read(config: Path) -> None:
    with pytest.raises(UnusableInput, match=r"cannot read the settings file .*No such file"):
        load_settings("cpu", config)
    config.write_bytes(b"\xff\xfe")
    with pytest.raises(UnusableInput, match="is not valid TOML"):
        load_settings("cpu", config)


def test_an_unknown_profile_lists_the_known_ones() -> None:
    with pytest.raises(UnusableInput, match="unknown profile 'gpu': choose one of cpu, tiny"):
        load_settings("gpu")
