"""The suite's table and what is made of it: scenarios that replay reads, every speaker, every sound."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest
import soundfile
import yaml

from voice_agent.errors import UnusableInput
from voice_agent.evaluation.suite import SOUND_S, make_sound, make_suite
from voice_agent.replay.scenario import Scenario, load_scenario
from voice_agent.replay.script import make_script
from voice_agent.replay.speakers import LEVEL_DBFS, PROGRAMS, Speakers, at_level, missing
from voice_agent.replay.user_voice import RATE_HZ

from ..script_module import SCRIPTS, script_module

TABLE = SCRIPTS / "suite.yaml"
ALL = {entry["name"]: entry for entry in yaml.safe_load(TABLE.read_text(encoding="utf-8"))["scenarios"]}


def tone(speaker: str, text: str) -> np.ndarray:
    """Stands for any speaker: 60 ms a letter."""
    samples = np.sin(np.arange(round(0.06 * len(text) * RATE_HZ)) / (5 + len(speaker)))
    return (0.3 * samples).astype(np.float32)


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> dict[str, tuple[Path, Scenario]]:
    suite = make_suite(TABLE, tmp_path_factory.mktemp("suite"), tone, why_missing=lambda speaker: None)
    scenarios = {path: load_scenario(path) for path in suite.made}
    return {scenario.name: (path, scenario) for path, scenario in scenarios.items()}


def test_at_least_forty_scenarios_and_every_one_expects_something(made: dict[str, tuple[Path, Scenario]]) -> None:
    assert len(made) >= 40
    assert made.keys() == ALL.keys()
    for _, scenario in made.values():
        assert scenario.expect.model_dump(exclude_none=True), scenario.name


def test_every_complaint_about_a_conversation_has_its_scenario(made: dict[str, tuple[Path, Scenario]]) -> None:
    named = {int(match[0]) for name in made if (match := re.match(r"\d\d", name))}
    assert named == {*range(1, 13)} - {10}, "the tenth is about installing"


def test_every_meaning_voice_and_sound_occurs(made: dict[str, tuple[Path, Scenario]]) -> None:
    meanings = {item.means for _, scenario in made.values() for item in scenario.user}
    assert meanings == {"turn", "unfinished", "correction", "question", "stop", "back-channel", "noise", "not-to-me"}
    items = [item for entry in ALL.values() for item in entry["user"]]
    assert {item["voice"].split()[0] for item in items if "voice" in item} == {*PROGRAMS}
    sounds = {item["sound"] for item in items if "sound" in item}
    assert sounds | {entry["noise"]["sound"] for entry in ALL.values() if "noise" in entry} == {*SOUND_S}
    assert sum(scenario.real_time for _, scenario in made.values()) >= 2
    assert sum(scenario.echo is not None for _, scenario in made.values()) >= 4


def test_a_made_scenario_needs_no_speaker(made: dict[str, tuple[Path, Scenario]]) -> None:
    for path, scenario in made.values():
        script = make_script(path, lambda text: pytest.fail(f"asked to say {text}"), RATE_HZ)
        for item, clip in zip(scenario.user, script.clips, strict=True):
            assert item.words is not None
            assert len(clip.speech)


def test_levels_are_what_the_table_says(made: dict[str, tuple[Path, Scenario]]) -> None:
    path, scenario = made["television during the answer"]
    levels = []
    for item in scenario.user:
        samples, _ = soundfile.read(path.parent / str(item.audio))
        levels.append(10 * np.log10(np.mean(samples**2)))
    assert levels == pytest.approx([LEVEL_DBFS, LEVEL_DBFS - 12], abs=0.1)


def test_scenarios_of_a_speaker_that_is_not_there_are_skipped_with_the_reason(tmp_path: Path) -> None:
    suite = make_suite(
        TABLE, tmp_path, tone, why_missing=lambda speaker: "flite is gone" if "flite" in speaker else None, only="02"
    )
    assert suite.skipped == {"02 wait a minute": "flite is gone"}
    assert len(suite.made) == 4


def table(folder: Path, text: str) -> Path:
    path = folder / "table.yaml"
    path.write_text(text)
    return path


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("scenarios: 3", "is no table of scenarios"),
        ("other: []", "is no table of scenarios .*'scenarios'.*"),
        ("scenarios: [", "is no table of scenarios"),
        ("scenarios: [{name: a, user: [{at: 1}]}]", "every user item needs 'say' or 'sound'"),
        ("scenarios: [{name: a, user: [{sound: moo, at: 1}]}]", "no sound 'moo' can be made; known are cough"),
        ("scenarios: [{name: a, user: [{sound: hum}]}]", "needs either 'at'"),
        ("scenarios: [{name: a, user: [{say: x, at: 1}]}, {name: A!, user: []}]", "two scenarios are called a"),
        ("scenarios: []", "holds no scenario"),
    ],
)
def test_tables_that_are_none(text: str, said: str, tmp_path: Path) -> None:
    with pytest.raises(UnusableInput, match=said):
        make_suite(table(tmp_path, text), tmp_path / "out", tone)


def test_a_table_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(UnusableInput, match="is no table of scenarios"):
        make_suite(tmp_path / "gone.yaml", tmp_path / "out", tone)


@pytest.mark.parametrize("name", SOUND_S)
def test_a_made_sound_is_the_same_each_time(name: str) -> None:
    one, other = make_sound(name), make_sound(name)
    assert np.array_equal(one, other)
    assert one.dtype == np.float32
    assert 0.3 * RATE_HZ < len(one) <= SOUND_S[name] * RATE_HZ


@pytest.mark.parametrize("speaker", ["heart", "espeak-ng en-us", "flite slt"])
def test_every_speaker_says_it_equally_loud(speaker: str, tmp_path: Path) -> None:
    reason = missing(speaker)
    if reason:
        pytest.skip(reason)
    samples = Speakers(tmp_path).say(speaker, "How fast is it?")
    assert 0.5 * RATE_HZ < len(samples) < 3 * RATE_HZ
    assert 10 * np.log10(np.mean(samples**2)) == pytest.approx(LEVEL_DBFS, abs=2.0)


def test_a_speaker_nobody_knows(tmp_path: Path) -> None:
    with pytest.raises(UnusableInput, match="no speaker 'parrot'"):
        Speakers(tmp_path).say("parrot", "Hello")


def test_a_program_that_is_not_installed(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr("shutil.which", lambda program: None)
    assert missing("heart") is None
    assert missing("flite slt") == "flite is not installed: apt-get install flite"
    with pytest.raises(UnusableInput, match="cannot speak: flite is not installed"):
        Speakers(tmp_path).say("flite slt", "Hello")


def test_what_would_clip_stays_within_full_scale() -> None:
    click = np.zeros(RATE_HZ, np.float32)
    click[:8000] = 0.01
    click[4000] = 1.0
    assert np.abs(at_level(click, -6.0)).max() == pytest.approx(1.0)


def test_the_script(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    script = script_module("make_suite")
    monkeypatch.setattr("sys.argv", ["make_suite", str(tmp_path), "--only", "nothing but music"])
    assert script.main() == 0
    assert "1 scenarios in" in capsys.readouterr().out
    monkeypatch.setattr("sys.argv", ["make_suite", str(tmp_path), "--only", "polka"])
    assert script.main() == 2
    assert "make_suite: " in capsys.readouterr().err
