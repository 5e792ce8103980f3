"""Wrong answers by kind: which part of the method lost them. Pure.

    kind_of_failure(line) -> "reasoning" | "gate" | "writer" | "out of tokens" | ... | None for a right one

The thoughts of a line were scored as its spoken words were (`thoughts_right`). Where they end in the right answer, the
words lost it: the gate when the number was spoken before the thoughts had it, else the writer. Where they do not, the
reasoning did. Failures of spoken questions (recognition, ...) are told by spoken_table.py, those of corrections by
interruptions.py.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

from .sources import Kept

REMEDIES = {  # kind -> what would mend it; in the order in which they are shown
    "out of tokens": "a larger thinking or speaking budget, or a model that comes to an end sooner",
    "reasoning": "a stronger language model or a better prompt of the thinker: the thoughts themselves end wrong",
    "no thoughts": "thoughts: the mode answers without any",
    "gate": "a gate that opens later: the number was spoken before the thoughts had it, and was not put right",
    "writer": "a writer that keeps to the thoughts: they end right, and something else was said",
    "unknown": "lines that say whether their thoughts end right: these are older",
}


def kind_of_failure(line: Kept) -> str | None:
    """One of `REMEDIES`; None for an answer that is right, or that is rated by its likelihood."""
    if line.get("right") is not False or "mc1" in line.values:
        return None
    if line.get("reason") == "budget":
        return "out of tokens"
    if "thoughts" not in line.values:  # asked outright: the reasoning is what was said
        return "reasoning"
    if not line["thoughts"]:
        return "no thoughts"
    if line.get("thoughts_right") is None:
        return "unknown"
    if not line["thoughts_right"]:
        return "reasoning"
    return "gate" if line.get("spoke_ahead") else "writer"


def by_kind(
    lines: Sequence[Kept],
    kinds: Iterable[str] = REMEDIES,
    kind_of: Callable[[Kept], str | None] = kind_of_failure,
) -> dict[str, list[Kept]]:
    """Wrong lines by kind, in the order of `kinds`; kinds that none has are left out."""
    found: dict[str, list[Kept]] = {kind: [] for kind in kinds}
    for line in lines:
        if kind := kind_of(line):
            found[kind].append(line)
    return {kind: own for kind, own in found.items() if own}
