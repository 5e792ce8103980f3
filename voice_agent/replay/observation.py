"""What can be counted and timed in one scripted conversation; pure.

    observe(user items, truth, trace, loudspeaker) -> Observation

What an item was for is the script's word, never the assistant's: a cough that it took for "stop" is still a cough.
Sound is the right channel, audible above -40 dBFS (sound_levels.py). docs/measures.md defines every share and time.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

import numpy as np

from ..record.sound_levels import Levels
from ..record.summary import ClipTruth
from ..record.trace import TraceLine
from ..said import said
from .scenario import Meaning, UserItem
from .word_error import word_errors

TURN_ENDS = ("turn", "correction", "question")  # the user has said something and waits
CUTS = ("stop", "correction", "question")
FALSE_ALARMS = ("back-channel", "noise", "not-to-me")
OBEYED_WITHIN_S = 1.0  # later, the stop was not what silenced it
_BESIDE_SPEECH_S = 0.5  # a word so far from all that was spoken is invented
_AT_WORK_S = 0.5  # a step of the model is shorter
_RETOLD_WORDS = 3  # so many words again, right after they were heard, are a repetition


@dataclass
class Observation:
    """One conversation's, or several together: every occasion and what came of it."""

    shares: dict[str, list[bool]] = field(default_factory=lambda: defaultdict(list))
    seconds: dict[str, list[float]] = field(default_factory=lambda: defaultdict(list))
    words: int = 0  # that were said; 0 where a recording keeps them to itself
    word_errors: int = 0
    invented_words: int = 0
    underruns: int = 0


def together(observations: Iterable[Observation]) -> Observation:
    """All occasions of all conversations."""
    total = Observation()
    for one in observations:
        for name, outcomes in one.shares.items():
            total.shares[name] += outcomes
        for name, times in one.seconds.items():
            total.seconds[name] += times
        total.words += one.words
        total.word_errors += one.word_errors
        total.invented_words += one.invented_words
        total.underruns += one.underruns
    return total


def observe(
    items: Sequence[UserItem],
    truth: Sequence[ClipTruth],
    lines: Sequence[TraceLine],
    right: np.ndarray,
    rate_hz: int,
    origin_s: float,
) -> Observation:
    """Count and time one conversation.

    items: the scenario's; truth: those of them that had their turn, with their times.
    right: (n,) what the loudspeaker played, from `origin_s` on.
    """
    clips = [_Clip(items[clip.item - 1].means, clip.onset_s, clip.end_s) for clip in truth]
    talk = _Talk(clips, lines, Levels(right, rate_hz), origin_s)
    observation = Observation(underruns=len(talk.of("underrun")))
    for index, clip in enumerate(clips):
        talk.observe_clip(index, clip, observation)
    heard = [line for line in talk.of("word") if line["final"]]
    observation.seconds["lag"] = [line.t - line["end_s"] for line in heard]
    observation.invented_words = sum(len(said(line["text"])) for line in heard if talk.is_invented(line))
    texts = [items[clip.item - 1].words for clip in truth]
    if None not in texts:
        reference, recognised = " . ".join(filter(None, texts)), " ".join(line["text"] for line in heard)
        observation.word_errors, observation.words = word_errors(reference, recognised)
    return observation


@dataclass(frozen=True)
class _Clip:
    """Something the scripted user did; speech or noise fills [onset_s, end_s)."""

    means: Meaning
    onset_s: float
    end_s: float


class _Talk:
    """A conversation that is over, and the questions asked of it."""

    def __init__(self, clips: Sequence[_Clip], lines: Sequence[TraceLine], levels: Levels, origin_s: float) -> None:
        self._clips, self._lines, self._levels, self._origin_s = clips, lines, levels, origin_s

    def observe_clip(self, index: int, clip: _Clip, observation: Observation) -> None:
        silent_s = self._falls_silent_s(clip.onset_s)  # None: nothing sounded at its onset
        next_s = self._clips[index + 1].onset_s if index + 1 < len(self._clips) else np.inf
        if clip.means in TURN_ENDS:
            self._observe_turn_end(index, clip, observation)
        if clip.means == "unfinished":
            observation.shares["cut off"].append(self._loud_s(clip.end_s, next_s) is not None)
        if clip.means in CUTS and silent_s is not None:
            observation.seconds["stop"].append(silent_s - clip.onset_s)
        if clip.means == "stop":
            observation.shares["stop obeyed"].append(self._is_obeyed(index, clip, silent_s))
        if clip.means in FALSE_ALARMS and self._answers_at(clip.onset_s):
            went_on, once = self._goes_on(clip, next_s), self._every_word_once(clip, next_s)
            observation.shares["every word once"].append(once)
            observation.shares[f"goes on after {clip.means}"].append(went_on)
            observation.shares[f"resumes after {clip.means}"].append(went_on and once)
        elif clip.means in FALSE_ALARMS and self._all_answered(clip.onset_s):
            observation.shares["uninvited"].append(self._loud_s(clip.onset_s, next_s) is not None)

    def of(self, *kinds: str) -> list[TraceLine]:
        return [line for line in self._lines if line.kind in kinds]

    def is_invented(self, word: TraceLine) -> bool:
        """Whether nobody spoke when it is said to have been spoken."""
        return not any(
            clip.onset_s - _BESIDE_SPEECH_S < word["end_s"] and word["start_s"] < clip.end_s + _BESIDE_SPEECH_S
            for clip in self._clips
            if clip.means != "noise"
        )

    def _observe_turn_end(self, index: int, clip: _Clip, observation: Observation) -> None:
        until_s = self._speaks_again_s(index)
        first_s = self._loud_s(clip.end_s, until_s)
        if first_s is not None:
            observation.seconds["response"].append(first_s - clip.end_s)
        if first_s is not None or until_s == np.inf:  # else the user went on before anybody could answer
            observation.shares["takeover"].append(first_s is not None)
        ended = [line.t for line in self.of("turn_ended") if clip.end_s <= line.t < until_s]
        if clip.means == "turn" and ended:
            observation.seconds["dead air"].append(ended[0] - clip.end_s)
        injected = [line.t for line in self.of("injected") if clip.end_s <= line.t < until_s]
        if clip.means == "correction" and injected:
            observation.seconds["taken in"].append(injected[0] - clip.end_s)

    def _is_obeyed(self, index: int, clip: _Clip, silent_s: float | None) -> bool:
        if silent_s is None:
            return self._loud_s(clip.onset_s, self._speaks_again_s(index)) is None
        at_once = silent_s - clip.onset_s <= OBEYED_WITHIN_S
        return at_once and self._loud_s(silent_s, self._speaks_again_s(index)) is None

    def _goes_on(self, clip: _Clip, until_s: float) -> bool:
        """The answer was not taken for cut, and sounds on, or had nothing left to say."""
        if any(line["reason"] in CUTS for line in self._between("interrupted", clip.onset_s, until_s)):
            return False
        return self._loud_s(clip.end_s, until_s) is not None or self._all_said(clip.onset_s)

    def _every_word_once(self, clip: _Clip, until_s: float) -> bool:
        """Nothing is lost and nothing said twice; where the answer was cut, it is not retold from further back."""
        cuts = self._between("retracted", clip.onset_s, until_s)
        if not cuts:
            return self._in_order()
        before = said(self._text("sounded", 0.0, cuts[0].t))
        after = said(self._text("sounded", cuts[0].t, until_s))
        longest = min(len(before), len(after))
        return not any(before[-n:] == after[:n] for n in range(_RETOLD_WORDS, longest + 1))

    def _in_order(self) -> bool:
        """Every reply's words sounded as they were sent to the voice, each once, up to where it was cut."""
        cut = self._cut_replies(np.inf)
        for reply in {line["reply"] for line in self.of("clause")}:
            sent, sounded = self._of_reply("clause", reply, np.inf), self._of_reply("sounded", reply, np.inf)
            if sounded != (sent[: len(sounded)] if reply in cut else sent):
                return False
        return True

    def _all_said(self, sent_by_s: float, sounded_by_s: float = np.inf) -> bool:
        """Whether all that was sent to the voice by then, and not taken back, has sounded."""
        standing = {line["reply"] for line in self._between("clause", 0.0, sent_by_s)} - self._cut_replies(sent_by_s)
        return all(
            len(self._of_reply("sounded", reply, sounded_by_s)) >= len(self._of_reply("clause", reply, sent_by_s))
            for reply in standing
        )

    def _cut_replies(self, by_s: float) -> set[int]:
        return {line["reply"] for line in self._between("retracted", 0.0, by_s)}

    def _of_reply(self, kind: str, reply: int, by_s: float) -> list[str]:
        """The words of one reply that were sent to the voice, or that sounded."""
        return "".join(line["text"] for line in self._between(kind, 0.0, by_s) if line["reply"] == reply).split()

    def _answers_at(self, at_s: float) -> bool:
        """Whether an answer that has begun to sound is not over: it sounds, or more is being thought or made."""
        playing = self._playing_since_asked(at_s)
        if not playing:
            return False
        at_work = self._between("thought", at_s - _AT_WORK_S, at_s) + self._between("written", at_s - _AT_WORK_S, at_s)
        return playing[-1] == "audio_started" or bool(at_work) or not self._all_said(at_s, at_s)

    def _all_answered(self, at_s: float) -> bool:
        """Whether nothing was asked, or every answer is over."""
        asked = self._asked_s(at_s)
        return asked is None or (bool(self._playing_since_asked(at_s)) and not self._answers_at(at_s))

    def _playing_since_asked(self, at_s: float) -> list[str]:
        asked_s = self._asked_s(at_s) or 0.0
        return [line.kind for line in self.of("audio_started", "audio_stopped") if asked_s < line.t < at_s]

    def _asked_s(self, at_s: float) -> float | None:
        """When the user last said something that wants an answer."""
        asked = [clip.end_s for clip in self._clips if clip.onset_s < at_s and clip.means in TURN_ENDS]
        return asked[-1] if asked else None

    def _speaks_again_s(self, index: int) -> float:
        """When the user next says something to the assistant."""
        later = [clip.onset_s for clip in self._clips[index + 1 :] if clip.means not in FALSE_ALARMS]
        return later[0] if later else np.inf

    def _between(self, kind: str, from_s: float, to_s: float) -> list[TraceLine]:
        return [line for line in self._lines if line.kind == kind and from_s <= line.t < to_s]

    def _text(self, kind: str, from_s: float, to_s: float) -> str:
        return "".join(line["text"] for line in self._between(kind, from_s, to_s))

    def _loud_s(self, from_s: float, to_s: float) -> float | None:
        loud_s = self._levels.first_loud_s(from_s - self._origin_s, to_s - self._origin_s)
        return None if loud_s is None else max(from_s, loud_s + self._origin_s)

    def _falls_silent_s(self, onset_s: float) -> float | None:
        silent_s = self._levels.falls_silent_s(onset_s - self._origin_s)
        return None if silent_s is None else silent_s + self._origin_s
