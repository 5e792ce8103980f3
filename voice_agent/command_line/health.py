"""doctor: the checks as a table or as JSON, and what they mean for the exit status."""

from __future__ import annotations

import dataclasses
import json
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from ..errors import UnusableInput
from .options import AsJson, Config, Profile, Seed, settings_of

COLOURS = {"ok": "green", "warn": "yellow", "problem": "red"}


def doctor(
    microphone: Annotated[bool, typer.Option("--microphone", help="Only look for a microphone.")] = False,
    as_json: AsJson = False,
    profile: Profile = None,
    config: Config = None,
    seed: Seed = 0,
) -> None:
    """Look at this machine and say what is missing and how to add it; exit status 2 when the profile cannot run."""
    from ..doctor import examine, microphone_name

    if microphone:
        print(microphone_name())
        return
    settings = settings_of(profile, config)
    checks = examine(settings)
    if as_json:
        print(
            json.dumps(
                {"profile": settings.profile, "checks": [dataclasses.asdict(check) for check in checks]}, indent=1
            )
        )
    else:
        table = Table("", "check", "found", "what to do", box=None, title=f"profile {settings.profile}")
        for check in checks:
            table.add_row(f"[{COLOURS[check.status]}]{check.status}[/]", check.name, check.found, check.remedy)
        Console().print(table)
    problems = [check for check in checks if check.status == "problem"]
    if problems:
        raise UnusableInput(
            f"profile '{settings.profile}' cannot run here: " + "; ".join(f"{p.name}: {p.found}" for p in problems)
        )
