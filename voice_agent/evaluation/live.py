"""Is it quick enough, and does it hold the floor? The experiment behind scripts/check_live.

    run_live(...) -> OUT/live.jsonl, OUT/figures.json; every figure beside its target

Scripted conversations (live_scripts.py) are played one after the other, in real time, with one set of parts; each is
kept as a line of what was observed in it. Shares and times are those of replay (docs/measures.md); what is added here
is the first clause that says something about the question (bench/first_words.py), and what a long conversation does
to lag and memory.
"""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path
from typing import Any

import numpy as np
import psutil
import yaml
from rich.console import Console

from .. import __version__
from ..bench.first_words import first_grounded
from ..bench.machine import machine
from ..model_store import models_folder
from ..parts import Parts, load_parts
from ..reasoning.prompts import wording
from ..record.recording import read_channels
from ..record.report import SOUND, TRACE
from ..record.sound_levels import Levels
from ..record.trace import read_trace
from ..replay.runner import Played, Time, play, without_noise
from ..replay.script import make_script
from ..replay.speakers import Speakers
from ..settings import Settings
from .live_figures import figures_of, table_of
from .live_scripts import scenarios
from .runs import KeptLines, Line
from .suite import make_suite

MODE = "async"
WIDTH = 120  # characters of the table


def run_live(*, settings: Settings, out: Path, time: Time, minutes: float, times: float, seed: int) -> bool:
    """Play what has no line yet, then print the figures of all; whether every target was measured and met.

    minutes: of the long conversation, 0: none. times: 1 for the occasions that figures need, less for a trial.

    Raises:
        UnusableInput: a model is missing, the folder holds another run or cannot be written.
    """
    if time == "virtual":
        settings = without_noise(settings)
    told = {"version": __version__, "prompts": wording()}
    about = {**told, "settings": dataclasses.asdict(settings), "time": time, "seed": seed}
    with KeptLines.open(out / "live.jsonl", about) as kept:
        wanted = _scenario_files(out, minutes, times)
        missing = [path for path in wanted if path.stem not in kept.lines]
        if missing:
            parts = load_parts(settings, seed=seed)
            try:
                for number, path in enumerate(missing, start=1):
                    line = _play(path, parts, settings, out / path.stem, time, seed)
                    kept.keep(path.stem, line)
                    print(f"{number} of {len(missing)}: {path.stem}: {_in_short(line)}", flush=True)
            finally:
                parts.workers.close()
        figures = figures_of([kept.lines[path.stem] for path in wanted])
    Console(highlight=False, width=WIDTH).print(table_of(figures))
    kept_figures = [dataclasses.asdict(figure) | {"met": figure.met} for figure in figures]
    text = json.dumps({"time": time, "profile": settings.profile, **machine(), "figures": kept_figures}, indent=1)
    (out / "figures.json").write_text(text + "\n", encoding="utf-8")
    return all(figure.met for figure in figures if figure.has_target)


def _scenario_files(out: Path, minutes: float, times: float) -> list[Path]:
    """The scenarios with their sounds, in the order in which they are played."""
    folder = out / "scenarios"
    folder.mkdir(parents=True, exist_ok=True)
    table = folder / "table.yml"  # no scenario itself
    table.write_text(yaml.safe_dump({"scenarios": scenarios(minutes, times)}, sort_keys=False), encoding="utf-8")
    return make_suite(table, folder, Speakers(models_folder() / "user-voice").say).made


def _play(path: Path, parts: Parts, settings: Settings, folder: Path, time: Time, seed: int) -> Line:
    script = make_script(path, _nobody, settings.hearing.rate_hz)
    before = _resident_mb()
    played = play(script, parts, settings, folder, time=time, mode=MODE, seed=seed)
    return {"kind": path.stem.partition("-")[0], **observed(played), "resident_mb": [before, _resident_mb()]}


def observed(played: Played) -> Line:
    """What one conversation showed, as plain values; times in seconds."""
    lines = read_trace(played.folder / TRACE)
    observation, turns = played.observation, played.summary["turns"]
    first: dict[str, Any] = {"clause": "", "clause_s": None, "word_s": None}
    if played.sound.truth and turns:
        _, right, rate_hz = read_channels(played.folder / SOUND)
        user_end_s = played.sound.truth[0].end_s
        first = first_grounded(lines, turns[0]["user_text"], Levels(right, rate_hz), played.sound.origin_s, user_end_s)
    return {
        "first_audio_s": turns[0]["first_audio_s"] if turns else None,
        "first_grounded": first,
        "shares": {name: [bool(o) for o in outcomes] for name, outcomes in observation.shares.items()},
        "seconds": {name: [round(float(s), 4) for s in times] for name, times in observation.seconds.items()},
        "words": observation.words,
        "word_errors": observation.word_errors,
        "invented_words": observation.invented_words,
        "underruns": observation.underruns,
        "dropped_frames": played.sound.dropped,
        "not_asked": len(played.sound.never_triggered),
        "lag": [[round(w.t, 2), round(w.t - w["end_s"], 3)] for w in lines if w.kind == "word" and w["final"]],
        "step_ms": played.summary["llm"]["step_ms_p50"],
        "failure": played.failure,
    }


def _in_short(line: Line) -> str:
    first = line["first_grounded"]
    told = f"first grounded after {first['clause_s']} s: {first['clause']!r}"
    shares = "".join(f", {name} {sum(o)} of {len(o)}" for name, o in line["shares"].items() if name != "takeover")
    return told + shares + (f", broke off: {line['failure']}" if line["failure"] else "")


def _resident_mb() -> float:
    return round(psutil.Process().memory_info().rss / 1e6, 1)


def _nobody(text: str) -> np.ndarray:
    raise AssertionError(f"every sound is a file, not {text!r}")
