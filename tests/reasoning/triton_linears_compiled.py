"""Compile the packed linears' kernels for a GPU that need not be there, given its capability (90).

Fails where a tile asks for more shared memory than the GPU has, and where the loop over the weights does not read 16
bytes at a time or moves numbers between threads: results would be right, and slow. test_triton_linears.py runs it.
"""

from __future__ import annotations

import sys
from typing import Any

import triton
from triton.backends.compiler import GPUTarget
from triton.compiler import ASTSource

from tests.reasoning.triton_compiled import SHARED_BYTES
from voice_agent.reasoning.packed import triton_linears
from voice_agent.reasoning.packed.triton_linears import LINES, tile_of_prefill, warps_of_decode

KINDS = [(4, 32, True), (6, 16, False), (8, 32, False)]  # bits, group, minimum
TYPES = {"words": "*i32", "scales": "*fp16", "minimums": "*fp16", "bias": "*fp32", "zero": "fp32"}


def main(capability: int) -> None:
    for bits, group, minimum in KINDS:
        sizes = {"BITS": bits, "GROUP": group, "MINIMUM": minimum, "BIAS": bits == 6, "LINES": LINES[bits]}
        for tokens in (1, 3):
            warps = warps_of_decode(tokens, 256, 4096 * 8)
            compiled = _compile(
                triton_linears._decode, capability, {**sizes, "TOKENS": tokens, "AT_ONCE": warps * 8}, warps
            )
            loop = compiled.asm["ttgir"].partition("scf.for")[2].partition("scf.yield")[0]
            assert "tt.load" in loop
            assert "convert_layout" not in loop
            assert "ld.global.v4.b32" in compiled.asm["ptx"]
        for tokens in (5, 64):
            token_tile, row_tile = tile_of_prefill(tokens, 12288)
            tiles = {"TOKEN_TILE": token_tile, "ROW_TILE": row_tile}
            shared = _compile(triton_linears._prefill, capability, {**sizes, **tiles}, 4).metadata.shared
            print(f"{bits} bits, {tokens} tokens: {shared} bytes")
            assert shared <= SHARED_BYTES[capability]


def _compile(kernel: Any, capability: int, sizes: dict[str, Any], warps: int) -> Any:
    types = {name: _type(name, sizes) for name in kernel.arg_names}
    aligned = [i for i, (name, kind) in enumerate(types.items()) if kind[0] == "*" or name == "blocks"]
    source = ASTSource(
        kernel,
        types,
        constexprs={(kernel.arg_names.index(name),): size for name, size in sizes.items()},
        attrs={(i,): [["tt.divisibility", 16]] for i in aligned},
    )
    return triton.compile(source, target=GPUTarget("cuda", capability, 32), options={"num_warps": warps})


def _type(name: str, sizes: dict[str, Any]) -> str:
    if name in sizes:
        return "constexpr"
    return TYPES.get(name, "*bf16" if name in ("x", "planes", "y") else "i32")


if __name__ == "__main__":
    main(int(sys.argv[1]))
