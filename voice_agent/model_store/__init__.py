"""Where the models come from and where they lie.

    manifest()          every model that is known            models/manifest.toml
    models_of(profile)  those that a profile names
    find(name)          -> the file or folder a loader opens; raises when it was not fetched
    fetch(name)         download, verify, put in place -> the same path
    calibrated_gate(name)  what was measured for a language model  models/calibration.toml

Weights live in the platform's cache folder, or in the folder that VOICE_AGENT_MODELS names. Knows nothing of what the
models do.
"""

from .cache import find, is_present, models_folder
from .calibration import calibrated_gate, keep_calibration
from .fetching import fetch, fetch_entry
from .manifest import ModelEntry, ModelFile, WheelPart, entries_of, entry_of, is_known, manifest, models_of

__all__ = [
    "ModelEntry",
    "ModelFile",
    "WheelPart",
    "calibrated_gate",
    "entries_of",
    "entry_of",
    "fetch",
    "fetch_entry",
    "find",
    "is_known",
    "is_present",
    "keep_calibration",
    "manifest",
    "models_folder",
    "models_of",
]
