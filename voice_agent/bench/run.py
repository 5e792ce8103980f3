"""Everything that `voice-agent bench` measures, in order, as a table and as JSON.

run_bench(settings, ...) -> exit status
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import torch
from rich.console import Console

from ..errors import UnusableInput
from ..model_store import find
from ..parts import load_parts
from ..reasoning.model_loading import LoadedModel, load_language_model
from ..settings import Settings
from .figures import Figure, rate_figure, ratio_figure, table_of, times_figure
from .machine import machine, read_gb_s
from .session import HOPS, Session, Time, run_sessions, script_of
from .sharing import ALONE, BESIDE, CALLS, paces
from .steps import ModelBench, milliseconds

SCENARIO = Path(__file__).resolve().parents[2] / "audio_fixtures" / "plain.yaml"
CONTEXTS = (512, 2048, 4096, 8192)
LONGER, SHORTER = 4096, 512  # contexts whose ratio is told
PREFILLS = (64, 300)
AFTER = {
    "turn_ended": "end of speech -> turn ended",
    "thought": "-> first thought",
    "written": "-> first written word",
    "clause": "-> first clause",
    "audio_started": "-> first sound",
}


def run_bench(
    settings: Settings,
    *,
    out: Path | None,
    repeats: int,
    sessions: int,
    scenario: Path = SCENARIO,
    contexts: Sequence[int] = CONTEXTS,
    time: Time = "real",
    seed: int = 0,
) -> int:
    """Measure, print the table, write `out`.

    repeats: runs of everything that takes less than seconds. sessions: fresh processes, each with a conversation or
    two, and rounds of steps beside the other parts; 0 leaves the other parts out.

    Raises:
        UnusableInput: a model or the scenario is missing, or `out` cannot be written.
    """
    if sessions and not scenario.is_file():
        raise UnusableInput(f"no scenario at {scenario}: name one with --scenario, or leave it out with --sessions 0")
    _check_writable(out)
    progress = Console(stderr=True, highlight=False)
    about = machine()
    conversations = list(_sessions(settings, scenario, sessions, time, seed, progress))
    progress.print("loading the models" if sessions else "loading the language model")
    loaded, beside = _load(settings, scenario, sessions, progress)
    model_figures = list(_model(loaded, settings, repeats, contexts, progress)) + beside
    about |= {"profile": settings.profile, "model": _model_facts(loaded), "conversation_time": time}
    figures = [*model_figures, *conversations]
    Console().print(table_of(figures, f"{loaded.facts.name}, {about['processor']}, {torch.get_num_threads()} threads"))
    if out is not None:
        report = {**about, "figures": [figure.to_json() for figure in figures]}
        out.write_text(json.dumps(report, indent=1) + "\n", encoding="utf-8")
    return 0


def _model(
    loaded: LoadedModel, settings: Settings, repeats: int, contexts: Sequence[int], progress: Console
) -> Iterator[Figure]:
    progress.print("memory bandwidth")
    bandwidth = times_figure("memory read", "GB/s", read_gb_s(torch.device(loaded.facts.device), repeats))
    yield bandwidth
    bytes_per_ms = bandwidth.value * 1e6
    bench = ModelBench(loaded, settings.reasoning)
    progress.print(f"steps at contexts {', '.join(map(str, contexts))}")
    steps = {f"{rows}, context {context}": job for context in contexts for rows, job in bench.steps(context).items()}
    steps_ms = milliseconds(steps, repeats)
    for what, taken_ms in steps_ms.items():
        yield times_figure(f"step, {what}", "ms", taken_ms, steps[what].bytes / bytes_per_ms)
    yield from _step_ratios(steps_ms, contexts)
    del steps  # and the keys and values that they read
    for tokens in PREFILLS:
        progress.print(f"prefill of {tokens} tokens")
        jobs = {"prefill": bench.prefill(tokens)}
        taken_ms = milliseconds(jobs, repeats)["prefill"]
        yield rate_figure(f"prefill {tokens}", "tokens/s", tokens, taken_ms, jobs["prefill"].bytes / bytes_per_ms)
    context = contexts[0]
    progress.print(f"injection, gate and cut at context {context}")
    jobs = {"injection": bench.injection(context), **bench.gate(context), "cut": bench.cut(context)}
    taken = milliseconds(jobs, repeats)
    floor_ms = jobs["injection"].bytes / bytes_per_ms
    yield times_figure(f"inject 12 words, context {context}", "ms", taken["injection"], floor_ms)
    added_ms = [asking - thinking for asking, thinking in zip(taken["with"], taken["without"], strict=True)]
    yield times_figure(f"gate, added, context {context}", "ms", added_ms)
    yield times_figure(f"cut, context {context}", "ms", taken["cut"])


def _step_ratios(steps_ms: Mapping[str, Sequence[float]], contexts: Sequence[int]) -> Iterator[Figure]:
    for context in contexts:
        three, two = (steps_ms[f"{rows} rows, context {context}"] for rows in (3, 2))
        yield ratio_figure(f"3 rows over 2 rows, context {context}", three, two)
    if {LONGER, SHORTER} <= set(contexts):
        longer, shorter = (steps_ms[f"2 rows, context {context}"] for context in (LONGER, SHORTER))
        yield ratio_figure(f"context {LONGER} over {SHORTER}, 2 rows", longer, shorter)


def _load(settings: Settings, scenario: Path, rounds: int, progress: Console) -> tuple[LoadedModel, list[Figure]]:
    """The language model; and, where there are rounds, its pace beside the other parts, which then go."""
    if not rounds:
        return load_language_model(find(settings.models.language), settings=settings.reasoning), []
    parts = load_parts(settings)
    try:
        progress.print("steps beside the voice and the recogniser")
        step = ModelBench(parts.language, settings.reasoning).steps(SHORTER)["2 rows"].run
        found = paces(parts, step, script_of(scenario, settings).clips[0].samples, rounds)
    finally:
        parts.workers.close()
    return parts.language, list(_pace_figures("worst case", found))


def _pace_figures(when: str, rounds: Sequence[Mapping[str, float]]) -> Iterator[Figure]:
    """rounds: steps a second, alone and beside each other part that was met."""
    for name in (ALONE, *BESIDE.values()):
        yield from _where_known(f"pace, {when}: {name}", "steps/s", [one.get(name) for one in rounds])
    for name in BESIDE.values():
        shares = [100 * one[name] / one[ALONE] for one in rounds if {name, ALONE} <= set(one)]
        yield from _where_known(f"pace, {when}: {name} / {ALONE}", "%", shares)
        yield from _where_known(f"pace, {when}: {CALLS[name]}", "ms", [one.get(CALLS[name]) for one in rounds])


def _sessions(
    settings: Settings, scenario: Path, count: int, time: Time, seed: int, progress: Console
) -> Iterator[Figure]:
    done: list[Session] = []
    if not count:
        return
    progress.print("a start to warm up")
    for session in run_sessions(settings, scenario, repeats=count, time=time, seed=seed):
        done.append(session)
        progress.print(f"start and conversation {len(done)} of {count}")
    for part in done[0].start_s:
        yield times_figure(f"warm start: {part}", "s", [session.start_s[part] for session in done])
    for kind in HOPS:
        yield from _where_known(AFTER[kind], "s", [session.hops_s.get(kind) for session in done])
    yield from _where_known("end of speech -> audible", "s", [session.first_audio_s for session in done])
    yield from _where_known("step within the conversation", "ms", [session.step_ms_p50 for session in done])
    yield from _pace_figures("conversation", [session.paces for session in done])
    yield times_figure("peak memory", "MB", [session.peak_rss_mb for session in done])


def _where_known(name: str, unit: str, samples: Sequence[float | None]) -> Iterator[Figure]:
    known = [sample for sample in samples if sample is not None]
    if known:
        yield times_figure(name, unit, known)


def _model_facts(loaded: LoadedModel) -> dict[str, Any]:
    facts = loaded.facts
    return {
        "name": facts.name,
        "kernel": facts.kernel,
        "dtype": facts.dtype,
        "device": facts.device,
        "weight_bytes": facts.weight_bytes,
        "threads": torch.get_num_threads(),
    }


def _check_writable(out: Path | None) -> None:
    """Before minutes are spent."""
    if out is None:
        return
    new = not out.exists()
    try:
        out.open("a", encoding="utf-8").close()
        if new:
            out.unlink()
    except OSError as error:
        raise UnusableInput(f"cannot write {out} ({error.strerror}): name another file with --out") from error
