"""Does the model know what the user has heard? The experiment behind scripts/check_sounded.

    run_sounded(...) -> OUT/sounded.jsonl; words believed to have sounded beside words in the transcribed sound

An answer of known words is spoken over, at a drawn moment, by a recorded user. All between the words and the sound is
real: the reasoner whose answer it becomes, clauses, voice, loudspeaker, detection of the user, floor, cut. Believed is
what stands in the answer after the cut. Heard is measured twice, both times by the recogniser and against the known
words: the whole answer is transcribed, and its words are counted that end before the cut; and the sound up to the cut
is transcribed, without the word that the cut ends (which tells less: Whisper completes what breaks off). Beside it
stands what would be believed if the voice told no phonemes and every clause's words were spread over its sound by their
letters. Times are virtual, the voice's noise is off.
"""

from __future__ import annotations

import dataclasses
import random
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np
import soxr
from rich.console import Console
from tqdm import tqdm

from .. import __version__
from ..clock import VirtualClock, run_in_virtual_time
from ..conversation import Conversation
from ..events import Clause, Word
from ..parts import Parts, load_parts
from ..record.recording import read_channels
from ..record.report import SOUND
from ..record.sound_levels import AUDIBLE, Levels
from ..record.trace import TraceLine
from ..replay.runner import set_stage
from ..replay.scenario import Scenario, UserItem
from ..replay.script import Clip, Script
from ..replay.sound_files import read_sound, voiced_extent
from ..settings import Settings
from ..speaking.clause_splitter import ClauseSplitter
from ..speaking.spoken_form import spoken_form
from ..speaking.word_alignment import spread, word_timings
from .runs import KeptLines, Line
from .sounded_table import apart, table, verdicts
from .sounded_texts import SPOKEN_TEXTS

INTERRUPTIONS = 30
QUESTION = "Please answer me."
ANSWERED_S = 0.4  # after the question the answer begins to sound, about
MARGIN_S = 0.4  # no interruption so close to the answer's first or last word
CUT_WITHIN_S = 4.0  # from the user's onset
POLL_S = 0.005
WIDTH = 200  # characters of the table


@dataclass(frozen=True)
class Whole:
    """An answer as it sounds when nobody interrupts.

    sound: (n,) float32. words: as the recogniser hears it. unaligned: the fall-back's end of each written word, in
    characters of the text and samples of the sound. clauses, fallbacks: how many there are, and how many of them had no
    alignment.
    """

    sound: np.ndarray
    rate_hz: int
    words: Sequence[Word]
    unaligned: Sequence[tuple[int, int]]
    clauses: int
    fallbacks: int


@dataclass(frozen=True)
class Cut:
    """The answer that was interrupted: what was played until then, and what is left of it in the model's memory."""

    sound: np.ndarray  # (n,) float32
    rate_hz: int
    believed: str


def run_sounded(*, settings: Settings, out: Path, interrupting: Path, interruptions: int, seed: int) -> bool:
    """Make the lines that are missing, then print every interruption and the shares.

    interrupting: what the user says over the answers, a sound file.

    Returns whether no interruption is wrong by more than one written word of the whole answer.

    Raises:
        UnusableInput: a model is missing, or the folder cannot be written.
    """
    settings = _reticent(settings)
    about = {
        "version": __version__,
        "settings": dataclasses.asdict(settings),
        "interrupting": interrupting.name,
        "seed": seed,
    }
    with KeptLines.open(out / "sounded.jsonl", about) as kept:
        keys = [str(item) for item in range(interruptions)]
        if any(key not in kept.lines for key in keys):
            parts = load_parts(settings)
            try:
                _make_missing(keys, kept, _Stand(parts, settings, interrupting), seed)
            finally:
                parts.workers.close()
        lines = [kept.lines[key] for key in keys]
    console = Console(highlight=False, width=WIDTH)
    console.print(table(lines), "")
    for verdict in verdicts(lines):
        console.print(verdict)
    return all(abs(apart(line, "believed", "in the whole")) <= 1 for line in lines)


def _reticent(settings: Settings) -> Settings:
    """The model adds next to nothing of its own; equal samples for equal words."""
    return dataclasses.replace(
        settings,
        reasoning=dataclasses.replace(
            settings.reasoning, gate_open=2.0, longest_silence_s=1e6, thinking_budget=16, speaking_budget=16
        ),
        speaking=dataclasses.replace(settings.speaking, noise_scale=0.0, noise_w_scale=0.0),
    )


def _make_missing(keys: Sequence[str], kept: KeptLines, stand: _Stand, seed: int) -> None:
    for number, key in enumerate(tqdm(keys, desc="interruptions")):
        if key in kept.lines:
            continue
        text = SPOKEN_TEXTS[number % len(SPOKEN_TEXTS)]
        whole = stand.whole(text)
        last_s = ANSWERED_S + len(whole.sound) / whole.rate_hz
        at_s = random.Random(f"{seed} {key}").uniform(ANSWERED_S + MARGIN_S, last_s - MARGIN_S)
        kept.keep(key, _line(text, stand.cut(text, at_s), whole, stand))


def _line(text: str, cut: Cut, whole: Whole, stand: _Stand) -> Line:
    """What was found, not yet what follows from it; times count from the beginning of the whole answer."""
    position_s = _position_s(cut, whole)
    before_s = position_s - len(cut.sound) / cut.rate_hz
    heard = stand.transcribe(cut.sound, cut.rate_hz)
    return {
        "text": text,
        "cut_s": round(position_s, 3),
        "believed": cut.believed,
        "heard": [[word.text, round(word.end_s + before_s, 3)] for word in heard],
        "whole": [[word.text, word.end_s] for word in whole.words],
        "unaligned": max((end for end, sample in whole.unaligned if sample <= position_s * whole.rate_hz), default=0),
        "clauses": whole.clauses,
        "fallbacks": whole.fallbacks,
    }


def _position_s(cut: Cut, whole: Whole) -> float:
    """How much of the whole sound was played: both begin to be audible at the same sample."""
    begins = [Levels(sound, cut.rate_hz).first_loud_s(0.0) or 0.0 for sound in (cut.sound, whole.sound)]
    return len(cut.sound) / cut.rate_hz - begins[0] + begins[1]


class _Stand:
    """The parts of a conversation, and the user who interrupts it."""

    def __init__(self, parts: Parts, settings: Settings, interrupting: Path) -> None:
        self._parts, self._settings = parts, settings
        self._rate_hz = settings.hearing.rate_hz
        samples = read_sound(interrupting, self._rate_hz)
        first, last = voiced_extent(samples, self._rate_hz) or (0, len(samples))
        self._clip = Clip(interrupting.name, samples, first, last)
        self.whole = cache(self._whole)

    def _whole(self, text: str) -> Whole:
        """Clause after clause, as the conversation makes them."""
        splitter, voice = ClauseSplitter(self._settings.speaking), self._parts.voice
        fallbacks, begin = voice.fallbacks, 0
        sounds: list[np.ndarray] = [np.zeros(0, np.float32)]
        unaligned: list[tuple[int, int]] = []
        clauses = [*splitter.push(text), *splitter.flush()]
        for clause in clauses:
            samples = voice.synthesize(Clause(clause, 1, "model")).samples
            start = sum(map(len, sounds))
            audible = np.flatnonzero(np.abs(samples) > AUDIBLE)
            form = spoken_form(clause)
            ends = spread(form.text.split(), int(audible[-1]) if len(audible) else 0)
            timings = word_timings(clause, form, ends, len(samples))
            unaligned += [(begin + word.end, start + word.end_sample) for word in timings]
            sounds.append(samples)
            begin += len(clause)
        sound = np.concatenate(sounds)
        words = self.transcribe(sound, voice.rate_hz)
        return Whole(sound, voice.rate_hz, words, unaligned, len(clauses), voice.fallbacks - fallbacks)

    def cut(self, text: str, at_s: float) -> Cut:
        """Let `text` be said in answer to a typed question; the user's voice sets in at `at_s`."""
        begins_s = max(0.0, at_s - self._clip.first / self._rate_hz)
        item = UserItem(audio=self._clip.label, at=begins_s)
        scenario = Scenario(name="sounded", user=[item], lasts_s=begins_s + CUT_WITHIN_S)
        script = Script(scenario, self._rate_hz, (self._clip,))
        believed: list[str] = []

        async def run(clock: VirtualClock, folder: Path) -> list[TraceLine]:
            with set_stage(script, self._parts, self._settings, folder, clock, mode="async", seed=0) as stage:

                async def say_and_watch() -> None:
                    believed.append(await _say_and_watch(stage.conversation, clock, text))

                await stage.conversation.warm_up()
                await stage.conversation.run(stage.sound, [say_and_watch])
            return [dataclasses.replace(line, t=line.t - stage.sound.origin_s) for line in stage.trace.lines]

        with tempfile.TemporaryDirectory() as folder:
            lines = run_in_virtual_time(lambda clock: run(clock, Path(folder)))
            _, sound, rate_hz = read_channels(Path(folder) / SOUND)
        paused_s = next(line.t for line in lines if line.kind == "paused")
        return Cut(sound[: round(paused_s * rate_hz)], rate_hz, believed[0])

    def transcribe(self, sound: np.ndarray, rate_hz: int) -> list[Word]:
        return self._parts.recognizer.read(soxr.resample(sound, rate_hz, self._rate_hz))


async def _say_and_watch(conversation: Conversation, clock: VirtualClock, text: str) -> str:
    """Put `text` into the answer's mouth; what is left of it when it has been cut."""
    conversation.type_line(QUESTION)
    await clock.sleep_until(clock.now_s() + POLL_S)  # the floor has taken it
    conversation.reasoner.say(text)
    reply = conversation.reasoner.reply
    while conversation.reasoner.reply == reply:
        await clock.sleep_until(clock.now_s() + POLL_S)
    return conversation.reasoner.spoken
