"""What figures were taken on: processor, versions, load; and how fast its memory can be read.

machine()  -> plain values for a report
device()   -> what the language model runs on, in words
read_gb_s(device, repeats) -> GB/s, one sample a repeat
"""

from __future__ import annotations

import datetime
import importlib.metadata
import os
import platform
import time
from pathlib import Path
from typing import Any

import psutil
import torch

from .. import __version__

PACKAGES = ("torch", "transformers", "faster-whisper", "piper-tts", "onnxruntime")
READ_BYTES = 512 << 20  # far more than any cache holds


def machine() -> dict[str, Any]:
    """The machine at this moment; its load says whether others were using it."""
    return {
        "processor": _processor(),
        "cores": _cores(),
        "gpu": _gpu(),
        "memory_gb": round(psutil.virtual_memory().total / 1e9, 1),
        "load_1_min": round(psutil.getloadavg()[0], 2),
        "system": platform.platform(),
        "python": platform.python_version(),
        "date": datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds"),
        "versions": {"voice-agent": __version__, **{name: importlib.metadata.version(name) for name in PACKAGES}},
    }


def device() -> str:
    """'AMD EPYC, 2 cores', or the GPU's name."""
    return _gpu() or f"{_processor()}, {_cores()} cores"


@torch.inference_mode()
def read_gb_s(device: torch.device, repeats: int) -> list[float]:
    """Sum up a large tensor with as many threads as the language model uses.

    Of torch's reductions `sum` comes nearest to the memory's bandwidth (measured against max, dot and norm).
    """
    values = torch.ones(READ_BYTES // 4, device=device)
    rates = []
    for repeat in range(repeats + 1):
        start_s = time.perf_counter()
        values.sum().item()  # read back: a GPU has then finished
        if repeat:  # the first pass warms up
            rates.append(READ_BYTES / (time.perf_counter() - start_s) / 1e9)
    return rates


def _gpu() -> str | None:
    return torch.cuda.get_device_name(0) if torch.cuda.is_available() else None


def _cores() -> int | None:
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()


def _processor() -> str:
    """The processor's name; Linux keeps it in /proc/cpuinfo."""
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        lines = []
    named = (line.split(":", 1)[1].strip() for line in lines if line.startswith("model name"))
    return next(named, platform.processor() or platform.machine())
