"""The other experiments -> tables: spoken questions, the gate, pauses, openings, the measures of suites. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import groupby

from ...replay.measures import MEASURES as SUITE_MEASURES
from ...replay.measures import in_words as suite_in_words
from ...replay.measures import named
from ..intervals import Interval, difference, share
from ..measures import FIRST_AUDIBLE, difference_in_words, in_words, measured
from ..roc import area_interval, moments_of, thresholds
from ..spoken_table import FAILURES, TEXT, conditions_of, failure_kind, spoken_figures
from .failures import by_kind
from .sources import Kept, Run, Suite
from .tables import Behind, Cell, Table, text_rows

OPENING_MEASURES = ("withdrawn", "put_right", "heard", "right")


@dataclass(frozen=True)
class VoiceCost:
    """`of_text`: accuracy over that of the same rows as text."""

    mode: str
    condition: str
    of_text: Interval
    lines: tuple[Kept, ...]


def spoken_tables(run: Run) -> list[Table]:
    """Voice beside text, and what lost the wrong answers."""
    return [_voice(run), _voice_failures(run)]


def voice_against_text(run: Run) -> Iterator[VoiceCost]:
    """Every spoken condition of a mode that was asked as text too."""
    lines = [line.values for line in run.lines]
    for mode, condition in conditions_of(lines):
        of_text = spoken_figures(lines, mode, condition).of_text
        if of_text is not None:
            own = [line for line in run.of_mode(mode) if line["condition"] in (condition, TEXT)]
            yield VoiceCost(mode, condition, of_text, tuple(own))


def lost_spoken(run: Run, mode: str, condition: str) -> dict[str, list[Kept]]:
    """Wrong answers to spoken questions by kind, in the order of spoken_table's `FAILURES`."""
    texts = {line["row"]: line.values for line in run.of_mode(mode) if line["condition"] == TEXT}
    own = [line for line in run.of_mode(mode) if line["condition"] == condition]
    return by_kind(own, FAILURES, lambda line: failure_kind(line.values, texts.get(line["row"])))


def gate_table(run: Run) -> Table | None:
    """What each threshold of the gate would have done; None before any moment was tried."""
    moments = moments_of([line.values for line in run.lines if line["moment"] > 0])
    if not moments:
        return None
    area, good = area_interval(moments), sum(moment.good for moment in moments)
    rows = []
    for opened, alike in groupby(thresholds(moments), key=lambda at: at.opened):
        at = next(alike)  # the lowest of those that open the same moments
        rates = (at.true_positive_rate, at.false_positive_rate, at.precision)
        rows.append((f"{at.value:.3f}", str(opened), *(f"{100 * rate:.1f} %" for rate in rates)))
    note = (
        f"{len(moments)} moments, {good} good (the sentence was covered by the thoughts and the answer ended right); "
        f"area under the curve {area.mean:.2f} [{area.low:.2f}, {area.high:.2f}]."
    )
    columns = ("threshold", "opened", "true positives", "false positives", "precision")
    return Table("The gate: thresholds", columns, text_rows(rows), (Behind("moments", tuple(run.lines)),), note)


def pauses_table(run: Run) -> Table:
    """Accuracy by the length of a pause in the question, and the paired difference from none."""
    pauses = sorted({int(line["pause"]) for line in run.lines})
    by_pause = {pause: [line for line in run.lines if line["pause"] == pause] for pause in pauses}
    first = {line["row"]: float(line["right"]) for line in next(iter(by_pause.values()))}
    rows: list[tuple[Cell, ...]] = []
    for pause, own in by_pause.items():
        right = share(sum(line["right"] for line in own), len(own))
        both = [line for line in own if line["row"] in first]
        apart = difference([float(line["right"]) for line in both], [first[line["row"]] for line in both])
        shown = difference_in_words(apart, "share") if rows else ""
        rows.append((Cell(str(pause)), Cell(str(len(own))), Cell(in_words(right, "share"), right), Cell(shown)))
    behind = tuple(Behind(f"pause of {pause}", tuple(own)) for pause, own in by_pause.items())
    columns = ("thoughts in the pause", "of", "right", "difference")
    return Table("Thinking before the question is complete", columns, tuple(rows), behind)


def openings_table(run: Run) -> Table:
    """Results that were put into the writer's mouth: withdrawn, put right, heard, right in the end."""
    by_what = {what: [line for line in run.lines if line["what"] == what] for what in _values(run, "what")}
    rows = []
    for what, own in by_what.items():
        shares = [share(sum(line[name] for line in own), len(own)) for name in OPENING_MEASURES]
        rows.append((Cell(str(what)), Cell(str(len(own))), *(Cell(in_words(s, "share"), s) for s in shares)))
    behind = tuple(Behind(str(what), tuple(own)) for what, own in by_what.items())
    columns = ("opening", "of", "withdrawn", "put right aloud", "still heard", "right in the end")
    return Table("Wrong openings", columns, tuple(rows), behind)


def suite_table(suite: Suite) -> Table:
    """The measures of a suite of scripted conversations, each beside the one that a silent assistant would lose."""
    rows = []
    for measure in SUITE_MEASURES:
        if value := suite.values.get(measure.name):
            beside = suite.values.get(measure.counterpart)
            shown = suite_in_words(named(measure.counterpart), beside) if beside else "-"
            row = (measure.name, measure.better, suite_in_words(measure, value), str(value["of"]))
            rows.append((*row, measure.counterpart, shown))
    columns = ("measure", "better", "value", "occasions", "beside", "its value")
    note = f"From {suite.file}; definitions: docs/measures.md."
    return Table("Scripted conversations", columns, text_rows(rows), (), note)


def _values(run: Run, key: str) -> list[object]:
    return list(dict.fromkeys(line[key] for line in run.lines))


def _voice(run: Run) -> Table:
    lines = [line.values for line in run.lines]
    rows, behind = [], []
    for mode, condition in conditions_of(lines):
        own = [line for line in run.of_mode(mode) if line["condition"] == condition]
        f = spoken_figures(lines, mode, condition)
        rows.append(
            (
                Cell(f"{mode}, {condition}"),
                Cell(str(f.items)),
                Cell(in_words(f.right, "share"), f.right),
                Cell("" if f.of_text is None else in_words(f.of_text, "share")),
                Cell("" if f.word_error_rate is None else f"{100 * f.word_error_rate:.1f} %"),
                Cell(in_words(measured(own, FIRST_AUDIBLE), "s")),
                Cell("-" if f.stall_s is None else f"{f.stall_s:.2f} s"),
            )
        )
        behind.append(Behind(f"{mode}, {condition}", tuple(own)))
    columns = ("mode, condition", "of", "right", "of text", "word errors", "first audible word", "silence inside")
    note = "Of text: accuracy over that of the same rows read as text. Silence inside the answer: pauses above 0.5 s."
    return Table("Spoken questions", columns, tuple(rows), tuple(behind), note)


def _voice_failures(run: Run) -> Table:
    """Kind by condition; in brackets those that are right as text: what the voice cost."""
    lines = [line.values for line in run.lines]
    right = {(line["mode"], line["row"]) for line in lines if line["condition"] == TEXT and line["right"]}
    named_conditions = [one for one in conditions_of(lines) if one[1] != TEXT]
    lost = {one: lost_spoken(run, *one) for one in named_conditions}
    rows, behind = [], []
    for kind, meaning in FAILURES.items():
        cells = [Cell(kind)]
        for (mode, condition), kinds in lost.items():
            own = kinds.get(kind, [])
            of_right = sum((mode, line["row"]) in right for line in own)
            cells.append(Cell(f"{len(own)} ({of_right})" if own else "0"))
            behind += [Behind(f"{kind}: {mode}, {condition}", tuple(own))] if own else []
        rows.append((*cells, Cell(meaning)))
    columns = ("lost by", *(f"{mode}, {condition}" for mode, condition in named_conditions), "that is")
    note = "In brackets: of these, the ones that are answered rightly as text."
    return Table("Spoken questions: wrong answers by kind", columns, tuple(rows), tuple(behind), note)
