"""The packed linears' Triton kernel interpreted, compiled for a GPU that is not here, and when it is chosen."""

from __future__ import annotations

import pytest
import torch

from voice_agent.errors import UnusableInput
from voice_agent.reasoning.packed import kernels
from voice_agent.reasoning.packed.kernels import choose_kernel

from .test_triton_attention import in_a_process_of_its_own


def test_triton_equals_plain_in_the_interpreter() -> None:
    pytest.importorskip("triton")
    in_a_process_of_its_own(
        "pytest", "tests/reasoning/triton_linears_equality.py", "-qx", "-p", "no:cacheprovider", interpret=True
    )


def test_triton_compiles_for_a_gpu() -> None:
    pytest.importorskip("triton")
    in_a_process_of_its_own("tests.reasoning.triton_linears_compiled", "90", interpret=False)


def test_auto_is_triton_where_there_is_a_gpu(monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("triton")
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    for name in ("auto", "triton"):
        kernel = choose_kernel(name)
        assert (kernel.name, kernel.device.type) == ("triton", "cuda")
    assert {choose_kernel(name).device.type for name in ("torch", "native") if _built(name)} == {"cpu"}
    assert choose_kernel("plain").device.type == "cuda"


def test_without_a_gpu_or_triton_auto_goes_on_and_triton_says_what_to_do(monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("triton")
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    assert choose_kernel("auto").device.type == "cpu"
    with pytest.raises(UnusableInput, match="needs a CUDA GPU"):
        choose_kernel("triton")
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(kernels, "find_spec", lambda _: None)
    assert choose_kernel("auto").name in ("native", "torch")
    with pytest.raises(UnusableInput, match="pip install triton"):
        choose_kernel("triton")


def _built(name: str) -> bool:
    return name != "native" or kernels.load_native() is not None
