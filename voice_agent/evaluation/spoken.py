"""`voice-agent eval spoken`: questions said by the fixture voice through the whole pipeline, beside the same as text.

    run_spoken(...) -> OUT/spoken.jsonl, one line per row, mode and condition; the table

Each question is a scripted conversation of its own (OUT/scenarios/*.yaml: `voice-agent replay` plays them again) in
virtual time: speech detection, recognition, end of turn, reasoning and voice are the profile's own, the clock is
declared. The same rows are first answered as text, by the same model with the same settings.
"""

from __future__ import annotations

import asyncio
import dataclasses
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import soundfile
import yaml
from rich.console import Console

from ..errors import UnusableInput
from ..model_store import models_folder
from ..parts import Parts, load_parts
from ..record.report import TRACE
from ..record.trace import TraceLine, read_trace
from ..replay.runner import Played, play, without_noise
from ..replay.script import make_script
from ..replay.speakers import FIXTURE_VOICE, Speakers
from ..replay.user_voice import RATE_HZ
from ..replay.word_error import word_errors
from ..settings import Settings
from .answering import ask
from .datasets import DATASETS, Item, load_items, seed_of
from .report.timeline import of_trace
from .runs import Job, KeptLines, Line, run_jobs
from .spoken_table import TEXT, misheard, spoken_table
from .subject import Subject, about_run
from .suite import make_sound

DATASET = "gsm8k"  # its questions can be said and its answers are numbers
NOISE = "hiss"  # steady, at all frequencies of a voice
STARTS_S = 0.5  # of silence before the question, in which the detector hears the noise alone
MORE_WORDS = ("correction", "question", "stop")  # what the rest of a question that was cut off is taken for
WIDTH = 140  # characters of the table


@dataclasses.dataclass(frozen=True)
class Condition:
    """How a question is put: as text, or said over noise so far below the voice (None: without any)."""

    name: str
    snr_db: float | None = None

    @classmethod
    def parse(cls, text: str) -> Condition:
        """'clean', or decibels: '10' -> '10 dB'.

        Raises:
            UnusableInput: neither.
        """
        if text == "clean":
            return cls(text)
        try:
            snr_db = float(text.removesuffix("dB").strip())
        except ValueError as error:
            raise UnusableInput(f"unknown condition '{text}': give 'clean' or decibels, like 10") from error
        return cls(f"{snr_db:g} dB", snr_db)


CONDITIONS = (Condition("clean"), Condition("10 dB", 10.0))


def run_spoken(
    *,
    settings: Settings,
    out: Path,
    data: Path | None,
    offset: int,
    limit: int | None,
    modes: Sequence[str],
    conditions: Sequence[Condition],
    at_once: int,
    seed: int,
) -> int:
    """Make the lines that are missing, then print the table of these rows; 0.

    at_once: text answers that share the model's steps; conversations are held one after the other.

    Raises:
        UnusableInput: an unusable question set, model or folder; no fixture voice.
    """
    settings = without_noise(settings)
    items = load_items(DATASET, data, offset=offset, limit=limit)
    with KeptLines.open(out / "spoken.jsonl", about_spoken(settings, seed, data, "spoken")) as kept:
        said = [(item, mode, condition) for mode in modes for condition in conditions for item in items]
        texts = [(item, mode, Condition(TEXT)) for mode in modes for item in items]
        if any(_key(*one) not in kept.lines for one in texts):
            subject = Subject.load(settings)
            jobs = [_text_job(subject, item, mode, seed) for item, mode, _ in texts]
            asyncio.run(run_jobs(jobs, kept, at_once=at_once, what="as text"))
            del subject  # the conversations load the model anew
        if any(_key(*one) not in kept.lines for one in said):
            with Player.load(settings, out, seed) as player:
                jobs = [_spoken_job(player, *one) for one in said]
                asyncio.run(run_jobs(jobs, kept, at_once=1, what="spoken"))
        lines = [kept.lines[_key(*one)] for one in (*texts, *said)]
    Console(highlight=False, width=WIDTH).print(
        spoken_table(lines, f"spoken {DATASET}, {settings.models.language}, virtual time")
    )
    return 0


def about_spoken(settings: Settings, seed: int, data: Path | None, dataset: str) -> Line:
    """What two runs must have in common: everything that a conversation is made of."""
    rooms = ("models", "hearing", "floor", "speaking")
    return {
        **about_run(settings, "virtual", seed, DATASET, data),
        "dataset": dataset,
        **{room: dataclasses.asdict(getattr(settings, room)) for room in rooms},
        "noise": NOISE,
    }


class Player:
    """Holds scripted conversations, one after the other, with parts that are loaded once; closes them at the end."""

    def __init__(self, parts: Parts, speakers: Speakers, settings: Settings, out: Path, seed: int) -> None:
        self._parts, self._speakers, self._settings, self._out, self._seed = parts, speakers, settings, out, seed

    @classmethod
    def load(cls, settings: Settings, out: Path, seed: int) -> Player:
        """Load the parts that the settings name.

        Raises:
            UnusableInput: one is missing or unusable.
        """
        speakers = Speakers(models_folder() / "user-voice")
        return cls(load_parts(settings, seed=seed), speakers, settings, out, seed)

    def __enter__(self) -> Player:
        return self

    def __exit__(self, *error: object) -> None:
        self._parts.workers.close()

    async def hold(
        self, name: str, user: Sequence[dict[str, Any]], mode: str, snr_db: float | None = None
    ) -> tuple[Played, list[TraceLine]]:
        """Play one conversation in virtual time; its scenario stays in OUT/scenarios.

        user: the items, as a scenario has them.

        Raises:
            UnusableInput: a part broke on the way, or the fixture voice cannot speak.
        """
        path = self._write_scenario(name, user, snr_db)
        # a thread of its own: virtual time has its own event loop
        return await asyncio.to_thread(self._play, path, mode)

    def scenario_of(self, name: str) -> Path:
        return self._out / "scenarios" / f"{name}.yaml"

    def _play(self, path: Path, mode: str) -> tuple[Played, list[TraceLine]]:
        settings = self._settings
        script = make_script(path, lambda text: self._speakers.say(FIXTURE_VOICE, text), settings.hearing.rate_hz)
        with tempfile.TemporaryDirectory() as folder:
            out = Path(folder)
            played = play(script, self._parts, settings, out, time="virtual", mode=mode, seed=self._seed)
            trace = read_trace(out / TRACE)
        if played.failure:
            raise UnusableInput(f"{path} broke off: {played.failure}")
        return played, trace

    def _write_scenario(self, name: str, user: Sequence[dict[str, Any]], snr_db: float | None) -> Path:
        path = self.scenario_of(name)
        scenario: dict[str, Any] = {"name": name, "user": list(user)}
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            if snr_db is not None:
                noise = path.with_name(f"{NOISE}.flac")
                if not noise.exists():
                    soundfile.write(noise, make_sound(NOISE), RATE_HZ, subtype="PCM_16")
                scenario["noise"] = {"file": noise.name, "snr_db": snr_db}
            path.write_text(yaml.safe_dump(scenario, sort_keys=False, allow_unicode=True), encoding="utf-8")
        except OSError as error:
            raise UnusableInput(f"cannot write {path}: {error.strerror or error}; choose another --out") from error
        return path


def _key(item: Item, mode: str, condition: Condition) -> str:
    return f"{item.dataset} {item.row} {mode} {condition.name}"


def _text_job(subject: Subject, item: Item, mode: str, seed: int) -> Job:
    async def run() -> Line:
        reasoner, time = subject.reasoner(seed_of(item.dataset, item.row, mode) + seed)
        answered = await ask(reasoner, time, item.question, mode)
        done = answered.done
        return {
            **_common(item, mode, TEXT, done.spoken),
            "thinking_tokens": done.thinking_tokens,
            "spoken_tokens": done.spoken_tokens,
            "thoughts": done.thoughts,
        }

    return Job(_key(item, mode, Condition(TEXT)), run)


def _spoken_job(player: Player, item: Item, mode: str, condition: Condition) -> Job:
    name = f"{item.dataset}-{item.row}-{condition.name.replace(' ', '')}"

    async def run() -> Line:
        question = [{"say": item.question, "at": STARTS_S}]
        played, trace = await player.hold(name, question, mode, condition.snr_db)
        turns = played.summary["turns"]
        errors, words = word_errors(item.question, heard := recognised(trace))
        missed, invented = misheard(item.question, heard)
        return {
            **_common(item, mode, condition.name, turns[-1]["sounded_text"] if turns else ""),
            "scenario": player.scenario_of(name).name,
            "words": words,
            "word_errors": errors,
            "numbers_missed": missed,
            "numbers_invented": invented,
            "turns": len(turns),
            "cut_off": len(turns) > 1 or any(one["kind"] in MORE_WORDS for one in played.summary["interruptions"]),
            "first_audible_s": turns[0]["first_audio_s"] if turns else None,
            "stall_s": round(sum(turn["stall_s"] for turn in turns), 3),
            "thinking_tokens": sum(turn["thinking_tokens"] for turn in turns),
            "spoken_tokens": sum(turn["spoken_tokens"] for turn in turns),
            "recognised": heard,
            "thoughts": "".join(line["text"] for line in trace if line.kind == "thought"),
            "timeline": [stretch.to_json() for stretch in of_trace(trace)],
        }

    return Job(_key(item, mode, condition), run)


def recognised(trace: Sequence[TraceLine]) -> str:
    """All final words, of whatever turn."""
    words = (line["text"].strip() for line in trace if line.kind == "word" and line["final"])
    return " ".join(words)


def _common(item: Item, mode: str, condition: str, spoken: str) -> Line:
    verdict = DATASETS[item.dataset].score(spoken, item)
    return {
        "dataset": item.dataset,
        "row": item.row,
        "mode": mode,
        "condition": condition,
        "right": verdict.right,
        "stated": verdict.stated,
        "gold": item.gold,
        "question": item.question,
        "spoken": spoken,
    }
