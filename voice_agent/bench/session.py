"""A fresh process: the start, one spoken question with the time of every hop, and a conversation that is interrupted.

    run_sessions(settings, scenario, ...) -> one Session per process

The start is told in seconds since the process began, interpreter and imports included. Files are in the operating
system's cache from the second process on: a warm start. The parts load side by side, so their times do not add up.
"""

from __future__ import annotations

import asyncio
import multiprocessing
import tempfile
import time as calendar
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, TypeVar

from ..errors import UnusableInput
from ..model_store import models_folder
from ..parts import Parts, load_parts
from ..process import prepare_process
from ..record.report import TRACE
from ..record.trace import TraceLine, read_trace
from ..replay.runner import play
from ..replay.script import Script, make_script
from ..replay.user_voice import UserVoice
from ..settings import Settings
from .sharing import paces_of

T = TypeVar("T")
Time = Literal["real", "virtual"]
INTERRUPTED = "correction.yaml"  # beside the scenario: there the user speaks while the model thinks
HOPS = ("turn_ended", "thought", "written", "clause", "audio_started")  # in the order of the first turn


@dataclass(frozen=True)
class Session:
    """What one process showed.

    start_s: by part, since the process began. hops_s: by kind, since the hop before. paces: steps a second, alone and
    beside another part, where there were such steps.
    """

    start_s: dict[str, float]
    hops_s: dict[str, float]
    first_audio_s: float | None
    step_ms_p50: float | None
    peak_rss_mb: float
    paces: dict[str, float]


def run_sessions(
    settings: Settings, scenario: Path, *, repeats: int, time: Time, seed: int, warm_up: bool = True
) -> Iterator[Session]:
    """One fresh process after the other; `warm_up`: one more goes before them, to take the files off the disk."""
    if warm_up:
        in_fresh_process(_start, settings)
    for _ in range(repeats):
        yield in_fresh_process(_session, settings, scenario, time, seed)


def hops(lines: Sequence[TraceLine]) -> dict[str, float]:
    """Seconds from each event of the first turn to the next, beginning at the end of the user's speech.

    A kind that did not occur is left out; the next one is then told from the last that did.
    """
    turn_ended = next((index for index, line in enumerate(lines) if line.kind == "turn_ended"), None)
    ends = [line["end_s"] for line in lines[:turn_ended] if line.kind == "speech_ended"]
    if turn_ended is None or not ends:
        return {}
    before_s, found = ends[-1], {}
    for kind in HOPS:
        first = next((line for line in lines[turn_ended:] if line.kind == kind), None)
        if first is not None:
            found[kind], before_s = first.t - before_s, first.t
    return found


def in_fresh_process(function: Callable[..., T], *arguments: Any) -> T:
    """`function(the time at which the process began, *arguments)`; nothing of this process is inherited."""
    with ProcessPoolExecutor(1, multiprocessing.get_context("spawn")) as process:
        return process.submit(function, calendar.time(), *arguments).result()


def _session(began: float, settings: Settings, scenario: Path, time: Time, seed: int) -> Session:
    parts, start_s = _start_parts(began, settings)
    try:
        summary, lines = _play(scenario, parts, settings, time, seed)
        interrupted = scenario.with_name(INTERRUPTED)
        later = _play(interrupted, parts, settings, time, seed)[1] if interrupted.is_file() else []
    finally:
        parts.workers.close()
    turns: list[dict[str, Any]] = summary["turns"]
    return Session(
        start_s,
        hops(lines),
        turns[0]["first_audio_s"] if turns else None,
        summary["llm"]["step_ms_p50"],
        summary["peak_rss_mb"],
        paces_of(lines, later),
    )


def _play(
    scenario: Path, parts: Parts, settings: Settings, time: Time, seed: int
) -> tuple[dict[str, Any], list[TraceLine]]:
    """Summary and trace of one conversation."""
    script = script_of(scenario, settings)
    with tempfile.TemporaryDirectory() as folder:
        played = play(script, parts, settings, Path(folder), time=time, mode="async", seed=seed)
        lines = read_trace(Path(folder) / TRACE)
    if played.failure:
        raise UnusableInput(f"{scenario}: {played.failure}")
    return played.summary, lines


def script_of(scenario: Path, settings: Settings) -> Script:
    voice = UserVoice(models_folder() / "user-voice")
    return make_script(scenario, voice.say, settings.hearing.rate_hz)


def _start(began: float, settings: Settings) -> None:
    _start_parts(began, settings)[0].workers.close()


def _start_parts(began: float, settings: Settings) -> tuple[Parts, dict[str, float]]:
    """Load everything as a conversation does, up to a preamble that is read."""

    def now_s() -> float:
        return calendar.time() - began  # the only clock that two processes share on every system

    prepare_process()
    start_s = {"imports": now_s()}
    parts = load_parts(settings, lambda part: start_s.update({part: now_s()}))
    from ..reasoning.engine import Engine  # imported by now (parts.py)
    from ..reasoning.reasoner import AsyncReasoner

    engine = Engine(
        parts.language.model,
        kernel=settings.reasoning.kernel,
        cuda_graphs=settings.reasoning.cuda_graphs,
        worker=parts.workers.language,
        start_cache=parts.language.start_cache,
    )
    reasoner = AsyncReasoner(engine, parts.language.tokenizer, settings=settings.reasoning)
    asyncio.run(reasoner.warm_up())
    start_s["ready"] = now_s()
    return parts, start_s
