"""What the scripts beside the command line have in common: how they end, and the options of an experiment on GSM8K.

main = one_sentence(main)          unusable input: its sentence on standard error, status 2
experiment_parser(doc, offset=300) -> --data --out --offset --at-once --profile --config --seed
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable
from functools import wraps
from pathlib import Path

from ..errors import UnusableInput


def one_sentence(main: Callable[[], int]) -> Callable[[], int]:
    """A script's `main`, which returns its exit status, so that unusable input ends it as it ends a command."""

    @wraps(main)
    def ended() -> int:
        try:
            return main()
        except UnusableInput as problem:
            print(f"{Path(sys.argv[0]).name}: {problem}", file=sys.stderr)
            return 2

    return ended


def experiment_parser(doc: str | None, *, offset: int) -> argparse.ArgumentParser:
    """The options of every experiment; `doc`: the script's, whose first line is its description."""
    parser = argparse.ArgumentParser(description=(doc or "").partition("\n")[0])
    parser.add_argument("--data", type=Path)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--offset", type=int, default=offset)
    parser.add_argument("--at-once", type=int, default=8)
    parser.add_argument("--profile")
    parser.add_argument("--config", type=Path)
    parser.add_argument("--seed", type=int, default=0)
    return parser
