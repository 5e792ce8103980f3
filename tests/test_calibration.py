"""Measured settings of the gate: kept beside the manifest, above the profile, below a settings file."""

from __future__ import annotations

from pathlib import Path

import pytest

from voice_agent.errors import UnusableInput
from voice_agent.model_store import calibration
from voice_agent.model_store.calibration import calibrated_gate, keep_calibration
from voice_agent.model_store.manifest import manifest
from voice_agent.settings import load_settings

VALUES = {"gate_open": 0.55, "gate_period": 30, "gate_hysteresis": 0.05}


@pytest.fixture
def path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    path = tmp_path / "calibration.toml"
    monkeypatch.setattr(calibration, "CALIBRATION_PATH", path)
    return path


def test_what_was_kept_is_read_again(path: Path) -> None:
    assert calibrated_gate("a") == {}
    keep_calibration("b", {"gate_open": 0.1}, "first", path)
    keep_calibration('a "model"', VALUES, "2026: 120 moments", path)
    keep_calibration("b", {"gate_open": 0.2}, "second", path)
    assert calibrated_gate('a "model"') == VALUES
    assert calibrated_gate("b") == {"gate_open": 0.2}
    assert 'measured = "2026: 120 moments"' in path.read_text()


def test_a_link_stays_a_link(path: Path, tmp_path: Path) -> None:
    (tmp_path / "link.toml").symlink_to(path)
    keep_calibration("a", VALUES, "", tmp_path / "link.toml")
    assert (tmp_path / "link.toml").is_symlink()
    assert calibrated_gate("a") == VALUES


def test_it_stands_between_the_profile_and_the_settings_file(path: Path, tmp_path: Path) -> None:
    keep_calibration(load_settings("cpu").models.language, VALUES, "", path)
    keep_calibration("another", {"gate_open": 0.9}, "", path)
    config = tmp_path / "config.toml"

    def reasoning(text: str) -> tuple[float, int]:
        config.write_text(text, encoding="utf-8")
        settings = load_settings("cpu", config, calibrated_gate)
        return settings.reasoning.gate_open, settings.reasoning.gate_period

    assert reasoning("") == (0.55, 30)
    assert reasoning("[reasoning]\ngate_open = 0.7") == (0.7, 30)
    assert reasoning('[models]\nlanguage = "another"') == (0.9, 24)
    assert reasoning('[models]\nlanguage = "unmeasured"') == (0.4, 24)
    assert load_settings("cpu").reasoning.gate_open == 0.4
    with pytest.raises(UnusableInput, match="unknown group 'models'"):
        reasoning("models = 5")


def test_a_damaged_file_is_named(path: Path) -> None:
    path.write_text("[a\n", encoding="utf-8")
    with pytest.raises(UnusableInput, match=r"calibration.toml: .* repair it, or remove it"):
        calibrated_gate("a")


def test_the_file_that_is_shipped_names_known_models() -> None:
    shipped = calibration.CALIBRATION_PATH
    assert shipped.is_file()
    for model in calibration._entries(shipped):
        assert model in manifest()
        keys = set(calibrated_gate(model))
        assert keys <= {"gate_open", "gate_period", "gate_hysteresis"}
