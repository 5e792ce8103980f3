"""What a conversation that is over leaves in its folder, beside its sound and its trace: figures and a picture.

write_report(folder, lines, ...) -> summary; writes summary.json and timeline.png from trace and conversation.wav
"""

from __future__ import annotations

import json
import resource
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import soundfile

from ..errors import UnusableInput
from .recording import read_channels
from .summary import ClipTruth, TurnRecord, summarize
from .trace import TraceLine

SOUND, TRACE, SUMMARY, TIMELINE = "conversation.wav", "trace.jsonl", "summary.json", "timeline.png"


def prepare_folder(folder: Path) -> None:
    """Make the folder where it does not exist.

    Raises:
        UnusableInput: it cannot be made, or is no folder.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise UnusableInput(
            f"cannot record into {folder} ({error.strerror}): choose another folder with --out"
        ) from error


def write_report(
    folder: Path,
    lines: Sequence[TraceLine],
    *,
    name: str,
    turns: Sequence[TurnRecord],
    truth: Sequence[ClipTruth],
    origin_s: float,
    profile: str,
    time: str,
    mode: str,
    device: str,
    judge: Callable[[dict[str, Any]], list[dict[str, Any]]] = lambda summary: [],
) -> dict[str, Any]:
    """Summarise and draw the conversation whose sound lies in `folder`.

    truth: what a scripted user said; empty for a live talk. judge: the expectations of a summary that lacks them.
    """
    peak_rss_mb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 / 1e6  # of the conversation, not of this
    left, right, rate_hz = read_channels(folder / SOUND)
    summary = summarize(
        lines,
        turns=turns,
        truth=truth,
        right=right,
        rate_hz=rate_hz,
        origin_s=origin_s,
        profile=profile,
        time=time,
        mode=mode,
        device=device,
        peak_rss_mb=peak_rss_mb,
    )
    summary["expectations"] = judge(summary)
    write_summary(folder, summary)
    from .timeline import draw_timeline  # matplotlib takes half a second: not before a conversation

    draw_timeline(
        folder / TIMELINE, lines, summary, name=name, left=left, right=right, rate_hz=rate_hz, origin_s=origin_s
    )
    return summary


def write_summary(folder: Path, summary: dict[str, Any]) -> None:
    text = json.dumps(summary, indent=2, ensure_ascii=False)
    (folder / SUMMARY).write_text(text + "\n", encoding="utf-8")


def sound_seconds(folder: Path) -> float:
    """How long the recorded conversation is."""
    return float(soundfile.info(folder / SOUND).duration)
