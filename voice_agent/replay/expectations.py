"""What a scenario expects, held against what happened.

    evaluate(expect, summary, lines, observation, never_triggered) -> list of {name, ok, value}

    first_audio_within_s            every turn's first_audio_s is at most this, and there is one
    stops_within_s                  every stop_s is at most this; there was an interruption (over silence it holds)
    finally_says                    each phrase sounded in the last turn
    never_says_after_interruption   none of these sounded after the last stop, correction or question
    interruptions                   exactly these kinds, in this order
    resumes                         the reply went on after the last back-channel, noise, echo or words
                                    for others (or, false, did not)
    silent_after_stop               nothing sounded after the last stop (or, false, something did)
    turns                           so many answers were begun

By the script's own word on what each item was for (observation.py, docs/measures.md):
    answered                        something sounded after every turn end (or, false, not after every one)
    cut_offs_at_most                pauses within a turn in which something sounded
    goes_on                         the answer went on after every back-channel, noise and speech to others
    every_word_once                 and none of its words was lost or said again
    stops_obeyed                    silence within 1 s of every stop, until the user spoke again
    uninvited_at_most               back-channels, noises and speech to others in silence that were answered
    word_error_at_most              errors of recognition over words said
    invented_words_at_most          words that nobody spoke
    words_final_within_s            every word was final this soon after it was spoken
    underruns_at_most               times that the loudspeaker ran dry inside an answer

Phrases match whole words and whole numbers, however a number is spelled (said.py). An item of the script whose trigger
never came is a failed expectation of its own.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from ..record.trace import TraceLine
from ..said import says
from .observation import FALSE_ALARMS, Observation
from .scenario import Expect

Result = dict[str, Any]
_CUT = ("stop", "correction", "question")
_HEARD_OUT = ("back-channel", "noise", "echo", "not-to-me")


def evaluate(
    expect: Expect,
    summary: dict[str, Any],
    lines: Sequence[TraceLine],
    observation: Observation,
    never_triggered: Sequence[int] = (),
) -> list[Result]:
    """One result for every expectation that the scenario names, in the order of `Expect`."""
    results = [_result(f"item {number} is triggered", False, "never triggered") for number in never_triggered]
    for name, wanted in expect.model_dump(exclude_none=True).items():
        if name in _OBSERVED:
            ok, value = _OBSERVED[name](wanted, observation)
        else:
            ok, value = _CHECKS[name](wanted, summary, lines)
        results.append(_result(name, ok, value))
    return results


def _result(name: str, ok: bool, value: Any) -> Result:
    return {"name": name, "ok": bool(ok), "value": value}


def _first_audio(limit_s: float, summary: dict[str, Any], lines: Sequence[TraceLine]) -> tuple[bool, Any]:
    delays = [turn["first_audio_s"] for turn in summary["turns"]]
    if not delays or None in delays:
        return False, None
    return max(delays) <= limit_s, max(delays)


def _stops(limit_s: float, summary: dict[str, Any], lines: Sequence[TraceLine]) -> tuple[bool, Any]:
    cuts = [interruption["stop_s"] for interruption in summary["interruptions"] if interruption["kind"] in _CUT]
    measured = [stop_s for stop_s in cuts if stop_s is not None]
    worst = max(measured, default=None)
    return bool(cuts) and (worst is None or worst <= limit_s), worst


def _finally_says(phrases: list[str], summary: dict[str, Any], lines: Sequence[TraceLine]) -> tuple[bool, Any]:
    text = summary["turns"][-1]["sounded_text"] if summary["turns"] else ""
    return all(says(text, phrase) for phrase in phrases), text


def _never_says(phrases: list[str], summary: dict[str, Any], lines: Sequence[TraceLine]) -> tuple[bool, Any]:
    cut = _last(lines, _CUT)
    if cut is None:
        return False, "no interruption"
    said = [phrase for phrase in phrases if says(_sounded(lines[cut:]), phrase)]
    return not said, said


def _interruptions(kinds: list[str], summary: dict[str, Any], lines: Sequence[TraceLine]) -> tuple[bool, Any]:
    happened = [interruption["kind"] for interruption in summary["interruptions"]]
    return happened == kinds, happened


def _resumes(wanted: bool, summary: dict[str, Any], lines: Sequence[TraceLine]) -> tuple[bool, Any]:
    heard_out = _last(lines, _HEARD_OUT)
    if heard_out is None:
        return False, "no false alarm"
    reply = lines[heard_out]["reply"]
    went_on = any(line.kind == "sounded" and reply in (0, line["reply"]) for line in lines[heard_out:])
    return went_on is wanted, went_on


def _silent_after_stop(wanted: bool, summary: dict[str, Any], lines: Sequence[TraceLine]) -> tuple[bool, Any]:
    stop = _last(lines, ("stop",))
    if stop is None:
        return False, "no stop"
    rest = lines[stop:]
    silent = not any(line.kind in ("sounded", "audio_started") for line in rest)
    return silent is wanted, silent


def _turns(wanted: int, summary: dict[str, Any], lines: Sequence[TraceLine]) -> tuple[bool, Any]:
    return len(summary["turns"]) == wanted, len(summary["turns"])


def _every(*shares: str) -> Callable[[bool, Observation], tuple[bool, Any]]:
    """All occasions of these shares came out well, and there was one."""

    def check(wanted: bool, observation: Observation) -> tuple[bool, Any]:
        outcomes = [outcome for share in shares for outcome in observation.shares.get(share, [])]
        return bool(outcomes) and all(outcomes) is wanted, f"{sum(outcomes)} of {len(outcomes)}"

    return check


def _at_most(value_of: Callable[[Observation], float | None]) -> Callable[[float, Observation], tuple[bool, Any]]:
    def check(limit: float, observation: Observation) -> tuple[bool, Any]:
        value = value_of(observation)
        return value is not None and value <= limit, None if value is None else round(value, 4)

    return check


def _last(lines: Sequence[TraceLine], reasons: tuple[str, ...]) -> int | None:
    """Index of the last interruption for one of the reasons."""
    found = [index for index, line in enumerate(lines) if line.kind == "interrupted" and line["reason"] in reasons]
    return found[-1] if found else None


def _sounded(lines: Sequence[TraceLine]) -> str:
    return "".join(line["text"] for line in lines if line.kind == "sounded")


_CHECKS: dict[str, Callable[..., tuple[bool, Any]]] = {
    "first_audio_within_s": _first_audio,
    "stops_within_s": _stops,
    "finally_says": _finally_says,
    "never_says_after_interruption": _never_says,
    "interruptions": _interruptions,
    "resumes": _resumes,
    "silent_after_stop": _silent_after_stop,
    "turns": _turns,
}
_OBSERVED: dict[str, Callable[..., tuple[bool, Any]]] = {
    "answered": _every("takeover"),
    "cut_offs_at_most": _at_most(lambda seen: sum(seen.shares["cut off"])),
    "goes_on": _every(*(f"goes on after {kind}" for kind in FALSE_ALARMS)),
    "every_word_once": _every("every word once"),
    "stops_obeyed": _every("stop obeyed"),
    "uninvited_at_most": _at_most(lambda seen: sum(seen.shares["uninvited"])),
    "word_error_at_most": _at_most(lambda seen: seen.word_errors / seen.words if seen.words else None),
    "invented_words_at_most": _at_most(lambda seen: seen.invented_words),
    "words_final_within_s": _at_most(lambda seen: max(seen.seconds["lag"], default=None)),
    "underruns_at_most": _at_most(lambda seen: seen.underruns),
}
