"""A packed model as a folder: written once, memory-mapped ever after.

    write_store(folder, ...)   -> configuration, tokenizer, weights-NNN.safetensors, packed.json (last)
    open_store(folder, source) -> Store, or None when there is none or it does not fit the source and this version

The folder is filled under a temporary name and renamed when it is whole. Sizes are bytes.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import tempfile
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor

from ...errors import UnusableInput
from .layout import LAYOUT_VERSION, PackedWeight

MANIFEST = "packed.json"
SHARD_BYTES = 256 << 20  # what conversion holds in memory at once
FINGERPRINT_BYTES = 1 << 20


@dataclass(frozen=True)
class Store:
    """An opened folder. Tensors are mapped from the files: they cost memory only once they are touched."""

    folder: Path
    packed: dict[str, PackedWeight]
    dense: dict[str, Tensor]


def store_folder(source: Path) -> Path:
    """Where the packed copy of a GGUF file lies: beside it."""
    return source.with_name(f"{source.name}.packed")


def fingerprint(source: Path) -> dict[str, Any]:
    """Size, and sha256 of the first and last MiB: names, shapes and some weights, without reading them all."""
    size = source.stat().st_size
    digest = hashlib.sha256()
    with source.open("rb") as file:
        digest.update(file.read(FINGERPRINT_BYTES))
        file.seek(max(0, size - FINGERPRINT_BYTES))
        digest.update(file.read())
    return {"bytes": size, "sha256_of_ends": digest.hexdigest()}


def write_store(
    folder: Path,
    source: Path,
    config: Any,
    tokenizer: Any,
    tensors: Iterable[tuple[str, PackedWeight | Tensor]],
) -> None:
    """Fill `folder`, replacing what was there; nothing half-written is left behind.

    Raises:
        UnusableInput: the folder cannot be written (no permission, disk full).
    """
    try:
        unfinished = Path(tempfile.mkdtemp(prefix=f".{folder.name}.", dir=folder.parent))
    except OSError as error:
        raise UnusableInput(f"cannot write beside {source}: {error.strerror}; make {folder.parent} writable") from error
    try:
        config.save_pretrained(unfinished)
        tokenizer.save_pretrained(unfinished)
        weights, files = _write_weights(unfinished, tensors)
        manifest = {"layout": LAYOUT_VERSION, "source": fingerprint(source), "files": files, "weights": weights}
        (unfinished / MANIFEST).write_text(json.dumps(manifest, indent=1), encoding="utf-8")
        shutil.rmtree(folder, ignore_errors=True)
        os.replace(unfinished, folder)
    except (OSError, SafetensorError) as error:
        raise UnusableInput(f"cannot write {folder}: {error}; is the disk full?") from error
    finally:
        shutil.rmtree(unfinished, ignore_errors=True)


def open_store(folder: Path, source: Path | None) -> Store | None:
    """The packed model in `folder`; with a `source`, only if it was made from exactly that file.

    Raises:
        UnusableInput: the folder was whole once and no longer is.
    """
    try:
        manifest = json.loads((folder / MANIFEST).read_text(encoding="utf-8"))
    except OSError:
        return None
    except ValueError as error:
        raise UnusableInput(f"{folder / MANIFEST} is damaged: delete {folder} and start again") from error
    if manifest["layout"] != LAYOUT_VERSION or (source is not None and manifest["source"] != fingerprint(source)):
        return None
    tensors: dict[str, Tensor] = {}
    try:
        for name in manifest["files"]:
            with safe_open(folder / name, framework="pt") as file:
                tensors.update({key: file.get_tensor(key) for key in file.keys()})  # noqa: SIM118 - not a dict
        packed = {
            name: PackedWeight(
                codes=tensors.pop(f"{name}.codes"),
                scales=tensors.pop(f"{name}.scales"),
                minimums=tensors.pop(f"{name}.minimums", None),
                **shape,
            )
            for name, shape in manifest["weights"].items()
        }
    except (OSError, SafetensorError, KeyError) as error:
        raise UnusableInput(f"{folder} is damaged ({error}): delete it and start again") from error
    return Store(folder, packed, tensors)


def _write_weights(
    folder: Path, tensors: Iterable[tuple[str, PackedWeight | Tensor]]
) -> tuple[dict[str, dict[str, int]], list[str]]:
    shapes: dict[str, dict[str, int]] = {}
    files: list[str] = []
    waiting: dict[str, Tensor] = {}

    def flush() -> None:
        files.append(f"weights-{len(files):03d}.safetensors")
        save_file(waiting, folder / files[-1])
        waiting.clear()

    for name, value in tensors:
        if isinstance(value, PackedWeight):
            parts = {"codes": value.codes, "scales": value.scales, "minimums": value.minimums}
            waiting.update({f"{name}.{part}": tensor for part, tensor in parts.items() if tensor is not None})
            shapes[name] = _numbers(value)
        else:
            waiting[name] = value
        if sum(tensor.nbytes for tensor in waiting.values()) >= SHARD_BYTES:
            flush()
    if waiting:
        flush()
    return shapes, files


def _numbers(weight: PackedWeight) -> dict[str, int]:
    return {key: value for key, value in asdict(weight).items() if isinstance(value, int)}
