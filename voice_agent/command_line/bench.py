"""bench: how fast this machine is, as a table and as JSON."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from .options import Config, Profile, Seed, settings_of


def bench(
    out: Annotated[Path | None, typer.Option(help="Write the figures as JSON.", metavar="FILE")] = None,
    repeats: Annotated[int, typer.Option(min=1, help="Runs behind each median.")] = 9,
    sessions: Annotated[
        int, typer.Option(min=0, help="Fresh processes that start and converse; 0: only the language model.")
    ] = 3,
    scenario: Annotated[
        Path | None, typer.Option(help="The conversation. Default: one spoken question.", metavar="PATH")
    ] = None,
    profile: Profile = None,
    config: Config = None,
    seed: Seed = 0,
) -> None:
    """Measure steps, prefill, injection, gate, cut, start, hops of a conversation, the pace beside the voice and the
    recogniser, and memory; takes minutes."""
    settings = settings_of(profile, config)
    from ..bench.run import SCENARIO, run_bench

    status = run_bench(settings, out=out, repeats=repeats, sessions=sessions, scenario=scenario or SCENARIO, seed=seed)
    raise typer.Exit(status)
