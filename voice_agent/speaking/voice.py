"""Clauses to sound, with the sample at which each written word has sounded.

    Clause -> Voice.synthesize -> ClauseAudio

A Piper voice (VITS on onnxruntime) behind one session of our own: few threads that do not spin while they wait, because
the language model needs the cores, and the phoneme durations as a second output. Blocking; one thread at a time. Knows
nothing of what is played when.
"""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import numpy as np

from ..errors import UnusableInput
from ..events import Clause, ClauseAudio
from ..settings import Speaking
from .spoken_form import spoken_form
from .word_alignment import Phoneme, spread, word_ends, word_timings

_AUDIBLE = 0.01  # -40 dBFS
_LOUDNESS = 0.12  # root mean square of the audible samples: the same for a short clause and a long one
_HIGHEST_PEAK = 0.95
_LEAD_S = 0.01  # kept before the first audible sample
_LINE_BREAK_S = 0.15  # before a clause on a new line
_PAUSES_S = {".": 0.3, "!": 0.3, "?": 0.3, "…": 0.3, ":": 0.2, ";": 0.2, ",": 0.12}  # after a clause, by its mark
_PAUSE_S = 0.03  # after one that was cut between two words


_LETTER_A = re.compile(  # no article stands there
    r"\b[aA]\b(?=[.,;:!?)]|$|\s(?:(?:squared |cubed )?(?:is|equals|plus|minus|times|over|divided by)|to the power)\b"
    r"(?! sign| table))|(?<=[\w,] )A\b"
)


class Voice:
    """One loaded voice. `fallbacks` counts the clauses whose words could not be aligned with their phonemes."""

    def __init__(self, piper: Any, settings: Speaking) -> None:
        from piper.config import SynthesisConfig

        self.rate_hz: int = piper.config.sample_rate
        self.fallbacks = 0
        self._piper = piper
        self._volume = settings.volume
        self._language: str = piper.config.espeak_voice
        self._config = SynthesisConfig(
            speaker_id=settings.speaker if piper.config.num_speakers > 1 else None,
            length_scale=settings.length_scale,
            noise_scale=settings.noise_scale,
            noise_w_scale=settings.noise_w_scale,
            normalize_audio=False,
        )

    @classmethod
    def load(cls, path: Path, settings: Speaking, seed: int = 0) -> Voice:
        """Load the voice `path`; its description lies beside it with `.json` appended. `seed`: of its noise.

        Raises:
            UnusableInput: either file is missing or broken, or a setting does not suit the voice.
        """
        from piper import PiperVoice
        from piper.config import PiperConfig

        _check(settings)
        description = Path(f"{path}.json")
        for file in (path, description):
            if not file.is_file():
                raise UnusableInput(
                    f"no voice file {file}: fetch it with `voice-agent models fetch`, or name a Piper "
                    "voice by the path of its .onnx file, with its .onnx.json beside it"
                )
        try:
            config = PiperConfig.from_dict(json.loads(description.read_text(encoding="utf-8")))
            voice = PiperVoice(session=_session(path, settings.voice_threads, seed), config=config)
        except Exception as error:  # onnx and onnxruntime raise a dozen kinds of their own for a broken file
            raise UnusableInput(
                f"the voice {path} cannot be loaded ({type(error).__name__}: {_first_line(error)}): "
                "delete it and run `voice-agent models fetch`"
            ) from error
        if not 0 <= settings.speaker < max(config.num_speakers, 1):
            raise UnusableInput(
                f"the voice {path} has {config.num_speakers} speakers, [speaking] speaker = {settings.speaker} is not "
                f"one of them: choose 0 to {max(config.num_speakers, 1) - 1}"
            )
        _speak_language(voice, settings.language)
        return cls(voice, settings)

    def synthesize(self, clause: Clause) -> ClauseAudio:
        """Say `clause`; no samples where there is nothing to say."""
        form = spoken_form(clause.text, self._language)
        sound, phonemes = self._say(self._pronounceable(form.text)) if form.text else (np.zeros(0, np.float32), [])
        audible = np.flatnonzero(np.abs(sound) > _AUDIBLE)
        if not len(audible):
            return ClauseAudio(
                clause, self.rate_hz, sound[:0], word_timings(clause.text, form, [0] * len(form.text), 0)
            )

        ends = word_ends(phonemes, [self._pronounce(word) for word in form.text.split()])
        if ends is None:
            self.fallbacks += 1
            ends = spread(form.text.split(), int(audible[-1]))
        lead = round((_LEAD_S + _LINE_BREAK_S * clause.text.lstrip(" ").startswith("\n")) * self.rate_hz)
        pause = round(_PAUSES_S.get(form.text.rstrip("\"'”)*")[-1], _PAUSE_S) * self.rate_hz)
        samples, shift = _trim(sound, int(audible[0]), int(audible[-1]) + 1, lead, pause)
        ends = [max(0, end + shift) for end in ends]
        return ClauseAudio(clause, self.rate_hz, samples, word_timings(clause.text, form, ends, len(samples)))

    def _say(self, text: str) -> tuple[np.ndarray, list[Phoneme]]:
        """Sound of a text at one loudness, and its phonemes with their end samples; none where it tells none."""
        chunks = list(self._piper.synthesize(text, self._config, include_alignments=True))
        if not chunks:
            return np.zeros(0, np.float32), []
        phonemes: list[Phoneme] = []
        position = 0
        for chunk in chunks:
            for alignment in chunk.phoneme_alignments or ():
                position += int(alignment.num_samples)
                phonemes.append((alignment.phoneme, position))
        if any(chunk.phoneme_alignments is None for chunk in chunks):
            phonemes = []
        return self._level(np.concatenate([chunk.audio_float_array for chunk in chunks])), phonemes

    def _pronounceable(self, text: str) -> str:
        """The same words; espeak takes a letter "a" for the article, also in formulas and names."""
        return _LETTER_A.sub("eh", text) if self._language.startswith("en") else text

    def _level(self, sound: np.ndarray) -> np.ndarray:
        """Piper's own levels differ by 7 dB between clauses, and its peak normalising by 6 dB."""
        audible = sound[np.abs(sound) > _AUDIBLE]
        if not len(audible):
            return sound
        gain = min(_LOUDNESS / float(np.sqrt(np.mean(audible**2))), _HIGHEST_PEAK / float(np.abs(audible).max()))
        return np.clip(sound * np.float32(gain * self._volume), -1.0, 1.0).astype(np.float32)

    def _pronounce(self, word: str) -> list[str]:
        """Phonemes of a word said alone."""
        return [symbol for sentence in self._piper.phonemize(word) for symbol in sentence]


def _check(settings: Speaking) -> None:
    for name, value in (("length_scale", settings.length_scale), ("volume", settings.volume)):
        if not 0 < value < 10:
            raise UnusableInput(f"[speaking] {name} must be above 0 and below 10, not {value}: 1.0 is the voice's own")


def _speak_language(voice: Any, language: str) -> None:
    """Pronounce as espeak does for `language`; "": as the voice was trained."""
    if not language:
        return
    voice.config.espeak_voice = language
    try:
        voice.phonemize("a")
    except Exception as error:
        raise UnusableInput(
            f"espeak does not know the language '{language}' of [speaking] language: name it as espeak does "
            "(en-us, de, fr), or leave it out for the voice's own"
        ) from error


def _session(path: Path, threads: int, seed: int) -> Any:
    """An onnxruntime session of the voice that also returns the phoneme durations."""
    import onnx
    import onnxruntime
    from piper.patch_voice_with_alignment import add_alignment_output

    model = onnx.load(str(path))
    if len(model.graph.output) == 1:
        add_alignment_output(model)
    onnxruntime.set_seed(seed)  # read when a session is made
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    return onnxruntime.InferenceSession(model.SerializeToString(), options, providers=["CPUExecutionProvider"])


def _trim(sound: np.ndarray, first: int, end: int, lead: int, pause: int) -> tuple[np.ndarray, int]:
    """sound[first:end] is audible: exactly `lead` samples before and `pause` after it; also how far it was moved."""
    before, after = sound[max(0, first - lead) : first], sound[end : end + pause]
    parts = [
        np.zeros(lead - len(before), np.float32),
        before,
        sound[first:end],
        after,
        np.zeros(pause - len(after), np.float32),
    ]
    return np.concatenate(parts), lead - first


def _first_line(error: Exception) -> str:
    return (str(error).strip().splitlines() or ["no details"])[0]
