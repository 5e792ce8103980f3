"""JUnit XML that a build server can read."""

from __future__ import annotations

from pathlib import Path
from xml.etree import ElementTree

from voice_agent.replay.junit import write_junit


def test_every_expectation_is_a_case_and_a_failed_one_shows_its_value(tmp_path: Path) -> None:
    results = [
        {"name": "finally_says", "ok": False, "value": "eighty <b>\x00"},
        {"name": "resumes", "ok": True, "value": True},
        {"name": "answered", "ok": False, "value": "0 of 1", "known": True},
    ]
    write_junit(tmp_path / "junit.xml", {"first": (12.3456, results), "second": (1.0, [])})
    first, second = ElementTree.parse(tmp_path / "junit.xml").getroot()
    assert first.attrib == {"name": "first", "tests": "3", "failures": "1", "skipped": "1", "time": "12.346"}
    failure = first.find("testcase/failure")
    assert failure is not None
    assert "eighty <b>" in failure.attrib["message"]
    assert [case.attrib["name"] for case in first if case.find("skipped") is not None] == ["answered"]
    assert [case.attrib["name"] for case in second] == ["runs"]
