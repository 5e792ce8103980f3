"""The Triton kernel in Triton's interpreter, compiled for GPUs that are not here, and when it is chosen."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
import torch

from voice_agent.errors import UnusableInput
from voice_agent.reasoning import attention_kernels
from voice_agent.reasoning.attention_kernels import choose_attention

ROOT = Path(__file__).resolve().parents[2]


def in_a_process_of_its_own(*command: str, interpret: bool) -> None:
    """Triton reads TRITON_INTERPRET when it is first imported; here something has imported it long ago."""
    environment = {**os.environ, "TRITON_INTERPRET": str(int(interpret)), "OMP_NUM_THREADS": "1"}
    done = subprocess.run(
        [sys.executable, "-m", *command], cwd=ROOT, env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout[-4000:] + done.stderr[-2000:]


def test_triton_equals_plain_in_the_interpreter() -> None:
    pytest.importorskip("triton")
    in_a_process_of_its_own(
        "pytest", "tests/reasoning/triton_equality.py", "-qx", "-p", "no:cacheprovider", interpret=True
    )


@pytest.mark.parametrize("capability", ["86", "90"])
def test_triton_compiles_for_a_gpu(capability: str) -> None:
    """The interpreter accepts what the compiler refuses; ptxas needs no GPU."""
    pytest.importorskip("triton")
    in_a_process_of_its_own("tests.reasoning.triton_compiled", capability, interpret=False)


def test_auto_is_triton_where_there_is_a_gpu(monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("triton")
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    assert choose_attention("auto").name == "triton"
    assert choose_attention("plain").name == "plain"
    assert choose_attention("torch").name == "plain"


def test_without_triton_auto_goes_on_and_triton_says_what_to_do(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(attention_kernels, "find_spec", lambda _: None)
    assert choose_attention("auto").name in ("native", "plain")
    with pytest.raises(UnusableInput, match="pip install triton"):
        choose_attention("triton")
