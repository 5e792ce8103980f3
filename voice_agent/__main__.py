"""`voice-agent` and `python -m voice_agent`: run a command; unusable input becomes exit status 2."""

from __future__ import annotations

import os
import sys

from .errors import UnusableInput

# Several engines share few cores: threads that spin while they wait starve the others (measured: 10x slower).
# Each library reads its variable once, when it is loaded.
QUIET_THREADS = {"OMP_WAIT_POLICY": "passive", "KMP_BLOCKTIME": "0", "TOKENIZERS_PARALLELISM": "false"}


def main() -> None:
    """Exit status 0 done, 1 an expectation failed, 2 unusable input or environment."""
    for name, value in QUIET_THREADS.items():
        os.environ.setdefault(name, value)
    from .command_line import app

    try:
        app()
    except UnusableInput as problem:
        print(f"voice-agent: {problem}", file=sys.stderr)
        sys.exit(2)


if __name__ == "__main__":
    main()
