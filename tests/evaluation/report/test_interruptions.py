"""What lost the answers to corrected questions."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.evaluation.report.lines import injection_line, write
from voice_agent.evaluation.report.interruptions import lost_corrections
from voice_agent.evaluation.report.sources import read_sources

STALE: dict[str, Any] = {"stated": "7", "stale": True, "thoughts": "So it is 7."}


@pytest.mark.parametrize(
    ("values", "kind"),
    [
        ({**STALE, "reason": "budget"}, "out of tokens"),
        ({**STALE, "thoughts_right": True, "numbers_invented": ["9"]}, "recognition"),
        ({**STALE, "thoughts_right": True}, "writer"),
        ({**STALE, "thoughts": "The original question says 7."}, "self-doubt"),
        ({**STALE, "thought_pieces": 40}, "panic"),
        (STALE, "placement"),
        ({**STALE, "stale": False}, "reasoning"),
    ],
)
def test_the_first_kind_that_holds(values: dict[str, Any], kind: str, tmp_path: Path) -> None:
    lines = [injection_line(1, "plain", stated="7", thoughts="It is 7."), injection_line(1, "altered")]
    lines.append(injection_line(1, "correction", False, **values))
    lines.append(injection_line(1, "correction", True, point=60))
    (run,) = read_sources([write(tmp_path / "x.jsonl", lines)]).runs
    lost = lost_corrections(run, "both")
    assert list(lost) == [kind]
    assert [line["point"] for line in lost[kind]] == [30]


def test_a_question_that_is_not_answered_outright_says_nothing_of_corrections(tmp_path: Path) -> None:
    lines = [injection_line(1, what, False) for what in ("plain", "altered", "correction")]
    (run,) = read_sources([write(tmp_path / "x.jsonl", lines)]).runs
    assert lost_corrections(run, "both") == {}
