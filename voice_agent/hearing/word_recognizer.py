"""Recognise the words in a stretch of sound.

    samples (n,) float32, 16 kHz -> WordRecognizer.read -> words, times in seconds from samples[0]

One pass of Whisper (faster-whisper, CTranslate2, int8) over a *short* window: the sound plus a few seconds of
silence instead of the usual 30 s, which makes a reading three times cheaper at nearly the same word error rate.
What is short may be a word over an answer: of nearly equal guesses the one that people say there is taken ("Just a sec"
before "Just a sack"), and where there is none the sound is read once more, as if such words had gone before. Text that
the model invents on noise is dropped. Knows nothing of tasks or of earlier readings.
"""

from __future__ import annotations

import dataclasses
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from faster_whisper import WhisperModel
from faster_whisper.tokenizer import Tokenizer
from faster_whisper.transcribe import get_suppressed_tokens, merge_punctuations

from ..errors import UnusableInput
from ..events import Word
from ..overlap import is_trivial
from ..settings import Hearing
from .voicing import level_dbfs
from .word_agreement import plain_text

RATE_HZ = 16_000
HOP_SAMPLES = 160  # of the spectrogram: 100 frames a second
WHOLE_WINDOW = 3000  # frames; what Whisper was trained on
SHORTEST_WINDOW = 1000  # in 6 s windows one reading of cut-off speech in ten repeats itself, in 10 s one in seventy
WINDOW_SILENCE = 500  # frames of silence after the sound; with 100 one word in five is lost
TIMESTAMP_S = 0.02
STAMP_ERROR_S = 0.2
SHORTEST_SOUND_S = 0.1
LONGEST_WORD_S = 1.0  # the alignment gives a pause to the word that follows it
TOKENS_PER_S = 10  # nobody speaks faster; more is a loop
REPETITIVE = 2.4  # compression ratio of a loop (openai/whisper, transcribe.py)
IMPROBABLE = -1.0  # mean log probability of a doubtful text (same source)
DOUBTFUL_WORDS = -1.1  # mean log probability; measured: short words stay above it, hummed ones mostly below
DOUBTFUL_SPEECH = 0.3  # measured: speech stays below 0.2, noise, music and silence lie above 0.8
QUIET_DBFS = -45.0
SHORT_SOUND_S = 2.5  # with the silence before and after it
SHORT_WORDS = 5
SHORT_BEAMS = 5  # guesses at such a sound; costs half a reading more
PHRASE_MARGIN = 0.3  # mean log probability by which such a phrase may be behind the best guess
ASIDES = " Stop. Wait. Hold on. Okay. Yeah. Right. Uh-huh. I see."  # before a short sound that is read once more
ASIDE_MARGIN = 0.4  # as PHRASE_MARGIN, of those guesses
SURE_BESIDE = -0.8  # mean log probability there from which on what was read before is no longer doubtful
PREPENDED, APPENDED = "\"'“([{-", "\"'.,!?:”)]}"  # marks that belong to the word after, before them
INVENTED = frozenset(  # what Whisper's training data made it say over silence
    (
        "you",
        "thank you",
        "thanks for watching",
        "thank you for watching",
        "please subscribe",
        "bye",
        "so",
        "okay",
        "the",
    )
)


@dataclass(frozen=True)
class _Pass:
    """What the model said about one window: `tokens` with time stamps, `encoded` for the alignment."""

    tokens: list[int]
    text_tokens: list[int]
    text: str
    mean_log_probability: float
    no_speech: float
    encoded: object
    runaway: bool


class WordRecognizer:
    """Owns one Whisper model; `read` blocks and is called by one thread at a time."""

    def __init__(self, model: WhisperModel, settings: Hearing) -> None:
        self._model = model
        self._settings = settings
        self._tokenizer = Tokenizer(model.hf_tokenizer, model.model.is_multilingual, task="transcribe", language="en")
        self._suppressed = get_suppressed_tokens(self._tokenizer, (-1,))

    @classmethod
    def load(cls, folder: Path, settings: Hearing) -> WordRecognizer:
        """Load a CTranslate2 Whisper model from `folder`; takes 0.2-0.5 s for tiny.en.

        Raises:
            UnusableInput: a file is missing or damaged.
        """
        missing = [name for name in ("config.json", "model.bin", "tokenizer.json") if not (folder / name).is_file()]
        if missing:  # checked first: faster-whisper would look for a missing tokenizer on the network
            raise UnusableInput(f"the recogniser's folder {folder} lacks {', '.join(missing)}: fetch the model again")
        try:
            model = WhisperModel(
                str(folder),
                device="cpu",
                compute_type="int8",
                cpu_threads=settings.recognizer_threads,
                num_workers=1,
                local_files_only=True,
            )
            return cls(model, settings)
        except Exception as error:  # tokenizers raises bare Exception
            raise UnusableInput(
                f"the recogniser in {folder} cannot be loaded ({error}): fetch the model again"
            ) from error

    def warm_up(self) -> None:
        """Read a second of noise, so that the first real reading is not the slow one."""
        noise = np.random.default_rng(0).normal(0.0, 0.05, RATE_HZ).astype(np.float32)
        self.read(noise)

    def read(self, samples: np.ndarray) -> list[Word]:
        """The words in samples (n,) float32 at 16 kHz; times from samples[0], none of them final."""
        words: list[Word] = []
        start = 0
        while len(samples) - start >= SHORTEST_SOUND_S * RATE_HZ:
            window = samples[start : start + WHOLE_WINDOW * HOP_SAMPLES]
            said = self._listen(window)
            covered = self._covered(said.tokens, len(window))
            if not self._is_invented(said, window):
                words += self._align(said, len(window), start / RATE_HZ)
            start += covered
        return words

    def _listen(self, window: np.ndarray) -> _Pass:
        frames = len(window) // HOP_SAMPLES
        wanted = max(SHORTEST_WINDOW, -(-(frames + WINDOW_SILENCE) // 50) * 50)
        said = self._decode(window, min(WHOLE_WINDOW, wanted))
        if said.runaway and wanted < WHOLE_WINDOW:  # a loop is a fault of the short window more often than of the sound
            said = self._decode(window, WHOLE_WINDOW)
        return said

    def _decode(self, window: np.ndarray, frames: int) -> _Pass:
        padded = np.pad(window, (0, max(0, frames * HOP_SAMPLES - len(window))))
        features = self._model.feature_extractor(padded, padding=0)[:, :frames]  # (mels, frames)
        encoded = self._model.encode(features)
        most = int(len(window) / RATE_HZ * TOKENS_PER_S) + 12
        guess, no_speech = self._guesses(encoded, len(window), most, self._settings.recognizer_beam, 1)
        tokens, score = guess[0]
        if len(window) <= SHORT_SOUND_S * RATE_HZ and 0 < len(self._text(tokens).split()) <= SHORT_WORDS:
            guesses = [guess[0], *self._guesses(encoded, len(window), most, SHORT_BEAMS, SHORT_BEAMS)[0]]
            tokens, score = guesses[
                likely_phrase([self._text(ids) for ids, _ in guesses], [score for _, score in guesses])
            ]
            if no_speech <= DOUBTFUL_SPEECH and not is_trivial(self._text(tokens)):
                asides, _ = self._guesses(encoded, len(window), most, SHORT_BEAMS, SHORT_BEAMS, before=ASIDES)
                tokens, score = self._second_look(tokens, score, asides)
        text = self._text(tokens)
        text_tokens = [token for token in tokens if token < self._tokenizer.eot]
        ratio = len(text.encode()) / len(zlib.compress(text.encode())) if text else 0.0
        return _Pass(
            tokens=tokens,
            text_tokens=text_tokens,
            text=text,
            mean_log_probability=score,
            no_speech=no_speech,
            encoded=encoded,
            runaway=ratio > REPETITIVE or len(text_tokens) >= most,
        )

    def _second_look(
        self, tokens: list[int], score: float, asides: list[tuple[list[int], float]]
    ) -> tuple[list[int], float]:
        """What to take for a short sound that was no phrase at first, given its guesses among asides."""
        texts, scores = [self._text(ids) for ids, _ in asides], [score for _, score in asides]
        phrase = likely_phrase(texts, scores, ASIDE_MARGIN)
        if is_trivial(texts[phrase]) and 0 < len(texts[phrase].split()) <= SHORT_WORDS:
            return asides[phrase]
        said = plain_text(self._text(tokens))
        again = [one for text, one in zip(texts, scores, strict=True) if plain_text(text) == said]
        return tokens, max([score, *(one for one in again if one >= SURE_BESIDE)])

    def _guesses(
        self, encoded: Any, samples: int, most: int, beams: int, guesses: int, before: str = ""
    ) -> tuple[list[tuple[list[int], float]], float]:
        """What may have been said: (tokens, mean log probability), best first; and how likely it is no speech.

        before: what the model is to believe was said just before.
        """
        prompt = list(self._tokenizer.sot_sequence)
        if before:
            prompt = [self._tokenizer.sot_prev, *self._tokenizer.encode(before), *prompt]
        result = self._model.model.generate(
            encoded,
            [prompt],
            beam_size=beams,
            num_hypotheses=guesses,
            max_length=min(self._model.max_length, 2 * (len(prompt) + most)),  # CTranslate2 halves it for the prompt
            return_scores=True,
            return_no_speech_prob=True,
            suppress_blank=True,
            suppress_tokens=self._suppressed,
            max_initial_timestamp_index=50,
        )[0]
        made = [
            (self._within(list(tokens), samples / RATE_HZ), float(score))
            for tokens, score in zip(result.sequences_ids, result.scores, strict=True)
        ]
        return made, float(result.no_speech_prob)

    def _text(self, tokens: list[int]) -> str:
        return str(self._tokenizer.decode([token for token in tokens if token < self._tokenizer.eot])).strip()

    def _within(self, tokens: list[int], sound_s: float) -> list[int]:
        """The tokens up to the first time stamp at the end of the sound; what follows repeats them over the silence."""
        last_stamp = self._tokenizer.timestamp_begin + (sound_s - STAMP_ERROR_S) / TIMESTAMP_S
        ends = [i for i, token in enumerate(tokens) if i and token >= last_stamp]
        return tokens[: ends[0] + 1] if ends else tokens

    def _covered(self, tokens: list[int], samples: int) -> int:
        """How many samples were read: up to the last time stamp if two stamps in a row say 'to be continued'."""
        first_stamp = self._tokenizer.timestamp_begin
        if len(tokens) >= 2 and tokens[-2] >= first_stamp and tokens[-1] >= first_stamp:
            read = int((tokens[-1] - first_stamp) * TIMESTAMP_S * RATE_HZ)
            if RATE_HZ <= read < samples:  # at least a second: always forward
                return read
        return samples

    def _is_invented(self, said: _Pass, window: np.ndarray) -> bool:
        plain = plain_text(said.text)
        if not plain or said.runaway or said.no_speech > self._settings.no_speech_threshold:
            return True
        if said.no_speech > DOUBTFUL_SPEECH and said.mean_log_probability < IMPROBABLE:
            return True
        return plain in INVENTED and (said.no_speech > DOUBTFUL_SPEECH or level_dbfs(window) < QUIET_DBFS)

    def _align(self, said: _Pass, samples: int, start_s: float) -> list[Word]:
        frames = max(2, samples // HOP_SAMPLES)
        alignment = self._model.find_alignment(self._tokenizer, [said.text_tokens], said.encoded, frames)[0]
        merge_punctuations(alignment, PREPENDED, APPENDED)
        words: list[Word] = []
        for item in alignment:
            text = item["word"]
            if not plain_text(text):
                if words and not text.startswith(" "):  # '20' + '%'; its time is the silence after it
                    words[-1] = dataclasses.replace(words[-1], text=words[-1].text + text.strip())
                continue
            end_s = start_s + min(float(item["end"]), samples / RATE_HZ)
            begin_s = min(end_s, max(start_s + float(item["start"]), end_s - LONGEST_WORD_S))
            probability = float(item["probability"])
            if words and not text.startswith(" "):  # 'Uh' + '-huh.': one word
                first = words.pop()
                text, begin_s, probability = first.text + text, first.start_s, min(first.probability, probability)
            doubtful = said.mean_log_probability < DOUBTFUL_WORDS
            placed = (text.strip(), round(begin_s, 3), round(end_s, 3))
            words.append(Word(*placed, final=False, doubtful=doubtful, probability=probability))
        return words


def likely_phrase(texts: Sequence[str], scores: Sequence[float], margin: float = PHRASE_MARGIN) -> int:
    """Which guess to take: the first, or the likeliest stop word or back-channel if it is near the likeliest of all.

    scores: mean log probabilities. margin: how near.
    """
    best = max(scores)
    order = sorted(range(len(texts)), key=lambda i: (-scores[i], i))
    near = (i for i in (0, *order) if scores[i] >= best - margin and plain_text(texts[i]))
    return next((i for i in near if is_trivial(texts[i])), 0)
