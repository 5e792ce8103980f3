"""Fast kernels compute what the plain one computes."""

from __future__ import annotations

import ctypes
import shutil
import subprocess
from pathlib import Path

import pytest
import torch
from torch import Tensor

from voice_agent.errors import UnusableInput
from voice_agent.reasoning.packed import kernels, native_build
from voice_agent.reasoning.packed.layout import PackedWeight
from voice_agent.reasoning.packed.linears import PackedEmbedding, PackedLinear

from .test_packed_layout import random_weight

WEIGHTS = {  # bits, group, minimum: as the types of a GGUF need them
    "Q4_K": (4, 32, True),
    "Q4_0": (4, 32, False),
    "Q5_1": (6, 32, True),
    "Q6_K": (6, 16, False),
    "Q8_0": (8, 32, False),
}
SIZES = [(48, 96), (37, 64), (640, 256)]  # the second does not fill its last tile
TOKENS = [1, 2, 3, 4, 7, 8, 9, 33]


def rounded_to_8_bits(x: Tensor) -> Tensor:
    """What the native kernel makes of its input: 8 bits in groups of 32."""
    groups = x.view(len(x), -1, 32)
    scales = groups.abs().amax(-1, keepdim=True) / 127
    return torch.where(scales > 0, (groups * (127 / (127 * scales))).round() * scales, groups).view_as(x)


def inputs(tokens: int, columns: int) -> Tensor:
    x = torch.randn(tokens, columns, generator=torch.Generator().manual_seed(tokens))
    x[:, :32] *= 100  # a few large channels, as real activations have
    x[0, -32:] = 0
    return x


@pytest.fixture(scope="module")
def native() -> kernels.Kernel:
    try:
        return kernels.choose_kernel("native")
    except UnusableInput as reason:
        pytest.skip(str(reason))


@pytest.mark.parametrize("kind", WEIGHTS)
@pytest.mark.parametrize("size", SIZES, ids=str)
def test_native_equals_plain_on_rounded_input(kind: str, size: tuple[int, int], native: kernels.Kernel) -> None:
    weight = random_weight(*size, *WEIGHTS[kind])
    bias = torch.randn(size[0], generator=torch.Generator().manual_seed(3))
    plain = kernels.PlainKernel()
    for tokens in TOKENS:
        x = inputs(tokens, size[1])
        expected = plain.multiply(rounded_to_8_bits(x), plain.prepare(weight), bias)
        found = native.multiply(x, native.prepare(weight), bias)
        assert (
            found - expected
        ).norm() <= 2e-4 * expected.norm()  # a value that lies between two steps may go either way


def test_a_token_gets_the_same_result_alone_and_among_others(native: kernels.Kernel) -> None:
    weight = random_weight(640, 256, *WEIGHTS["Q4_K"])
    x = inputs(21, 256)
    whole = native.multiply(x, weight, None)
    assert torch.equal(whole, torch.cat([native.multiply(row[None], weight, None) for row in x]))


def test_threads_do_not_change_the_result(native: kernels.Kernel) -> None:
    weight, x = random_weight(4096, 512, *WEIGHTS["Q4_K"]), inputs(5, 512)
    before = torch.get_num_threads()
    results = []
    try:
        for threads in (1, 2, 4):
            torch.set_num_threads(threads)
            results += [native.multiply(x, weight, None) for _ in range(20)]
    finally:
        torch.set_num_threads(before)
    assert all(torch.equal(result, results[0]) for result in results)


def test_native_refuses_what_it_cannot_read(native: kernels.Kernel) -> None:
    weight = random_weight(16, 64, *WEIGHTS["Q4_K"])
    with pytest.raises(RuntimeError, match=r"expected \(tokens, 64\)"):
        native.multiply(torch.zeros(1, 32), weight, None)


@pytest.mark.parametrize("kind", WEIGHTS)
def test_torch_is_close_to_plain(kind: str) -> None:
    weight = random_weight(64, 256, *WEIGHTS[kind])
    plain, fast = kernels.PlainKernel(), kernels.TorchKernel()
    for tokens in (1, 2, 9):
        x = torch.randn(tokens, 256, generator=torch.Generator().manual_seed(tokens))
        expected = plain.multiply(x, plain.prepare(weight), None)
        found = fast.multiply(x, fast.prepare(weight), None)
        assert (found - expected).norm() <= 0.02 * expected.norm()


@pytest.mark.parametrize("flags", [["-mavx2", "-mfma", "-mf16c"]], ids=["avx2"])
def test_the_kernel_for_older_processors_equals_plain(flags: list[str], tmp_path: Path) -> None:
    """The same sources, compiled without AVX-512 and without torch."""
    compiler = shutil.which("g++")
    if compiler is None or "avx2" not in Path("/proc/cpuinfo").read_text(encoding="utf-8"):
        pytest.skip("needs g++ and a processor with AVX2")
    library = tmp_path / "older.so"
    bridge = tmp_path / "bridge.cpp"
    bridge.write_text(
        '#include "packed_linear.h"\n'
        'extern "C" void multiply(const float* x, long tokens, const voice_agent::Weight* w, const float* bias,'
        " float* y) { voice_agent::packed_linear(x, tokens, *w, bias, y, 2); }\n",
        encoding="utf-8",
    )
    sources = [str(native_build.SOURCES / name) for name in ("packed_linear.cpp", "worker_pool.cpp")]
    command = [compiler, "-std=c++20", "-O1", *flags, "-fPIC", "-shared", "-pthread", f"-I{native_build.SOURCES}"]
    subprocess.run([*command, str(bridge), *sources, "-o", str(library)], check=True)
    multiply = ctypes.CDLL(str(library)).multiply
    plain = kernels.PlainKernel()
    for shape in WEIGHTS.values():
        weight = random_weight(37, 96, *shape)
        x, y = inputs(6, 96), torch.empty(6, 37)
        multiply(_pointer(x), ctypes.c_long(6), ctypes.byref(_c_weight(weight)), None, _pointer(y))
        expected = plain.multiply(rounded_to_8_bits(x), plain.prepare(weight), None)
        assert (y - expected).norm() <= 2e-4 * expected.norm()


class _CWeight(ctypes.Structure):
    """`Weight` of packed_linear.h."""

    _fields_ = (
        ("codes", ctypes.c_void_p),
        ("scales", ctypes.c_void_p),
        ("minimums", ctypes.c_void_p),
        ("rows", ctypes.c_int64),
        ("columns", ctypes.c_int64),
        ("bits", ctypes.c_int),
        ("group", ctypes.c_int),
        ("zero", ctypes.c_int),
    )


def _pointer(tensor: Tensor | None) -> ctypes.c_void_p:
    return ctypes.c_void_p(None if tensor is None else tensor.data_ptr())


def _c_weight(w: PackedWeight) -> _CWeight:
    tensors = (_pointer(w.codes), _pointer(w.scales), _pointer(w.minimums))
    return _CWeight(*tensors, w.rows, w.columns, w.bits, w.group, w.zero)


def test_modules_keep_shape_and_dtype() -> None:
    weight = random_weight(20, 64, 4, 32, True)
    linear = PackedLinear(weight, torch.ones(20), kernels.PlainKernel())
    for dtype in (torch.float32, torch.bfloat16):
        y = linear(torch.randn(2, 3, 64).to(dtype))
        assert y.shape == (2, 3, 20)
        assert y.dtype == dtype
    rows = PackedEmbedding(weight, torch.float32)(torch.tensor([[0, 19, 7]]))
    assert torch.equal(rows, weight.dequantize()[[0, 19, 7]][None])


def test_a_kernel_that_was_not_built_is_not_chosen(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kernels, "load_native", lambda: None)
    assert kernels.choose_kernel("auto").name == "torch"
    with pytest.raises(UnusableInput, match="scripts/setup"):
        kernels.choose_kernel("native")


def test_building_without_a_compiler_says_so(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("VOICE_AGENT_MODELS", str(tmp_path))
    monkeypatch.setenv("CXX", "")
    monkeypatch.setattr(native_build.shutil, "which", lambda _name: None)
    monkeypatch.setattr(native_build, "_processor_flags", lambda: ["avx2"])
    monkeypatch.setattr(native_build.platform, "machine", lambda: "x86_64")
    with pytest.raises(UnusableInput, match=r"install g\+\+"):
        native_build.build_native()
    assert not list(tmp_path.rglob("*.so"))
