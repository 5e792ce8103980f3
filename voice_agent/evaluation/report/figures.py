"""Drawings of runs as SVG in the colours of the page: delays, accuracy against delay, moments of a correction.

    delays(run) -> SVG text; frontier(run); by_moment(run); timeline_drawing (timeline_figure.py)

Colours are written as CSS variables (`INK`, `SERIES`, ...), so that a drawing follows the page from light to dark; text
stays text. A mode has the same colour and marker in every drawing.
"""

from __future__ import annotations

import io
import re
import warnings
from collections.abc import Sequence
from typing import Any

import matplotlib
import numpy as np
from matplotlib.axes import Axes
from matplotlib.backends.backend_svg import FigureCanvasSVG
from matplotlib.figure import Figure

from ..intervals import Interval, share
from ..measures import FIRST_AUDIBLE, FIRST_WRITTEN, RIGHT, TOTAL_DELAY, Measure, measured, values
from .interruptions import corrections, placements, points
from .sources import Run

INK, MUTED, RULE, PAPER = "#010001", "#010002", "#010003", "#010004"
SERIES = ("#010101", "#010102", "#010103", "#010104", "#010105", "#010106")
MARKERS = ("o", "s", "^", "D", "v", "P")
_VARIABLES = {INK: "--ink", MUTED: "--muted", RULE: "--rule", PAPER: "--paper"} | {
    colour: f"--series-{number}" for number, colour in enumerate(SERIES, 1)
}
WIDTH_IN = 7.6
STYLE: dict[Any, Any] = {
    "svg.fonttype": "none",
    "font.family": "sans-serif",
    "font.size": 9.0,
    "axes.edgecolor": MUTED,
    "axes.labelcolor": INK,
    "axes.titlesize": 9.5,
    "axes.titlelocation": "left",
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": True,
    "axes.axisbelow": True,
    "grid.color": RULE,
    "grid.linewidth": 0.7,
    "text.color": INK,
    "text.parse_math": False,
    "xtick.color": MUTED,
    "ytick.color": MUTED,
    "xtick.labelcolor": INK,
    "ytick.labelcolor": INK,
    "xtick.major.size": 3,
    "ytick.major.size": 0,
    "legend.frameon": False,
    "lines.linewidth": 1.6,
}


def delays(run: Run) -> str | None:
    """For each kind of delay the share of answers that have come by then, one curve a mode."""
    shown = [
        m for m in (FIRST_WRITTEN, FIRST_AUDIBLE, TOTAL_DELAY) if any(values(run.of_mode(x), m) for x in run.modes)
    ]
    if not shown:
        return None
    with matplotlib.rc_context({**STYLE, "svg.hashsalt": f"delays {run.id}"}):
        figure = Figure(figsize=(WIDTH_IN, 2.7), layout="constrained")
        for axes, measure in zip(_row(figure, len(shown)), shown, strict=True):
            _distribution(axes, run, measure)
        handles, labels = figure.axes[0].get_legend_handles_labels()
        figure.legend(handles, labels, loc="outside lower center", ncols=len(labels))
        return svg_of(figure, f"delays-{run.id}")


def frontier(run: Run) -> str | None:
    """Accuracy against the median total delay, one point a mode, with both intervals; None for a single mode."""
    found = [(mode, measured(run.of_mode(mode), RIGHT), measured(run.of_mode(mode), TOTAL_DELAY)) for mode in run.modes]
    known = [(mode, right, delay) for mode, right, delay in found if right and delay and delay.mean > 0]
    if len(known) < 2:
        return None
    with matplotlib.rc_context({**STYLE, "svg.hashsalt": f"frontier {run.id}"}):
        figure = Figure(figsize=(WIDTH_IN, 3.1), layout="constrained")
        axes = figure.add_subplot()
        best = _not_dominated([(delay.mean, right.mean) for _, right, delay in known])
        axes.step(*zip(*best, strict=True), where="post", color=MUTED, linewidth=1.0, linestyle=(0, (4, 3)), zorder=1)
        for mode, right, delay in known:
            _point(axes, run, mode, right, delay)
        _logarithmic_seconds(axes, [value for _, _, delay in known for value in (delay.low, delay.high)])
        axes.set_xlabel("median total delay, seconds")
        axes.set_ylabel("right, %")
        axes.set_ylim(0, 100)
        return svg_of(figure, f"frontier-{run.id}")


def by_moment(run: Run) -> str | None:
    """Right and stale answers to a correction by the moment at which it came in, one curve a placement."""
    if len(points(run)) < 2:
        return None
    with matplotlib.rc_context({**STYLE, "svg.hashsalt": f"moments {run.id}"}):
        figure = Figure(figsize=(WIDTH_IN, 3.0), layout="constrained")
        for axes, key, title in zip(_row(figure, 2), ("right", "stale"), ("right, %", "stale answer, %"), strict=True):
            for number, placement in enumerate(placements(run)):
                _by_point(axes, run, placement, key, number)
            axes.set_title(title)
            axes.set_ylim(0, 100)
            axes.set_xticks(points(run))
            axes.set_xlabel("came in after … % of the thoughts")
        handles, labels = figure.axes[0].get_legend_handles_labels()
        figure.legend(handles, labels, loc="outside lower center", ncols=min(3, len(labels)))
        return svg_of(figure, f"moments-{run.id}")


def look_of(run: Run, mode: str) -> tuple[str, str]:
    """Colour and marker of a mode, the same throughout a run."""
    number = run.modes.index(mode)
    return SERIES[number % len(SERIES)], MARKERS[number % len(MARKERS)]


def svg_of(figure: Figure, name: str) -> str:
    """The drawing for use inside a page: its colours are the page's, its ids begin with `name`."""
    FigureCanvasSVG(figure)
    file = io.StringIO()
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="Glyph .* missing")  # the reader's browser has its own fonts
        figure.savefig(file, format="svg", transparent=True, metadata={"Date": None, "Creator": None})
    svg = file.getvalue()
    svg = svg[svg.index("<svg") :].rstrip()
    svg = re.sub(r"<metadata>.*?</metadata>", "", svg, flags=re.DOTALL)
    svg = re.sub(r'\bid="', f'id="{name}-', svg)
    svg = re.sub(r'((?:xlink:)?href="|url\()#', rf"\g<1>#{name}-", svg)
    for colour, variable in _VARIABLES.items():
        svg = svg.replace(colour, f"var({variable})")
    return re.sub(
        r'^<svg ([^>]*?)width="[^"]*" height="[^"]*"|^<svg ([^>]*?)height="[^"]*"', r"<svg \1\2", svg, count=1
    )


def _row(figure: Figure, count: int) -> list[Axes]:
    return list(np.atleast_1d(figure.subplots(1, count)))


def _distribution(axes: Axes, run: Run, measure: Measure) -> None:
    """Empirical distribution: at x seconds the share of answers whose delay is at most x."""
    everything: list[float] = []
    for mode in run.modes:
        found = sorted(values(run.of_mode(mode), measure))
        if not found:
            continue
        colour, _ = look_of(run, mode)
        shares = 100 * np.arange(1, len(found) + 1) / len(found)
        axes.step([0.0, *found], [0.0, *shares], where="post", color=colour, label=mode)
        everything += found
    axes.set_title(measure.name)
    axes.set_xlim(0, max(everything, default=1.0) * 1.03 or 1.0)
    axes.set_ylim(0, 102)
    axes.set_xlabel("seconds")
    axes.set_yticks([0, 50, 100], ["0 %", "50 %", "100 %"])


def _point(axes: Axes, run: Run, mode: str, right: Interval, delay: Interval) -> None:
    colour, marker = look_of(run, mode)
    x, y = delay.mean, 100 * right.mean
    axes.errorbar(
        x,
        y,
        xerr=[[x - delay.low], [delay.high - x]],
        yerr=[[y - 100 * right.low], [100 * right.high - y]],
        color=colour,
        marker=marker,
        markersize=7,
        elinewidth=1.2,
        zorder=3,
    )
    axes.annotate(mode, (x, y), (8, 7), textcoords="offset points", color=colour, weight="bold")


def _logarithmic_seconds(axes: Axes, around: Sequence[float]) -> None:
    low, high = max(0.05, min(around) / 1.5), max(around) * 1.8
    axes.set_xscale("log")
    axes.set_xlim(low, high)
    ticks = [tick for tick in (0.1, 0.2, 0.5, 1, 2, 5, 10, 20, 50, 100, 200, 500) if low <= tick <= high]
    axes.set_xticks(ticks, [f"{tick:g}" for tick in ticks])
    axes.minorticks_off()


def _not_dominated(at: Sequence[tuple[float, float]]) -> list[tuple[float, float]]:
    """The points that no other one beats in both, from quick to slow, in percent."""
    best: list[tuple[float, float]] = []
    for delay_s, right in sorted(at, key=lambda point: (point[0], -point[1])):
        if not best or 100 * right > best[-1][1]:
            best.append((delay_s, 100 * right))
    return best


def _by_point(axes: Axes, run: Run, placement: str, key: str, number: int) -> None:
    shares = []
    for point in points(run):
        own = corrections(run, placement, [point])
        shares.append(share(sum(bool(line[key]) for line in own), len(own)))
    colour, marker = SERIES[number % len(SERIES)], MARKERS[number % len(MARKERS)]
    x = np.array(points(run)) + 1.1 * (number - (len(placements(run)) - 1) / 2)  # beside each other, not over
    middle = np.array([100 * one.mean for one in shares])
    down, up = (np.abs(middle - [100 * getattr(one, side) for one in shares]) for side in ("low", "high"))
    axes.errorbar(
        x, middle, yerr=[down, up], color=colour, marker=marker, markersize=5, elinewidth=0.9, label=placement
    )
