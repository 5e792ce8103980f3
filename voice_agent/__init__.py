"""A local voice assistant that thinks, listens and speaks at the same time.

`AsyncReasoner` is loaded on first use, so that rooms without a language model import without torch.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .reasoning.reasoner import AsyncReasoner

__version__ = "0.1.0"
__all__ = ["AsyncReasoner", "__version__"]


def __getattr__(name: str) -> Any:
    if name == "AsyncReasoner":
        from .reasoning.reasoner import AsyncReasoner

        return AsyncReasoner
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
