"""Look at a machine and say what a profile lacks on it.

    examine(settings)  -> a list of checks: what was found, and what to do where it is not enough
    microphone_name()  -> the default microphone, or UnusableInput

`problem` means that the profile cannot run at all, `warn` that something is slower or missing without stopping it. A
check only looks: nothing is loaded, downloaded or changed.
"""

from __future__ import annotations

import importlib.metadata
import os
import platform
import shutil
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import psutil

from . import model_store
from .errors import UnusableInput
from .model_store import ModelEntry
from .settings import Settings

PORTAUDIO_REMEDY = "sudo apt-get install libportaudio2"
COMPILER_REMEDY = "sudo apt-get install g++, then scripts/setup: answers come faster"
SHARE_KEPT = {
    "stored": 1.0,
    "int8": 0.57,
    "int4": 0.38,
}  # of a bfloat16 model's bytes (reasoning/memory_need.py, Qwen3-8B)
ROOM_BESIDE_WEIGHTS_BYTES = 1.5e9  # interpreter, libraries, recognizer, voice, keys and values (measured: 1.3e9)


@dataclass(frozen=True)
class Check:
    """One line of the report."""

    name: str
    status: Literal["ok", "warn", "problem"]
    found: str
    remedy: str = ""


def examine(settings: Settings) -> list[Check]:
    """Every check for the profile, in the order in which things are needed."""
    entries = model_store.entries_of(settings.models)
    on_gpu = settings.profile.startswith("gpu")
    return [
        _python(),
        _platform(),
        _processor(),
        _memory(entries, on_gpu),
        _disk(entries),
        *_packages(),
        _gpu(entries, on_gpu, settings.reasoning.weights),
        *(() if on_gpu else (_native_kernel(),)),
        *(_model(entry, settings) for entry in entries),
        *_sound(),
        *((_echo_canceller(),) if settings.hearing.echo_canceller != "off" else ()),
    ]


def microphone_name() -> str:
    """The default input device.

    Raises:
        UnusableInput: PortAudio is missing, or there is no input device.
    """
    sound = _sounddevice()
    if sound is None:
        raise UnusableInput(f"no microphone can be opened, the PortAudio library is missing: run '{PORTAUDIO_REMEDY}'")
    name = _device_name(sound, "input")
    if name is None:
        raise UnusableInput(
            "no microphone found: plug one in, or choose a default input in the system's sound settings"
        )
    return name


def _python() -> Check:
    return Check("python", "ok", f"{platform.python_version()} in {sys.prefix}")


def _platform() -> Check:
    found = f"{platform.system()} {platform.machine()}"
    if sys.platform == "linux" and platform.machine() in ("x86_64", "aarch64"):
        return Check("platform", "ok", found)
    return Check("platform", "warn", found, "tested on Linux x86_64 only")


def _processor() -> Check:
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    flags = _cpu_flags()
    fast = [flag for flag in ("avx2", "avx512f", "avx512_vnni", "avx512_bf16", "amx_int8", "asimddp") if flag in flags]
    found = f"{cores} cores, {' '.join(fast) or 'no vector instructions known'}"
    if cores < 2:
        return Check("processor", "warn", found, "hearing, thinking and speaking at once want two cores or more")
    return Check("processor", "ok" if fast else "warn", found, "" if fast else "expect slow answers")


def _cpu_flags() -> set[str]:
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return set()
    flags = next((line for line in lines if line.startswith(("flags", "Features"))), ":")
    return set(flags.split(":", 1)[1].split())


def _memory(entries: list[ModelEntry], on_gpu: bool) -> Check:
    memory = psutil.virtual_memory()
    weights = 0 if on_gpu else sum(entry.size_bytes for entry in entries)
    needed = weights + ROOM_BESIDE_WEIGHTS_BYTES
    found = f"{memory.available / 1e9:.1f} of {memory.total / 1e9:.1f} GB available, {needed / 1e9:.1f} GB needed"
    if memory.total < needed:
        return Check("memory", "problem", found, "choose a smaller profile: --profile tiny")
    return Check("memory", *(("ok", found) if memory.available >= needed else ("warn", found, "close other programs")))


def _disk(entries: list[ModelEntry]) -> Check:
    models = model_store.models_folder()
    existing = next(folder for folder in (models, *models.parents) if folder.exists())
    free = shutil.disk_usage(existing).free
    needed = sum(2 * entry.size_bytes for entry in entries if not model_store.is_present(entry, models))
    found = f"{free / 1e9:.1f} GB free in {models}"
    if free < needed:
        remedy = f"{needed / 1e9:.1f} GB are needed: make room, or let VOICE_AGENT_MODELS name another folder"
        return Check("disk", "problem", found, remedy)
    return Check("disk", "ok", found)


def _packages() -> Iterator[Check]:
    for name in ("torch", "transformers", "faster-whisper", "piper-tts"):
        try:
            yield Check(name, "ok", importlib.metadata.version(name))
        except importlib.metadata.PackageNotFoundError:
            yield Check(name, "problem", "not installed", "run scripts/setup")


def _gpu(entries: list[ModelEntry], on_gpu: bool, weights: str) -> Check:
    import torch

    if not torch.cuda.is_available():
        if on_gpu:
            return Check("gpu", "problem", "no CUDA device", "install the NVIDIA driver, or choose --profile cpu")
        return Check("gpu", "ok", "none, none needed")
    device = torch.cuda.get_device_properties(0)
    found = f"{device.name}, {device.total_memory / 1e9:.0f} GB, CUDA {torch.version.cuda}"
    largest = max(entry.size_bytes for entry in entries) * SHARE_KEPT[weights]
    if on_gpu and device.total_memory < largest:
        return Check("gpu", "problem", found, f"the language model alone has {largest / 1e9:.0f} GB: a smaller profile")
    return Check("gpu", "ok", found)


def _native_kernel() -> Check:
    """The compiled kernel of the packed linears; without it torch's own is used."""
    from .reasoning.packed.native_build import library_path

    if library_path().is_file():
        return Check("native kernel", "ok", f"built, {library_path().name}")
    if shutil.which("g++") is None:
        return Check("native kernel", "warn", "not built, no C++ compiler", COMPILER_REMEDY)
    return Check("native kernel", "warn", "not built, answers are slower", "scripts/setup builds it")


def _model(entry: ModelEntry, settings: Settings) -> Check:
    models = model_store.models_folder()
    if model_store.is_present(entry, models):
        return Check(entry.role, "ok", f"{entry.name}, {entry.size_bytes / 1e6:.0f} MB, {entry.licence}")
    if entry.module:
        remedy = f"pip install {entry.requirement}: only scenarios that synthesise speech need it"
        return Check(entry.role, "warn", f"{entry.name} is not installed", remedy)
    of_profile = entry in model_store.models_of(settings.profile)
    remedy = f"voice-agent models fetch {settings.profile if of_profile else entry.name}"
    return Check(entry.role, "problem", f"{entry.name} is not in {models}", remedy)


def _sound() -> Iterator[Check]:
    sound = _sounddevice()
    if sound is None:
        yield Check("sound", "warn", "the PortAudio library is missing", f"{PORTAUDIO_REMEDY}: only talk needs it")
        return
    for kind, what in (("input", "microphone"), ("output", "loudspeaker")):
        name = _device_name(sound, kind)
        if name is None:
            yield Check(what, "warn", "none found", "only talk needs one; replay and ask work without")
        else:
            yield Check(what, "ok", name)


def _echo_canceller() -> Check:
    """The library of the canceller is loaded with its package."""
    try:
        import livekit.rtc.apm  # noqa: F401
    except Exception as error:  # a library that does not fit the machine raises what it likes
        found = f"livekit cannot be imported ({type(error).__name__}: {error})"
        return Check("echo canceller", "warn", found, "use headphones, or pip install --force-reinstall livekit")
    return Check("echo canceller", "ok", f"WebRTC's, livekit {importlib.metadata.version('livekit')}")


def _sounddevice() -> Any:
    """The sounddevice module, None where PortAudio is missing: it then raises OSError on import."""
    try:
        import sounddevice
    except OSError:
        return None
    return sounddevice


def _device_name(sound: Any, kind: str) -> str | None:
    """The default device of a kind ('input', 'output'), else the first that there is."""
    try:
        return str(sound.query_devices(kind=kind)["name"])
    except (sound.PortAudioError, ValueError):
        usable = [device for device in sound.query_devices() if device[f"max_{kind}_channels"] > 0]
        return str(usable[0]["name"]) if usable else None
