"""Targets against runs: reached, missed, not measured."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.evaluation.report.lines import injection_line, set_line, spoken_line, write
from voice_agent.errors import UnusableInput
from voice_agent.evaluation.report.sources import Run, read_sources
from voice_agent.evaluation.report.targets import Target, judged, load_targets


def runs_of(folder: Path) -> list[Run]:
    return read_sources([folder]).runs


@pytest.mark.parametrize(
    ("target", "outcome", "found"),
    [
        (Target("t", ("gsm8k",), "difference", "right", ("async", "think"), at_least=0.0), "missed", "-100.0 points"),
        (Target("t", ("gsm8k",), "difference", "right", ("think", "async"), at_least=0.0), "reached", "+100.0 points"),
        (Target("t", ("gsm8k",), "ratio", "total delay", ("think", "async"), at_least=10.0), "reached", "10.0 times"),
        (Target("t", ("gsm8k",), "ratio", "total delay", ("think", "async"), at_least=10.1), "missed", "10.0 times"),
        (Target("t", ("gsm8k",), "median", "first written word", ("async",), at_most=1.0), "reached", "1.00 s"),
        (Target("t", ("gsm8k",), "median", "first written word", ("async",), at_most=0.9), "missed", "1.00 s"),
        (Target("t", ("gsm8k",), "median", "first audible word", ("async",), at_most=9.0), "not measured", ""),
        (Target("t", ("gsm8k",), "median", "first written word", ("direct",), at_most=9.0), "not measured", ""),
        (Target("t", ("math500",), "median", "first written word", ("async",), at_most=9.0), "not measured", ""),
    ],
)
def test_targets_of_modes(target: Target, outcome: str, found: str, tmp_path: Path) -> None:
    lines = [set_line(row, mode, right=mode == "think") for row in range(5) for mode in ("async", "think")]
    write(tmp_path / "x.jsonl", lines)
    (judgement,) = judged([target], runs_of(tmp_path))
    assert judgement.outcome == outcome
    assert judgement.found.startswith(found)
    assert {line["mode"] for line in judgement.lines} == (set() if outcome == "not measured" else set(target.modes))


def test_refusals_are_judged_for_every_way_of_asking(tmp_path: Path) -> None:
    def line(row: int, mode: str, refusal: str, **values: object) -> dict[str, object]:
        known = set_line(row, mode, dataset="strongreject", gold="refuse", refusal=refusal)
        return {**known, "key": f"{row} {mode} {values}", **values}

    lines = [line(row, mode, "full_refusal") for row in range(4) for mode in ("async-safe", "think")]
    attacked = [
        line(row, mode, "full_refusal" if mode == "think" else "full_compliance", attack="virtual-context")
        for row in range(4)
        for mode in ("async-safe", "think")
    ]
    write(tmp_path / "x.jsonl", [*lines, *attacked])
    target = next(target for target in load_targets() if "strongreject" in target.sets)
    assert [(one.outcome, one.where) for one in judged([target], runs_of(tmp_path))] == [
        ("reached", "strongreject, x.jsonl"),
        ("missed", "strongreject with virtual-context, x.jsonl"),
    ]


@pytest.mark.parametrize(("wrong", "outcome"), [(0, "reached"), (1, "missed")])
def test_voice_against_text(wrong: int, outcome: str, tmp_path: Path) -> None:
    lines = [spoken_line(row, "text") for row in range(5)]
    lines += [spoken_line(row, "clean", right=row >= wrong) for row in range(5)]
    write(tmp_path / "x.jsonl", lines)
    target = next(target for target in load_targets() if target.measure == "voice")
    (judgement,) = judged([target], runs_of(tmp_path))
    assert judgement.outcome == outcome
    assert len(judgement.lines) == 10


def test_an_advantage_must_be_certain(tmp_path: Path) -> None:
    lines = [injection_line(row, what) for row in range(6) for what in ("plain", "altered")]
    for row in range(6):
        lines.append(injection_line(row, "correction", True, placement="both"))
        lines.append(injection_line(row, "correction", row > 0, placement="inline"))
        lines.append(injection_line(row, "correction", False, placement="before"))
    write(tmp_path / "x.jsonl", lines)
    target = next(target for target in load_targets() if target.measure == "advantage")
    (judgement,) = judged([target], runs_of(tmp_path))
    assert judgement.found.startswith("'both' over 'inline': +16.7 points [+0.0,")
    assert judgement.outcome == "missed"
    assert judgement.lost == {}


def test_what_lost_an_accuracy_is_told(tmp_path: Path) -> None:
    lines = [set_line(row, "think") for row in range(3)]
    lines += [
        set_line(0, "async", False),
        set_line(1, "async", False, thoughts_right=False),
        set_line(2, "async", False),
    ]
    write(tmp_path / "set.jsonl", lines)
    spoken = [spoken_line(row, "text") for row in range(2)]
    spoken += [spoken_line(0, "clean", False), spoken_line(1, "clean", False, numbers_missed=["7"])]
    write(tmp_path / "spoken.jsonl", spoken)
    lost = {
        (one.target.measure, one.outcome): one.lost
        for one in judged(load_targets(), runs_of(tmp_path))
        if one.outcome == "missed"
    }
    assert lost == {
        ("difference", "missed"): {"reasoning": 1, "writer": 2},
        ("voice", "missed"): {"recognition": 1, "voice": 1},
    }


@pytest.mark.parametrize(
    "table",
    [
        "nonsense",
        "[[target]]\nwhat = 'x'",
        "[[target]]\nwhat = 'x'\nsets = ['a']\nmeasure = 'feeling'\nat_least = 1.0",
        "[[target]]\nwhat = 'x'\nsets = ['a']\nmeasure = 'median'\nkey = 'right'\nmodes = ['a', 'b']\nat_least = 1.0",
        "[[target]]\nwhat = 'x'\nsets = ['a']\nmeasure = 'median'\nkey = 'beauty'\nmodes = ['a']\nat_least = 1.0",
        "[[target]]\nwhat = 'x'\nsets = ['a']\nmeasure = 'voice'",
        "[[target]]\nwhat = 'x'\nsets = []\nmeasure = 'difference'\nkey = 'right'\nmodes = ['a', 'b']\nat_most = 1.0",
    ],
)
def test_a_table_that_is_none_is_one_sentence(table: str, tmp_path: Path) -> None:
    path = tmp_path / "targets.toml"
    path.write_text(table)
    with pytest.raises(UnusableInput, match="is no table of targets"):
        load_targets(path)
