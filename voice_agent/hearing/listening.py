"""Turn microphone frames into what was said: the tasks that connect the parts of this room.

    AudioFrame -> detect: SpeechStarted, SpeechEnded -> recognize: Word, UtteranceRecognized -> turn: TurnEnded

Detecting never waits for a model: a start of speech is known at once. The utterance that is growing is re-read, one
reading at a time, always of all the sound there is: a slow recogniser reads less often, not later and later.
When a turn ends is judged beside it (turn.py). Times in seconds on the conversation's clock.
"""

from __future__ import annotations

import dataclasses
import math
from collections import deque
from collections.abc import Callable
from typing import Protocol

import anyio
import numpy as np
from anyio.abc import TaskGroup
from anyio.streams.memory import MemoryObjectReceiveStream, MemoryObjectSendStream

from ..clock import Clock, Worker
from ..errors import PartFailed
from ..events import AudioFrame, Failed, HearingEvent, ModelCall, SpeechStarted, UtteranceRecognized, Word
from ..settings import Settings
from .speech_detector import SpeechDetector
from .turn import Judge, Turn
from .utterance import Utterance
from .word_agreement import WordAgreement, place_to_cut

SHORTEST_STEP_S = 0.1  # between two windows of an utterance that is too long for one


class Recognizer(Protocol):
    """What `listen` needs of a `WordRecognizer`."""

    def read(self, samples: np.ndarray) -> list[Word]: ...


async def listen(
    frames: MemoryObjectReceiveStream[AudioFrame],
    events: MemoryObjectSendStream[HearingEvent],
    *,
    recognizer: Recognizer,
    clock: Clock,
    worker: Worker,
    judge: Judge | None,
    judge_worker: Worker,
    settings: Settings,
    record: Callable[[ModelCall | Failed], None],
) -> None:
    """Microphone frames in, hearing events out; ends when the frames end, with all of their words recognised.

    frames: mono at settings.hearing.rate_hz, without gaps in their times.
    events: final words come once and in order; words that are not final are the newest guess of what follows the
        final ones and replace the guess before.
    worker, judge_worker: the threads that own `recognizer` and `judge`; without a judge a plain timer ends the turns.
    record: told of every call of a model, and of a judge that broke.

    Raises (inside an exception group):
        PartFailed: the recogniser broke; its part is 'recognizer'.
    """
    turn = Turn(events, clock, settings, judge, judge_worker, record)
    reader = _Reader(recognizer, clock, worker, settings, record)
    # Without a bound because detecting must not wait: an utterance is only a handle on sound that is kept anyway.
    found, utterances = anyio.create_memory_object_stream[Utterance](math.inf)
    async with frames, found, utterances, events, anyio.create_task_group() as tasks:
        tasks.start_soon(_detect, frames, found, turn, settings, tasks)
        tasks.start_soon(turn.watch)
        async for utterance in utterances:
            await _recognize(utterance, reader, turn)
        turn.close()


async def _detect(
    frames: MemoryObjectReceiveStream[AudioFrame],
    utterances: MemoryObjectSendStream[Utterance],
    turn: Turn,
    settings: Settings,
    judging: TaskGroup,
) -> None:
    """Frames in; starts and ends of speech out at once, and the sound to the utterance that is going on."""
    hearing = settings.hearing
    detector = SpeechDetector(hearing)
    before: deque[AudioFrame] = deque(maxlen=(hearing.pre_roll_ms + hearing.speech_start_window_ms) // hearing.frame_ms)
    current: Utterance | None = None
    async with frames, utterances:
        async for frame in frames:
            heard = detector.push(frame)
            turn.hear(frame)
            if current is None:
                before.append(frame)
            else:
                current.append(frame, detector.rule.last_voiced_s)
            for event in heard:
                await turn.tell(event)
                if isinstance(event, SpeechStarted):
                    current = Utterance(event.onset_s, before, detector.rule.last_voiced_s, hearing)
                    before.clear()
                    utterances.send_nowait(current)
                elif current is not None:
                    turn.judge_in(judging, event)
                    before.extend(current.end(event.end_s))
                    current = None
        for ended in detector.finish():
            await turn.tell(ended)
            turn.judge_in(judging, ended)
        if current is not None:
            current.end(detector.rule.last_voiced_s)


async def _recognize(utterance: Utterance, reader: _Reader, turn: Turn) -> None:
    """Re-read the utterance while it grows; its words out as they become final, then the whole of it."""
    agreement = WordAgreement()
    reading: list[Word] = []
    read_s = utterance.onset_s
    guess: list[str] = []
    while True:
        await utterance.until_worth_reading(read_s)
        if utterance.is_read(read_s):
            break
        reading, read_s, complete = await reader.read(utterance)
        newly = agreement.push(reading) if complete else agreement.finish(_but_last(reading))
        await turn.tell_all(newly)
        if complete:
            cut_s = place_to_cut(agreement.final, utterance.start_s, read_s, reader.longest_s)
        else:  # more sound waits than fits one reading: what was read is settled
            moved_on = bool(newly) and newly[-1].end_s > utterance.start_s + SHORTEST_STEP_S
            cut_s = newly[-1].end_s if moved_on else read_s
        if cut_s is not None:
            utterance.drop_before(cut_s)
        previous, guess = guess, [word.text for word in agreement.pending]
        if guess != previous:
            await turn.tell_all(agreement.pending)
    await turn.tell_all(agreement.finish(reading))
    text = " ".join(word.text for word in agreement.final)
    assert utterance.end_s is not None, "only an utterance that has ended is read to its end"
    doubtful = bool(text) and all(word.doubtful for word in agreement.final)
    last = agreement.final[-1].probability if agreement.final else 1.0
    await turn.tell(UtteranceRecognized(text, utterance.onset_s, utterance.end_s, doubtful, last))


class _Reader:
    """Runs the recogniser on its worker."""

    def __init__(
        self,
        recognizer: Recognizer,
        clock: Clock,
        worker: Worker,
        settings: Settings,
        record: Callable[[ModelCall | Failed], None],
    ) -> None:
        self._recognizer, self._clock, self._worker, self._record = recognizer, clock, worker, record
        self._rate_hz, self._costs = settings.hearing.rate_hz, settings.costs
        self.longest_s = settings.hearing.longest_utterance_s

    async def read(self, utterance: Utterance) -> tuple[list[Word], float, bool]:
        """The words so far, the time up to which sound was read, and whether that was all the sound there was."""
        samples, end_s = utterance.sound(self.longest_s)
        start_s, complete = utterance.start_s, end_s >= utterance.sound_end_s
        sound_s = len(samples) / self._rate_hz
        cost_s = (self._costs.recognize_base_ms + self._costs.recognize_ms_per_s * sound_s) / 1000
        try:
            words, took_s = await self._clock.call(
                self._worker, lambda: self._recognizer.read(samples), lambda _: cost_s
            )
        except Exception as error:
            raise PartFailed("recognizer", error) from error
        self._record(ModelCall(which="recognizer", rows=1, tokens=len(words), ms=took_s * 1000))
        placed = [
            dataclasses.replace(
                word, start_s=round(start_s + word.start_s, 3), end_s=round(start_s + word.end_s, 3), final=False
            )
            for word in words
        ]
        return placed, end_s, complete


def _but_last(reading: list[Word]) -> list[Word]:
    """The last word of a full window may be cut in two by its end, so the next window reads it again."""
    return reading[:-1] if len(reading) > 1 else reading
