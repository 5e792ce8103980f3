"""One GGUF file, seen as transformers sees a model.

    path -> GgufSource(configuration, tokenizer) -> tensors(skeleton) -> (parameter name, PackedWeight | dense float32)

Configuration, tokenizer and names come from transformers' own GGUF support; only the weights do not, because it turns
every one of them into floats first (20-60 s). Needs the gguf package, which nothing else here imports.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from ...errors import UnusableInput
from .gguf_blocks import BLOCK_TYPES, packed_from_blocks
from .layout import BLOCK_COLUMNS, PackedWeight
from .rounding import round_to_bits


class GgufSource:
    """An opened GGUF file.

    Raises:
        UnusableInput: the gguf package is missing, the file is not a GGUF or is cut short, or its architecture is
            unknown to transformers.
    """

    def __init__(self, path: Path) -> None:
        try:
            import gguf
        except ImportError as error:
            raise UnusableInput(f"reading {path} needs the package gguf: run 'pip install gguf'") from error
        from transformers import AutoConfig, AutoTokenizer

        self.path = path
        self._gguf: Any = gguf
        try:
            self._reader = gguf.GGUFReader(path)
        except (ValueError, IndexError, OverflowError, OSError) as error:
            raise UnusableInput(f"{path} is not a whole GGUF file ({error}): download it again") from error
        try:
            self.config: Any = AutoConfig.from_pretrained(path.parent, gguf_file=path.name)
            self.tokenizer: Any = AutoTokenizer.from_pretrained(path.parent, gguf_file=path.name)
        except (ValueError, KeyError, NotImplementedError) as error:
            raise UnusableInput(f"transformers cannot read {path} ({error}): choose another model") from error

    @property
    def tensor_bytes(self) -> int:
        return sum(int(tensor.n_bytes) for tensor in self._reader.tensors)

    def tensors(self, skeleton: nn.Module) -> Iterator[tuple[str, PackedWeight | Tensor, int]]:
        """Name, value and size in the file of every parameter of `skeleton` (the model on the meta device)."""
        hf = _transformers_gguf_support()
        processor = hf.TENSOR_PROCESSORS.get(self._architecture(), hf.TensorProcessor)(config=self.config.to_dict())
        keeps_rows = type(processor) in (
            hf.TensorProcessor,
            hf.LlamaTensorProcessor,
            hf.Gemma2TensorProcessor,
            hf.NemotronTensorProcessor,
        )
        names = hf.get_gguf_hf_weights_map(skeleton, processor)
        packable = _packable(skeleton)
        for tensor in self._reader.tensors:
            name = names.get(tensor.name)
            if name is None:
                continue  # rope_freqs and its like: transformers computes them
            raw, kind = np.asarray(tensor.data), tensor.tensor_type.name
            if raw.ndim > 2:
                raise UnusableInput(
                    f"{self.path}: {tensor.name} holds several experts, and mixtures of experts cannot be packed; "
                    "load the model from its transformers folder instead"
                )
            value: PackedWeight | Tensor
            if name in packable and kind in BLOCK_TYPES and keeps_rows:
                # Whole rows are permuted at most (llama's q and k), and blocks do not cross rows.
                value = packed_from_blocks(processor.process(weights=raw, name=tensor.name).weights, kind)
            else:
                value = self._from_floats(tensor, processor, packable=name in packable)
            yield name, value, int(tensor.n_bytes)

    def _from_floats(self, tensor: Any, processor: Any, *, packable: bool) -> PackedWeight | Tensor:
        try:
            floats = self._gguf.dequantize(tensor.data, tensor.tensor_type)
        except NotImplementedError as error:
            raise UnusableInput(
                f"{self.path}: {tensor.name} is stored as {tensor.tensor_type.name}, which cannot be read; "
                f"choose a file quantised as one of {', '.join(BLOCK_TYPES)}"
            ) from error
        values = torch.from_numpy(np.array(processor.process(weights=floats, name=tensor.name).weights, np.float32))
        return round_to_bits(values, 8) if packable else values

    def _architecture(self) -> str:
        return str(self._reader.fields["general.architecture"].contents())


def _transformers_gguf_support() -> Any:
    """Where transformers keeps the names and the row order of GGUF tensors: not part of its public interface."""
    import transformers

    try:
        from transformers import modeling_gguf_pytorch_utils as support
    except ImportError as error:
        raise UnusableInput(
            f"transformers {transformers.__version__} has moved its GGUF support ({error}): "
            "install the version that ./scripts/setup installs"
        ) from error
    return support


def _packable(skeleton: nn.Module) -> set[str]:
    """Names of the matrices that a packed module can stand in for."""
    owners = ((f"{name}.weight", module) for name, module in skeleton.named_modules())
    return {
        name
        for name, module in owners
        if type(module) in (nn.Linear, nn.Embedding) and module.weight.shape[1] % BLOCK_COLUMNS == 0
    }
