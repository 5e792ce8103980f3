"""How an answer is made: thinking and speaking together, one after the other, or speaking alone.

"async"     think and speak at once;  "async-safe": but say nothing before the request is judged (safety.py)
"think"     reason silently, then answer;  "think:N": with at most N thought tokens
"direct"    answer without thoughts;  "direct-filler": behind a phrase that says nothing, voiced at once
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from ..errors import UnusableInput


@dataclass(frozen=True)
class Mode:
    """`thinks`: there is a thinker; `speaks_meanwhile`: the writer need not wait; `budget`: of thought tokens.

    `safe`: nothing is said before the request is judged. `filler`: something is said before anything is known.
    """

    thinks: bool
    speaks_meanwhile: bool
    budget: int | None = None
    safe: bool = False
    filler: bool = False


def parse_mode(name: str) -> Mode:
    """Read a mode's name.

    Raises:
        UnusableInput: unknown mode, or a budget that is no positive number.
    """
    if name == "async":
        return Mode(thinks=True, speaks_meanwhile=True)
    if name == "async-safe":
        return Mode(thinks=True, speaks_meanwhile=True, safe=True)
    if name == "think":
        return Mode(thinks=True, speaks_meanwhile=False)
    if name == "direct":
        return Mode(thinks=False, speaks_meanwhile=True)
    if name == "direct-filler":
        return Mode(thinks=False, speaks_meanwhile=True, filler=True)
    if limited := re.fullmatch(r"think:(\d+)", name):
        if int(limited[1]) == 0:
            raise UnusableInput(f"mode '{name}': the budget of thoughts must be at least 1; use 'direct' for none")
        return Mode(thinks=True, speaks_meanwhile=False, budget=int(limited[1]))
    raise UnusableInput(f"unknown mode '{name}': choose async, async-safe, think, think:N, direct or direct-filler")
