"""Run scripted conversations: a scenario or a folder of them in, sound, trace, summary, picture and a table out.

    run_replay(path, ...) -> exit status: 0 done, 1 an expectation failed, 2 (as UnusableInput) a part failed

The models are loaded once for all scenarios. In virtual time the voice's noise is off, so that the same scenario, seed,
versions and machine give the same trace byte for byte. A folder's measures (docs/measures.md) are shown and kept in its
measures.json.
"""

from __future__ import annotations

import asyncio
import dataclasses
import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from rich.console import Console
from rich.table import Table

from ..clock import Clock, WallClock, run_in_virtual_time
from ..conversation import Conversation
from ..errors import UnusableInput
from ..model_store import models_folder
from ..parts import Parts, load_parts
from ..record.recording import Recording, read_channels
from ..record.report import SOUND, TRACE, prepare_folder, sound_seconds, write_report, write_summary
from ..record.trace import Trace
from ..settings import Settings
from .baseline import compare_with_baseline
from .expectations import Result, evaluate
from .junit import write_junit
from .measures import measured, table_of
from .observation import Observation, observe, together
from .script import Script, make_script
from .scripted_sound import ScriptedSound
from .user_voice import UserVoice

Time = Literal["real", "virtual"]
DEFAULT_OUT = Path("out")
MEASURES_FILE = "measures.json"


@dataclass(frozen=True)
class Played:
    """One scenario that was run: its figures, where its files are, its sound card, and what broke, if anything did."""

    name: str
    folder: Path
    summary: dict[str, Any]
    observation: Observation
    sound: ScriptedSound
    seconds: float
    failure: str | None

    @property
    def failed(self) -> list[str]:
        return [result["name"] for result in self.summary["expectations"] if not (result["ok"] or result.get("known"))]

    @property
    def known(self) -> list[str]:
        """Expectations that are not met, and were not in the baseline."""
        return [result["name"] for result in self.summary["expectations"] if result.get("known")]


def run_replay(
    path: Path,
    *,
    settings: Settings,
    out: Path | None,
    time: Time,
    mode: str,
    seed: int,
    baseline: Path | None,
    junit: Path | None,
) -> int:
    """Play `path` and write each scenario's files into `out` (a folder of scenarios: one folder each below it).

    Raises:
        UnusableInput: no such scenario, a bad one, a model that is missing, a part that broke on the way.
    """
    console = Console(stderr=True)
    if time == "virtual":
        settings = without_noise(settings)
    voice = UserVoice(models_folder() / "user-voice")
    files = _scenario_files(path)
    scripts = {file: make_script(file, voice.say, settings.hearing.rate_hz) for file in files}
    _refuse_same_names(scripts)
    with console.status("loading the models ..."):
        parts = load_parts(settings, seed=seed)
    out = out or DEFAULT_OUT
    try:
        played = []
        for file, script in scripts.items():
            folder = out if path.is_file() else out / file.stem
            its_time: Time = "real" if script.scenario.real_time else time
            with console.status(f"playing {script.scenario.name} ({its_time} time) ..."):
                played.append(play(script, parts, settings, folder, time=its_time, mode=mode, seed=seed))
            _show(played[-1])
    finally:
        parts.workers.close()
    if baseline is not None:
        compare_with_baseline(baseline, {p.name: (p.summary, p.observation) for p in played})
        for one in played:
            write_summary(one.folder, one.summary)
    if path.is_dir():
        _show_together(played, out)
    if junit is not None:
        write_junit(junit, {p.name: (p.seconds, p.summary["expectations"]) for p in played})
    broken = [
        f"{p.name} broke off: {p.failure} (what was recorded until then is in {p.folder})" for p in played if p.failure
    ]
    if broken:
        raise UnusableInput("; ".join(broken))
    return 1 if any(p.failed for p in played) else 0


def _refuse_same_names(scripts: Mapping[Path, Script]) -> None:
    """The baseline and JUnit know a scenario by its name."""
    named: dict[str, Path] = {}
    for file, script in scripts.items():
        other = named.setdefault(script.scenario.name, file)
        if other != file:
            raise UnusableInput(f"{file} has the name of {other}, '{script.scenario.name}': give each its own")


@dataclass(frozen=True)
class Stage:
    """A conversation, the sound card that plays its user, and its trace; they can be asked when it is over."""

    conversation: Conversation
    sound: ScriptedSound
    trace: Trace


def play(script: Script, parts: Parts, settings: Settings, out: Path, *, time: Time, mode: str, seed: int) -> Played:
    """Hold one scripted conversation and write its four files; they are written whatever happens on the way."""
    prepare_folder(out)

    async def run(clock: Clock) -> Stage:
        with set_stage(script, parts, settings, out, clock, mode=mode, seed=seed) as stage:
            await stage.conversation.warm_up()
            await stage.conversation.run(stage.sound)
        return stage

    stage = run_in_virtual_time(run) if time == "virtual" else asyncio.run(run(WallClock()))
    failure = stage.conversation.failure.error if stage.conversation.failure else None
    _, right, rate_hz = read_channels(out / SOUND)
    lines, sound = stage.trace.lines, stage.sound
    observation = observe(script.scenario.user, sound.truth, lines, right, rate_hz, sound.origin_s)

    def judge(summary: dict[str, Any]) -> list[Result]:
        broke_off = [{"name": "runs to its end", "ok": False, "value": failure}] if failure else []
        return broke_off + evaluate(script.scenario.expect, summary, lines, observation, sound.never_triggered)

    summary = write_report(
        out,
        lines,
        name=script.scenario.name,
        turns=stage.conversation.turns,
        truth=sound.truth,
        origin_s=sound.origin_s,
        profile=settings.profile,
        time=time,
        mode=mode,
        device=parts.device,
        judge=judge,
    )
    return Played(script.scenario.name, out, summary, observation, sound, sound_seconds(out), failure)


@contextmanager
def set_stage(
    script: Script, parts: Parts, settings: Settings, out: Path, clock: Clock, *, mode: str, seed: int
) -> Iterator[Stage]:
    """A scripted conversation that has yet to warm up and to run; trace and sound are written into `out` meanwhile."""
    with closing(Trace(out / TRACE, clock)) as trace:
        conversation = Conversation(parts, settings, clock=clock, trace=trace, mode=mode, seed=seed)
        rate_hz = conversation.loudspeaker.rate_hz
        with Recording(out / SOUND, left_rate_hz=script.rate_hz, right_rate_hz=rate_hz) as recording:
            sound = ScriptedSound(
                script,
                conversation.loudspeaker,
                clock=clock,
                trace=trace,
                recording=recording,
                is_idle=lambda: conversation.is_idle,
            )
            yield Stage(conversation, sound, trace)


def _scenario_files(path: Path) -> list[Path]:
    if not path.exists():
        raise UnusableInput(f"no scenario at {path}: give a *.yaml file, or a folder that holds some")
    files = sorted(path.glob("*.yaml")) if path.is_dir() else [path]
    if not files:
        raise UnusableInput(f"{path} holds no scenario: its scenarios must be files named *.yaml")
    return files


def without_noise(settings: Settings) -> Settings:
    """The same, but the voice says equal words with equal samples."""
    speaking = dataclasses.replace(settings.speaking, noise_scale=0.0, noise_w_scale=0.0)
    return dataclasses.replace(settings, speaking=speaking)


def _show(played: Played) -> None:
    """What happened, for the person who watches."""
    console = Console()
    console.print(f"[bold]{played.name}[/bold]  ({played.summary['mode']}, {played.summary['time']} time)")
    for turn in played.summary["turns"]:
        first = turn["first_audio_s"]
        console.print(f"  heard   {turn['user_text']}", markup=False)
        console.print(f"  said    {turn['sounded_text'].strip()}", markup=False)
        console.print(
            f"  first words after {_seconds(first)}; {turn['thinking_tokens']} tokens thought, "
            f"{turn['spoken_tokens']} spoken; {_seconds(turn['stall_s'])} of silence inside the answer"
        )
    for interruption in played.summary["interruptions"]:
        console.print(
            f"  {interruption['kind']}: silent after {_seconds(interruption['stop_s'])}, "
            f"in the thoughts after {_seconds(interruption['injected_s'])}"
        )
    for result in played.summary["expectations"]:
        mark = "[green]ok  [/green]" if result["ok"] else "[red]FAIL[/red]"
        console.print(f"  {mark} {result['name']} = {result['value']}")
    console.print(f"  {played.folder}/: conversation.wav, trace.jsonl, summary.json, timeline.png", markup=False)


def _show_together(played: Sequence[Played], out: Path) -> None:
    """All scenarios in one table, and the measures of all of them."""
    console = Console()
    console.print(_table(played))
    values = measured(together(one.observation for one in played))
    console.print(table_of(values))
    (out / MEASURES_FILE).write_text(json.dumps(values, indent=2) + "\n", encoding="utf-8")


def _table(played: Sequence[Played]) -> Table:
    table = Table("scenario", "first words", "stop", "word errors", "expectations")
    for one in played:
        firsts = [turn["first_audio_s"] for turn in one.summary["turns"]]
        stops = [i["stop_s"] for i in one.summary["interruptions"] if i["stop_s"] is not None]
        verdicts = [f"[red]{', '.join(one.failed)}[/red]"] if one.failed else []
        verdicts += [f"[yellow]{', '.join(one.known)} (as in the baseline)[/yellow]"] if one.known else []
        verdict = one.failure or ", ".join(verdicts) or "[green]all met[/green]"
        heard = f"{one.observation.word_errors} of {one.observation.words}" if one.observation.words else "-"
        first = _seconds(firsts[0] if firsts else None)
        table.add_row(one.name, first, _seconds(max(stops, default=None)), heard, verdict)
    return table


def _seconds(value: float | None) -> str:
    return "-" if value is None else f"{value:.2f} s"
