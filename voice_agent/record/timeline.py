"""A picture of one conversation: everything that happened, on one time axis.

    draw_timeline(path, lines, summary, ...) -> timeline.png, 1600 px wide

Lanes from top to bottom: what interrupted, the user's sound, the words heard, the thoughts, the gate, the words spoken,
the loudspeaker's sound. Text is laid out in boxes that never overlap; what does not fit is cut with an ellipsis, and
the full text stands in trace.jsonl.
"""

from __future__ import annotations

import itertools
import textwrap
import warnings
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch

from .trace import TraceLine, pauses_of

_WIDTH_PX, _DPI = 1600, 100
_LEFT, _RIGHT = 0.072, 0.988  # of the width
_FONT_PT = 8.5
_CHARACTER_PX = 6.3  # mean width at that size
_BOX_PX = 215  # narrowest text box
_LINE_PX = 14.5

_USER, _THOUGHT, _SPOKEN, _ALARM, _QUIET = "#2563a8", "#7a4fa3", "#2b8a5b", "#c8432b", "#8a8f98"
_UNSAID = 0.27  # share of its lane below the spoken words, for those that were taken back
_LANES = (  # name, height
    ("", 0.50),
    ("user", 0.85),
    ("heard", 0.80),
    ("thoughts", 1.75),
    ("gate", 0.60),
    ("spoken", 1.25),
    ("loudspeaker", 0.85),
)


@dataclass
class _Box:
    """A run of words that is written from `start_s` on."""

    start_s: float
    last_s: float
    text: str


def draw_timeline(
    path: Path,
    lines: Sequence[TraceLine],
    summary: dict[str, Any],
    *,
    name: str,
    left: np.ndarray,
    right: np.ndarray,
    rate_hz: int,
    origin_s: float = 0.0,
) -> None:
    """Draw the conversation.

    summary: as `summarize` gives it; its figures stand in the title and at the interruptions.
    left, right: (n,) microphone and loudspeaker from `origin_s` on, at `rate_hz` (the channels of conversation.wav).
    """
    lasts_s = max(len(right) / rate_hz, 1.0)
    figure = Figure(figsize=(_WIDTH_PX / _DPI, 8.6), dpi=_DPI, facecolor="white")
    FigureCanvasAgg(figure)
    heights = [height for _, height in _LANES]
    grid = figure.add_gridspec(len(_LANES), 1, height_ratios=heights, left=_LEFT, right=_RIGHT, top=0.90, bottom=0.105)
    lanes = [figure.add_subplot(grid[row]) for row in range(len(_LANES))]
    for axes, (label, _) in zip(lanes, _LANES, strict=True):
        _prepare(axes, label, origin_s, lasts_s)
    events, user, heard, thoughts, gate, spoken, loudspeaker = lanes

    _draw_wave(user, left, rate_hz, origin_s, _USER)
    _draw_wave(loudspeaker, right, rate_hz, origin_s, _SPOKEN)
    _write(heard, _of(lines, "word", "start_s", final=True), _USER, lasts_s)
    _draw_thoughts(thoughts, lines, lasts_s)
    _draw_gate(gate, lines)
    sounded = ((line.t, line["text"]) for line in lines if line.kind == "sounded")
    _write(spoken, sounded, _SPOKEN, lasts_s, floor=_UNSAID)
    _draw_retracted(spoken, lines, lasts_s)
    _draw_pauses(loudspeaker, lines)
    _draw_interruptions(events, lanes, lines, summary, lasts_s)
    loudspeaker.tick_params(axis="x", labelbottom=True, length=3)
    loudspeaker.set_xlabel("seconds", fontsize=9)
    _write_title(figure, name, summary)
    _draw_legend(figure)
    with warnings.catch_warnings():
        # A thought may hold any script; boxes stand for it.
        warnings.filterwarnings("ignore", message="Glyph .* missing")
        figure.savefig(path, metadata={"Software": None})


# --- the lanes --------------------------------------------------------------------------------------------------------


def _prepare(axes: Axes, label: str, origin_s: float, lasts_s: float) -> None:
    axes.set_xlim(origin_s, origin_s + lasts_s)
    axes.set_ylim(0, 1)
    axes.set_yticks([])
    axes.tick_params(axis="x", labelbottom=False, length=0, labelsize=9)
    axes.grid(axis="x", color="#e7e9ec", linewidth=0.8)
    axes.set_axisbelow(True)
    for side in ("top", "right", "left"):
        axes.spines[side].set_visible(False)
    axes.spines["bottom"].set_color("#d5d8dc")
    axes.text(-0.008, 0.5, label, transform=axes.transAxes, ha="right", va="center", fontsize=10, color="#333333")


def _draw_wave(axes: Axes, samples: np.ndarray, rate_hz: int, origin_s: float, color: str) -> None:
    """The envelope, one column a pixel."""
    axes.set_ylim(-1.05, 1.05)
    columns = min(len(samples), int(_WIDTH_PX * (_RIGHT - _LEFT)))
    if not columns:
        return
    per_column = -(-len(samples) // columns)
    padded = np.concatenate([samples, np.zeros(-len(samples) % per_column, np.float32)]).reshape(-1, per_column)
    loudest = max(0.05, float(np.abs(samples).max()))
    times = origin_s + (np.arange(len(padded)) + 0.5) * per_column / rate_hz
    axes.fill_between(times, padded.min(axis=1) / loudest, padded.max(axis=1) / loudest, color=color, linewidth=0)


def _draw_thoughts(axes: Axes, lines: Sequence[TraceLine], lasts_s: float) -> None:
    """Tokens per second as a hill at the bottom, what was thought above it, what came in from the user at its place."""
    thoughts = [(line.t, line["text"]) for line in lines if line.kind == "thought"]
    if thoughts:
        times = np.array([t for t, _ in thoughts])
        width_s = max(0.5, lasts_s / 120)
        edges = np.arange(times[0], times[-1] + 2 * width_s, width_s)
        counts, _ = np.histogram(times, edges)
        axes.bar(edges[:-1], 0.17 * counts / counts.max(), width_s, align="edge", color=_THOUGHT, alpha=0.35)
        peak = f"up to {counts.max() / width_s:.0f} tokens/s"
        axes.text(-0.008, 0.08, peak, transform=axes.transAxes, ha="right", va="center", fontsize=7, color=_QUIET)
    injected_s = [line.t for line in lines if line.kind == "injected"]
    _write(axes, thoughts, _THOUGHT, lasts_s, floor=0.2, breaks=injected_s)
    for t in injected_s:
        axes.axvline(t, color=_USER, linewidth=2.0)


def _draw_gate(axes: Axes, lines: Sequence[TraceLine]) -> None:
    axes.set_ylim(-0.12, 1.12)
    axes.axhline(0.5, color="#d5d8dc", linewidth=0.8)
    for decision, color in (("think", _THOUGHT), ("speak", _SPOKEN)):
        decided = [line for line in lines if line.kind == "gate" and line["decision"] == decision]
        shares = [line["yes"] / max(line["yes"] + line["no"], 1e-9) for line in decided]
        axes.scatter([line.t for line in decided], shares, s=20, color=color, linewidths=0, zorder=3)
    for share, text in ((0.0, "no"), (1.0, "yes")):
        axes.text(0.003, share, text, transform=axes.get_yaxis_transform(), fontsize=7, va="center", color=_QUIET)


def _draw_retracted(axes: Axes, lines: Sequence[TraceLine], lasts_s: float) -> None:
    """Words that were taken back before they sounded, at the foot of the lane."""
    retracted = [(line.t, line["text"]) for line in lines if line.kind == "retracted" and line["text"].strip()]
    _write(
        axes,
        ((t, f"(unsaid: {text.strip()})") for t, text in retracted),
        _QUIET,
        lasts_s,
        ceiling=_UNSAID,
        most_lines=1,
    )


def _draw_pauses(axes: Axes, lines: Sequence[TraceLine]) -> None:
    for from_s, to_s in pauses_of(lines):
        axes.axvspan(from_s, to_s, color=_ALARM, alpha=0.13, linewidth=0)
    underruns_s = [line.t for line in lines if line.kind == "underrun"]
    axes.plot(underruns_s, [-0.9] * len(underruns_s), marker="^", linestyle="", color=_ALARM, markersize=6)


def _draw_interruptions(
    top: Axes, lanes: Sequence[Axes], lines: Sequence[TraceLine], summary: dict[str, Any], lasts_s: float
) -> None:
    """A line through all lanes for each, named at the top with its stop time."""
    interrupted = [line for line in lines if line.kind == "interrupted"]
    labels = []
    for line, facts in zip(interrupted, summary["interruptions"], strict=True):
        for axes in lanes:
            axes.axvline(line.t, color=_ALARM, linewidth=1.1, linestyle=(0, (4, 3)))
        silent = f", silent in {facts['stop_s']:.2f} s" if facts["stop_s"] is not None else ""
        labels.append((line.t, f"{line['reason']}{silent}"))
    _write(top, labels, _ALARM, lasts_s, most_lines=2, narrowest_px=120)


# --- text -------------------------------------------------------------------------------------------------------------


def _of(lines: Sequence[TraceLine], kind: str, time: str, **fields: Any) -> Iterable[tuple[float, str]]:
    for line in lines:
        if line.kind == kind and all(line[name] == value for name, value in fields.items()):
            yield line[time], line["text"] + " "


def _write(
    axes: Axes,
    pieces: Iterable[tuple[float, str]],
    color: str,
    lasts_s: float,
    *,
    floor: float = 0.0,
    ceiling: float = 1.0,
    most_lines: int = 20,
    narrowest_px: float = _BOX_PX,
    breaks: Sequence[float] = (),
) -> None:
    """Write pieces of text at their times, in boxes side by side between two heights of the lane.

    breaks: times at which a new box begins if there is room.
    """
    s_per_px = lasts_s / (_WIDTH_PX * (_RIGHT - _LEFT))
    end_s = axes.get_xlim()[1]
    height_px = axes.get_window_extent().height * (ceiling - floor)
    line_count = max(1, min(most_lines, int(height_px / _LINE_PX)))
    boxes = _boxes(pieces, narrowest_px * s_per_px, end_s, breaks)
    for box, next_box in itertools.zip_longest(boxes, boxes[1:]):
        width_px = min(((next_box.start_s if next_box else end_s) - box.start_s) / s_per_px, 2.4 * narrowest_px)
        columns = max(8, int((width_px - 12) / _CHARACTER_PX))
        text = textwrap.fill(" ".join(box.text.split()), columns, max_lines=line_count, placeholder=" …")
        axes.text(
            box.start_s + 5 * s_per_px,
            ceiling - 0.02,
            text,
            va="top",
            color=color,
            fontsize=_FONT_PT,
            parse_math=False,
            zorder=4,
            bbox={"facecolor": "white", "alpha": 0.85, "linewidth": 0, "pad": 1.0},  # lines pass behind the words
        )
        axes.plot([box.start_s] * 2, [floor, ceiling], color=color, linewidth=1.2, alpha=0.6)


def _boxes(
    pieces: Iterable[tuple[float, str]], narrowest_s: float, end_s: float, breaks: Sequence[float]
) -> list[_Box]:
    """Join pieces to boxes whose starts lie at least `narrowest_s` apart; a pause or a break begins a new one."""
    boxes: list[_Box] = []
    for t, text in pieces:
        start_s = min(t, end_s - narrowest_s)
        box = boxes[-1] if boxes else None
        if box is None:
            boxes.append(_Box(start_s, t, text))
            continue
        pause = t - box.last_s > 1.0
        apart = pause or any(box.last_s < moment <= t for moment in breaks)
        if start_s - box.start_s < narrowest_s or not (apart or start_s - box.start_s > 1.35 * narrowest_s):
            box.text, box.last_s = box.text + (" · " if pause else "") + text, t
        else:
            boxes.append(_Box(start_s, t, text))
    return boxes


def _write_title(figure: Figure, name: str, summary: dict[str, Any]) -> None:
    delays = [turn["first_audio_s"] for turn in summary["turns"] if turn["first_audio_s"] is not None]
    first = f"first audio {delays[0]:.2f} s after the question" if delays else "no audio"
    steps = summary["llm"]
    speed = f" · model step {steps['step_ms_p50']:.0f} ms (p50)" if steps["step_ms_p50"] is not None else ""
    clock = "measured in real time" if summary["time"] == "real" else "virtual time: declared costs"
    figure.text(_LEFT, 0.962, name, fontsize=15, weight="bold", color="#222222", va="center")
    figure.text(_LEFT, 0.925, first + speed, fontsize=10.5, color="#222222", va="center")
    about = f"mode {summary['mode']} · profile {summary['profile']} · {clock} · {summary['device']}"
    figure.text(_RIGHT, 0.962, about, fontsize=10, color="#555555", ha="right", va="center")


def _draw_legend(figure: Figure) -> None:
    figure.legend(
        handles=[
            Patch(color=_USER, label="the user"),
            Patch(color=_THOUGHT, label="private thoughts; gate says think"),
            Patch(color=_SPOKEN, label="spoken; gate says speak"),
            Line2D([], [], color=_USER, linewidth=2.0, label="words enter the thoughts"),
            Line2D([], [], color=_ALARM, linewidth=1.1, linestyle=(0, (4, 3)), label="interruption understood"),
            Patch(color=_ALARM, alpha=0.13, label="voice paused"),
            Line2D([], [], color=_ALARM, marker="^", linestyle="", markersize=6, label="underrun"),
        ],
        loc="lower center",
        ncols=7,
        fontsize=9,
        frameon=False,
        bbox_to_anchor=((_LEFT + _RIGHT) / 2, 0.005),
    )
