"""Count how often a value leaves the device: on a GPU each time waits for everything before it."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch.utils._python_dispatch import TorchDispatchMode

aten = torch.ops.aten
WAITING = {  # their result is a number, or has a size that depends on numbers
    aten.item.default,
    aten._local_scalar_dense.default,
    aten.is_nonzero.default,
    aten.equal.default,
    aten.nonzero.default,
    aten.masked_select.default,
}
OUT = ("tolist", "cpu", "numpy", "__array__")  # on the CPU these do not pass the dispatcher


class ReadBacks(TorchDispatchMode):
    """`with ReadBacks(monkeypatch) as reads: ...; reads.count`"""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        super().__init__()
        self.count = 0
        for name in OUT:
            monkeypatch.setattr(torch.Tensor, name, self._counted(getattr(torch.Tensor, name)))

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        self.count += func in WAITING
        return func(*args, **(kwargs or {}))

    def _counted(self, method: Any) -> Any:
        def counted(tensor: torch.Tensor, *arguments: Any) -> Any:
            self.count += 1
            return method(tensor, *arguments)

        return counted
