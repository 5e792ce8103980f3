"""Every setting, one frozen group per room, and the profiles that choose them for a machine.

    load_settings(profile, config file) -> Settings

A profile names the models (by their names in models/manifest.toml) and whatever differs from the defaults; a TOML file
overrides single values: `[floor] turn_silence_s = 0.8`. Units stand in the names. Standard library only.
"""

from __future__ import annotations

import dataclasses
import tomllib
from collections.abc import Callable
from dataclasses import dataclass, field
from math import isfinite
from pathlib import Path
from typing import Any, Literal

from .errors import UnusableInput


@dataclass(frozen=True)
class Models:
    """Names of manifest entries."""

    language: str = "qwen2.5-coder-1.5b-instruct-q4_k_m"
    recognizer: str = "whisper-tiny.en"
    voice: str = "en_US-joe-medium"
    turn_judge: str = "smart-turn-v3.2"
    fixture_voice: str = "hibari-heart"


@dataclass(frozen=True)
class Hearing:
    """Microphone, speech detection, recognition."""

    rate_hz: int = 16_000
    frame_ms: int = 20
    detector: Literal["silero", "webrtc"] = "silero"
    voice_above: float = 0.3  # silero: probability of a voice that is one; above 0.4 it is late beside an echo
    voice_stays_above: float = 0.3  # and while it goes on
    detector_mode: int = 2  # webrtc: aggressiveness, 0 lenient .. 3 strict
    speech_start_ms: int = 80  # voiced frames within `speech_start_window_ms` that begin speech
    speech_start_window_ms: int = 120
    speech_end_ms: int = 240  # unvoiced time that ends it
    pre_roll_ms: int = 300  # sound before the onset that the recogniser hears too
    echo_canceller: Literal["webrtc", "off"] = "webrtc"  # takes the assistant's own voice out of the microphone
    minimum_level_dbfs: float = -50.0  # quieter frames are never speech
    reading_period_s: float = 0.6  # new sound between two readings of a growing utterance
    reading_pause_ms: int = 100  # unvoiced time after which it is read too: at the end of speech the words are there
    longest_utterance_s: float = 28.0  # whisper reads at most 30 s at once
    recognizer_beam: int = 1  # readings that are kept side by side while one is made; 1: greedy
    recognizer_threads: int = 1
    recognizer_niceness: int = 0  # 0..19: how far its threads step back behind the language model's (Linux)
    no_speech_threshold: float = 0.6
    end_of_turn: Literal["smart-turn", "silence"] = "smart-turn"  # by sound and words, or after turn_silence_s
    turn_complete_above: float = 0.3  # probability, by its sound, from which on a turn may be complete
    turn_doubtful_above: float = 0.05  # from which on one may be whose words are a question
    last_word_sure_above: float = 0.6  # the recogniser's probability of it; what breaks off is hard to read
    complete_silence_s: float = 0.4  # that ends a turn which sounds complete and asks for something
    doubtful_silence_s: float = 0.9  # which reads as a question and hardly sounds complete
    statement_silence_s: float = 1.5  # which sounds complete and only states, or whose last word is unsure
    unfinished_silence_s: float = 1.8  # which sounds or reads as if it went on
    frame_stream_capacity: int = 500  # frames that wait for the detector before the microphone drops and counts


@dataclass(frozen=True)
class Reasoning:
    """Thinker, writer, gate."""

    thinking_budget: int = 512  # thought tokens before the answer is closed
    reconsider_tokens: int = 48  # thought after words came in before the thinker may end (a small one gives up early)
    injection: Literal["inline", "before", "both"] = "both"  # where mid-thought words enter: in or before thoughts
    injection_reminder: bool = False  # say with them that the user has verified them
    thinker_reads_spoken: bool = False  # what is spoken stands before the thoughts, for the thinker too
    speaking_budget: int = 256  # spoken tokens of one answer
    context_tokens: int = 4096  # oldest turns leave the dialogue beyond this
    keep_thoughts: bool = False  # of past turns: better memory of how, for several times the room
    prefill_chunk: int = 64  # tokens of one stream per step
    gate_first_tokens: int = 6  # thoughts before an answer opens by telling what was asked
    gate_period: int = 24  # thought tokens between two utterances
    draft_ahead_tokens: int = 11  # thoughts before a probe from which on the next utterance is drafted; 0: never
    gate_open: float = 0.4  # share of yes that opens the writer
    gate_hysteresis: float = 0.0  # after a yes this much less is enough: a doubt does not stop a run of sentences
    safety_first_tokens: int = 16  # async-safe: thoughts before the writer may open
    safety_period: int = 64  # async-safe: thoughts between two looks at the request after that
    refuse_request_above: float = 0.005  # async-safe: probability, before any thought, of an answer that would refuse
    refuse_above: float = 0.06  # async-safe: the same behind thoughts, which raise it for harmless requests too
    second_reading_period: int = 48  # thoughts after which spoken results are compared with them once more
    number_guard: bool = True  # take a number back before it is given out when the thoughts have not reached it
    longest_silence_s: float = 4.0  # in time for this the writer says where it stands, whatever the gate thinks
    backlog_enough_s: float = 3.0  # audio still to be played that makes thinking more useful than writing
    thinker_temperature: float = 0.0  # 0: the likeliest token always
    thinker_top_p: float = 0.95  # share of the probability that is drawn from
    thinker_greedy_above: float = 0.5  # a likeliest token of this probability is taken without drawing; 1: never
    writer_temperature: float = 0.0
    writer_top_p: float = 0.9
    threads: int = 0  # torch threads; 0: all cores
    kernel: Literal["auto", "native", "triton", "torch", "plain"] = "auto"  # of packed linears and of attention
    cuda_graphs: bool = True  # on one GPU, replay steps that recur instead of launching their kernels anew
    weights: Literal["stored", "int8", "int4"] = "stored"  # round a transformers model's linears when it is loaded
    device_map: str = ""  # "auto": spread a model over all GPUs (and memory); needs the package accelerate
    dtype: Literal["auto", "float32", "bfloat16"] = "auto"


@dataclass(frozen=True)
class Floor:
    """Turn-taking."""

    turn_silence_s: float = 0.6  # silence after the last word that ends the user's turn where nothing else decides it
    think_ahead: bool = False  # think in the question's pauses already: sooner, but a small model sticks to its guess
    probe_relevance: bool = True  # ask the language model whether words were for others where they do not tell
    not_to_me_below: float = 0.0  # gain under which they were, nats a token; 0: as likely overheard as said here
    back_channel_longest_s: float = 1.5
    back_channel_most_words: int = 4


@dataclass(frozen=True)
class Speaking:
    """Clauses, voice, loudspeaker."""

    first_clause_words: int = 7  # a short first clause: early sound; shorter ones seldom tell what it is about
    clause_words: int = 12  # later clauses may wait this long for punctuation
    hurry_below_s: float = 1.5  # of sound still to be played: a clause may then be as short as a first one
    hurry_clause_words: int = 4  # and as short as this below half of it
    clause_stream_capacity: int = 32
    voice_threads: int = 1
    voice_niceness: int = 0  # as recognizer_niceness
    language: str = ""  # as espeak names it ("en-gb", "de"): pronunciation and spoken form; "": the voice's own
    speaker: int = 0  # of a voice that has several
    length_scale: float = 1.0  # above 1 speaks slower
    noise_scale: float = 0.667
    noise_w_scale: float = 0.8
    volume: float = 1.0


@dataclass(frozen=True)
class DeclaredCosts:
    """What a model call costs in virtual time. Defaults: the cpu profile, measured (docs/benchmarks.md)."""

    step_ms: float = 45.0  # a step of up to `step_rows` tokens
    step_rows: int = 3
    prefill_token_ms: float = 4.5  # every further token
    recognize_base_ms: float = 40.0
    recognize_ms_per_s: float = 25.0  # per second of sound that is read
    turn_judge_ms: float = 40.0
    clause_base_ms: float = 60.0
    clause_ms_per_s: float = 70.0  # per second of sound that is made

    def step_s(self, tokens: int) -> float:
        """Seconds of a step that feeds so many tokens."""
        return (self.step_ms + self.prefill_token_ms * max(0, tokens - self.step_rows)) / 1000


@dataclass(frozen=True)
class Settings:
    """All groups; `profile` is the name they came from."""

    profile: str = "cpu"
    models: Models = field(default_factory=Models)
    hearing: Hearing = field(default_factory=Hearing)
    reasoning: Reasoning = field(default_factory=Reasoning)
    floor: Floor = field(default_factory=Floor)
    speaking: Speaking = field(default_factory=Speaking)
    costs: DeclaredCosts = field(default_factory=DeclaredCosts)


# What a settings file may say, beyond the types: numbers are not negative, but for these.
OF_ANY_SIGN = ("minimum_level_dbfs", "not_to_me_below")
AT_LEAST_ONE = ("frame_stream_capacity", "clause_stream_capacity", "recognizer_beam", "step_rows")
ONLY = {"rate_hz": (16_000,), "frame_ms": (10, 20, 30)}  # what recogniser, judge and detectors are made for
NAMES = tuple(f.name for f in dataclasses.fields(Models))

PROFILES: dict[str, Settings] = {
    "cpu": Settings(),
    "tiny": Settings(
        profile="tiny",
        models=Models(language="smollm2-135m-instruct-q4_1"),
        reasoning=Reasoning(thinking_budget=96, speaking_budget=48),
        costs=DeclaredCosts(step_ms=20.0, prefill_token_ms=2.0),
    ),
    # Sizes: reasoning/memory_need.py counts weights and cache, a test holds them to the GPU's memory.
    "gpu-12gb": Settings(
        profile="gpu-12gb",
        models=Models(language="qwen3-8b", recognizer="whisper-base"),
        reasoning=Reasoning(weights="int4", thinking_budget=4096, speaking_budget=512, context_tokens=16_384),
        costs=DeclaredCosts(step_ms=20.0, prefill_token_ms=0.5),
    ),
    "gpu-24gb": Settings(
        profile="gpu-24gb",
        models=Models(language="qwen3-8b", recognizer="whisper-base"),
        reasoning=Reasoning(thinking_budget=4096, speaking_budget=512, context_tokens=16_384),
        costs=DeclaredCosts(step_ms=12.0, prefill_token_ms=0.2),
    ),
    "gpu-48gb": Settings(
        profile="gpu-48gb",
        models=Models(language="qwen3-32b", recognizer="whisper-base"),
        reasoning=Reasoning(weights="int8", thinking_budget=8192, speaking_budget=512, context_tokens=16_384),
        costs=DeclaredCosts(step_ms=50.0, prefill_token_ms=1.0),
    ),
    "gpu-80gb": Settings(
        profile="gpu-80gb",
        models=Models(language="qwen3-32b", recognizer="whisper-base"),
        reasoning=Reasoning(thinking_budget=8192, speaking_budget=512, context_tokens=32_768),
        costs=DeclaredCosts(step_ms=32.0, prefill_token_ms=0.5),
    ),
}


def load_settings(
    profile: str, config: Path | None = None, calibrated: Callable[[str], dict[str, Any]] = lambda model: {}
) -> Settings:
    """The profile's settings with the values of a TOML file on top.

    calibrated: what was measured for a language model, as values of the group `reasoning`; they replace the profile's.

    Raises:
        UnusableInput: unknown profile, unreadable file, unknown group or key, value of the wrong type or out of bounds.
    """
    if profile not in PROFILES:
        raise UnusableInput(f"unknown profile '{profile}': choose one of {', '.join(PROFILES)}")
    settings = PROFILES[profile]
    tables = _tables_of(config) if config else {}
    chosen = tables.get("models")
    model = chosen.get("language") if isinstance(chosen, dict) else None
    model = model if isinstance(model, str) else settings.models.language
    if measured := calibrated(model):
        reasoning = _override(settings.reasoning, measured, f"what was measured for {model}")
        settings = dataclasses.replace(settings, reasoning=reasoning)
    groups = {f.name for f in dataclasses.fields(Settings)} - {"profile"}
    for name, values in tables.items():
        if name not in groups or not isinstance(values, dict):
            raise UnusableInput(f"{config}: unknown group '{name}'; the groups are {', '.join(sorted(groups))}")
        group: Any = _override(getattr(settings, name), values, f"{config} [{name}]")
        settings = dataclasses.replace(settings, **{name: group})
    return settings


def _tables_of(config: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(config.read_text(encoding="utf-8"))
    except OSError as error:
        raise UnusableInput(f"cannot read the settings file {config}: {error.strerror or error}") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise UnusableInput(f"{config} is not valid TOML: {error}") from error


def _override(group: Any, values: dict[str, Any], where: str) -> Any:
    known = {f.name: f for f in dataclasses.fields(group)}
    checked = {}
    for key, value in values.items():
        if key not in known:
            raise UnusableInput(f"{where}: unknown key '{key}'; known are {', '.join(known)}")
        default = getattr(group, key)
        if isinstance(default, float) and isinstance(value, int) and not isinstance(value, bool):
            value = float(value)
        if type(value) is not type(default):
            expected, got = type(default).__name__, type(value).__name__
            raise UnusableInput(f"{where}: {key} must be {expected}, not {got} ({value!r})")
        allowed = _allowed_values(str(known[key].type))
        if allowed and value not in allowed:
            raise UnusableInput(f"{where}: {key} must be one of {', '.join(allowed)}, not '{value}'")
        if wrong := _out_of_bounds(key, value):
            raise UnusableInput(f"{where}: {key} must be {wrong}, not {value!r}")
        checked[key] = value
    return dataclasses.replace(group, **checked)


def _out_of_bounds(key: str, value: Any) -> str:
    """What a value of that key must be, where this one is not; ''."""
    if key in NAMES and not value:
        return "the name or the path of a model"
    if isinstance(value, bool | str):
        return ""
    if not isfinite(value):
        return "a number"
    if key in ONLY and value not in ONLY[key]:
        return f"one of {', '.join(map(str, ONLY[key]))}"
    least = 1 if key in AT_LEAST_ONE else 0
    return f"at least {least}" if value < least and key not in OF_ANY_SIGN else ""


def _allowed_values(annotation: str) -> tuple[str, ...]:
    """'Literal["a", "b"]' -> ("a", "b"); anything else -> ()."""
    if not annotation.startswith("Literal["):
        return ()
    return tuple(part.strip().strip("\"'") for part in annotation[len("Literal[") : -1].split(","))
