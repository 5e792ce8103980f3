"""Compile the attention kernels for a GPU that need not be there: python -m tests.reasoning.triton_compiled CAPABILITY

Prints shared memory and fails where a tile asks for more than the GPU has. test_triton_attention.py runs it.
"""

from __future__ import annotations

import sys
from typing import Any

import triton
from triton.backends.compiler import GPUTarget
from triton.compiler import ASTSource

from voice_agent.reasoning import triton_attention
from voice_agent.reasoning.triton_attention import tiling

SHARED_BYTES = {80: 166912, 86: 101376, 89: 101376, 90: 232448}  # a program's, CUDA programming guide, table of limits
FLOATS = ("cos", "sin", "sums", "peaks", "weights")
FORMS = [("bf16", 2, 128, 1), ("bf16", 2, 128, 8), ("bf16", 2, 128, 64), ("bf16", 2, 256, 64), ("fp32", 4, 128, 1)]
NUMBERS = ("n", "heads", "rows", "slots", "window", "head_stride", "token_stride")


def main(capability: int) -> None:
    for type_name, item_bytes, dim, tokens in FORMS:
        shared = _attend_part(capability, type_name, item_bytes, dim, tokens)
        print(f"{type_name} heads of {dim}, {tokens} tokens: {shared} bytes")
        assert shared <= SHARED_BYTES[capability]
    sizes = {"SINKS": True, "VALUE_DIM": 128, "VALUE_PADDED": 128, "PARTS": 16}
    _compile(triton_attention._merge_parts, capability, "bf16", sizes, {})


def _attend_part(capability: int, type_name: str, item_bytes: int, dim: int, tokens: int) -> int:
    cut = tiling(1, tokens, 4, 8, dim, item_bytes, 132)
    sizes = {
        "CAPPED": tokens > 1,
        "TWO_PARTS": item_bytes == 2,
        "DIM": dim,
        "VALUE_DIM": dim,
        "ROTARY_START": 0,
        "ROTARY_PAIRS": dim // 2,
        "INTERLEAVED": tokens > 8,
        "PADDED": dim,
        "VALUE_PADDED": dim,
        "ROWS": triton_attention.LEAST_ROWS,
        "SPANS": triton_attention.LEAST_SPANS,
        "PAIRS": cut.pairs,
        "KEYS": cut.keys,
    }
    options = {"num_warps": cut.warps, "num_stages": cut.stages}
    return int(_compile(triton_attention._attend_part, capability, type_name, sizes, options).metadata.shared)


def _compile(kernel: Any, capability: int, type_name: str, sizes: dict[str, Any], options: dict[str, int]) -> Any:
    types = {name: _type(name, type_name, sizes) for name in kernel.arg_names}
    aligned = [i for i, (name, kind) in enumerate(types.items()) if kind[0] == "*" or name.endswith("stride")]
    source = ASTSource(
        kernel,
        types,
        constexprs={(kernel.arg_names.index(name),): size for name, size in sizes.items()},
        attrs={(i,): [["tt.divisibility", 16]] for i in aligned},
    )
    return triton.compile(source, target=GPUTarget("cuda", capability, 32), options=options)


def _type(name: str, type_name: str, sizes: dict[str, Any]) -> str:
    if name in sizes:
        return "constexpr"
    if name in FLOATS:
        return "*fp32"
    if name in NUMBERS:
        return "i32"
    if name in ("scale", "softcap"):
        return "fp32"
    return "*i64" if name.endswith("_table") else f"*{type_name}"


if __name__ == "__main__":
    main(int(sys.argv[1]))
