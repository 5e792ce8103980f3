"""Labels, scores and noises where the right answer is known by construction."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import numpy as np
import pytest

from tests.script_module import script_module
from voice_agent.evaluation.hearing import speakers
from voice_agent.evaluation.hearing.detection import Detected, Scene, scene_of, score, spans_of, total
from voice_agent.evaluation.hearing.ear import RATE_HZ
from voice_agent.evaluation.hearing.sounds import LEVEL_DBFS, NOISES, at_level, mixed, silence

TONE = np.sin(2 * np.pi * 200 * np.arange(RATE_HZ) / RATE_HZ).astype(np.float32)


def rms_dbfs(sound: np.ndarray) -> float:
    return 20 * float(np.log10(np.sqrt(np.mean(sound.astype(np.float64) ** 2))))


def test_labels() -> None:
    short, long = silence(0.2), silence(0.5)
    spans = spans_of(np.concatenate([TONE, short, TONE, long, TONE]))
    assert [edge_s for span in spans for edge_s in span] == pytest.approx([0.0, 2.2, 2.7, 3.7])
    scene = scene_of(["one", "two"], lambda text: TONE, np.random.default_rng(0))
    assert [end_s - start_s for start_s, end_s in scene.spoken] == pytest.approx([1.0, 1.0])
    for start_s, end_s in scene.spoken:
        middle = scene.speech[round(start_s * RATE_HZ) : round(end_s * RATE_HZ)]
        assert np.array_equal(middle, TONE)


def test_score() -> None:
    scene = Scene(silence(10.0), [(1.0, 2.0), (5.0, 6.0), (8.0, 9.0)])
    found = [Detected(1.2, 2.0, 1.3), Detected(4.9, 6.5, 5.1), Detected(3.0, 3.2, 3.1)]
    one = score(scene, found)
    assert (one.spoken_s, one.missed_s, one.made_up_s) == pytest.approx((3.0, 1.2, 0.8))
    assert one.error == pytest.approx(2.0 / 3.0)
    assert one.onset_delays_s == pytest.approx([0.3, 0.1])
    assert total([one, one]).utterances == 6
    assert total([one, one]).error == pytest.approx(one.error)


def test_a_detector_that_never_stops_has_not_found_what_comes_later() -> None:
    scene = Scene(silence(10.0), [(1.0, 2.0), (5.0, 6.0)])
    assert score(scene, [Detected(0.9, 10.0, 1.0)]).onset_delays_s == pytest.approx([0.0])


@pytest.mark.parametrize("name", NOISES)
def test_noises_are_drawn_from_their_seed(name: str) -> None:
    once, again, other = (NOISES[name](3.0, np.random.default_rng(seed)) for seed in (1, 1, 2))
    assert np.array_equal(once, again)
    assert not np.array_equal(once, other)
    assert len(once) == 3 * RATE_HZ
    assert once.dtype == np.float32
    assert -45.0 < rms_dbfs(once) <= LEVEL_DBFS + 1.0


@pytest.mark.parametrize("snr_db", [20.0, 5.0, -5.0])
def test_mixtures_have_their_level(snr_db: float) -> None:
    noise = np.random.default_rng(0).normal(size=RATE_HZ).astype(np.float32)
    sum_ = mixed(TONE, noise, snr_db)
    assert rms_dbfs(at_level(TONE)) == pytest.approx(LEVEL_DBFS, abs=0.1)
    assert rms_dbfs(sum_ - at_level(TONE)) == pytest.approx(LEVEL_DBFS - snr_db, abs=0.1)
    assert np.array_equal(mixed(TONE, noise, None), at_level(TONE))


def test_nothing_stays_nothing() -> None:
    assert not at_level(silence(1.0)).any()
    assert len(at_level(silence(0.001))) == 16


def test_the_script_prints_and_keeps_its_tables(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    module, kept = script_module("compare_detectors"), tmp_path / "table.json"
    monkeypatch.setattr(module, "speakers_here", lambda: ({"flite": lambda text: TONE}, {"hibari": "not installed"}))
    words = ["--texts", "2", "--snrs", "10", "--noise-s", "6", "--speakers", "flite,hibari", "--json", str(kept)]
    monkeypatch.setattr(sys, "argv", ["compare_detectors", *words])
    assert module.main() == 0
    shown = capsys.readouterr()
    assert "without hibari: not installed" in shown.err
    assert "speech in noise" in shown.out
    lines = json.loads(kept.read_text())
    assert {line["detector"] for line in lines["mixtures"]} == {"silero", "webrtc"}
    assert {line["noise"] for line in lines["noise_alone"]} == set(NOISES)


def test_who_is_missing_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("shutil.which", lambda program: None)
    here, missing = speakers.speakers_here()
    assert not {"espeak", "flite"} & set(here)
    assert missing["espeak"] == "espeak-ng is not installed: apt-get install espeak-ng"
