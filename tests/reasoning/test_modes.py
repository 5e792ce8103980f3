"""Names of modes."""

from __future__ import annotations

import pytest

from voice_agent.errors import UnusableInput
from voice_agent.reasoning.modes import Mode, parse_mode


@pytest.mark.parametrize(
    ("name", "mode"),
    [
        ("async", Mode(thinks=True, speaks_meanwhile=True)),
        ("think", Mode(thinks=True, speaks_meanwhile=False)),
        ("think:40", Mode(thinks=True, speaks_meanwhile=False, budget=40)),
        ("async-safe", Mode(thinks=True, speaks_meanwhile=True, safe=True)),
        ("direct", Mode(thinks=False, speaks_meanwhile=True)),
        ("direct-filler", Mode(thinks=False, speaks_meanwhile=True, filler=True)),
    ],
)
def test_names(name: str, mode: Mode) -> None:
    assert parse_mode(name) == mode


@pytest.mark.parametrize("name", ["", "Async", "think:", "think:-3", "think:1.5", "think:many", "async:9", "fast"])
def test_unknown_names_list_the_known_ones(name: str) -> None:
    with pytest.raises(UnusableInput, match="choose async, async-safe, think, think:N, direct or direct-filler"):
        parse_mode(name)


def test_no_thoughts_at_all_is_direct() -> None:
    with pytest.raises(UnusableInput, match="use 'direct'"):
        parse_mode("think:0")
