"""JUnit XML of a replay, so that a build server shows every expectation of every scenario.

write_junit(path, {scenario: (seconds, results)})
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from xml.etree import ElementTree

from .expectations import Result


def write_junit(path: Path, scenarios: Mapping[str, tuple[float, list[Result]]]) -> None:
    """One suite a scenario, one case an expectation; a scenario that expects nothing has the case 'runs'.

    seconds: how long the conversation lasted on its own clock. What the baseline did not meet either is skipped.
    """
    root = ElementTree.Element("testsuites")
    for name, (seconds, results) in scenarios.items():
        known = sum(bool(result.get("known")) for result in results)
        failures = sum(not result["ok"] for result in results) - known
        about = {"name": _printable(name), "tests": str(max(1, len(results))), "failures": str(failures)}
        suite = ElementTree.SubElement(root, "testsuite", {**about, "skipped": str(known), "time": f"{seconds:.3f}"})
        for result in results or [{"name": "runs", "ok": True, "value": None}]:
            case = ElementTree.SubElement(suite, "testcase", classname=_printable(name), name=result["name"])
            if not result["ok"]:
                message = _printable(f"measured: {json.dumps(result['value'], ensure_ascii=False)}")
                missed = "skipped" if result.get("known") else "failure"
                ElementTree.SubElement(case, missed, message=message)
    ElementTree.indent(root)
    ElementTree.ElementTree(root).write(path, encoding="utf-8", xml_declaration=True)


def _printable(text: str) -> str:
    """Without the control characters that XML cannot hold."""
    return "".join(character if character.isprintable() else " " for character in text)
