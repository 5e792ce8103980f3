"""Runs -> report.html, one page that needs nothing beside it, and report.md, the same tables for reading as text.

    run_report([folder, ...], out=report.html) -> 0

The first paragraph says which targets were not reached. Beneath every table stand the lines that it was made from, as
file:line and as links to the items further down.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from ...errors import UnusableInput
from ...record.trace import read_trace
from ..datasets import DATASETS
from ..measures import MEASURES
from . import figures
from .experiments import gate_table, openings_table, pauses_table, spoken_tables, suite_table
from .interruptions import injection_tables
from .sources import Kept, Run, Sources, line_ranges, read_sources
from .tables import Table, failure_table, set_tables
from .targets import TARGETS_PATH, Judgement, judged, load_targets
from .timeline import Timeline, of_line, of_trace
from .timeline_figure import draw_timelines

TITLES = {
    "set": "{dataset}",
    "spoken": "Spoken questions",
    "injection": "Interruptions",
    "gate": "When the writer may speak",
    "pauses": "Thinking ahead",
    "openings": "Wrong openings",
    "other": "Other lines",
}
KIND_ORDER, SET_ORDER = tuple(TITLES), tuple(DATASETS)
LONG_TEXTS = ("question", "recognised", "words", "said", "sentence", "spoken", "thoughts")
HIDDEN = ("key", "timeline")


@dataclass(frozen=True)
class Drawing:
    """An SVG and what is to be seen in it."""

    svg: Markup
    caption: str


@dataclass
class Section:
    """One run on the page."""

    id: str
    title: str
    about: str
    made_with: str
    tables: list[Table] = field(default_factory=list)
    drawings: list[Drawing] = field(default_factory=list)
    items: Sequence[Kept] = ()


def run_report(places: Sequence[Path], *, out: Path, targets: Path | None = None) -> int:
    """Read everything in `places`, write `out` and, beside it, the same name with .md; 0.

    Raises:
        UnusableInput: nothing to report, lines that are none, targets that are none, a place that cannot be written.
    """
    sources = read_sources(places)
    sources.runs.sort(key=_priority)
    judgements = judged(load_targets(targets or TARGETS_PATH), sources.runs)
    sections = list(sections_of(sources))
    markdown_path = out.with_suffix(".md")
    if markdown_path == out:
        raise UnusableInput(f"{out} is where the Markdown goes: name an .html file with --out")
    try:
        out.parent.mkdir(parents=True, exist_ok=True)
        out.write_text(html(sections, judgements), encoding="utf-8")
        markdown_path.write_text(markdown(sections, judgements, out.name), encoding="utf-8")
    except OSError as error:
        raise UnusableInput(f"cannot write {out}: {error.strerror or error}; choose another --out") from error
    print(f"{out} and {markdown_path}: {first_paragraph(judgements)}")
    return 0


def html(sections: Sequence[Section], judgements: Sequence[Judgement]) -> str:
    """The page."""
    return _rendered("page.html.jinja", sections, judgements, "")


def markdown(sections: Sequence[Section], judgements: Sequence[Judgement], page: str) -> str:
    """The tables; `page`: where the drawings and the items are."""
    return _rendered("page.md.jinja", sections, judgements, page)


def first_paragraph(judgements: Sequence[Judgement]) -> str:
    """What was not reached, and by what; then what was not measured, then what was reached."""
    missed = [one for one in judgements if one.outcome == "missed"]
    reached = [one for one in judgements if one.outcome == "reached"]
    not_reached = "; ".join(f"{one.target.what} ({one.where}: {one.found}{_lost(one)})" for one in missed)
    unmeasured = "; ".join(f"{what} ({', '.join(sets)})" for what, sets in not_measured(judgements).items())
    parts = [f"Not reached: {not_reached}." if missed else "No target that was measured was missed."]
    if any(one.lost for one in missed):
        parts.append("What would mend them: see wrong answers by kind, below.")
    parts += [f"Not measured: {unmeasured}."] if unmeasured else []
    return " ".join([*parts, f"Reached: {len(reached)} of the {len(missed) + len(reached)} that were measured."])


def _lost(judgement: Judgement) -> str:
    """'; wrong answers: reasoning 14, writer 1'"""
    kinds = ", ".join(f"{kind} {count}" for kind, count in judgement.lost.items())
    return f"; wrong answers: {kinds}" if kinds else ""


def not_measured(judgements: Sequence[Judgement]) -> dict[str, list[str]]:
    """Targets that nothing measured, each with its sets."""
    found: dict[str, list[str]] = {}
    for one in judgements:
        if one.outcome == "not measured":
            found.setdefault(one.target.what, []).append(one.dataset)
    return found


def sections_of(sources: Sources) -> Iterator[Section]:
    """Runs in their order, then the suites and the traces."""
    for run in sources.runs:
        yield _section(run)
    for number, suite in enumerate(sources.suites, 1):
        yield Section(f"suite{number}", f"Scripted conversations: {suite.file}", "", "", [suite_table(suite)])
    for number, trace in enumerate(sources.traces, 1):
        mode = str(trace.summary.get("mode", "conversation"))
        svg = draw_timelines({mode: of_trace(read_trace(trace.path))}, f"trace{number}")
        drawing = Drawing(Markup(svg), f"From {trace.file}; {trace.summary.get('time', 'unknown')} time.")
        yield Section(f"trace{number}", f"A conversation: {trace.file}", "", "", [], [drawing])


def _priority(run: Run) -> tuple[int, int, int]:
    """Sets first, in the order of their table, then the experiments; of runs of one set the larger."""
    known = run.kind == "set" and run.dataset in SET_ORDER
    return KIND_ORDER.index(run.kind), SET_ORDER.index(run.dataset) if known else len(SET_ORDER), -len(run.lines)


def _section(run: Run) -> Section:
    rows = sorted({int(line["row"]) for line in run.lines if isinstance(line.get("row"), int)})
    of_rows = f" of {len(rows)} questions (rows {rows[0]} to {rows[-1]})" if rows else ""
    made_by = ", ".join(str(run.head[key]) for key in ("model", "device") if run.head.get(key))
    clock = {"virtual": "declared costs (virtual time)", "real": "the wall clock"}.get(str(run.head.get("time")), "")
    about = f"{len(run.lines)} answers{of_rows}; {made_by}; times by {clock or 'an unnamed clock'}."
    title = TITLES[run.kind].format(dataset=run.dataset)
    files = " and ".join(run.files)
    section = Section(run.id, f"{title}: {files}", about, json.dumps(run.head, indent=1, ensure_ascii=False))
    section.items = run.lines
    section.tables = [table for table in _tables(run) if table.rows]
    section.drawings = list(_drawings(run))
    return section


def _tables(run: Run) -> list[Table]:
    match run.kind:
        case "set":
            return [*set_tables(run), *filter(None, [failure_table(run)])]
        case "spoken":
            return spoken_tables(run)
        case "injection":
            return injection_tables(run)
        case "gate":
            return list(filter(None, [gate_table(run)]))
        case "pauses":
            return [pauses_table(run)]
        case "openings":
            return [openings_table(run)]
    return []


def _drawings(run: Run) -> Iterator[Drawing]:
    if run.kind == "set":
        if svg := figures.frontier(run):
            caption = "Accuracy against delay, with 95 % intervals. Dashed: modes that no other beats in both."
            yield Drawing(Markup(svg), caption)
        if svg := figures.delays(run):
            yield Drawing(Markup(svg), "The share of answers whose delay is at most so many seconds.")
    if run.kind == "injection" and (svg := figures.by_moment(run)):
        caption = "Corrections by the moment at which they came in, with 95 % intervals; points stand side by side."
        yield Drawing(Markup(svg), caption)
    if timelines := example(run):
        caption = "One item in each mode: " + ", ".join(line.file + f":{line.number}" for line, _ in timelines.values())
        drawn = draw_timelines({mode: timeline for mode, (_, timeline) in timelines.items()}, f"timeline-{run.id}")
        yield Drawing(Markup(drawn), caption + ". Dotted: silence that the listener waits through.")


def example(run: Run) -> dict[str, tuple[Kept, Timeline]]:
    """The row that most modes answered rightly, of those the median one by its length, with a timeline of each mode."""
    by_row: dict[object, dict[str, tuple[Kept, Timeline]]] = {}
    for line in run.lines:
        timeline = of_line(line)
        if timeline is not None and line.get("mode"):
            by_row.setdefault(line.get("row"), {}).setdefault(str(line["mode"]), (line, timeline))
    if not by_row:
        return {}
    most = max(len(found) for found in by_row.values())
    whole = [found for found in by_row.values() if len(found) == most]
    right = [found for found in whole if all(line.get("right") for line, _ in found.values())] or whole
    ranked = sorted(right, key=lambda found: max(s.end_s for _, timeline in found.values() for s in timeline))
    return ranked[len(ranked) // 2]


def _rendered(name: str, sections: Sequence[Section], judgements: Sequence[Judgement], page: str) -> str:
    markdown = name.endswith(".md.jinja")
    environment = Environment(
        loader=PackageLoader("voice_agent.evaluation.report", "."),
        autoescape=not markdown,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["one_line"] = _one_line
    environment.filters["ranges"] = line_ranges
    environment.filters["shown"] = _shown
    environment.filters["percent"] = partial(_percent, 90.0)
    return environment.get_template(name).render(
        sections=sections,
        paragraph=first_paragraph(judgements),
        measured=[one for one in judgements if one.lines],
        not_measured=not_measured(judgements),
        explained={measure.name: measure.explained for measure in MEASURES},
        long_texts=LONG_TEXTS,
        hidden=HIDDEN,
        page=page,
    )


def _one_line(text: object) -> str:
    """Text that cannot leave its cell in a Markdown table, nor begin anything there."""
    plain = " ".join(str(text).split())
    return "".join(f"\\{letter}" if letter in "\\|`*_<>[]#~$" else letter for letter in plain)


def _shown(value: Any) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    return json.dumps(value, ensure_ascii=False) if isinstance(value, list | dict) else str(value)


def _percent(width: float, share: float) -> str:
    """A share as a coordinate on a bar of this width."""
    return f"{width * min(1.0, max(0.0, share)):.1f}"
