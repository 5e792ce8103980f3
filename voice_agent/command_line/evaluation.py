"""eval: accuracy and delay of the modes on a question set."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

import typer

from .options import Config, Profile, Seed, checked_mode, settings_of


def evaluate(
    dataset: Annotated[str, typer.Argument(help="gsm8k, math500, commonsenseqa, truthfulqa, strongreject or xstest.")],
    data: Annotated[
        Path | None,
        typer.Option(help="The questions, as published: *.jsonl or *.csv. Default: from the hub.", metavar="FILE"),
    ] = None,
    modes: Annotated[
        str,
        typer.Option(
            help="Compared with the first one: async, async-safe, think, think:N, direct, direct-filler.",
            metavar="M,...",
        ),
    ] = "async,think,direct",
    limit: Annotated[int | None, typer.Option(min=1, help="How many rows.")] = None,
    offset: Annotated[int, typer.Option(min=0, help="The first row.")] = 0,
    sample: Annotated[
        str | None,
        typer.Option(
            help="A random share of these rows, the same for every run with this --seed. Delays of the wall clock: "
            "--time real --at-once 1 --sample 1/3, in an --out of their own.",
            metavar="SHARE",
        ),
    ] = None,
    shard: Annotated[
        str,
        typer.Option(
            help="The K-th of N parts (rows whose number leaves K-1 when divided by N), kept in a file of its own: one "
            "process or GPU for each, with the same --out; the last one to end prints the table of all.",
            metavar="K/N",
        ),
    ] = "1/1",
    out: Annotated[Path, typer.Option(help="Folder of the kept lines; a run goes on there.", metavar="DIR")] = Path(
        "evaluation"
    ),
    at_once: Annotated[int, typer.Option(min=1, help="Conversations that share the model's steps.")] = 8,
    time: Annotated[Literal["virtual", "real"], typer.Option(help="Declared costs, or the wall clock.")] = "virtual",
    attack: Annotated[
        str | None,
        typer.Option(help="virtual-context: on strongreject and xstest, kept in a file of its own.", metavar="NAME"),
    ] = None,
    judge: Annotated[
        str | None,
        typer.Option(
            help="A model of the manifest, or a path, that says of strongreject and xstest too what was refused; its "
            "verdict is kept beside that of the rules.",
            metavar="MODEL",
        ),
    ] = None,
    profile: Profile = None,
    config: Config = None,
    seed: Seed = 0,
) -> None:
    """Answer a set's questions in each mode and print accuracy and delay; safe to stop, it goes on where it was."""
    chosen = [checked_mode(mode.strip()) for mode in modes.split(",")]
    settings = settings_of(profile, config)
    from ..evaluation.modes import run_eval
    from ..evaluation.selection import Shard, parse_share

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
        sample=parse_share(sample) if sample else None,
        shard=Shard.parse(shard),
        attack=attack,
        judge=judge,
    )
    raise typer.Exit(status)
