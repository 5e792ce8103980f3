"""eval: accuracy and delay of the modes on a question set."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

import typer

from .options import Config, Profile, Seed, checked_mode, settings_of


def evaluate(
    dataset: Annotated[str, typer.Argument(help="gsm8k, math500 or commonsenseqa.")],
    data: Annotated[
        Path | None, typer.Option(help="The questions, one JSON object a line. Default: from the hub.", metavar="FILE")
    ] = None,
    modes: Annotated[str, typer.Option(help="Compared with the first one.", metavar="M,...")] = "async,think,direct",
    limit: Annotated[int | None, typer.Option(min=1, help="How many rows.")] = None,
    offset: Annotated[int, typer.Option(min=0, help="The first row.")] = 0,
    out: Annotated[Path, typer.Option(help="Folder of the kept lines; a run goes on there.", metavar="DIR")] = Path(
        "evaluation"
    ),
    at_once: Annotated[int, typer.Option(min=1, help="Conversations that share the model's steps.")] = 8,
    time: Annotated[Literal["virtual", "real"], typer.Option(help="Declared costs, or the wall clock.")] = "virtual",
    profile: Profile = None,
    config: Config = None,
    seed: Seed = 0,
) -> None:
    """Answer a set's questions in each mode and print accuracy and delay; safe to stop, it goes on where it was."""
    chosen = [checked_mode(mode.strip()) for mode in modes.split(",")]
    settings = settings_of(profile, config)
    from ..evaluation.modes import run_eval

    status = run_eval(
        dataset,
        settings=settings,
        modes=list(dict.fromkeys(chosen)),
        out=out,
        data=data,
        offset=offset,
        limit=limit,
        at_once=at_once,
        time=time,
        seed=seed,
    )
    raise typer.Exit(status)
