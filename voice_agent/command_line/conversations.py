"""talk, replay, ask: settings and words in; the conversation itself runs elsewhere."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

import typer

from .options import Config, Mode, Profile, Seed, checked_mode, settings_of

Device = Annotated[str | None, typer.Option(help="Number or part of a name from `voice-agent doctor`.", metavar="D")]
Out = Annotated[Path | None, typer.Option(help="Folder for sound, trace, summary and timeline.", metavar="DIR")]


def talk(
    input_device: Device = None,
    output_device: Device = None,
    out: Out = None,
    mode: Mode = "async",
    profile: Profile = None,
    config: Config = None,
    seed: Seed = 0,
) -> None:
    """Hold a spoken conversation through microphone and loudspeaker."""
    checked_mode(mode)
    settings = settings_of(profile, config)
    from ..talk import run_talk

    status = run_talk(
        settings=settings,
        input_device=_device(input_device),
        output_device=_device(output_device),
        out=out,
        mode=mode,
        seed=seed,
    )
    raise typer.Exit(status)


def replay(
    path: Annotated[Path, typer.Argument(help="A scenario (*.yaml), or a folder of them.")],
    out: Out = None,
    time: Annotated[Literal["real", "virtual"], typer.Option(help="The wall clock, or declared costs.")] = "real",
    mode: Mode = "async",
    baseline: Annotated[Path | None, typer.Option(help="Compare with this file's figures.", metavar="FILE")] = None,
    junit: Annotated[Path | None, typer.Option(help="Write the results as JUnit XML.", metavar="FILE")] = None,
    profile: Profile = None,
    config: Config = None,
    seed: Seed = 0,
) -> None:
    """Play scripted conversations and check what they expect."""
    checked_mode(mode)
    settings = settings_of(profile, config)
    from ..replay.runner import run_replay

    status = run_replay(
        path, settings=settings, out=out, time=time, mode=mode, seed=seed, baseline=baseline, junit=junit
    )
    raise typer.Exit(status)


def ask(
    text: Annotated[str, typer.Argument(help="The question.")],
    mode: Mode = "async",
    profile: Profile = None,
    config: Config = None,
    seed: Seed = 0,
) -> None:
    """Answer one question as text; thoughts are shown dimmed."""
    checked_mode(mode)
    settings = settings_of(profile, config)
    from ..ask import run_ask

    raise typer.Exit(run_ask(text, settings=settings, mode=mode, seed=seed))


def _device(text: str | None) -> int | str | None:
    """A sound device by number or by name."""
    return int(text) if text is not None and text.isdigit() else text
