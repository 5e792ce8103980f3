"""A causal language model, ready to use, from whatever names it.

    load_language_model(source, settings=...) -> LoadedModel(model, tokenizer, facts)

    *.gguf                      packed beside the file at the first load, read in seconds afterwards (packed/)
    a folder written by that    the same, without the GGUF
    another folder, a hub name  transformers' own loading: bfloat16 on CUDA, otherwise as `settings.dtype` says;
                                with `settings.weights` int8 or int4 its linears are rounded and kept packed like a GGUF

Packed models run where their kernel computes (packed/kernels), others on CUDA where it exists, or as
`settings.device_map` says. The model is transformers' ordinary module; attention is left alone. Nothing is loaded at
import.
"""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from ..errors import UnusableInput
from ..settings import Reasoning
from .packed.kernels import Kernel, choose_kernel
from .packed.layout import PackedWeight
from .packed.linears import PackedEmbedding, PackedLinear
from .packed.store import (
    MANIFEST,
    Origin,
    Store,
    fingerprint,
    is_current,
    read_store,
    store_folder,
    stored_bytes,
    write_store,
)
from .start_cache import StartCache

CPU = torch.device("cpu")
Progress = Callable[[str, float], None]  # what is being done, share of it that is done


@dataclass(frozen=True)
class ModelFacts:
    """What was loaded, for the reader of a report."""

    name: str
    weight_bytes: int
    kernel: str  # native, triton, torch, plain; "dense" where nothing is packed
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
    try:
        folder = _packed_copy(path, source, settings, report)
        model, tokenizer, kernel = (
            _from_store(folder, settings, report) if folder else _from_transformers(source, settings)
        )
    except torch.OutOfMemoryError as error:
        raise UnusableInput(
            f"'{source}' does not fit the GPU's memory: choose a smaller model or profile, or [reasoning] weights = "
            '"int4"'
        ) from error
    model.eval().requires_grad_(False)
    facts = ModelFacts(
        name=path.stem if path.exists() else str(source),
        weight_bytes=_weight_bytes(model),
        kernel=kernel,
        dtype=str(model.dtype).removeprefix("torch."),
        device=", ".join(sorted({str(parameter.device) for parameter in model.parameters()} - {"meta"})),
        load_s=time.perf_counter() - start_s,
    )
    report("ready", 1.0)
    return LoadedModel(model, tokenizer, facts, _start_cache(folder, facts) if folder else None)


# --- packed --------------------------------------------------------------------------------------------------------


def _packed_copy(path: Path, source: Path | str, settings: Reasoning, report: Progress) -> Path | None:
    """The folder with the packed model, made where it must be; None where the weights stay as they are stored."""
    if path.suffix == ".gguf":
        if not path.is_file():
            raise UnusableInput(f"there is no file {path}: run 'voice-agent models fetch', or name another model")
        folder, origin = store_folder(path), fingerprint(path)
        if not is_current(folder, origin):
            _pack_gguf(path, folder, origin, report)
        return folder
    if (path / MANIFEST).is_file():
        if not is_current(path, origin=None):
            raise UnusableInput(f"{path} was packed by another version: load the model that it was made from")
        return path
    return None if settings.weights == "stored" else _rounded(source, settings, report)


def _pack_gguf(path: Path, folder: Path, origin: Origin, report: Progress) -> None:
    from .packed.gguf_source import GgufSource

    report("reading vocabulary and settings", 0.0)
    source = GgufSource(path)
    tensors = source.tensors(_skeleton(source.config))
    write_store(folder, origin, source.config, source.tokenizer, _told(tensors, source.tensor_bytes, report))


def _rounded(source: Path | str, settings: Reasoning, report: Progress) -> Path:
    """The folder of the packed copy, made where there is none."""
    from transformers import AutoConfig, AutoModelForCausalLM, AutoTokenizer

    from .packed.transformers_source import TransformersSource, origin_of, packed_folder

    with _said_clearly(source):
        config = AutoConfig.from_pretrained(source)
        revision = str(getattr(config, "_commit_hash", None) or "")
        folder = packed_folder(source, settings.weights, revision)
        origin = origin_of(source, settings.weights, revision)
        if is_current(folder, origin):
            return folder
        report("loading weights", 0.0)
        tokenizer = AutoTokenizer.from_pretrained(source)
        model = AutoModelForCausalLM.from_pretrained(source, dtype="auto")
    rounded = TransformersSource(model, tokenizer, settings.weights)
    write_store(folder, origin, config, tokenizer, _told(rounded.tensors(), rounded.tensor_bytes, report))
    return folder


def _told(
    tensors: Iterator[tuple[str, PackedWeight | Tensor, int]], total_bytes: int, report: Progress
) -> Iterator[tuple[str, PackedWeight | Tensor]]:
    done = 0
    for name, value, size in tensors:
        done += size
        report("packing weights", done / total_bytes)
        yield name, value


def _from_store(folder: Path, settings: Reasoning, report: Progress) -> tuple[Any, Any, str]:
    if settings.device_map:
        raise UnusableInput(f"{folder.name} is packed and runs on one device: leave [reasoning] device_map empty")
    report("loading weights", 0.0)
    kernel = choose_kernel(settings.kernel, torch.bfloat16 if settings.dtype == "bfloat16" else torch.float32)
    on_gpu = kernel.device.type == "cuda"
    dtype = torch.bfloat16 if settings.dtype == "bfloat16" or (settings.dtype == "auto" and on_gpu) else torch.float32
    need_memory(stored_bytes(folder) * kernel.memory_factor, what=str(folder), device=kernel.device)
    with ThreadPoolExecutor(1) as reader:  # reading leaves the interpreter free to import transformers meanwhile
        store = reader.submit(read_store, folder, kernel.device)
        from transformers import AutoConfig, AutoTokenizer

        model = _skeleton(AutoConfig.from_pretrained(folder))
        tokenizer = AutoTokenizer.from_pretrained(folder)
        _fill(model, store.result(), kernel, dtype)
    return model.to(kernel.device), tokenizer, kernel.name


def _start_cache(folder: Path, facts: ModelFacts) -> StartCache:
    files = {name: hashlib.sha256((folder / name).read_bytes()).hexdigest() for name in (MANIFEST, "config.json")}
    return StartCache(folder / "starts", {**files, "kernel": facts.kernel, "dtype": facts.dtype})


def need_memory(needed_bytes: float, what: str, device: torch.device = CPU) -> None:
    """Raises UnusableInput when the device has less memory to give (CPU: on Linux; elsewhere nothing is known)."""
    available = torch.cuda.mem_get_info(device)[0] if device.type == "cuda" else _available_bytes()
    if available is not None and needed_bytes > available:
        raise UnusableInput(
            f"{what} needs {needed_bytes / 1e9:.1f} GB of memory and {available / 1e9:.1f} GB are free: "
            "close other programs, or choose a smaller model"
        )


def _available_bytes() -> int | None:
    try:
        lines = Path("/proc/meminfo").read_text(encoding="utf-8").splitlines()
        return next(int(line.split()[1]) << 10 for line in lines if line.startswith("MemAvailable:"))
    except (OSError, StopIteration):
        return None


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


def _fill(model: Any, store: Store, kernel: Kernel, dtype: torch.dtype) -> None:
    parameters = {name for name, _ in model.named_parameters()}
    dense = {name: value.to(dtype) if name in parameters else value for name, value in store.dense.items()}
    head, embeddings = model.get_output_embeddings(), model.get_input_embeddings()
    names = {module: name for name, module in model.named_modules()}
    shares_table = not {f"{names[head]}.weight"} & (store.packed.keys() | dense.keys())
    for module, name in names.items():
        weight = store.packed.get(f"{names[embeddings] if shares_table and module is head else name}.weight")
        if weight is None:
            continue
        if isinstance(module, nn.Embedding):
            model.set_submodule(name, PackedEmbedding(weight, dtype))
        else:
            bias = dense.pop(f"{name}.bias", None)
            model.set_submodule(name, PackedLinear(weight, None if bias is None else bias.float(), kernel))
    model.load_state_dict(dense, strict=False, assign=True)
    if shares_table and isinstance(model.get_output_embeddings(), nn.Linear):
        model.get_output_embeddings().weight = embeddings.weight
    missing = [name for name, tensor in (*model.named_parameters(), *model.named_buffers()) if tensor.is_meta]
    if missing:
        raise UnusableInput(f"{store.folder} holds no weights for {', '.join(missing[:3])}: choose another model")


# --- dense ---------------------------------------------------------------------------------------------------------


def _from_transformers(source: Path | str, settings: Reasoning) -> tuple[Any, Any, str]:
    from transformers import AutoModelForCausalLM, AutoTokenizer

    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    automatic = torch.bfloat16 if device.type == "cuda" else "auto"
    dtype = {"float32": torch.float32, "bfloat16": torch.bfloat16}.get(settings.dtype, automatic)
    if settings.device_map and not find_spec("accelerate"):
        raise UnusableInput(
            f'[reasoning] device_map = "{settings.device_map}" needs the package accelerate: run '
            "'pip install accelerate', or leave device_map empty"
        )
    if device == CPU and not settings.device_map:
        need_memory(stored_bytes(Path(source)), what=str(source))
    with _said_clearly(source):
        tokenizer = AutoTokenizer.from_pretrained(source)
        model: Any = AutoModelForCausalLM.from_pretrained(source, dtype=dtype, device_map=settings.device_map or None)
    return model if settings.device_map else model.to(device), tokenizer, "dense"


@contextmanager
def _said_clearly(source: Path | str) -> Iterator[None]:
    try:
        yield
    except (OSError, ValueError) as error:
        reason = (str(error).strip() or type(error).__name__).splitlines()[0]
        raise UnusableInput(
            f"cannot load the language model '{source}' ({reason}): give a GGUF file, a transformers folder, or "
            "the name of a model on the hub while it can be reached"
        ) from error


def _weight_bytes(model: nn.Module) -> int:
    """Everything the model holds, shared tables once."""
    seen: dict[int, int] = {t.data_ptr() or id(t): t.nbytes for t in model.parameters()}  # no address: offloaded
    for module in model.modules():
        if isinstance(module, PackedLinear | PackedEmbedding):
            seen.update({t.data_ptr(): t.nbytes for t in module.tensors()})
    return sum(seen.values())
