"""What is still to be played, what sounded, and the sound itself, sample by sample.

    ClauseAudio -> Loudspeaker.enqueue;   Loudspeaker.pull(n) -> (n,) float32, silence where there is nothing to play

Whoever pulls (a sound card's callback, a scripted one) moves time forward; events are told from within the calls, so
their moments are exact to one pull. A reply begins with its first clause and ends when it was finished and ran out, or
was cleared; what comes for a cleared reply afterwards is dropped by its number, and numbers only grow. Any thread may
call; `notify` runs under the lock, in the order of events, and must return at once.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np

from ..events import (
    AudioStarted,
    AudioStopped,
    ClauseAudio,
    Paused,
    PlaybackEvent,
    Resumed,
    Retracted,
    Sounded,
    Underrun,
)

_AUDIBLE = 0.01  # -40 dBFS
_FADE_S = 0.008  # a cut in the middle of a wave clicks
_HEARD_LATELY_S = 3.0  # what an echo may still bring back
_HEARD_SOON_S = 1.0
_REPLIES_KEPT = 8


@dataclass
class _Playing:
    """A clause in the queue, and how much of it has been played."""

    audio: ClauseAudio
    position: int = 0
    words_sounded: int = 0

    @property
    def reply(self) -> int:
        return self.audio.clause.reply

    @property
    def left(self) -> int:
        return len(self.audio.samples) - self.position

    def text(self, first_word: int, end_word: int) -> str:
        words = self.audio.words[first_word:end_word]
        return self.audio.clause.text[words[0].start : words[-1].end] if words else ""

    @property
    def unsounded(self) -> str:
        return self.text(self.words_sounded, len(self.audio.words))


@dataclass
class _Reply:
    """The reply that is being played."""

    number: int
    started: bool = False  # something audible was played
    dry: bool = False  # the gap that it is in has been counted


@dataclass
class Loudspeaker:
    """The sink of one conversation; `position_samples` counts everything pulled, silence included.

    tap: sees every block that was pulled, in the thread that pulls.
    """

    rate_hz: int
    notify: Callable[[PlaybackEvent], None]
    tap: Callable[[np.ndarray], None] | None = None
    position_samples: int = 0
    _queue: deque[_Playing] = field(default_factory=deque)
    _reply: _Reply | None = None
    _finished: int = -1  # every reply up to this number is complete
    _cleared: int = -1  # every reply up to this number is stale
    _stopped: int = -1  # the last reply whose end was told
    _paused: bool = False
    _told_paused: bool = False
    _tail: np.ndarray = field(default_factory=lambda: np.zeros(0, np.float32))  # what still fades out
    _faded_in: int = 0  # samples of the fade that begins after a pause
    _texts: dict[int, str] = field(default_factory=dict)
    _lately: deque[tuple[int, str]] = field(default_factory=deque)
    _lock: threading.RLock = field(default_factory=threading.RLock)

    def __post_init__(self) -> None:
        self._fade = round(_FADE_S * self.rate_hz)
        self._ramp = ((np.arange(self._fade) + 0.5) / self._fade).astype(np.float32)
        self._faded_in = self._fade

    # --- what is asked of it ---------------------------------------------------------------------------------------

    def enqueue(self, audio: ClauseAudio) -> None:
        """Play `audio` after what is waiting; dropped if its reply has been cleared."""
        if audio.rate_hz != self.rate_hz:
            raise ValueError(f"the clause has {audio.rate_hz} samples a second, the loudspeaker {self.rate_hz}")
        with self._lock:
            if audio.clause.reply > self._cleared:
                self._queue.append(_Playing(audio))

    def finish(self, reply: int) -> None:
        """No more clauses of `reply` (or of an earlier one) will come: it has stopped once it ran out."""
        with self._lock:
            self._finished = max(self._finished, reply)
            if not self._queue and reply > self._stopped:
                self._begin(reply)
                self._stop()

    def pause(self) -> None:
        """Fall silent within 8 ms; what comes meanwhile waits too."""
        with self._lock:
            if self._paused:
                return
            self._fade_out()
            self._paused = True
            self._told_paused = self._reply is not None and self._reply.started
            if self._reply and self._told_paused:
                self.notify(Paused(self._reply.number))

    def resume(self) -> None:
        """Go on at the sample at which the pause began."""
        with self._lock:
            if not self._paused:
                return
            self._paused = False
            if self._reply and self._told_paused:
                self.notify(Resumed(self._reply.number))

    def clear(self, reply: int | None = None) -> str:
        """Take back what has not sounded, and fall silent within 8 ms.

        reply: the reply that is stopped, where it is known better than by what has come so far.

        Returns the text taken back; ends a pause.
        """
        with self._lock:
            known = [playing.reply for playing in self._queue] + ([self._reply.number] if self._reply else [])
            self._cleared = max([self._cleared, *known, *([] if reply is None else [reply])])
            self._fade_out()
            retracted: dict[int, str] = {}
            for playing in self._queue:
                retracted[playing.reply] = retracted.get(playing.reply, "") + playing.unsounded
            self._queue.clear()
            self._paused, self._faded_in = False, self._fade
            self._stop()
            self._stopped = max(self._stopped, self._cleared)
            for number, text in retracted.items():
                if text:
                    self.notify(Retracted(text, number))
            return "".join(retracted.values())

    # --- what it knows ---------------------------------------------------------------------------------------------

    @property
    def backlog_s(self) -> float:
        """Seconds still to be played."""
        with self._lock:
            return sum(playing.left for playing in self._queue) / self.rate_hz

    @property
    def playing(self) -> bool:
        """Does sound come out of it now?"""
        with self._lock:
            return not self._paused and any(playing.left for playing in self._queue)

    @property
    def paused(self) -> bool:
        return self._paused

    @property
    def reply(self) -> int | None:
        """The reply that has begun and has not stopped; also while it is paused or waits for its next clause."""
        with self._lock:
            return self._reply.number if self._reply else None

    @property
    def playing_text(self) -> str:
        """What sounded in the last 3 s and what will in the next: what an echo can say."""
        with self._lock:
            self._forget_before(self.position_samples - round(_HEARD_LATELY_S * self.rate_hz))
            soon, ahead = "", round(_HEARD_SOON_S * self.rate_hz)
            for playing in self._queue:
                words = playing.audio.words[playing.words_sounded :]
                soon += "".join(
                    playing.audio.clause.text[word.start : word.end]
                    for word, begins in zip(words, [playing.position, *(w.end_sample for w in words)], strict=False)
                    if begins - playing.position <= ahead
                )
                ahead -= playing.left
                if ahead < 0:
                    break
            return "".join(text for _, text in self._lately) + soon

    def sounded(self, reply: int) -> str:
        """The words of `reply` that have been heard in full."""
        with self._lock:
            return self._texts.get(reply, "")

    # --- the sound -------------------------------------------------------------------------------------------------

    def pull(self, n: int) -> np.ndarray:
        """The next `n` samples: (n,) float32 in [-1, 1]."""
        with self._lock:
            block = np.zeros(n, np.float32)
            if not self._paused:
                self._play_into(block)
            fading, self._tail = self._tail[:n], self._tail[n:]
            block[: len(fading)] += fading
            self.position_samples += n
            block = np.clip(block, -1.0, 1.0)
            if self.tap:
                self.tap(block)
            return block

    def _play_into(self, block: np.ndarray) -> None:
        filled = 0
        while self._queue:
            playing = self._queue[0]
            self._begin(playing.reply)
            taken = playing.audio.samples[playing.position : playing.position + len(block) - filled]
            self._tell_started(taken)
            block[filled : filled + len(taken)] = self._fade_in(taken)
            playing.position += len(taken)
            filled += len(taken)
            self._tell_sounded(playing)
            if playing.left:
                return
            self._queue.popleft()
        if self._reply is None or filled == len(block):
            return
        if self._reply.number <= self._finished:
            self._stop()
        elif self._reply.started and not self._reply.dry:
            self._reply.dry = True
            self.notify(Underrun(self._reply.number))

    def _fade_out(self) -> None:
        """What would be played next fades out in the background, without being taken from the queue."""
        if self._paused:
            return
        ahead = [playing.audio.samples[playing.position :][: self._fade] for playing in self._queue]
        samples = np.concatenate([*ahead, np.zeros(0, np.float32)])[: self._fade]
        if not len(samples):
            return
        tail = self._fade_in(samples, advance=False) * (1.0 - self._ramp[: len(samples)])
        tail[: len(self._tail)] += self._tail[: len(tail)]
        self._tail, self._faded_in = tail, 0

    def _fade_in(self, samples: np.ndarray, advance: bool = True) -> np.ndarray:
        gains = self._ramp[self._faded_in :][: len(samples)]
        if not len(gains):
            return samples
        faded = samples.copy()
        faded[: len(gains)] *= gains
        if advance:
            self._faded_in += len(gains)
        return faded

    # --- what is told ----------------------------------------------------------------------------------------------

    def _begin(self, reply: int) -> None:
        if self._reply is None or self._reply.number != reply:
            self._stop()
            self._reply = _Reply(reply)

    def _stop(self) -> None:
        if self._reply:
            self.notify(AudioStopped(self._reply.number))
            self._stopped = self._reply.number
            self._reply = None

    def _tell_started(self, samples: np.ndarray) -> None:
        assert self._reply is not None
        if len(samples):
            self._reply.dry = False
        if not self._reply.started and bool(np.any(np.abs(samples) > _AUDIBLE)):
            self._reply.started = True
            self.notify(AudioStarted(self._reply.number))

    def _tell_sounded(self, playing: _Playing) -> None:
        """Tell of the words whose last sample has been played, together."""
        words = playing.audio.words
        count = playing.words_sounded
        while count < len(words) and words[count].end_sample <= playing.position:
            count += 1
        text = playing.text(playing.words_sounded, count)
        if not text:
            return
        playing.words_sounded = count
        self._texts[playing.reply] = self._texts.get(playing.reply, "") + text
        while len(self._texts) > _REPLIES_KEPT:
            del self._texts[min(self._texts)]
        self._lately.append((self.position_samples, text))
        self._forget_before(self.position_samples - round(_HEARD_LATELY_S * self.rate_hz))
        self.notify(Sounded(text, playing.reply))

    def _forget_before(self, position: int) -> None:
        while self._lately and self._lately[0][0] < position:
            self._lately.popleft()
