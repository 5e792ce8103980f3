"""scripts/check_agreement runs, counts and judges."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import torch

from tests.script_module import SCRIPTS, script_module

SCRIPT = SCRIPTS / "check_agreement"


@pytest.fixture(scope="module")
def script() -> Any:
    """The script as a module."""
    return script_module("check_agreement")


def test_what_is_counted(script: Any) -> None:
    tally = script.Tally()
    reference = torch.tensor([[1.0, 3.0, 0.0], [2.0, 2.0, 0.0], [5.0, 0.0, 1.5], [0.0, 0.0, 9.0]])
    fast = torch.tensor([[1.0, 3.0, 0.0], [0.0, 2.0, 0.0], [0.0, 0.0, 1.0], [0.0, 0.0, 9.0]])
    tally.add(fast[:2], reference[:2])
    tally.add(fast[2:], reference[2:])
    figures = tally.figures()
    assert figures["tokens"] == 4
    assert figures["agreement"] == 0.5
    assert (figures["ties"], figures["margin_most"]) == (1, 3.5)
    same = script.Tally()
    same.add(fast, fast)
    assert same.figures()["kl_nats"] == 0
    assert figures["kl_nats"] > 0


def test_the_tiny_model(tiny_language_model: Path, tmp_path: Path) -> None:
    pytest.importorskip("gguf")
    found = tmp_path / "found.json"
    command = [sys.executable, SCRIPT, "--tokens", "8", "--model", tiny_language_model, "--json", found]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode in (0, 1), done.stderr
    results = json.loads(found.read_text())
    for pass_ in ("decode", "prefill"):
        assert results[pass_]["tokens"] >= 8
        assert results[pass_]["agreement"] > 0.8
    assert results["decode"]["kl_nats"] < 0.05


def test_a_missing_model_is_one_sentence() -> None:
    done = subprocess.run([sys.executable, SCRIPT, "--model", "none"], capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert done.stderr.startswith("check_agreement: unknown model 'none'")
