"""How much of its pace the language model keeps while the voice or the recogniser works beside it.

    paces(parts, step, sound, rounds) -> {"alone" | "voice" | "recogniser": steps a second, ...}, a round
    paces_of(traces)                  -> the same of conversations, where they have such steps

The first is the worst case: the other part works without pause. In a conversation it works now and then, and the steps
are counted that it really met. All three run on the threads that own them in a conversation.
"""

from __future__ import annotations

import statistics
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext

import numpy as np

from ..clock import Worker
from ..events import Clause
from ..parts import Parts
from ..record.trace import TraceLine

STEPS = 24  # behind one sample: about a second
CLAUSE = Clause("A train that travels sixty kilometers in forty five minutes", 1, "model")
ALONE = "alone"
BESIDE = {"voice": "voice", "recognizer": "recogniser"}  # as a trace names a part -> as it is told
CALLS = {"voice": "a clause meanwhile", "recogniser": "a reading meanwhile"}
MOST_TOKENS = 3  # of a step that decodes: longer ones read something in
LEAST_SHARE = 0.5  # of a step's time, for it to count as one beside another part


def paces(parts: Parts, step: Callable[[], object], sound: np.ndarray, rounds: int) -> list[dict[str, float]]:
    """How often a second `step` runs alone, while clauses are voiced without pause, while `sound` is read again and
    again; in turn.

    sound: (n,) float32 at the recogniser's rate. A round also tells what the other part paid: milliseconds of a clause
    and of a reading, as `CALLS` names them.
    """
    workers = parts.workers
    beside: dict[str, Callable[[], AbstractContextManager[list[float]]]] = {
        ALONE: lambda: nullcontext([]),
        "voice": lambda: kept_busy(workers.voice, lambda: parts.voice.synthesize(CLAUSE)),
        "recogniser": lambda: kept_busy(workers.recognizer, lambda: parts.recognizer.read(sound)),
    }

    def steps_per_s() -> float:
        start_s = time.perf_counter()
        for _ in range(STEPS):
            step()
        return STEPS / (time.perf_counter() - start_s)

    workers.language.submit(steps_per_s).result()  # warms up
    found: list[dict[str, float]] = []
    for _ in range(rounds):
        found.append({})
        for name, working in beside.items():
            with working() as taken_ms:
                found[-1][name] = workers.language.submit(steps_per_s).result()
            if taken_ms:
                found[-1][CALLS[name]] = statistics.median(taken_ms)
    return found


@contextmanager
def kept_busy(worker: Worker, call: Callable[[], object]) -> Iterator[list[float]]:
    """Meanwhile `call` runs on `worker` again and again; its errors are raised at the end.

    Yields the milliseconds of every call that is over.
    """
    begun, over = threading.Event(), threading.Event()
    taken_ms: list[float] = []

    def work() -> None:
        while not over.is_set():
            begun.set()
            start_s = time.perf_counter()
            call()
            taken_ms.append((time.perf_counter() - start_s) * 1e3)

    working = worker.submit(work)
    begun.wait()
    try:
        yield taken_ms
    finally:
        over.set()
        working.result()


def paces_of(*traces: Sequence[TraceLine]) -> dict[str, float]:
    """Steps a second (from the median step) of conversations: of steps alone, and of those that met one other part."""
    taken_ms: dict[str, list[float]] = {}
    for lines in traces:
        calls = [line for line in lines if line.kind == "model_call" and line["ms"]]
        others = [line for line in calls if line["which"] in BESIDE]
        for step in calls:
            if step["which"] == "language" and step["tokens"] <= MOST_TOKENS:
                met = _met(step, others)
                if len(met) <= 1:
                    taken_ms.setdefault(met[0] if met else ALONE, []).append(step["ms"])
    return {name: 1e3 / statistics.median(samples) for name, samples in taken_ms.items()}


def _met(step: TraceLine, others: Sequence[TraceLine]) -> list[str]:
    """Who worked during most of the step; both where both worked, or one for a part of it only."""
    met_s = dict.fromkeys(BESIDE.values(), 0.0)
    for other in others:
        met_s[BESIDE[other["which"]]] += _overlap_s(_span(step), _span(other))
    partly = [told for told, seconds in met_s.items() if seconds]
    mostly = [told for told in partly if met_s[told] >= LEAST_SHARE * step["ms"] / 1e3]
    return mostly if mostly == partly else list(BESIDE.values())


def _span(line: TraceLine) -> tuple[float, float]:
    """A call is recorded when it is over."""
    return line.t - line["ms"] / 1e3, line.t


def _overlap_s(one: tuple[float, float], other: tuple[float, float]) -> float:
    return max(0.0, min(one[1], other[1]) - max(one[0], other[0]))
