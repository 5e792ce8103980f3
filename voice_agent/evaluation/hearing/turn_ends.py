"""False cut-offs against dead air: how turns end under one policy or another.

    turns_of(say, texts) -> labelled turns;  run(turn, policy) -> Ended;  figures(...) -> a row of the table

A turn is cut off when it ends in its pause. Dead air is the time from the last sound of the whole turn to its end;
both are measured where the turn is heard, through `listen` with the declared costs of recognition and judgement.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ...events import SpeechStarted, TurnEnded, UtteranceRecognized
from ...hearing.listening import Recognizer
from ...hearing.turn import Judge
from ...settings import Settings
from ..intervals import Interval, share
from .ear import RATE_HZ, hear
from .speakers import Say, trimmed
from .turn_texts import TurnTexts

WHOLE = "whole"  # the kind of turns without a pause
BEFORE_S, AFTER_S = 0.5, 3.0
LATE_S = 0.02  # a frame: an end at the very moment at which speech is known


@dataclass(frozen=True)
class SpokenTurn:
    """A turn as sound. goes_on_s: where it goes on after its pause; None: it has none. end_s: its last sound."""

    kind: str
    text: str
    sound: np.ndarray
    goes_on_s: float | None
    end_s: float


@dataclass(frozen=True)
class Policy:
    """A way to end turns. silence_s: of a plain timer; None: the judge, and the settings' silences."""

    name: str
    silence_s: float | None


@dataclass(frozen=True)
class Ended:
    """One turn under one policy. dead_air_s: None when it did not end after its last sound. heard: its utterances."""

    cut_off: bool
    dead_air_s: float | None
    heard: tuple[str, ...] = ()


@dataclass(frozen=True)
class Row:
    """One policy on one kind of turns; seconds."""

    turns: int
    cut_off: Interval
    dead_air_median_s: float
    dead_air_p95_s: float


def turns_of(say: Say, texts: TurnTexts, pause_s: float, most: int | None = None) -> list[SpokenTurn]:
    """Every text as one speaker says it; at most `most` of each kind."""
    kinds = {WHOLE: texts.whole, **texts.paused}
    return [_spoken(kind, text, say, pause_s) for kind, of_it in kinds.items() for text in of_it[:most]]


def _spoken(kind: str, text: str, say: Say, pause_s: float) -> SpokenTurn:
    parts = [trimmed(say(part.strip())) for part in text.split("|")]
    sound, goes_on_s = [_silence(BEFORE_S), parts[0]], None
    if len(parts) > 1:
        goes_on_s = BEFORE_S + len(parts[0]) / RATE_HZ + pause_s
        sound += [_silence(pause_s), parts[1]]
    end_s = sum(map(len, sound)) / RATE_HZ
    return SpokenTurn(kind, text, np.concatenate([*sound, _silence(AFTER_S)]), goes_on_s, end_s)


def _silence(seconds: float) -> np.ndarray:
    """Room tone at -70 dBFS: digital silence is nowhere."""
    drawn = np.random.default_rng(0).normal(0.0, 10 ** (-70 / 20), int(seconds * RATE_HZ))
    return drawn.astype(np.float32)


def run(turn: SpokenTurn, policy: Policy, recognizer: Recognizer, judge: Judge, settings: Settings) -> Ended:
    """Let one turn be heard."""
    if policy.silence_s is None:
        heard = hear(turn.sound, recognizer, settings, judge)
    else:
        floor = dataclasses.replace(settings.floor, turn_silence_s=policy.silence_s)
        heard = hear(turn.sound, recognizer, dataclasses.replace(settings, floor=floor))
    ends_s = heard.at_s(TurnEnded)
    cut_off = False
    if turn.goes_on_s is not None:
        again_s = min((at_s for at_s in heard.at_s(SpeechStarted) if at_s >= turn.goes_on_s - LATE_S), default=np.inf)
        cut_off = any(end_s < again_s for end_s in ends_s)
    after = [end_s - turn.end_s for end_s in ends_s if end_s >= turn.end_s]
    heard_texts = tuple(event.text for event in heard.of(UtteranceRecognized))
    return Ended(cut_off, after[0] if after else None, heard_texts)


def figures(ended: Sequence[Ended]) -> Row:
    """What the turns of one kind showed."""
    dead_air_s = [one.dead_air_s for one in ended if one.dead_air_s is not None] or [float("nan")]
    return Row(
        len(ended),
        share(sum(one.cut_off for one in ended), len(ended)),
        float(np.median(dead_air_s)),
        float(np.percentile(dead_air_s, 95)),
    )
