"""A drawing of what happened when in one answer, a panel a mode, on one time axis.

draw_timelines({mode: Timeline}) -> SVG text
"""

from __future__ import annotations

import textwrap
from collections.abc import Mapping

import matplotlib
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from .figures import INK, MUTED, SERIES, STYLE, WIDTH_IN, svg_of
from .timeline import LANES, Lane, Stretch, Timeline

_COLOURS: dict[Lane, str] = {"user": SERIES[0], "thoughts": SERIES[3], "written": SERIES[5], "audible": SERIES[1]}
_PANEL_IN, _FOOT_IN = 1.55, 0.55
_CHARACTER_IN = 0.055  # mean width of a letter at the size of the words in a stretch
_BEFORE_S = 2.0  # of the question that is shown


def draw_timelines(timelines: Mapping[str, Timeline], name: str) -> str:
    """One panel a mode; seconds from the end of the question, words cut to the room they have."""
    last_s = max((stretch.end_s for timeline in timelines.values() for stretch in timeline), default=1.0)
    first_s = max(-_BEFORE_S, min((s.start_s for timeline in timelines.values() for s in timeline), default=0.0))
    with matplotlib.rc_context({**STYLE, "svg.hashsalt": name}):
        height_in = _PANEL_IN * len(timelines) + _FOOT_IN
        figure = Figure(figsize=(WIDTH_IN, height_in))
        for row, (mode, timeline) in enumerate(timelines.items()):
            bottom = 1 - _PANEL_IN * (row + 1) / height_in + 0.08 / height_in
            axes = figure.add_axes((0.095, bottom, 0.895, (_PANEL_IN - 0.38) / height_in))
            axes.set_xlim(first_s, last_s * 1.02)
            _panel(axes, mode, timeline)
            if row < len(timelines) - 1:
                axes.tick_params(axis="x", labelbottom=False)
            else:
                axes.set_xlabel("seconds from the end of the question")
        return svg_of(figure, name)


def _panel(axes: Axes, mode: str, timeline: Timeline) -> None:
    axes.set_ylim(len(LANES) - 0.45, -0.55)
    axes.set_yticks(range(len(LANES)), LANES)
    axes.grid(axis="y", visible=False)
    axes.spines["left"].set_visible(False)
    axes.set_title(f"{mode}{_summary(timeline)}", color=INK)
    axes.axvline(0, color=MUTED, linewidth=1.0)
    first_s, last_s = axes.get_xlim()
    inches_a_second = 0.895 * WIDTH_IN / (last_s - first_s)
    for stretch in timeline:
        if stretch.end_s > first_s:
            _draw(axes, stretch, first_s, inches_a_second)
    sounding = sorted((s.start_s, s.end_s) for s in timeline if s.lane == "audible")
    for (_, end_s), (start_s, _) in zip([(0.0, 0.0), *sounding], sounding, strict=False):
        if start_s - end_s > 0.5:  # silence that the listener waits through
            lane = LANES.index("audible")
            axes.plot([max(0.0, end_s), start_s], [lane, lane], color=MUTED, linewidth=1.0, linestyle=(0, (1, 2)))
            axes.text(
                (max(0.0, end_s) + start_s) / 2,
                lane - 0.14,
                f"{start_s - max(0.0, end_s):.1f} s",
                color=MUTED,
                ha="center",
                fontsize=7.5,
            )


def _draw(axes: Axes, stretch: Stretch, first_s: float, inches_a_second: float) -> None:
    start_s = max(first_s, stretch.start_s)
    lane, colour = LANES.index(stretch.lane), _COLOURS[stretch.lane]
    axes.barh(lane, stretch.end_s - start_s, 0.78, start_s, color=colour, alpha=0.22, linewidth=0)
    axes.plot([start_s, start_s], [lane - 0.39, lane + 0.39], color=colour, linewidth=1.6)
    letters = int((stretch.end_s - start_s) * inches_a_second / _CHARACTER_IN) - 1
    if letters > 6:
        words = _end_of(stretch.text, letters) if stretch.start_s < first_s else _beginning_of(stretch.text, letters)
        axes.text(start_s + 0.05 / inches_a_second, lane, words, color=INK, va="center", fontsize=7.5, clip_on=True)


def _beginning_of(text: str, letters: int) -> str:
    """Whole words that fit into the room."""
    return textwrap.shorten(text, letters, placeholder=" …")


def _end_of(text: str, letters: int) -> str:
    """The last whole words that fit."""
    words = " ".join(text.split())
    return words if len(words) <= letters else f"… {words[-letters + 1 :].partition(' ')[2]}"


def _summary(timeline: Timeline) -> str:
    """', first words written after 1.3 s, audible after 1.9 s, silent for 2.4 s in all'"""
    written = [s.start_s for s in timeline if s.lane == "written" and s.start_s >= 0]
    audible = sorted((s.start_s, s.end_s) for s in timeline if s.lane == "audible" and s.end_s > 0)
    parts = [f"first words written after {min(written):.1f} s"] if written else []
    parts += [f"audible after {audible[0][0]:.1f} s"] if audible else []
    return f": {', '.join(parts)}" if parts else ""
