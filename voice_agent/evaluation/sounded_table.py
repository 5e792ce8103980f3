"""Lines of scripts/check_sounded -> words believed and words heard, the table, the shares. Pure.

A line holds what was believed (`believed`, a beginning of `text`; `unaligned`, the characters of it that the fall-back
would believe), what was heard (`heard`, up to the cut; `whole`, in the whole answer; each word with its end) and the
cut (`cut_s`). Seconds from the beginning of the answer's sound.
"""

from __future__ import annotations

from collections.abc import Sequence

from rich.table import Table

from .heard_words import KnownText
from .intervals import share
from .runs import Line

CLIPPED_S = 0.1  # a transcribed word that ends so close to the cut was not heard whole
TEXTS = ("believed", "transcribed up to the cut")
TAIL = 40  # characters shown of a text's end


def counted(line: Line) -> dict[str, int]:
    """Spoken words: those believed, with the phonemes and without, and those heard, by either way of listening."""
    known = KnownText.of(line["text"])
    heard = [(text, end_s) for text, end_s in line["heard"]]
    if heard and heard[-1][1] > line["cut_s"] - CLIPPED_S:
        heard.pop()
    return {
        "believed": known.sounded(line["believed"]),
        "spread": known.sounded(line["text"][: line["unaligned"]]),
        "in the whole": known.heard(" ".join(text for text, end_s in line["whole"] if end_s <= line["cut_s"])),
        "up to the cut": known.heard(" ".join(text for text, _ in heard)),
    }


def apart(line: Line, believer: str, listener: str, unit: str = "written") -> int:
    """Words believed beyond those heard."""
    spoken = counted(line)
    if unit == "spoken":
        return spoken[believer] - spoken[listener]
    known = KnownText.of(line["text"])
    return known.written(spoken[believer]) - known.written(spoken[listener])


def table(lines: Sequence[Line]) -> Table:
    """One row an interruption: the last words of either side, and by how many written words they differ."""
    made = Table(box=None, padding=(0, 2, 0, 0), pad_edge=False)
    for column in ("cut at", "believed", "transcribed up to the cut", "apart", "in the whole", "spread"):
        made.add_column(column, justify="left" if column in TEXTS else "right", no_wrap=True)
    for line in lines:
        made.add_row(
            f"{line['cut_s']:.2f} s",
            _tail(line["believed"]),
            _tail(" ".join(text for text, _ in line["heard"])),
            f"{apart(line, 'believed', 'up to the cut'):+d}",
            f"{apart(line, 'believed', 'in the whole'):+d}",
            f"{apart(line, 'spread', 'in the whole'):+d}",
        )
    return made


def verdicts(lines: Sequence[Line]) -> list[str]:
    """The share of interruptions after which at most one word is wrongly believed, by every way of counting."""
    said = []
    for believer, how in (("believed", "by the voice's phonemes"), ("spread", "spread over the clause by letters")):
        for listener in ("in the whole", "up to the cut"):
            shares = []
            for unit in ("written", "spoken"):
                words = [abs(apart(line, believer, listener, unit)) for line in lines]
                within = share(sum(n <= 1 for n in words), len(words)).percent()
                shares.append(f"{unit} words {within}, none {words.count(0)}, at most {max(words)}")
            said.append(f"{how}, against words {listener}: at most one apart in {'; '.join(shares)}")
    clauses, fallbacks = (sum(line[name] for line in lines) for name in ("clauses", "fallbacks"))
    return [*said, f"clauses that could not be aligned: {fallbacks} of {clauses}"]


def _tail(text: str) -> str:
    return " ".join(text.split())[-TAIL:]
