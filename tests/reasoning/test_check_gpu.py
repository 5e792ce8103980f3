"""scripts/check_gpu measures real steps, and says what it needs where there is no GPU."""

from __future__ import annotations

import subprocess
import sys
from typing import Any

import pytest
import torch

from tests.reasoning.tiny_models import tiny_model
from tests.script_module import SCRIPTS, script_module

SCRIPT = SCRIPTS / "check_gpu"


@pytest.fixture(scope="module")
def script() -> Any:
    """The script as a module."""
    return script_module("check_gpu")


def run(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, str(SCRIPT), *arguments], capture_output=True, text=True, check=False)


def test_it_measures_the_steps_of_a_conversation(script: Any, capsys: pytest.CaptureFixture[str]) -> None:
    """On the CPU, where nothing is captured."""
    model = tiny_model("qwen3", vocab_size=211)
    report = script.measure(model, "plain", [160, 320], repeats=1, bytes_per_s=1e9)
    assert [(step["context"], step["rows"]) for step in report["steps"]] == [
        (context, rows) for context in (160, 320) for rows in (1, 2, 3)
    ]
    first, longer = report["steps"][0], report["steps"][3]
    cache_ms = 160 * 3 * 2 * 2 * 16 * 4 / 1e9 * 1e3  # tokens, layers, keys and values, heads, entries, bytes
    assert longer["floor_ms"] - first["floor_ms"] == pytest.approx(cache_ms)
    assert report["compared"]["2_rows_320_over_160"] == report["steps"][4]["graph_ms"] / report["steps"][1]["graph_ms"]
    script._print("bf16", report | {"memory_gb": 1.0})
    told = capsys.readouterr().out
    assert "2 rows over 1 at 160" in told
    assert told.count("not captured") == 6


@pytest.mark.parametrize(("weights", "packed"), [("bf16", 0), ("int8", 15), ("int4", 15)])
def test_weights_are_rounded_as_when_they_are_loaded(
    weights: str, packed: int, script: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    from voice_agent.reasoning.packed import kernels
    from voice_agent.reasoning.packed.linears import PackedLinear

    shape = {"vocab_size": 211, "hidden_size": 64, "intermediate_size": 96, "head_dim": 16}
    heads = {"num_attention_heads": 4, "num_key_value_heads": 2}
    monkeypatch.setattr(script, "QWEN3_8B", {**script.QWEN3_8B, **shape, **heads})
    monkeypatch.setattr(kernels, "choose_kernel", lambda name: kernels.PlainKernel())
    model = script._random_model(2, weights, torch.device("cpu"))
    assert sum(isinstance(module, PackedLinear) for module in model.modules()) == packed


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is a GPU here")
def test_without_a_gpu_it_says_so() -> None:
    done = run()
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == (
        "check_gpu: torch sees no CUDA GPU here: run this on a machine with one, with torch's CUDA build\n"
    )


@pytest.mark.parametrize(
    ("arguments", "told"), [(["--weights", "int3"], "choose from"), (["--contexts", "10"], "at least 160")]
)
def test_arguments_that_make_no_sense_are_refused(arguments: list[str], told: str) -> None:
    done = run(*arguments)
    assert done.returncode == 2
    assert told in done.stderr


def test_help_names_what_can_be_chosen() -> None:
    assert "--weights" in run("--help").stdout
