"""Which sound devices a talk uses, found and tried before any model is loaded.

choose_device("input" | "output", number | part of a name | None) -> SoundDevice
handle(device) -> its name where that names it alone, so that later sentences name it too; else its number
look_again() -> devices that came and went meanwhile are known
"""

from __future__ import annotations

from typing import Literal

from ..errors import UnusableInput
from ..hearing.microphone import SoundDevice, list_devices

Kind = Literal["input", "output"]

_NAMES = {"input": "microphone", "output": "loudspeaker"}


def choose_device(kind: Kind, wanted: int | str | None) -> SoundDevice:
    """The wanted device, else the system's default, else the first that can do it.

    Raises:
        UnusableInput: PortAudio is missing, there is no such device (the sentence names those that exist), or it
            cannot be opened.
    """
    what = _NAMES[kind]
    usable = [device for device in list_devices() if (device.inputs if kind == "input" else device.outputs)]
    if not usable:
        raise UnusableInput(
            f"no {what} was found: connect one, or hold a recorded conversation with 'voice-agent replay'"
        )
    device = _find(kind, usable, wanted)
    if device is None:
        known = ", ".join(f"{device.index} '{device.name}'" for device in usable)
        raise UnusableInput(f"there is no {what} '{wanted}': choose --{kind}-device among {known}")
    _try(kind, device)
    return device


def handle(device: SoundDevice) -> int | str:
    """What to open the device by."""
    names = [other.name for other in list_devices()]
    return device.name if names.count(device.name) == 1 else device.index


def look_again() -> None:
    """Let PortAudio find out anew what is connected, which it does only when it starts; all streams must be closed."""
    import sounddevice

    sounddevice._terminate()
    sounddevice._initialize()


def _find(kind: Kind, usable: list[SoundDevice], wanted: int | str | None) -> SoundDevice | None:
    if wanted is None:
        preferred = (d for d in usable if (d.default_input if kind == "input" else d.default_output))
        return next(preferred, usable[0])
    if isinstance(wanted, int):
        return next((device for device in usable if device.index == wanted), None)
    return next((device for device in usable if wanted.lower() in device.name.lower()), None)


def _try(kind: Kind, device: SoundDevice) -> None:
    import sounddevice

    check = sounddevice.check_input_settings if kind == "input" else sounddevice.check_output_settings
    try:
        check(device=device.index, channels=1, dtype="float32", samplerate=device.rate_hz)
    except sounddevice.PortAudioError as error:
        raise UnusableInput(
            f"the {_NAMES[kind]} '{device.name}' cannot be opened ({error}): close what uses it, or choose another "
            f"with --{kind}-device ('voice-agent doctor' lists what there is)"
        ) from error
