"""A causal language model, ready to use, from whatever names it.

    load_language_model(source, settings=...) -> LoadedModel(model, tokenizer, facts)

    *.gguf                      CPU: packed beside the file at the first load, read in seconds afterwards (packed/)
    a folder written by that    the same, without the GGUF
    another folder, a hub name  transformers' own loading: bfloat16 on CUDA, otherwise as `settings.dtype` says

The model is transformers' ordinary module; attention is left alone. Nothing is loaded at import.
"""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from ..errors import UnusableInput
from ..settings import Reasoning
from .packed.kernels import choose_kernel
from .packed.layout import PackedWeight
from .packed.linears import PackedEmbedding, PackedLinear
from .packed.store import MANIFEST, Store, is_current, read_store, store_folder, stored_bytes, write_store
from .start_cache import StartCache

Progress = Callable[[str, float], None]  # what is being done, share of it that is done


@dataclass(frozen=True)
class ModelFacts:
    """What was loaded, for the reader of a report."""

    name: str
    weight_bytes: int
    kernel: str  # native, torch, plain; "dense" where nothing is packed
    dtype: str
    device: str
    load_s: float


@dataclass(frozen=True)
class LoadedModel:
    """A transformers causal language model in evaluation mode, its tokenizer, and what they are.

    start_cache: of a packed model, beside its weights.
    """

    model: Any
    tokenizer: Any
    facts: ModelFacts
    start_cache: StartCache | None = None


def load_language_model(source: Path | str, *, settings: Reasoning, progress: Progress | None = None) -> LoadedModel:
    """Load the model that `source` names.

    Raises:
        UnusableInput: nothing there, unreachable hub, unreadable or unsupported file, too little memory.
    """
    start_s = time.perf_counter()
    if settings.threads:
        torch.set_num_threads(settings.threads)
    path = Path(source)
    report = progress or (lambda _what, _share: None)
    folder: Path | None = None  # of the packed model
    if path.suffix == ".gguf":
        if not path.is_file():
            raise UnusableInput(f"there is no file {path}: run 'voice-agent models fetch', or name another model")
        folder = store_folder(path)
        if not is_current(folder, path):
            _pack(path, folder, report)
        model, tokenizer, kernel = _from_store(folder, settings, report)
    elif (path / MANIFEST).is_file():
        if not is_current(path, source=None):
            raise UnusableInput(f"{path} was packed by another version: load the GGUF that it was made from")
        folder = path
        model, tokenizer, kernel = _from_store(folder, settings, report)
    else:
        model, tokenizer, kernel = _from_transformers(source, settings)
    model.eval().requires_grad_(False)
    facts = ModelFacts(
        name=path.stem if path.exists() else str(source),
        weight_bytes=_weight_bytes(model),
        kernel=kernel,
        dtype=str(model.dtype).removeprefix("torch."),
        device=str(next(model.parameters()).device),
        load_s=time.perf_counter() - start_s,
    )
    report("ready", 1.0)
    return LoadedModel(model, tokenizer, facts, _start_cache(folder, facts) if folder else None)


# --- packed --------------------------------------------------------------------------------------------------------


def _pack(path: Path, folder: Path, report: Progress) -> None:
    from .packed.gguf_source import GgufSource

    report("reading vocabulary and settings", 0.0)
    source = GgufSource(path)

    def tensors() -> Iterator[tuple[str, PackedWeight | Tensor]]:
        done, total = 0, source.tensor_bytes
        for name, value, size in source.tensors(_skeleton(source.config)):
            done += size
            report("packing weights", done / total)
            yield name, value

    write_store(folder, path, source.config, source.tokenizer, tensors())


def _from_store(folder: Path, settings: Reasoning, report: Progress) -> tuple[Any, Any, str]:
    from transformers import AutoConfig, AutoTokenizer

    report("loading weights", 0.0)
    kernel = choose_kernel(settings.kernel)
    dtype = torch.bfloat16 if settings.dtype == "bfloat16" else torch.float32
    need_memory(stored_bytes(folder) * kernel.memory_factor, what=str(folder))
    with ThreadPoolExecutor(1) as reader:  # reading leaves the interpreter free to import the architecture meanwhile
        store = reader.submit(read_store, folder)
        model = _skeleton(AutoConfig.from_pretrained(folder))
        tokenizer = AutoTokenizer.from_pretrained(folder)
        _fill(model, store.result(), kernel, dtype)
    return model, tokenizer, kernel.name


def _start_cache(folder: Path, facts: ModelFacts) -> StartCache:
    files = {name: hashlib.sha256((folder / name).read_bytes()).hexdigest() for name in (MANIFEST, "config.json")}
    return StartCache(folder / "starts", {**files, "kernel": facts.kernel, "dtype": facts.dtype})


def need_memory(needed_bytes: float, what: str) -> None:
    """Raises UnusableInput when this machine has less memory to give (Linux; elsewhere nothing is known)."""
    try:
        lines = Path("/proc/meminfo").read_text(encoding="utf-8").splitlines()
        available = next(int(line.split()[1]) << 10 for line in lines if line.startswith("MemAvailable:"))
    except (OSError, StopIteration):
        return
    if needed_bytes > available:
        raise UnusableInput(
            f"{what} needs {needed_bytes / 1e9:.1f} GB of memory and {available / 1e9:.1f} GB are free: "
            "close other programs, or choose a smaller model"
        )


def _skeleton(config: Any) -> Any:
    """The model without weights: parameters on the meta device, buffers real."""
    from transformers import AutoModelForCausalLM

    with torch.device("meta"):
        model = AutoModelForCausalLM.from_config(config)
    for module in model.modules():
        unmade = {name: buffer for name, buffer in module.named_buffers(recurse=False) if buffer.is_meta}
        for name, buffer in unmade.items():
            module._buffers[name] = torch.empty_like(buffer, device="cpu")
        if unmade:
            model._init_weights(module)  # where every transformers model computes its rotary frequencies and the like
    return model


def _fill(model: Any, store: Store, kernel: Any, dtype: torch.dtype) -> None:
    dense = {name: value.to(dtype) for name, value in store.dense.items()}
    tied = "lm_head.weight" not in store.packed and "lm_head.weight" not in dense
    for name, module in list(model.named_modules()):
        weight = store.packed.get(f"{name}.weight")
        if weight is None and tied and name == "lm_head":
            weight = store.packed.get("model.embed_tokens.weight")
        if weight is None:
            continue
        if isinstance(module, nn.Embedding):
            model.set_submodule(name, PackedEmbedding(weight, dtype))
        else:
            bias = dense.pop(f"{name}.bias", None)
            model.set_submodule(name, PackedLinear(weight, None if bias is None else bias.float(), kernel))
    model.load_state_dict(dense, strict=False, assign=True)
    missing = [name for name, tensor in (*model.named_parameters(), *model.named_buffers()) if tensor.is_meta]
    if missing:
        raise UnusableInput(f"{store.folder} holds no weights for {', '.join(missing[:3])}: choose another model")


# --- dense ---------------------------------------------------------------------------------------------------------


def _from_transformers(source: Path | str, settings: Reasoning) -> tuple[Any, Any, str]:
    from transformers import AutoModelForCausalLM, AutoTokenizer

    device = "cuda" if torch.cuda.is_available() else "cpu"
    automatic = torch.bfloat16 if device == "cuda" else "auto"
    dtype = {"float32": torch.float32, "bfloat16": torch.bfloat16}.get(settings.dtype, automatic)
    if device == "cpu":
        need_memory(stored_bytes(Path(source)), what=str(source))
    try:
        tokenizer = AutoTokenizer.from_pretrained(source)
        model: Any = AutoModelForCausalLM.from_pretrained(source, dtype=dtype)
        model.to(device)
    except (OSError, ValueError) as error:
        reason = str(error).strip().splitlines()[0]
        raise UnusableInput(
            f"cannot load the language model '{source}' ({reason}): give a GGUF file, a transformers folder, or "
            "the name of a model on the hub while it can be reached"
        ) from error
    except torch.OutOfMemoryError as error:
        raise UnusableInput(f"'{source}' does not fit the GPU's memory: choose a smaller model or profile") from error
    return model, tokenizer, "dense"


def _weight_bytes(model: nn.Module) -> int:
    """Everything the model holds, shared tables once."""
    seen: dict[int, int] = {t.data_ptr(): t.nbytes for t in model.parameters()}
    for module in model.modules():
        if isinstance(module, PackedLinear | PackedEmbedding):
            seen.update({t.data_ptr(): t.nbytes for t in module.tensors()})
    return sum(seen.values())
