"""When a language model's yes means yes: measured values of the speak gate, beside the manifest.

    calibrated_gate(model)              -> settings of the group `reasoning`, {} where the model was not measured
    keep_calibration(model, values, how) -> written to models/calibration.toml

`calibration.toml` beside this file is a link to models/calibration.toml, like the manifest's.
"""

from __future__ import annotations

import json
import tomllib
from pathlib import Path
from typing import Any

from ..errors import UnusableInput

CALIBRATION_PATH = Path(__file__).with_name("calibration.toml")
HEAD = "# What scripts/calibrate_gate measured for each language model; a settings file outranks it.\n"


def calibrated_gate(model: str) -> dict[str, Any]:
    """The gate's settings for the model.

    Raises:
        UnusableInput: the file is damaged.
    """
    entry = _entries(CALIBRATION_PATH).get(model, {})
    return {name: value for name, value in entry.items() if name.startswith("gate_")}


def keep_calibration(model: str, values: dict[str, float], measured: str, path: Path = CALIBRATION_PATH) -> None:
    """Put a model's values in the place of its earlier ones. measured: when and on what, in words.

    Raises:
        UnusableInput: the file is damaged, or cannot be written.
    """
    entries = {**_entries(path), model: {**values, "measured": measured}}
    text = HEAD + "".join(
        f"\n[{json.dumps(name)}]\n" + "".join(f"{key} = {json.dumps(value)}\n" for key, value in entry.items())
        for name, entry in sorted(entries.items())
    )
    try:
        path.resolve().write_text(text, encoding="utf-8")
    except OSError as error:
        raise UnusableInput(f"cannot write {path.resolve()}: {error.strerror or error}") from error


def _entries(path: Path) -> dict[str, dict[str, Any]]:
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return {}
    except (OSError, tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise UnusableInput(f"cannot read {path.resolve()}: {error}; repair it, or remove it") from error
