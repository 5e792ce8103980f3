"""Figures against an earlier run: what counts as worse, what is added, and files that are no baseline."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from voice_agent.errors import UnusableInput
from voice_agent.replay.baseline import compare_with_baseline
from voice_agent.replay.observation import Observation


def summary_of(first_audio_s: float | None, stop_s: float | None = None) -> dict[str, Any]:
    interruption = {"stop_s": stop_s, "injected_s": None}
    return {"turns": [{"first_audio_s": first_audio_s}], "interruptions": [interruption], "expectations": []}


def judged(
    path: Path, summary: dict[str, Any], name: str = "a", observation: Observation | None = None
) -> dict[str, bool]:
    compare_with_baseline(path, {name: (summary, observation or Observation())})
    return {result["name"].split(" against")[0]: result["ok"] for result in summary["expectations"]}


@pytest.mark.parametrize(
    ("before_s", "now_s", "ok"),
    [
        pytest.param(2.0, 2.0, True, id="same"),
        pytest.param(2.0, 1.0, True, id="better"),
        pytest.param(2.0, 2.5, True, id="a quarter more is noise"),
        pytest.param(2.0, 2.51, False, id="worse"),
        pytest.param(0.2, 0.29, True, id="a tenth of a second is noise"),
        pytest.param(0.2, 0.31, False, id="short and worse"),
        pytest.param(2.0, None, False, id="no longer measured"),
    ],
)
def test_what_counts_as_worse(before_s: float, now_s: float | None, ok: bool, tmp_path: Path) -> None:
    path = tmp_path / "baseline.json"
    assert judged(path, summary_of(before_s)) == {"turn 1 first_audio_s": True}
    assert judged(path, summary_of(now_s)) == {"turn 1 first_audio_s": ok}


@pytest.mark.parametrize(
    ("before", "now", "ok"),
    [
        pytest.param(0, 0, True, id="same"),
        pytest.param(0, 1, True, id="one word is another reading"),
        pytest.param(0, 2, False, id="worse"),
        pytest.param(8, 10, True, id="a quarter more"),
        pytest.param(8, 11, False, id="more than that"),
    ],
)
def test_words_heard_wrong_are_compared_too(before: int, now: int, ok: bool, tmp_path: Path) -> None:
    path = tmp_path / "baseline.json"
    judged(path, summary_of(2.0), observation=Observation(words=40, word_errors=before))
    found = judged(path, summary_of(2.0), observation=Observation(words=40, word_errors=now))
    assert found == {"turn 1 first_audio_s": True, "word errors": ok}


def test_the_first_run_becomes_the_baseline_and_later_ones_leave_it(tmp_path: Path) -> None:
    path = tmp_path / "baseline.json"
    judged(path, summary_of(2.0, stop_s=0.3))
    first = path.read_text()
    assert json.loads(first) == {"a": {"turn 1 first_audio_s": 2.0, "interruption 1 stop_s": 0.3}}
    judged(path, summary_of(1.0, stop_s=0.1))
    assert path.read_text() == first


@pytest.mark.parametrize(
    ("before", "known"),
    [
        pytest.param(None, False, id="the first run"),
        pytest.param(False, True, id="missed before"),
        pytest.param(True, False, id="met before"),
    ],
)
def test_only_an_expectation_that_was_missed_before_is_known(before: bool | None, known: bool, tmp_path: Path) -> None:
    def missing(ok: bool) -> dict[str, Any]:
        return {**summary_of(2.0), "expectations": [{"name": "finally_says", "ok": ok, "value": "It is 27."}]}

    path = tmp_path / "baseline.json"
    if before is not None:
        judged(path, missing(before))
    now = missing(False)
    assert judged(path, now) == {"finally_says": False, "turn 1 first_audio_s": True}
    assert now["expectations"][0].get("known", False) == known


def test_a_scenario_that_is_new_is_added(tmp_path: Path) -> None:
    path = tmp_path / "baseline.json"
    judged(path, summary_of(2.0), "a")
    assert judged(path, summary_of(9.0), "b") == {"turn 1 first_audio_s": True}
    assert json.loads(path.read_text()) == {"a": {"turn 1 first_audio_s": 2.0}, "b": {"turn 1 first_audio_s": 9.0}}


@pytest.mark.parametrize("text", ["", "no JSON", "[1]", '{"a": 3}', '{"a": {"figure": "quick"}}', '{"a": {"f": null}}'])
def test_what_is_no_baseline(text: str, tmp_path: Path) -> None:
    path = tmp_path / "baseline.json"
    path.write_text(text)
    with pytest.raises(UnusableInput, match=r"baseline.json is no baseline .* delete it to start anew"):
        judged(path, summary_of(1.0))
    assert path.read_text() == text


def test_a_baseline_that_cannot_be_written(tmp_path: Path) -> None:
    with pytest.raises(UnusableInput, match="cannot write the baseline"):
        judged(tmp_path / "nowhere" / "baseline.json", summary_of(1.0))


def test_a_baseline_that_cannot_be_read(tmp_path: Path) -> None:
    with pytest.raises(UnusableInput, match="is no baseline"):
        judged(tmp_path, summary_of(1.0))
