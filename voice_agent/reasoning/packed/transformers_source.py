"""A model that transformers can load, its linears rounded to 8 or 4 bits.

    folder or hub name, "int8" | "int4" -> TransformersSource -> tensors() -> (name, PackedWeight | dense Tensor, bytes)
    packed_folder(source, weights)      -> where the packed copy lies

transformers loads the checkpoint, so whatever it converts on the way is converted here too. Rounded are the nn.Linear
modules whose columns are a multiple of 32; the output layer, and a token table that it shares, to 8 bits always: an
error there goes straight into the choice of a token. Everything else keeps its type: a token table of its own or one
that scales what is looked up, norms, and experts that lie in one tensor for all.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from .cache_folder import cache_folder
from .layout import BLOCK_COLUMNS, PackedWeight
from .rounding import ROUNDING_VERSION, round_to_bits
from .store import Origin, fingerprint

BITS = {"int8": 8, "int4": 4}
OUTPUT_BITS = 8  # 4 there alone changed 22 % of the choices of SmolLM2-135M, over 1,400 tokens of text


class TransformersSource:
    """A loaded model and how its weights are to be rounded; `tensors` uses the model up.

    model: on the CPU, in the type of its checkpoint (then transformers maps the files instead of copying them).
    """

    def __init__(self, model: Any, tokenizer: Any, weights: str) -> None:
        self.config: Any = model.config
        self.tokenizer = tokenizer
        self._model = model
        self._bits = bits_of_parameters(model, weights)

    @property
    def tensor_bytes(self) -> int:
        return sum(tensor.nbytes for tensor in _tensors(self._model).values())

    def tensors(self) -> Iterator[tuple[str, PackedWeight | Tensor, int]]:
        """Name, value and size before rounding; every tensor is let go of when the next is asked for."""
        device = torch.device("cuda") if torch.cuda.is_available() else None
        # An output layer may share a table that is not packed.
        for name in dict.fromkeys((*_tensors(self._model), *self._bits)):
            owner, _, attribute = name.rpartition(".")
            module = self._model.get_submodule(owner)
            tensor = getattr(module, attribute).detach()
            bits = self._bits.get(name)
            yield name, tensor.contiguous() if bits is None else round_to_bits(tensor, bits, device), tensor.nbytes
            delattr(module, attribute)  # never two copies of the model


def bits_of_parameters(model: Any, weights: str) -> dict[str, int]:
    """How many bits each rounded weight takes, by parameter name; also of a model on the meta device."""
    head, embeddings = model.get_output_embeddings(), model.get_input_embeddings()
    packs_table = type(embeddings) is nn.Embedding and head is not None and head.weight is embeddings.weight
    found = {}
    for name, module in model.named_modules():
        if module is head and packs_table:
            continue  # stored under the table's name
        known = type(module) is nn.Linear or (module is embeddings and packs_table)
        if known and module.weight.shape[1] % BLOCK_COLUMNS == 0:
            found[f"{name}.weight"] = OUTPUT_BITS if module in (head, embeddings) else BITS[weights]
    return found


def packed_folder(source: Path | str, weights: str, revision: str) -> Path:
    """Beside a local folder that is not the user's only to read, else in the cache."""
    path = Path(source)
    if path.is_dir():
        if os.access(path.parent, os.W_OK):
            return path.with_name(f"{path.name}.{weights}.packed")
        revision = hashlib.sha256(str(path.resolve()).encode()).hexdigest()
    name = str(source).strip("/").replace("/", "--")
    return cache_folder("packed") / f"{name}-{revision[:12]}.{weights}.packed"


def origin_of(source: Path | str, weights: str, revision: str) -> Origin:
    """What a packed copy is made from; another origin makes it stale."""
    path = Path(source)
    made = {"weights": weights, "rounding": ROUNDING_VERSION}
    if not path.is_dir():
        return {**made, "hub": str(source), "revision": revision}
    files = sorted(file for kind in ("*.safetensors", "*.bin", "config.json") for file in path.glob(kind))
    return {**made, "files": {file.name: fingerprint(file) for file in files}}


def _tensors(model: nn.Module) -> dict[str, Tensor]:
    """Parameters, and buffers that a checkpoint holds; shared ones once, under their first name."""
    kept = model.state_dict().keys()
    parameters = dict(model.named_parameters())
    return {**parameters, **{name: buffer for name, buffer in model.named_buffers() if name in kept}}
