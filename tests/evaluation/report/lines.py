"""Hand-made kept lines, and files of them."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

HEAD = {"version": "1", "model": "a model", "time": "virtual", "dataset": "gsm8k", "questions": "abc"}


def set_line(row: int, mode: str, right: bool = True, **values: Any) -> dict[str, Any]:
    """A line of a question set."""
    known: dict[str, Any] = {
        "key": f"gsm8k {row} {mode}",
        "dataset": "gsm8k",
        "row": row,
        "mode": mode,
        "right": right,
        "stated": "20" if right else "17",
        "gold": "20",
        "first_written_s": 1.0,
        "total_delay_s": 2.0 if mode == "async" else 20.0,
        "thinking_tokens": 100,
        "spoken_tokens": 10,
        "reason": "finished",
        "spoke_ahead": False,
        "spoken": "It is 20." if right else "It is 17.",
        "thoughts_right": True,
        "thoughts": "5 + 15 = 20",
    }
    return known | values


def injection_line(row: int, what: str, right: bool = True, **values: Any) -> dict[str, Any]:
    """A line of the injection experiment."""
    known: dict[str, Any] = {
        "key": f"{row} {what} {values}",
        "row": row,
        "what": what,
        "right": right,
        "stated": "5",
        "thought_pieces": 100,
        "reason": "finished",
        "spoken": "It is 5.",
        "thoughts": "one two three",
    }
    if what not in ("plain", "altered"):
        known |= {"placement": "both", "point": 30, "stale": False, "changed": False}
        known |= {"steps_to_reflect": 20, "thoughts_to_reflect": 15}
    return known | values


def spoken_line(row: int, condition: str, right: bool = True, mode: str = "async", **values: Any) -> dict[str, Any]:
    """A line of a spoken question, or of the same one as text."""
    known: dict[str, Any] = {
        "key": f"{row} {mode} {condition}",
        "row": row,
        "mode": mode,
        "condition": condition,
        "right": right,
        "stated": "5",
        "gold": "5",
        "words": 0 if condition == "text" else 20,
        "word_errors": 0,
        "numbers_missed": [],
        "numbers_invented": [],
        "cut_off": False,
        "first_audible_s": None if condition == "text" else 1.5,
        "stall_s": None if condition == "text" else 0.5,
        "spoken": "It is 5.",
        "thoughts": "2 + 3 = 5",
    }
    return known | values


def write(path: Path, lines: Sequence[dict[str, Any]], head: dict[str, Any] = HEAD, end: str = "") -> Path:
    """A file of kept lines; `end`: what was being written when the run was stopped."""
    path.parent.mkdir(parents=True, exist_ok=True)
    text = "".join(json.dumps(line, ensure_ascii=False) + "\n" for line in (head, *lines))
    path.write_text(text + end, encoding="utf-8")
    return path
