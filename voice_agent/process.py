"""How a process that will hold models shares the machine: told once, before the first large library is imported.

Several engines share few cores: threads that spin while they wait starve the others (measured: 10x slower). And loading
makes a million objects, nearly all of which stay: looking for garbage among them every 700 allocations, as Python does
by default, takes a quarter of a start, and a look at all of them stops every thread for a third of a second in
mid-conversation. What a conversation leaves behind is freed by counting references, as ever.
"""

from __future__ import annotations

import gc
import os
import sys
import threading

# Each library reads its variable once, when it is loaded; processes that are started from here inherit them.
QUIET_THREADS = {"OMP_WAIT_POLICY": "passive", "KMP_BLOCKTIME": "0", "TOKENIZERS_PARALLELISM": "false"}
ALLOCATIONS_BETWEEN_LOOKS = (100_000, 50, 100)  # at the young, at the middle-aged, at all: gc.set_threshold


def prepare_process() -> None:
    """Waiting threads sleep, and garbage is looked for rarely; variables that are set already stay."""
    for name, value in QUIET_THREADS.items():
        os.environ.setdefault(name, value)
    gc.set_threshold(*ALLOCATIONS_BETWEEN_LOOKS)


def step_back(niceness: int) -> None:
    """Let this thread, and those that it starts, yield to others while cores are short; 0 to 19, on Linux only.

    Elsewhere niceness belongs to whole processes, so nothing is done.
    """
    if niceness and sys.platform == "linux":
        os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), niceness)
