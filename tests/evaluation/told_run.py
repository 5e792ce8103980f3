"""`voice-agent eval` on a random model in a process of its own, which tells of every step and every kept line.

It works on while it is heard, but waits where it is `AHEAD` of who hears it: however slow that is, it cannot finish.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Callable
from multiprocessing.connection import Connection
from typing import Any

import torch
from tqdm import tqdm

from tests.evaluation.tiny_subject import load_tiny
from voice_agent.command_line import app
from voice_agent.evaluation import modes as modes  # what the command would import, once for all runs
from voice_agent.evaluation.runs import KeptLines
from voice_agent.evaluation.subject import Subject
from voice_agent.reasoning.engine import Engine

AHEAD = 4  # steps and lines


def evaluate(arguments: list[str], tell: Connection) -> None:
    """Runs the command; quiet."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 1)
    os.dup2(nowhere, 2)
    torch.set_num_threads(1)
    tqdm.set_lock(threading.RLock())  # its own is a semaphore of the system, which a killed process leaves behind
    Subject.load = classmethod(load_tiny)  # type: ignore[method-assign, assignment]
    Engine._step = _telling(Engine._step, tell)  # type: ignore[method-assign]
    KeptLines.keep = _telling(KeptLines.keep, tell)  # type: ignore[method-assign]
    for _ in range(AHEAD):
        tell.send_bytes(b".")
    app(["eval", *arguments], standalone_mode=False)


def _telling(function: Callable[..., Any], tell: Connection) -> Callable[..., Any]:
    def telling(*arguments: Any) -> Any:
        tell.send_bytes(b".")
        tell.recv_bytes()  # the answer to what was told `AHEAD` times before
        return function(*arguments)

    return telling
