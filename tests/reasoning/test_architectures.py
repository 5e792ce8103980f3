"""scripts/check_architectures: six families that differ most, and what its exit status says of them."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.reasoning import architectures
from tests.reasoning.architectures import LARGEST_ERROR, Family, check, families

ROOT = Path(__file__).resolve().parents[2]
EXACT = ["gemma3_text", "cohere2", "gpt_oss", "deepseek_v3"]  # deepseek_v3 twice: both ways to keep its weights
REFUSED = ["hunyuan_v1_dense", "mamba"]


def check_architectures(*options: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, str(ROOT / "scripts" / "check_architectures"), *options],
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "OMP_NUM_THREADS": "1"},
    )


def test_six_families_by_the_script(tmp_path: Path) -> None:
    report, document = tmp_path / "report.json", tmp_path / "architectures.md"
    chosen = [option for kind in EXACT + REFUSED for option in ("--family", kind)]
    done = check_architectures(*chosen, "--json", str(report), "--markdown", str(document))
    assert done.returncode == 0, done.stdout + done.stderr
    outcomes = {line.split()[0]: line.split()[1] for line in done.stdout.splitlines()}
    assert outcomes == dict.fromkeys(EXACT, "exact") | dict.fromkeys(REFUSED, "refused:")
    for entry in json.loads(report.read_text())["families"]:
        assert (entry["error"] or 0) <= LARGEST_ERROR
        assert bool(entry["refused"]) == (entry["family"] in REFUSED)
    assert "| mamba | recurrent | blocks cannot be shared with layers of type" in document.read_text()


def test_a_family_that_is_not_there() -> None:
    done = check_architectures("--family", "nothing")
    assert (done.returncode, done.stdout) == (2, "")
    assert "there is no family 'nothing' in the table; known are apertus, arcee" in done.stderr


@pytest.mark.parametrize(
    ("family", "unexpected"),
    [
        (Family("gpt2", "", {"n_embd": 64, "n_layer": 2, "n_head": 4}), "is refused: gpt2: has no rotary"),
        (Family("llama", "", exact=False), "is not refused"),
        (Family("llama", "", view=80), "takes a view of 80 tokens"),
    ],
)
def test_what_is_not_as_the_table_says(family: Family, unexpected: str) -> None:
    assert str(check(family, "plain").unexpected).startswith(unexpected)


def test_an_error_beyond_the_limit_is_not_exact(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(architectures, "LARGEST_ERROR", 0.0)
    assert str(check(families("llama")[0], "plain").unexpected).startswith("is off by")
