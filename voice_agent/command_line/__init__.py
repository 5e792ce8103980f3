"""The command line: words in, exit status out.

    conversations.py  talk, replay, ask
    evaluation.py     eval
    models.py         models list, models fetch
    health.py         doctor
    options.py        what every command takes: --profile, --config, --seed
    scripts.py        what the scripts of scripts/ share with each other

Commands only read their words and call the room that does the work; models are loaded there, so `--help` is quick.
"""

from .app import app

__all__ = ["app"]
