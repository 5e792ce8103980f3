"""The rules of the spoken form, in the order in which they apply.

Add a rule above those that would take its characters apart. Signs and numbers are read as English words; for a voice of
another language the marks for the eye fall silent and everything else stays, so that espeak reads digits, units and
signs its own way.
"""

from __future__ import annotations

from .dates import DATES
from .formulas import FORMULAS
from .marks import CONTROL, EMPHASIS, FORMULA_MARKS, LAYOUT, LEFT_OVER, LINKS, LISTINGS, PICTOGRAMS
from .names import NAMES
from .operators import OPERATORS, POWERS
from .quantities import NUMBERS, QUANTITIES
from .rule import Rule
from .words import SIGNS, WORDS

ENGLISH: tuple[Rule, ...] = (
    *(*NAMES, *WORDS, *DATES, *QUANTITIES, *POWERS, *OPERATORS, *EMPHASIS, *NUMBERS),
    *(*SIGNS, *PICTOGRAMS, *LEFT_OVER),
)
OTHERS: tuple[Rule, ...] = (*FORMULA_MARKS, *EMPHASIS, *PICTOGRAMS, *LEFT_OVER)


def rules_of(language: str) -> tuple[tuple[Rule, ...], tuple[Rule, ...]]:
    """Rules that look across lines, then those that read line by line. language: as espeak names it, "en-us"."""
    if language.partition("-")[0] == "en":
        return (*CONTROL, *LISTINGS, *FORMULAS, *LAYOUT, *LINKS), ENGLISH
    return (*CONTROL, *LISTINGS, *LAYOUT, *LINKS), OTHERS
