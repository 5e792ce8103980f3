"""Whether a LaTeX answer equals the gold one, as math-verify judges it.

score_latex("... \\boxed{\\frac{1}{2}}", "0.5") -> right
"""

from __future__ import annotations

from .scoring import Verdict


def score_latex(spoken: str, gold: str) -> Verdict:
    """Parse both and compare the values; the package's own rules say which expression of a text is its answer."""
    from math_verify import parse, verify

    stated = parse(spoken)
    right = bool(stated) and bool(verify(parse(f"\\boxed{{{gold}}}"), stated))
    return Verdict(str(stated[-1]) if stated else "", right)
