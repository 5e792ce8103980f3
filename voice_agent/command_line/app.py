"""The table of commands."""

from __future__ import annotations

import typer

from . import bench, conversations, experiments, health, models

app = typer.Typer(
    name="voice-agent",
    help="A local voice assistant that thinks, listens and speaks at the same time.",
    epilog="Exit status: 0 done; 1 the run finished and an expectation failed; 2 unusable input or environment.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
app.command()(conversations.talk)
app.command()(conversations.replay)
app.command()(conversations.ask)
app.command()(bench.bench)
app.command()(health.doctor)
app.add_typer(experiments.app, name="eval")
app.add_typer(models.app, name="models")
