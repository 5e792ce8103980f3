"""`voice-agent` and `python -m voice_agent`: run a command; unusable input becomes exit status 2."""

from __future__ import annotations

import sys

from .errors import UnusableInput
from .process import prepare_process


def main() -> None:
    """Exit status 0 done, 1 an expectation failed, 2 unusable input or environment."""
    prepare_process()
    from .command_line import app

    try:
        app()
    except UnusableInput as problem:
        print(f"voice-agent: {problem}", file=sys.stderr)
        sys.exit(2)


if __name__ == "__main__":
    main()
