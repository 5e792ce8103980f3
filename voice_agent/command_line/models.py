"""models list, models fetch: what the model store knows, as a table, as JSON, or as a progress bar."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.progress import BarColumn, DownloadColumn, Progress, SpinnerColumn, TextColumn
from rich.table import Column, Table

from .. import model_store
from ..errors import UnusableInput
from ..settings import PROFILES
from .options import AsJson, Config, Profile, Seed, machine_profile, settings_of

app = typer.Typer(help="The models: what there is, and fetching it.", no_args_is_help=True)

Wanted = Annotated[str | None, typer.Argument(help="A profile, or the name of one model.", metavar="[PROFILE]")]


@app.command("list")
def list_models(
    wanted: Wanted = None, as_json: AsJson = False, profile: Profile = None, config: Config = None, seed: Seed = 0
) -> None:
    """Name, role, size, licence, and whether it is there; every known model unless a profile is named."""
    everything = wanted is None and profile is None and config is None
    entries = list(model_store.manifest().values()) if everything else _entries(wanted, profile, config)
    rows = [_row(entry) for entry in entries]
    if as_json:
        print(json.dumps(rows, indent=1))
        return
    table = Table(Column("model", no_wrap=True), "role", "size", "licence", "state", box=None)
    for row in rows:
        state = "[green]present[/]" if row["present"] else "[yellow]missing[/]"
        table.add_row(row["name"], row["role"], _size(row["size_bytes"]), row["licence"], state)
    Console().print(table, f"in {model_store.models_folder()}")


@app.command("fetch")
def fetch_models(wanted: Wanted = None, profile: Profile = None, config: Config = None, seed: Seed = 0) -> None:
    """Download and verify what a profile needs; what is there already is left alone."""
    console = Console(stderr=True)
    for entry in _entries(wanted or profile or machine_profile(), None, config):
        if model_store.is_present(entry, model_store.models_folder()):
            console.print(f"{entry.name}: present", highlight=False)
        elif entry.module:
            console.print(f"{entry.name} ({entry.role}): not installed, 'pip install {entry.requirement}' adds it")
        else:
            _fetch(entry, console)


def _entries(wanted: str | None, profile: str | None, config: Path | None) -> list[model_store.ModelEntry]:
    if wanted and model_store.is_known(wanted):
        return [model_store.entry_of(wanted)]
    if wanted and wanted not in PROFILES:
        raise UnusableInput(
            f"unknown profile or model '{wanted}': choose a profile ({', '.join(PROFILES)}), a name from "
            "'voice-agent models list', or a Piper voice (de_DE-thorsten-medium)"
        )
    return model_store.entries_of(settings_of(wanted or profile, config).models)


def _row(entry: model_store.ModelEntry) -> dict[str, Any]:
    models = model_store.models_folder()
    present = model_store.is_present(entry, models)
    return {
        "name": entry.name,
        "role": entry.role,
        "size_bytes": entry.size_bytes,
        "licence": entry.licence,
        "present": present,
        "path": str(model_store.find(entry.name)) if present else None,
        "profiles": [name for name in PROFILES if entry in model_store.models_of(name)],
    }


def _fetch(entry: model_store.ModelEntry, console: Console) -> None:
    """Fetch with a bar on a terminal, and with a line per quarter in a log."""
    console.print(f"{entry.name}: {entry.role}, {_size(entry.size_bytes)}, licence {entry.licence}", highlight=False)
    columns = (SpinnerColumn(), BarColumn(), DownloadColumn(), TextColumn("{task.description}"))
    with Progress(*columns, console=console, disable=not console.is_terminal, transient=True) as bar:
        task = bar.add_task(entry.name, total=entry.size_bytes)
        quarter = 0

        def show(what: str, done_bytes: int, all_bytes: int) -> None:
            nonlocal quarter
            bar.update(task, completed=done_bytes, total=all_bytes, description=what)
            if not console.is_terminal and done_bytes * 4 // all_bytes > quarter:
                quarter = done_bytes * 4 // all_bytes
                console.print(f"{entry.name}: {quarter * 25}%", highlight=False)

        path = model_store.fetch(entry.name, show)
    how = "verified" if entry.files else "fetched"  # of patterns the manifest knows no sha256
    console.print(f"{entry.name}: {how}, {path}", highlight=False, soft_wrap=True)


def _size(size_bytes: int) -> str:
    return f"{size_bytes / 1e9:.1f} GB" if size_bytes >= 1e9 else f"{size_bytes / 1e6:.0f} MB"
