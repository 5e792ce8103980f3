"""What every command takes, and what follows from it: settings, and a mode that exists.

--profile, --config -> Settings; without a profile the machine decides
"think:200"         -> the same text, or UnusableInput
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from ..model_store import calibrated_gate
from ..reasoning.modes import parse_mode
from ..settings import PROFILES, Settings, load_settings

GPU_PROFILES = (
    ("gpu-80gb", 78e9),
    ("gpu-48gb", 44e9),
    ("gpu-24gb", 22e9),
    ("gpu-12gb", 11e9),
)  # the first whose memory, in bytes, the GPU has

Profile = Annotated[
    str | None,
    typer.Option(
        help=f"One of {', '.join(PROFILES)}. Default: what the GPU's memory allows, else cpu.", metavar="NAME"
    ),
]
Config = Annotated[
    Path | None, typer.Option(help="Settings to override, as TOML: [group] key = value.", metavar="FILE")
]
Seed = Annotated[int, typer.Option(help="For everything that draws.")]
AsJson = Annotated[bool, typer.Option("--json", help="JSON on standard output.")]
Mode = Annotated[
    str,
    typer.Option(
        help="async, async-safe (judges the request first), think (answers afterwards), think:N, direct, direct-filler."
    ),
]


def settings_of(profile: str | None, config: Path | None) -> Settings:
    """The settings of a run."""
    return load_settings(profile or machine_profile(), config, calibrated_gate)


def machine_profile() -> str:
    """The largest profile that this machine's GPU holds."""
    import torch

    memory = torch.cuda.get_device_properties(0).total_memory if torch.cuda.is_available() else 0
    return profile_for_gpu(memory)


def profile_for_gpu(memory_bytes: int) -> str:
    """GPU memory (0: no GPU) -> the name of a profile."""
    return next((name for name, least_bytes in GPU_PROFILES if memory_bytes >= least_bytes), "cpu")


def checked_mode(text: str) -> str:
    """`text` when it names a mode.

    Raises:
        UnusableInput: it does not.
    """
    parse_mode(text)
    return text
