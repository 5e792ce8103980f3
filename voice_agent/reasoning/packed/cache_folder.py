"""Where this package keeps what it makes from models: beside them.

cache_folder("native") -> $VOICE_AGENT_MODELS/native, else the user's cache folder
"""

from __future__ import annotations

import os
from pathlib import Path


def cache_folder(name: str) -> Path:
    """The folder for one kind of thing; it need not exist yet."""
    models = os.environ.get("VOICE_AGENT_MODELS")
    if models:
        return Path(models).expanduser() / name
    return Path(os.environ.get("XDG_CACHE_HOME") or "~/.cache").expanduser() / "voice-agent" / name
