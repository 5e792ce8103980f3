"""Wrong answers by kind: which part of the method lost them. Pure.

    kind_of_failure(line) -> "reasoning" | "gate" | "writer" | "out of tokens" | None for a right one

The thoughts of a line are scored as its spoken words are. Where they end in the right answer, the words lost it: the
gate when the number was spoken before the thoughts had it, else the writer. Where they do not, the reasoning did.
Failures of spoken questions (recognition, ...) are told by spoken.py.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from fractions import Fraction
from importlib.util import find_spec

from ..scoring import final_choice, final_number
from .sources import Kept

REMEDIES = {  # kind -> what would mend it; in the order in which they are shown
    "out of tokens": "a larger thinking or speaking budget, or a model that comes to an end sooner",
    "reasoning": "a stronger language model or a better prompt of the thinker: the thoughts themselves end wrong",
    "gate": "a gate that opens later: the number was spoken before the thoughts had it, and was not put right",
    "writer": "a writer that keeps to the thoughts: they end right, and something else was said",
    "unknown": "the thoughts of these items cannot be scored here (pip install math-verify scores LaTeX)",
}
LETTERS = ("?",) * 26  # any letter is a choice; the words of the choices are not in the line


def kind_of_failure(line: Kept) -> str | None:
    """One of `REMEDIES`; None for an answer that is right."""
    if line.get("right") is not False:
        return None
    if line.get("reason") == "budget":
        return "out of tokens"
    thoughts_right = right_in_thoughts(str(line.get("thoughts", "")), str(line.get("gold", "")))
    if thoughts_right is None:
        return "unknown"
    if not thoughts_right:
        return "reasoning"
    return "gate" if line.get("spoke_ahead") else "writer"


def right_in_thoughts(thoughts: str, gold: str) -> bool | None:
    """Whether the thoughts end in the gold answer; None where that cannot be told."""
    if not thoughts:
        return False
    if re.fullmatch(r"[A-Z]", gold):
        return final_choice(thoughts, LETTERS) == gold
    try:
        return final_number(thoughts) == Fraction(gold.replace(",", ""))
    except (ValueError, ZeroDivisionError):
        if find_spec("math_verify") is None:
            return None
    from ..mathematics import score_latex

    return score_latex(thoughts, gold).right


def by_kind(lines: Sequence[Kept]) -> dict[str, list[Kept]]:
    """Wrong lines by kind, in the order of `REMEDIES`."""
    kinds: dict[str, list[Kept]] = {kind: [] for kind in REMEDIES}
    for line in lines:
        if kind := kind_of_failure(line):
            kinds[kind].append(line)
    return {kind: found for kind, found in kinds.items() if found}
