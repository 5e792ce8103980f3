"""Compile ../native once, and find what was compiled.

    build_native() -> path of the library     set-up calls it; needs g++ and takes about half a minute
    load_native()  -> torch.ops namespace, or None where nothing fitting was built; never compiles

The library lies in the cache folder under a name that says what it fits: this source, this torch, this processor.
"""

from __future__ import annotations

import hashlib
import os
import platform
import shutil
import subprocess
import tempfile
from functools import cache
from pathlib import Path
from typing import Any

import torch

from ...errors import UnusableInput
from .cache_folder import cache_folder

SOURCES = Path(__file__).parent.parent / "native"
NATIVE_HINT = (
    "the native kernel was not built for this machine: run './scripts/setup' (it needs g++), or set "
    '[reasoning] kernel = "auto"'
)


def library_path() -> Path:
    digest = hashlib.sha256()
    for source in sorted(SOURCES.iterdir()):
        digest.update(source.read_bytes())
    digest.update(f"{torch.__version__} {platform.machine()} {' '.join(_processor_flags())}".encode())
    return cache_folder("native") / f"voice_agent_native-{digest.hexdigest()[:16]}.so"


def build_native() -> Path:
    """Compile the library unless it is there; returns its path.

    Raises:
        UnusableInput: no compiler, an unsupported processor, or the compiler failed.
    """
    target = library_path()
    if target.is_file():
        return target
    if platform.machine().lower() not in ("x86_64", "amd64") or "avx2" not in _processor_flags():
        raise UnusableInput(
            f"the native kernel needs an x86 processor with AVX2; on {platform.machine()} torch's is used"
        )
    compiler = os.environ.get("CXX") or shutil.which("g++")
    if compiler is None:
        raise UnusableInput("no C++ compiler: install g++ (Debian, Ubuntu: apt-get install g++)")
    target.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=target.parent) as folder:
        unfinished = Path(folder) / target.name
        done = subprocess.run(_command(compiler, unfinished), capture_output=True, text=True, check=False)
        if done.returncode:
            errors = [line for line in done.stderr.splitlines() if "error" in line] or done.stderr.splitlines()
            raise UnusableInput(f"{compiler} could not build the native kernel: {(errors or ['no message'])[0]}")
        os.replace(unfinished, target)
    return target


@cache
def load_native() -> Any | None:
    """torch.ops.voice_agent, or None."""
    path = library_path()
    if not path.is_file():
        return None
    torch.ops.load_library(path)
    return torch.ops.voice_agent


def _command(compiler: str, target: Path) -> list[str]:
    from torch.utils import cpp_extension

    includes = [f"-I{path}" for path in cpp_extension.include_paths()]
    libraries = [f"-L{path}" for path in cpp_extension.library_paths()]
    abi = f"-D_GLIBCXX_USE_CXX11_ABI={int(torch.compiled_with_cxx11_abi())}"
    flags = ["-std=c++20", "-O3", "-march=native", "-fPIC", "-shared", "-pthread", abi]
    sources = [str(source) for source in sorted(SOURCES.glob("*.cpp"))]
    return [compiler, *flags, *includes, *sources, *libraries, "-ltorch_cpu", "-lc10", "-o", str(target)]


def _processor_flags() -> list[str]:
    """Which instructions this processor has, as Linux lists them; elsewhere nothing is known."""
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        return []
    return sorted(next((line.split(":", 1)[1].split() for line in lines if line.startswith("flags")), []))
