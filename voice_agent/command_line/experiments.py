"""eval: question sets by their names, and beside them `spoken`, `interruptions` and `report`.

`voice-agent eval gsm8k ...` is the command SET (evaluation.py) with gsm8k as its first word; whatever word is none of
the other commands names a set.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer
from typer.core import TyperGroup

from .evaluation import evaluate
from .options import Config, Profile, Seed, checked_mode, settings_of

SET = "SET"


class SetsAndExperiments(TyperGroup):
    """A word that is no command is the name of a question set."""

    def resolve_command(self, ctx: Any, args: list[str]) -> tuple[Any, Any, list[str]]:  # typer's own click, or click
        if args and args[0] in self.commands:
            return super().resolve_command(ctx, args)
        return SET, self.commands[SET], args


app = typer.Typer(
    cls=SetsAndExperiments,
    help="Accuracy and delay on question sets; spoken questions; interruptions; a report of all of them.",
    no_args_is_help=True,
    context_settings={"ignore_unknown_options": True},
)
app.command(SET)(evaluate)


Data = Annotated[Path | None, typer.Option(help="GSM8K, one JSON object a line. Default: the hub.", metavar="FILE")]
AtOnce = Annotated[int, typer.Option(min=1, help="Text answers that share the model's steps.")]
Out = Annotated[Path, typer.Option(help="Folder of the kept lines; a run goes on there.", metavar="DIR")]


@app.command()
def spoken(
    data: Data = None,
    modes: Annotated[str, typer.Option(help="One after the other.", metavar="M,...")] = "async",
    conditions: Annotated[
        str, typer.Option(help="clean, or how many decibels below the voice noise is.", metavar="C,...")
    ] = "clean,10",
    limit: Annotated[int | None, typer.Option(min=1, help="How many rows.")] = None,
    offset: Annotated[int, typer.Option(min=0, help="The first row.")] = 0,
    out: Out = Path("evaluation"),
    at_once: AtOnce = 8,
    profile: Profile = None,
    config: Config = None,
    seed: Seed = 0,
) -> None:
    """Say a set's questions to the whole assistant, in virtual time, and compare with the same questions as text."""
    chosen = [checked_mode(mode.strip()) for mode in modes.split(",")]
    settings = settings_of(profile, config)
    from ..evaluation.spoken import Condition, run_spoken

    status = run_spoken(
        settings=settings,
        out=out,
        data=data,
        offset=offset,
        limit=limit,
        modes=list(dict.fromkeys(chosen)),
        conditions=list(dict.fromkeys(Condition.parse(name.strip()) for name in conditions.split(","))),
        at_once=at_once,
        seed=seed,
    )
    raise typer.Exit(status)


@app.command()
def interruptions(
    data: Data = None,
    said: Annotated[
        bool, typer.Option("--spoken", help="Question and correction are said and recognised; fewer --items.")
    ] = False,
    items: Annotated[int, typer.Option(min=1, help="How many questions.")] = 40,
    points: Annotated[str, typer.Option(help="Percent of the thoughts.", metavar="P,...")] = "10,30,60,90",
    placements: Annotated[
        str, typer.Option(help="Of text: inline, before, both; each also with 'verified'.", metavar="P;...")
    ] = "inline;before;both",
    words: Annotated[
        str, typer.Option(help="Of text: what is said, correction, remark (a control), hurry.", metavar="W,...")
    ] = "correction,remark,hurry",
    limit: Annotated[int, typer.Option(min=1, help="How many rows the questions are taken from.")] = 100,
    offset: Annotated[int, typer.Option(min=0, help="The first row.")] = 300,
    out: Out = Path("evaluation"),
    at_once: AtOnce = 8,
    profile: Profile = None,
    config: Config = None,
    seed: Seed = 0,
) -> None:
    """Correct questions in mid-thought, as text or spoken: right and stale answers, steps, self-doubt, panic."""
    settings = settings_of(profile, config)
    from ..evaluation import interruptions as of_speech
    from ..evaluation.injection import run_injection

    at = of_speech.points_of(points)
    if said:
        of_speech.run_spoken_interruptions(
            settings=settings, out=out, data=data, offset=offset, rows=limit, items=items, points=at, seed=seed
        )
        return
    run_injection(
        settings=settings,
        out=out,
        data=data,
        offset=offset,
        rows=limit,
        items=items,
        placements=of_speech.placements_of(placements),
        points=at,
        at_once=at_once,
        seed=seed,
        whats=of_speech.words_of(words),
    )


@app.command()
def report(
    places: Annotated[
        list[Path], typer.Argument(help="Folders (--out of an eval) and files of lines.", metavar="DIR...")
    ],
    out: Annotated[Path, typer.Option(help="The page; its Markdown goes beside it.", metavar="FILE")] = Path(
        "report.html"
    ),
    targets: Annotated[
        Path | None, typer.Option(help="Targets as TOML, in place of the usual.", metavar="FILE")
    ] = None,
    profile: Profile = None,
    config: Config = None,
    seed: Seed = 0,
) -> None:
    """Make one HTML page and one Markdown file from kept lines, measures and traces; no model is needed."""
    from ..evaluation.report.page import run_report

    raise typer.Exit(run_report(places, out=out, targets=targets))
