"""Word error rate, cost and invented words of the streaming path: the final words as a conversation gets them.

    sayings(say, texts), recordings(folder) -> [Saying];  in_noise(saying, ...) -> Saying
    recognized(saying, recognizer, settings) -> Recognized;  total(...) -> Figures
    recognizer_of(model, settings) -> Metered: a recogniser that knows what it cost

Sound goes through `listen` in virtual time (ear.py): speech detection, re-reading, word agreement. Costs are seconds of
processor time of the whole process while it reads, which a busy machine hardly changes.
"""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from ...errors import UnusableInput
from ...events import Word
from ...hearing.listening import Recognizer
from ...hearing.word_recognizer import WordRecognizer
from ...model_store import find
from ...replay.sound_files import read_sound
from ...replay.word_error import aligned, scored_words
from ...settings import DeclaredCosts, Settings
from .ear import RATE_HZ, Heard, hear
from .sounds import NOISES, at_level, mixed, silence
from .speakers import Say, trimmed

BEFORE_S, AFTER_S = 0.5, 1.0
QUIETER_DB = 14.0  # the second half of every noise
COST_WINDOWS_S, COST_RUNS = (2.0, 12.0), 3
BACKGROUNDS = ("hiss", "hum", "music", "typing")
GAPS_S = (0.3, 1.0)  # between the sentences of a passage
SOUNDS = (".wav", ".flac", ".mp3", ".ogg")
TRANSCRIPTS = {  # of recordings that have no text beside them
    "jfk.flac": "And so my fellow Americans, ask not what your country can do for you, ask what you can do for your "
    "country.",
    "dog-or-cat-3-nowait.mp3": "Should I get a dog or a cat?",
    "seine.mp3": "Is it safe to swim in the Seine?",
    "Bear-or-shark-trim.mp3": "Who will win in a fight, a bear or a shark?",
}


@dataclass(frozen=True)
class Saying:
    """What somebody says, as text and as sound (n,) with a little silence around it."""

    name: str
    text: str
    sound: np.ndarray

    @property
    def lasts_s(self) -> float:
        return len(self.sound) / RATE_HZ


@dataclass(frozen=True)
class Recognized:
    """One saying as it was heard. lags_s: of every final word, from its end to its becoming final."""

    name: str
    text: str
    heard: str
    errors: int
    words: int
    lags_s: tuple[float, ...]
    lasts_s: float
    cpu_s: float


@dataclass(frozen=True)
class Figures:
    """Several sayings together."""

    errors: int
    words: int
    lag_median_s: float
    lag_p95_s: float
    cpu_s_per_s: float

    @property
    def error_rate(self) -> float:
        return self.errors / self.words if self.words else float("nan")


class Metered:
    """A recogniser that notes how much sound it read and what that cost."""

    def __init__(self, recognizer: Recognizer) -> None:
        self._recognizer = recognizer
        self.readings: list[tuple[float, float]] = []  # seconds of sound, seconds of the processor

    def read(self, samples: np.ndarray) -> list[Word]:
        begun_s = time.process_time()
        words = self._recognizer.read(samples)
        self.readings.append((len(samples) / RATE_HZ, time.process_time() - begun_s))
        return words

    @property
    def cpu_s(self) -> float:
        return sum(cpu_s for _, cpu_s in self.readings)


def recognizer_of(settings: Settings) -> Metered:
    """The recogniser of the settings, warm.

    Raises:
        UnusableInput: its model is missing or damaged.
    """
    recognizer = WordRecognizer.load(find(settings.models.recognizer), settings.hearing)
    recognizer.warm_up()
    return Metered(recognizer)


# --- what is said -----------------------------------------------------------------------------------------------------


def room(seconds: float) -> np.ndarray:
    """Room tone at -70 dBFS: digital silence is nowhere."""
    drawn = np.random.default_rng(0).normal(0.0, 10 ** (-70 / 20), int(seconds * RATE_HZ))
    return drawn.astype(np.float32)


def _placed(name: str, text: str, speech: np.ndarray) -> Saying:
    sound = np.concatenate([room(BEFORE_S), at_level(speech), room(AFTER_S)])
    return Saying(name, text, sound)


def sayings(say: Say, turns: Sequence[str], passages: Sequence[Sequence[str]] = ()) -> list[Saying]:
    """Each turn and each passage by one speaker; the sentences of a passage have pauses between them."""
    draw = np.random.default_rng(0)
    made = [_placed(f"turn {number}", text, trimmed(say(text))) for number, text in enumerate(turns, start=1)]
    for number, sentences in enumerate(passages, start=1):
        parts: list[np.ndarray] = []
        for sentence in sentences:
            parts += [trimmed(say(sentence)), room(float(draw.uniform(*GAPS_S)))]
        made.append(_placed(f"passage {number}", " ".join(sentences), np.concatenate(parts[:-1])))
    return made


def recordings(folder: Path) -> tuple[list[Saying], list[str]]:
    """Every sound file of the folder whose words are known, and the names of the others.

    Raises:
        UnusableInput: there is no such folder, no sound in it, or a file cannot be read.
    """
    paths = sorted(path for path in folder.glob("*") if path.suffix.lower() in SOUNDS)
    if not paths:
        raise UnusableInput(f"no recordings in {folder}: name a folder of sound files, each with its words in a .txt")
    found, unknown = [], []
    for path in paths:
        beside = path.with_suffix(".txt")
        text = beside.read_text(encoding="utf-8").strip() if beside.is_file() else TRANSCRIPTS.get(path.name)
        if text is None:
            unknown.append(path.name)
        else:
            found.append(_placed(path.name, text, read_sound(path, RATE_HZ)))
    return found, unknown


def in_noise(saying: Saying, noise: str, snr_db: float | None, seed: Sequence[int]) -> Saying:
    """The saying with noise all through it; None: without any."""
    if snr_db is None:
        return saying
    background = NOISES[noise](saying.lasts_s + 0.1, np.random.default_rng(seed))
    return Saying(saying.name, saying.text, mixed(saying.sound, background, snr_db))


# --- what is heard ----------------------------------------------------------------------------------------------------


def recognized(saying: Saying, recognizer: Metered, settings: Settings) -> Recognized:
    """One saying through the streaming path."""
    before_s = recognizer.cpu_s
    heard = hear(saying.sound, recognizer, settings)
    pairs = aligned(scored_words(saying.text), scored_words(heard.text))
    return Recognized(
        saying.name,
        saying.text,
        heard.text,
        errors=sum(said != got for said, got in pairs),
        words=sum(said is not None for said, _ in pairs),
        lags_s=tuple(lag_s for _, lag_s in lags(heard)),
        lasts_s=saying.lasts_s,
        cpu_s=recognizer.cpu_s - before_s,
    )


def lags(heard: Heard) -> list[tuple[Word, float]]:
    """The final words, each with the seconds from its end to its becoming final."""
    return [(event, at_s - event.end_s) for at_s, event in heard.timed if isinstance(event, Word) and event.final]


def total(results: Iterable[Recognized]) -> Figures:
    """Several sayings as one."""
    every = list(results)
    lags_s = [lag_s for one in every for lag_s in one.lags_s] or [float("nan")]
    return Figures(
        sum(one.errors for one in every),
        sum(one.words for one in every),
        float(np.median(lags_s)),
        float(np.percentile(lags_s, 95)),
        sum(one.cpu_s for one in every) / (sum(one.lasts_s for one in every) or float("nan")),
    )


def differences(text: str, heard: str) -> str:
    """What was heard, with every error marked: 'I [meant -> mean] [- -> to] ninety'."""
    shown = []
    for said, got in aligned(scored_words(text), scored_words(heard)):
        shown.append(str(said) if said == got else f"[{said or '-'} -> {got or '-'}]")
    return " ".join(shown)


# --- what nobody said -------------------------------------------------------------------------------------------------


def invented(recognizer: Metered, settings: Settings, seconds: float, seed: int) -> dict[str, tuple[float, str]]:
    """For silence and for every kind of noise: how many seconds of it were played, and the words that became final."""
    kinds = ("silence", *NOISES)
    each_s = seconds / len(kinds)
    found = {}
    for number, kind in enumerate(kinds):
        draw = np.random.default_rng([seed, number])
        sound = silence(each_s) if kind == "silence" else NOISES[kind](each_s, draw)
        half = len(sound) // 2
        faded = np.concatenate([sound[:half], sound[half:] * np.float32(10 ** (-QUIETER_DB / 20))])
        found[kind] = (len(sound) / RATE_HZ, hear(faded, recognizer, settings).text)
    return found


def costs_of(recognizer: Metered, sound: np.ndarray, costs: DeclaredCosts) -> DeclaredCosts:
    """The costs with what readings of speech (n,) take of the processor here: a line through a short and a long one."""
    windows = [np.resize(sound, int(seconds * RATE_HZ)) for seconds in COST_WINDOWS_S]
    taken_s = []
    for window in windows:
        before = len(recognizer.readings)
        for _ in range(COST_RUNS):
            recognizer.read(window)
        taken_s.append(float(np.median([cpu_s for _, cpu_s in recognizer.readings[before:]])))
    per_s = max(0.0, (taken_s[1] - taken_s[0]) / (COST_WINDOWS_S[1] - COST_WINDOWS_S[0]))
    base_s = max(0.0, taken_s[0] - per_s * COST_WINDOWS_S[0])
    return dataclasses.replace(costs, recognize_base_ms=1000 * base_s, recognize_ms_per_s=1000 * per_s)
