"""Runs of the injection experiment -> its tables by placement and moment, the best placement's advantage, and what lost
the wrong answers. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from ..injection_table import placed_figures, share_by_row, solvable
from ..intervals import Interval, difference, share
from ..measures import in_words
from ..reactions import reaction
from ..runs import Line
from .failures import by_kind
from .sources import Kept, Run
from .tables import Behind, Cell, Table, lost_table

LOST_BY = {  # kind -> what would mend it; the first that holds
    "recognition": "a recogniser that hears the numbers: one was missed or invented",
    "out of tokens": "a larger budget, or a model that comes to an end sooner",
    "writer": "a writer that keeps to the thoughts: they end in the corrected answer, and something else was said",
    "self-doubt": "a model, or a reminder, that lets the user's word stand: the thoughts doubt the correction",
    "panic": "more thoughts before an answer may end: it was given at once",
    "placement": "words that enter where they are read: the answer is that to the question before its correction",
    "reasoning": "a stronger language model: it took the correction in, and came to something else",
}
COLUMNS = ("words enter", "after", "of", "right", "stale", "self-doubt", "panic", "steps to reflect", "thoughts")


@dataclass(frozen=True)
class Advantage:
    """How much better the best placement is than the next best."""

    best: str
    second: str
    interval: Interval
    lines: tuple[Kept, ...]


def placements(run: Run) -> list[str]:
    return list(dict.fromkeys(str(line["placement"]) for line in run.lines if "placement" in line.values))


def points(run: Run) -> list[int]:
    """Moments, in percent of the thoughts of the uncorrected run."""
    return sorted({int(line["point"]) for line in run.lines if "point" in line.values})


def corrections(run: Run, placement: str, at: Sequence[int]) -> list[Kept]:
    """Those that count: of rows whose altered question is answered rightly when asked outright."""
    rows = solvable([line.values for line in run.lines])
    return [line for line in _said(run, "correction", placement) if line["row"] in rows and line["point"] in at]


def injection_tables(run: Run) -> list[Table]:
    """Corrections; remarks and hurries, which must change nothing."""
    return [table for table in (_corrections(run), _failures(run), _controls(run)) if table.rows]


def lost_corrections(run: Run, placement: str) -> dict[str, list[Kept]]:
    """Wrong answers to corrections that count, by kind, in the order of `LOST_BY`."""
    plain = {line["row"]: line.values for line in run.lines if line["what"] == "plain"}
    wrong = [line for line in corrections(run, placement, points(run)) if not line["right"]]
    return by_kind(wrong, LOST_BY, lambda line: _lost_by(line, plain[line["row"]]))


def advantage(run: Run) -> Advantage | None:
    """Of the best placement over the next best, row by row (moments of one row are not independent).

    Of more than two the best is chosen by the rows that it is measured on, which flatters it.
    """
    by_row = {name: _right_by_row(run, name) for name in placements(run)}
    ranked = sorted((name for name in by_row if by_row[name]), key=lambda name: -_mean(list(by_row[name].values())))
    if len(ranked) < 2:
        return None
    best, second = ranked[:2]
    rows = [row for row in by_row[best] if row in by_row[second]]
    interval = difference([by_row[best][row] for row in rows], [by_row[second][row] for row in rows])
    lines = [line for name in (best, second) for line in corrections(run, name, points(run))]
    return Advantage(best, second, interval, tuple(lines))


def _right_by_row(run: Run, placement: str) -> dict[int, float]:
    rows: dict[int, list[float]] = {}
    for line in corrections(run, placement, points(run)):
        rows.setdefault(line["row"], []).append(float(line["right"]))
    return {row: _mean(right) for row, right in rows.items()}


def _mean(values: Sequence[float]) -> float:
    return sum(values) / len(values)


def _said(run: Run, what: str, placement: str) -> list[Kept]:
    return [line for line in run.lines if line["what"] == what and line["placement"] == placement]


def _corrections(run: Run) -> Table:
    lines = [line.values for line in run.lines]
    plain = {line["row"]: line for line in lines if line["what"] == "plain"}
    asked = [line for line in run.lines if line["what"] == "altered"]
    moments = [[point] for point in points(run)]
    moments += [points(run)] if len(moments) > 1 else []
    rows, behind = [], []
    for placement in placements(run):
        for at in moments:
            own = corrections(run, placement, at)
            if not own:
                continue
            figures = placed_figures(lines, placement, at)
            reactions = [reaction(line.values, plain[line["row"]]) for line in own]
            rows.append(
                (
                    Cell(placement),
                    Cell("all" if len(at) > 1 else f"{at[0]} %"),
                    Cell(str(figures.items)),
                    Cell(in_words(figures.right, "share"), figures.right),
                    Cell(in_words(figures.stale, "share"), figures.stale),
                    *(_of(reactions.count(name), len(own)) for name in ("self-doubt", "panic")),
                    *(Cell(_count(value)) for value in (figures.steps_to_reflect, figures.thoughts_to_reflect)),
                )
            )
        behind.append(Behind(placement, tuple(corrections(run, placement, points(run)))))
    ceiling = share(sum(line["right"] for line in asked), len(asked))
    note = (
        f"{len(asked)} questions; asked outright, the altered one is answered rightly in {in_words(ceiling, 'share')}, "
        "and only those count here. Stale: the answer to the question before its correction. Self-doubt and panic: "
        "wrong answers whose thoughts doubt the correction, or that were given at once (reactions.py)."
    )
    return Table(
        "Corrections by placement and moment",
        COLUMNS,
        tuple(rows),
        (*behind, Behind("asked outright", tuple(asked))),
        note,
    )


def _failures(run: Run) -> Table:
    found = {placement: lost_corrections(run, placement) for placement in placements(run)}
    note = "The thoughts are scored as the words are; the first kind that holds counts."
    return lost_table("Corrections: wrong answers by kind", found, LOST_BY, note)


def _lost_by(line: Kept, plain: Line) -> str:
    """The kind of a wrong answer. plain: the uncorrected run of the row."""
    if line.get("numbers_missed") or line.get("numbers_invented"):
        return "recognition"
    if line.get("reason") == "budget":
        return "out of tokens"
    if line.get("thoughts_right"):
        return "writer"
    return reaction(line.values, plain) or ("placement" if line["stale"] else "reasoning")


def _controls(run: Run) -> Table:
    """Remarks beside the matter, and requests to hurry: the answer must stay what it was."""
    answered = {line["row"] for line in run.lines if line["what"] == "plain" and line["stated"]}
    plain = {line["row"]: line.values for line in run.lines if line["what"] == "plain"}
    rows, behind = [], []
    for what in ("remark", "hurry"):
        for placement in placements(run):
            own = [line for line in _said(run, what, placement) if line["row"] in answered]
            if own:
                changed = share_by_row([line.values for line in own], "changed")
                panic = sum(reaction(line.values, plain[line["row"]]) == "panic" for line in own)
                rows.append(
                    (
                        Cell(what),
                        Cell(placement),
                        Cell(str(len(own))),
                        Cell(in_words(changed, "share"), changed),
                        _of(panic, len(own)),
                    )
                )
                behind.append(Behind(f"{what}, {placement}", tuple(own)))
    columns = ("said", "words enter", "of", "answer changed", "panic")
    return Table("What must not change an answer", columns, tuple(rows), tuple(behind))


def _of(count: int, of: int) -> Cell:
    interval = share(count, of)
    return Cell(f"{count} ({100 * interval.mean:.0f} %)")


def _count(value: float | None) -> str:
    return "-" if value is None else f"{value:.4g}"
