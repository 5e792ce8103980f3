"""The room's task: clauses in, sound on the loudspeaker's queue.

    stream of Clause | ReplyEnd -> speak -> Loudspeaker.enqueue / finish

One clause is made at a time, on the voice's worker; a clause of a reply that is no longer current is dropped before it
is made, or after. Ends when the stream does.
"""

from __future__ import annotations

from collections.abc import AsyncIterable, Callable
from functools import partial

from ..clock import Clock, Worker
from ..errors import PartFailed
from ..events import Clause, ClauseAudio, ModelCall, ReplyEnd
from ..settings import DeclaredCosts
from .loudspeaker import Loudspeaker
from .voice import Voice


async def speak(
    clauses: AsyncIterable[Clause | ReplyEnd],
    loudspeaker: Loudspeaker,
    *,
    voice: Voice,
    clock: Clock,
    worker: Worker,
    costs: DeclaredCosts,
    record: Callable[[ModelCall], None],
    is_current: Callable[[int], bool],
) -> None:
    """Voice every clause of a current reply, in order.

    Raises:
        PartFailed: the voice broke.
    """

    def cost_s(audio: ClauseAudio) -> float:
        return (costs.clause_base_ms + costs.clause_ms_per_s * len(audio.samples) / audio.rate_hz) / 1000

    async for clause in clauses:
        if isinstance(clause, ReplyEnd):
            loudspeaker.finish(clause.reply)
            continue
        if not is_current(clause.reply):
            continue
        try:
            audio, took_s = await clock.call(worker, partial(voice.synthesize, clause), cost_s)
        except Exception as error:
            raise PartFailed("voice", error) from error
        record(ModelCall("voice", rows=1, tokens=len(clause.text.split()), ms=took_s * 1000))
        if is_current(clause.reply):
            loudspeaker.enqueue(audio)
