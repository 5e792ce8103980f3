"""What one start computes and the next one need not: keys and values of the preamble, and that the self-check passed.

    StartCache(folder, identity)                    of one loaded model
        .fill(block, tokens, ...) <-> .keep(block, ...)     the block's keys and values, bit for bit
        .has_passed(attention)    <-> .note_passed(...)     the self-check of self_check.py

Files are named after a digest of everything that decides the numbers: the model's files, the kernels, this code, the
versions of torch and transformers, the tokens. So a stale file is never found, a damaged one fails its own digest, and
either is written anew. Nothing here can fail a start: what cannot be read or written is computed. A folder keeps the
`MOST_FILES` files of a kind that were used last; blocks beyond `MOST_BYTES` are not kept.
"""

from __future__ import annotations

import hashlib
import importlib.metadata
import json
import os
import tempfile
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path

import torch
from safetensors import SafetensorError
from safetensors.torch import load, save
from torch import Tensor

from .cache_block import CacheBlock
from .packed.native_build import library_path

MOST_FILES = 4
MOST_BYTES = 64 << 20
_DIGEST = "digest"  # the tensor that holds the digest of all others


class StartCache:
    """What is kept of one model in `folder`, which need not exist.

    identity: what tells this model from any other: its files, the kernel of its linears, its dtype.
    """

    def __init__(self, folder: Path, identity: Mapping[str, str]) -> None:
        self._folder = folder
        programs = {
            "code": _code(),
            "native": library_path().name,
            "transformers": importlib.metadata.version("transformers"),
        }
        self._identity = json.dumps({**programs, "torch": torch.__version__, **identity}, sort_keys=True)

    @torch.inference_mode()
    def fill(self, block: CacheBlock, tokens: Sequence[int], how: str, device: torch.device) -> bool:
        """Put the kept keys and values of `tokens` into the empty `block`; False where there are none.

        how: what else decides them: which kernel attends, in which chunks the tokens are fed.
        """
        assert not block.length, f"{block.name} already holds {block.length} tokens"
        path = self._path("preamble", f"{how} {list(tokens)}")
        try:
            stored = load(path.read_bytes())
        except (OSError, SafetensorError, ValueError):
            return False
        if not torch.equal(stored.pop(_DIGEST, torch.empty(0)), _digest_of(stored)):
            return False
        _touch(path)
        layers = {name.partition(".")[0] for name in stored}
        pairs = {int(n): (stored[f"{n}.0"].to(device), stored[f"{n}.1"].to(device)) for n in layers}
        block.restore(tokens, pairs)
        return True

    @torch.inference_mode()
    def keep(self, block: CacheBlock, how: str) -> None:
        """Write what `block` holds for the next start."""
        contents = block.contents()
        stored = {f"{layer}.{i}": pair[i].contiguous().cpu() for layer, pair in contents.items() for i in (0, 1)}
        if sum(tensor.nbytes for tensor in stored.values()) > MOST_BYTES:
            return
        _write(self._path("preamble", f"{how} {block.tokens}"), save({**stored, _DIGEST: _digest_of(stored)}))

    def has_passed(self, attention: str) -> bool:
        """Whether this model, computed like this, has passed the self-check over the attention kernel of that name."""
        path = self._path("passed", attention)
        found = path.is_file()
        if found:
            _touch(path)
        return found

    def note_passed(self, attention: str) -> None:
        """The self-check was passed."""
        _write(self._path("passed", attention), self._identity.encode())

    def _path(self, kind: str, about: str) -> Path:
        digest = hashlib.sha256(f"{self._identity} {about}".encode()).hexdigest()
        return self._folder / f"{kind}-{digest[:32]}"


def _digest_of(stored: Mapping[str, Tensor]) -> Tensor:
    """sha256 of names and bytes: uint8 (32,)."""
    digest = hashlib.sha256()
    for name in sorted(stored):
        digest.update(name.encode())
        digest.update(stored[name].view(torch.uint8).numpy().tobytes())
    return torch.tensor(list(digest.digest()), dtype=torch.uint8)


def _write(path: Path, content: bytes) -> None:
    """Under another name first: whoever reads meanwhile finds the whole file or none."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, unfinished = tempfile.mkstemp(prefix=f"{path.name}.", dir=path.parent)
        with os.fdopen(handle, "wb") as file:
            file.write(content)
        os.replace(unfinished, path)
        kind = path.name.partition("-")[0]
        by_age = sorted(path.parent.glob(f"{kind}-*"), key=lambda file: file.stat().st_mtime, reverse=True)
        for old in by_age[MOST_FILES:]:
            old.unlink()
    except OSError:  # a full disk, a folder of somebody else's: the next start computes again
        return


def _touch(path: Path) -> None:
    """It was used: others go first."""
    try:
        os.utime(path)
    except OSError:
        return


@cache
def _code() -> str:
    """Digest of this package's sources: another rotation or chunking is another result."""
    digest = hashlib.sha256()
    for source in sorted(Path(__file__).parent.rglob("*.py")):
        digest.update(source.read_bytes())
    return digest.hexdigest()
