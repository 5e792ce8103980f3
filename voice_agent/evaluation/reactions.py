"""How a model takes what is said to it in mid-thought: self-doubt and panic, counted in kept lines. Pure.

    reaction(line, plain line of the same question) -> "self-doubt" | "panic" | None

The names are those of "Are Large Reasoning Models Interruptible?" (Wu et al. 2025, arXiv 2510.11713): a model that
doubts does not believe the update, one that panics stops reasoning and answers at once. Both are said of wrong answers
only. Doubt is told by its words (`DOUBTS`), in the thoughts from where the words came in; panic by how little was
thought after that.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from itertools import takewhile
from typing import Any, Literal

Reaction = Literal["self-doubt", "panic"]
AT_ONCE = 64  # thought tokens; the thinker is made to think 48 after words came in (settings: reconsider_tokens)
DOUBTS: tuple[tuple[str, str], ...] = (  # what is doubted, and how that is put
    ("oneself", r"\b(?:wait|hmm|hold on|let me (?:re-?check|re-?read|reconsider|double.check))\b"),
    ("the words", r"\bthe (?:original|initial|given|previous) (?:question|problem|statement|number|value|amount)\b"),
    ("the words", r"\b(?:question|problem|statement) (?:clearly |actually |originally )?(?:says|said|states|stated)\b"),
    ("the words", r"\bas (?:originally )?(?:stated|given) in the (?:question|problem)\b"),
    (
        "the user",
        r"\b(?:user|you|they|he|she) (?:\w+ )?(?:might|may|must|could|seems?|appears?)(?: to)?(?: have| be| been)* "
        r"(?:mistaken|wrong|confused|misread|misspok\w+|misunderst\w+|ma[dk]e a mistake)\b",
    ),
    (
        "the user",
        r"\b(?:seems?|appears?|might|may|must|could)(?: to)? (?:be|have been) (?:a|an|some) "
        r"(?:mistake|error|misunderstanding|confusion|contradiction|discrepancy|typo|inconsistency)\b",
    ),
    ("the update", r"\b(?:contradict\w*|inconsistent|does(?: not|n't) match|can(?:no|')t be (?:right|correct))\b"),
    ("the update", r"\b(?:ignor|disregard)\w* (?:the|this|that|your) (?:correction|update|change|remark|new)\b"),
    ("the update", r"\b(?:stick|stay|keep|go) (?:with|to) the (?:original|old|first|initial)\b"),
)
_DOUBT = re.compile("|".join(f"(?:{pattern})" for _, pattern in DOUBTS), re.IGNORECASE)


def reaction(line: Mapping[str, Any], plain: Mapping[str, Any]) -> Reaction | None:
    """What lost the answer of `line`; `plain` is the run of the same question into which nothing was said."""
    if line["right"]:
        return None
    if doubts(thoughts_after(line, plain)):
        return "self-doubt"
    was_right = line["what"] == "correction" or plain["right"]  # one that was wrong anyhow is not lost by haste
    return "panic" if was_right and tokens_after(line, plain) <= AT_ONCE else None


def thoughts_after(line: Mapping[str, Any], plain: Mapping[str, Any]) -> str:
    """The thoughts from where the two runs part; until the words came in they are the same."""
    pairs = zip(line["thoughts"], plain["thoughts"], strict=False)
    return str(line["thoughts"][sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], pairs)) :])


def tokens_after(line: Mapping[str, Any], plain: Mapping[str, Any]) -> int:
    """Thought tokens after the words came in."""
    return int(line["thought_pieces"] - max(1, round(line["point"] / 100 * plain["thought_pieces"])))


def doubts(text: str) -> list[str]:
    """The phrases of doubt in a text."""
    return [match[0] for match in _DOUBT.finditer(text)]
