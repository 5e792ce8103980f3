"""Words that contradict what was said or asked before. Pure."""

from __future__ import annotations

_WORDS = frozenset(
    ("no", "not", "nope", "sorry", "actually", "meant", "mean", "wrong", "instead", "rather", "stop", "wait")
)


def contradicts(word: str) -> bool:
    """word: in lower case."""
    return word in _WORDS or word.endswith("n't")
