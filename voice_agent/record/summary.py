"""The figures of one conversation, from its trace and its sound: summary.json.

    summarize(lines, turns, truth, levels, ...) -> dict

What is measured, and from what:
    first_audio_s    true end of the user's speech to the first audible sample of a clause that the model wrote
    first_written_s  the same end to the writer's first token
    stall_s          silences inside the answer longer than 0.5 s, without those in which it was paused for the user
    stop_s           true onset of the interrupting clip until the right channel falls below -40 dBFS for 0.4 s or more
    injected_s       end of the clip's last word to its entry into the thoughts
    reflected_s      the same end to the first audible sample of what was written after that entry
    llm              steps: calls of the language model; percentiles over those that carried two rows or more
A live talk has no script: there the speech detector's times stand for the true ones. Times are on the trace's clock.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from .sound_levels import Levels
from .trace import TraceLine, pauses_of

_STALL_S = 0.5  # a shorter silence is a breath between clauses
_TAKEN_IN = ("correction", "question")
_RESUMED = ("back-channel", "noise", "echo", "not-to-me")
_SAME_ONSET_S = 0.6  # a detector's onset this close to a clip's is that clip's
_TURN_ENDS_WITHIN_S = 6.0  # of the last word, on a machine that hears it late; a question that comes later was typed
_DECIMALS = 4


@dataclass(frozen=True)
class ClipTruth:
    """What the scripted user truly said: item number (from 1), its text or file, first and last voiced sound."""

    item: int
    label: str
    onset_s: float
    end_s: float


@dataclass(frozen=True)
class TurnRecord:
    """One answered turn, as the conversation knows it: from its EndTurn to its last sound."""

    user_text: str
    began_s: float
    thinking_tokens: int
    spoken_tokens: int


def summarize(
    lines: Sequence[TraceLine],
    *,
    turns: Sequence[TurnRecord],
    truth: Sequence[ClipTruth],
    right: np.ndarray,
    rate_hz: int,
    origin_s: float,
    profile: str,
    time: str,
    mode: str,
    device: str,
    peak_rss_mb: float,
) -> dict[str, Any]:
    """The contract's summary without its expectations.

    right: (n,) what the loudspeaker played, from `origin_s` on.
    truth: the scripted user's clips in order; empty for a live talk.
    """
    talk = Talk(lines, turns, truth, Levels(right, rate_hz), origin_s)
    return {
        "profile": profile,
        "time": time,
        "mode": mode,
        "device": device,
        "turns": [talk.turn(index) for index in range(len(turns))],
        "interruptions": [talk.interruption(line) for line in lines if line.kind == "interrupted"],
        "llm": _language_model(lines),
        "peak_rss_mb": round(peak_rss_mb, 1),
        "expectations": [],
    }


class Talk:
    """A conversation that is over, and the questions the summary asks of it."""

    def __init__(
        self,
        lines: Sequence[TraceLine],
        turns: Sequence[TurnRecord],
        truth: Sequence[ClipTruth],
        levels: Levels,
        origin_s: float,
    ) -> None:
        self._lines, self._turns, self._levels, self._origin_s = lines, turns, levels, origin_s
        self._speech = list(truth) or _detected(lines)

    def turn(self, index: int) -> dict[str, Any]:
        record = self._turns[index]
        until_s = self._turns[index + 1].began_s if index + 1 < len(self._turns) else np.inf
        inside = [line for line in self._lines if record.began_s <= line.t < until_s]
        spoken_s = max((clip.end_s for clip in self._speech if clip.onset_s <= record.began_s), default=-np.inf)
        typed = record.began_s - spoken_s > _TURN_ENDS_WITHIN_S
        user_end_s = record.began_s if typed else spoken_s
        written_s = next((line.t for line in inside if line.kind == "written"), None)
        return {
            "user_text": record.user_text,
            "sounded_text": "".join(line["text"] for line in inside if line.kind == "sounded"),
            "first_audio_s": _since(user_end_s, self._first_model_sound_s(inside, record.began_s, until_s)),
            "first_written_s": _since(user_end_s, written_s),
            "thinking_tokens": record.thinking_tokens,
            "spoken_tokens": record.spoken_tokens,
            "stall_s": round(self._stalled_s(inside, record.began_s, until_s), _DECIMALS),
        }

    def interruption(self, line: TraceLine) -> dict[str, Any]:
        spoken = self._speech_of(line)
        kind = line["reason"]
        silent_s = None if kind in _RESUMED else self._falls_silent_s(spoken.onset_s)
        injected = self._injection(line) if kind in _TAKEN_IN else None
        return {
            "turn": max(1, sum(record.began_s <= line.t for record in self._turns)),
            "kind": kind,
            "stop_s": _since(spoken.onset_s, silent_s),
            "injected_s": _since(spoken.end_s, injected.t if injected else None),
            "reflected_s": _since(spoken.end_s, self._reflected_s(injected) if injected else None),
        }

    def _first_model_sound_s(self, inside: list[TraceLine], from_s: float, to_s: float) -> float | None:
        """First audible sample after any filler that opened the answer."""
        clauses = [line for line in inside if line.kind == "clause"]
        model_clause = next((index for index, line in enumerate(clauses) if line["source"] == "model"), None)
        if model_clause is None:
            return None
        filler = sum(len(line["text"].strip()) for line in clauses[:model_clause])
        sounded = 0
        for line in inside:
            if sounded >= filler:
                break
            if line.kind == "sounded":
                sounded += len(line["text"].strip())
                from_s = line.t
        return self._first_loud_s(from_s, to_s)

    def _stalled_s(self, inside: list[TraceLine], from_s: float, to_s: float) -> float:
        pauses = list(pauses_of(inside))
        total_s = 0.0
        for start, end in self._levels.silences(from_s - self._origin_s, to_s - self._origin_s, _STALL_S):
            start_s, end_s = start + self._origin_s, end + self._origin_s
            total_s += end_s - start_s - sum(max(0.0, min(end_s, b) - max(start_s, a)) for a, b in pauses)
        return max(0.0, total_s)

    def _speech_of(self, line: TraceLine) -> ClipTruth:
        """The user's speech that an interruption is about; a typed line speaks at the moment it is entered."""
        started = [other for other in self._lines if other.kind == "speech_started" and other.t <= line.t]
        if not started:
            return ClipTruth(0, "", line.t, line.t)
        onset_s = started[-1]["onset_s"]
        near = [clip for clip in self._speech if clip.onset_s - _SAME_ONSET_S <= onset_s <= clip.end_s]
        return near[-1] if near else ClipTruth(0, "", onset_s, line.t)

    def _injection(self, interrupted: TraceLine) -> TraceLine | None:
        later = self._lines[self._lines.index(interrupted) :]
        return next((line for line in later if line.kind == "injected"), None)

    def _reflected_s(self, injected: TraceLine) -> float | None:
        """When the first reply that was begun after the injection became audible."""
        later = self._lines[self._lines.index(injected) :]
        reply = next((line["reply"] for line in later if line.kind == "written"), None)
        started = next((line for line in later if line.kind == "audio_started" and line["reply"] == reply), None)
        return self._first_loud_s(started.t - 0.05, np.inf) if started else None

    def _first_loud_s(self, from_s: float, to_s: float) -> float | None:
        loud = self._levels.first_loud_s(from_s - self._origin_s, to_s - self._origin_s)
        return None if loud is None else loud + self._origin_s

    def _falls_silent_s(self, from_s: float) -> float | None:
        silent = self._levels.falls_silent_s(from_s - self._origin_s)
        return None if silent is None else silent + self._origin_s


def _detected(lines: Sequence[TraceLine]) -> list[ClipTruth]:
    """The user's speech as the detector heard it."""
    speech: list[ClipTruth] = []
    onset_s: float | None = None
    for line in lines:
        if line.kind == "speech_started":
            onset_s = line["onset_s"]
        elif line.kind == "speech_ended" and onset_s is not None:
            speech.append(ClipTruth(len(speech) + 1, "", onset_s, line["end_s"]))
    return speech


def _language_model(lines: Sequence[TraceLine]) -> dict[str, Any]:
    calls = [line for line in lines if line.kind == "model_call" and line["which"] == "language"]
    both_streams = [line["ms"] for line in calls if line["rows"] >= 2]
    p50, p95 = np.percentile(both_streams, [50, 95]) if both_streams else (None, None)
    return {"steps": len(calls), "step_ms_p50": _rounded(p50), "step_ms_p95": _rounded(p95)}


def _since(start_s: float, end_s: float | None) -> float | None:
    return None if end_s is None else round(end_s - start_s, _DECIMALS)


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(float(value), _DECIMALS)
