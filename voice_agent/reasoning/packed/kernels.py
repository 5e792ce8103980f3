"""Which code multiplies the packed weights. The choice is made here and nowhere else.

    choose_kernel(name) -> Kernel;  Kernel.prepare(PackedWeight) -> its own form;  Kernel.multiply(x, form, bias) -> y

    native   integer dot products on the tiles themselves, C++ built at set-up (native_build): nothing is copied
    triton   on a GPU: the tiles read as they are, any activations; fused kernels of triton_linears
    torch    torch's own 4- and 8-bit operators, bfloat16 activations; weights are repacked when loaded
    plain    dequantised and F.linear: what the others are tested against; 4 bytes a weight, in bfloat16 2

x: (tokens, columns) float32 or bfloat16 (triton: float16 too); y: (tokens, rows) of x's dtype.
"""

from __future__ import annotations

from importlib.util import find_spec
from typing import Any, Protocol

import torch
import torch.nn.functional as F
from torch import Tensor

from ...errors import UnusableInput
from .layout import PackedWeight
from .native_build import NATIVE_HINT, load_native

CPU = torch.device("cpu")
TRITON_HINT = 'triton is not installed: install it (pip install triton; Linux only), or set [reasoning] kernel = "auto"'


class Kernel(Protocol):
    name: str
    memory_factor: float  # memory over the size of the packed weights, while loading
    device: torch.device  # where the weights must lie

    def prepare(self, weight: PackedWeight) -> Any:
        """The form in which `multiply` wants the weight."""
        ...

    def multiply(self, x: Tensor, form: Any, bias: Tensor | None) -> Tensor: ...


class PlainKernel:
    name = "plain"
    memory_factor = 8.0

    def __init__(self, device: torch.device = CPU, dtype: torch.dtype = torch.float32) -> None:
        self.device = device
        self._dtype = dtype

    def prepare(self, weight: PackedWeight) -> Tensor:
        return weight.dequantize().to(self._dtype)

    def multiply(self, x: Tensor, form: Tensor, bias: Tensor | None) -> Tensor:
        return F.linear(x.to(self._dtype), form, None if bias is None else bias.to(self._dtype)).to(x.dtype)


class TorchKernel:
    """4 bits: exact codes, bfloat16 scales. 6 and 8 bits: rounded anew to 8 bits with one scale a row."""

    name = "torch"
    memory_factor = 3.0
    device = CPU

    def prepare(self, weight: PackedWeight) -> tuple[Tensor, Tensor, int]:
        # torch's 4-bit operator takes rows by 16 and groups of 32 and up
        if weight.bits == 4 and weight.group == 32 and weight.rows % 16 == 0:
            codes = weight.unpacked_codes().to(torch.int32)
            packed = torch.ops.aten._convert_weight_to_int4pack_for_cpu(codes, 1)
            scales = weight.groups_of(weight.scales)
            middle = (8 - weight.zero) * scales  # the operator computes (code - 8) * scale + middle
            if weight.minimums is not None:
                middle = middle - weight.groups_of(weight.minimums)
            table = torch.stack([scales.T, middle.T], dim=-1).to(torch.bfloat16).contiguous()
            return packed, table, weight.group
        parts = [_one_scale_a_row(part.dequantize()) for part in weight.slices()]
        return torch.cat([codes for codes, _ in parts]), torch.cat([scales for _, scales in parts]), 0

    def multiply(self, x: Tensor, form: tuple[Tensor, Tensor, int], bias: Tensor | None) -> Tensor:
        packed, scales, group = form
        rounded = x.to(torch.bfloat16).contiguous()
        if group:
            y = torch.ops.aten._weight_int4pack_mm_for_cpu(rounded, packed, group, scales)
        else:
            y = torch.ops.aten._weight_int8pack_mm(rounded, packed, scales)
        y = y.to(x.dtype)
        return y if bias is None else y + bias


def _one_scale_a_row(values: Tensor) -> tuple[Tensor, Tensor]:
    scales = values.abs().amax(1).clamp_min(1e-12) / 127
    return (values / scales[:, None]).round_().to(torch.int8), scales.to(torch.bfloat16)


class NativeKernel:
    name = "native"
    memory_factor = 1.0
    device = CPU

    def __init__(self, multiply: Any) -> None:
        self._multiply = multiply

    def prepare(self, weight: PackedWeight) -> PackedWeight:
        return weight

    def multiply(self, x: Tensor, form: PackedWeight, bias: Tensor | None) -> Tensor:
        y = self._multiply(
            x.float(), form.codes, form.scales, form.minimums, bias, form.rows, form.bits, form.group, form.zero
        )
        return y.to(x.dtype)


def choose_kernel(name: str, plain_dtype: torch.dtype = torch.float32) -> Kernel:
    """The kernel called `name`; 'auto' is triton where there is a GPU and triton is installed, else native where it was
    built, else torch. Plain runs on a GPU too, where there is one, and computes in `plain_dtype`.

    Raises:
        UnusableInput: native was asked for by name and was not built, or triton and it or a GPU is missing.
    """
    on_gpu = torch.cuda.is_available()
    if name == "triton" or (name == "auto" and on_gpu and find_spec("triton")):
        return _triton_kernel()
    if name == "plain":
        return PlainKernel(torch.device("cuda") if on_gpu else CPU, plain_dtype)
    native = load_native() if name in ("auto", "native") else None
    if native is not None:
        return NativeKernel(native.packed_linear)
    if name == "native":
        raise UnusableInput(NATIVE_HINT)
    return TorchKernel()


def _triton_kernel() -> Kernel:
    if not find_spec("triton"):
        raise UnusableInput(TRITON_HINT)
    from .triton_linears import TritonKernel  # not installed everywhere

    return TritonKernel()
