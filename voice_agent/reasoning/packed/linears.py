"""The modules that stand in for nn.Linear and nn.Embedding.

x (..., columns) float32 or bfloat16 -> PackedLinear -> (..., rows) of the same dtype.
ids (...) int64 -> PackedEmbedding -> (..., columns) of the model's dtype; only the rows asked for are dequantised.
"""

from __future__ import annotations

import torch
from torch import Tensor, dtype, nn

from .kernels import Kernel
from .layout import PackedWeight


class PackedLinear(nn.Module):
    """A linear layer over a packed weight. Its tensors are no parameters: nothing here is trained or moved."""

    def __init__(self, weight: PackedWeight, bias: Tensor | None, kernel: Kernel) -> None:
        super().__init__()
        self.in_features, self.out_features = weight.columns, weight.rows
        self.bias = bias
        self._kernel = kernel
        self._form = kernel.prepare(weight)

    def forward(self, x: Tensor) -> Tensor:
        flat = x.reshape(-1, self.in_features)
        return self._kernel.multiply(flat, self._form, self.bias).view(*x.shape[:-1], self.out_features)

    def tensors(self) -> list[Tensor]:
        """Everything it holds."""
        return [*tensors_in(self._form), *([] if self.bias is None else [self.bias])]

    def extra_repr(self) -> str:
        return f"{self.in_features}, {self.out_features}, kernel={self._kernel.name}"


class PackedEmbedding(nn.Module):
    """A lookup table over a packed weight; it looks up where the weight lies."""

    def __init__(self, weight: PackedWeight, dtype: dtype) -> None:
        super().__init__()
        self.num_embeddings, self.embedding_dim = weight.rows, weight.columns
        self._weight = weight
        self._dtype = dtype

    @property
    def device(self) -> torch.device:
        return self._weight.codes.device

    def forward(self, ids: Tensor) -> Tensor:
        return self._weight.take_rows(ids).to(self._dtype)

    def tensors(self) -> list[Tensor]:
        """Everything it holds."""
        return tensors_in(self._weight)


def tensors_in(form: object) -> list[Tensor]:
    """The tensors of a kernel's form of a weight."""
    if isinstance(form, PackedWeight):
        form = (form.codes, form.scales, form.minimums)
    parts = form if isinstance(form, tuple) else (form,)
    return [part for part in parts if isinstance(part, Tensor)]
