"""Stop words and back-channels in sound: is what is heard of them taken for what it was?

    understood(say, phrase, means) -> Understood, for every speaker; in the streaming path, judged as over an answer

A stop is understood when an utterance of it is judged one (overlap.py); a back-channel when nothing of it is taken for
words to the assistant, so that the answer goes on; any other saying when it is taken for neither.
"""

from __future__ import annotations

from dataclasses import dataclass

from ...events import UtteranceRecognized
from ...overlap import judge
from ...settings import Settings
from .ear import hear
from .recognition import Metered, Saying

HARMLESS = ("back-channel", "noise")


@dataclass(frozen=True)
class Understood:
    """One phrase by one speaker, what was heard of it and what that was taken for."""

    speaker: str
    text: str
    heard: str
    kinds: tuple[str, ...]
    right: bool


def understood(saying: Saying, means: str, recognizer: Metered, settings: Settings) -> Understood:
    """Let one phrase be heard. means: 'stop', 'back-channel' or 'saying'; saying.name is the speaker's."""
    utterances = hear(saying.sound, recognizer, settings).of(UtteranceRecognized)
    kinds = tuple(judge(one.text, one.end_s - one.start_s, "", settings.floor, one.doubtful) for one in utterances)
    right = {
        "stop": "stop" in kinds,
        "back-channel": all(kind in HARMLESS for kind in kinds),
        "saying": any(kind not in (*HARMLESS, "stop") for kind in kinds),
    }[means]
    return Understood(saying.name, saying.text, " ".join(one.text for one in utterances), kinds, right)
