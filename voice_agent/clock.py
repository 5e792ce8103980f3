"""Where time comes from, and where the models run.

    now_s            seconds since the conversation began
    sleep_until(t)   wake at t
    start(...)       begin one blocking model call on its worker thread; the loop goes on meanwhile
    call(...)        the same, awaited

`WallClock` is real time. `VirtualClock` advances only when every task waits: to the next sleeper's time, ties in the
order in which they went to sleep. A model call then really runs (the words are real), the loop stands still until it
has returned, and its *declared* cost is charged instead of the time it took; so the same scenario gives the same trace
on a busy machine and on an idle one. Nothing that takes part in a conversation may read another clock or use
`asyncio.sleep`. Standard library only.
"""

from __future__ import annotations

import asyncio
import heapq
import selectors
import time
from collections.abc import Callable, Coroutine
from concurrent.futures import Future, ThreadPoolExecutor, wait
from contextlib import suppress
from typing import Any, Protocol, TypeVar

T = TypeVar("T")


class Worker:
    """One named thread that owns one model; calls run on it one after the other."""

    def __init__(self, name: str) -> None:
        self.name = name
        self._executor = ThreadPoolExecutor(max_workers=1, thread_name_prefix=name)

    def submit(self, function: Callable[[], T]) -> Future[T]:
        return self._executor.submit(function)

    def close(self) -> None:
        """Wait for the call in flight, then end the thread."""
        self._executor.shutdown(wait=True, cancel_futures=True)


class Clock(Protocol):
    """Time, and the place where blocking calls run."""

    virtual: bool

    def now_s(self) -> float:
        """Seconds since the conversation began."""
        ...

    async def sleep_until(self, t_s: float) -> None:
        """Return at `t_s`, or at the next opportunity when it has passed."""
        ...

    def start(
        self, worker: Worker, function: Callable[[], T], cost_s: Callable[[T], float]
    ) -> Coroutine[Any, Any, tuple[T, float]]:
        """Begin to run `function` on `worker`; it runs whether or not what is returned is awaited yet, but await it.

        function: blocking; its exceptions propagate to who awaits.
        cost_s: declared seconds for a result, charged in virtual time and ignored in real time.

        Awaited, it gives the result and the seconds it took on this clock.
        """
        ...

    async def call(self, worker: Worker, function: Callable[[], T], cost_s: Callable[[T], float]) -> tuple[T, float]:
        """Run `function` on `worker` and wait for it; see `start`."""
        return await self.start(worker, function, cost_s)


class WallClock(Clock):
    """Real time, from `time.monotonic`."""

    virtual = False

    def __init__(self) -> None:
        self._start_s = time.monotonic()

    def now_s(self) -> float:
        return time.monotonic() - self._start_s

    async def sleep_until(self, t_s: float) -> None:
        await asyncio.sleep(max(0.0, t_s - self.now_s()))

    def start(
        self, worker: Worker, function: Callable[[], T], cost_s: Callable[[T], float]
    ) -> Coroutine[Any, Any, tuple[T, float]]:
        return self._finish(worker.submit(function), self.now_s())

    async def _finish(self, call: Future[T], start_s: float) -> tuple[T, float]:
        result: T = await result_of(asyncio.wrap_future(call), call.cancel)
        return result, self.now_s() - start_s


async def result_of(running: asyncio.Future[T], withdraw: Callable[[], bool]) -> T:
    """What a call that runs elsewhere returns.

    A caller who is cancelled waits for a call that has begun: it cannot be stopped, and what it works on must not be
    taken away from under it. withdraw: takes the call back and tells whether it had not begun.
    """
    try:
        return await asyncio.shield(running)
    except asyncio.CancelledError:
        while not (running.done() or withdraw()):
            with suppress(asyncio.CancelledError):  # raised again below
                await asyncio.wait([running])
        if running.done() and not running.cancelled():
            running.exception()  # nobody is left to hear of it
        raise


class VirtualClock(Clock):
    """Declared time, moved forward by the event loop of `run_in_virtual_time` when nothing else can happen."""

    virtual = True

    def __init__(self) -> None:
        self._now_s = 0.0
        self._sequence = 0
        self._sleepers: list[tuple[float, int, asyncio.Future[None]]] = []

    def now_s(self) -> float:
        return self._now_s

    async def sleep_until(self, t_s: float) -> None:
        waker: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._sequence += 1
        heapq.heappush(self._sleepers, (max(t_s, self._now_s), self._sequence, waker))
        await waker

    def start(
        self, worker: Worker, function: Callable[[], T], cost_s: Callable[[T], float]
    ) -> Coroutine[Any, Any, tuple[T, float]]:
        call = worker.submit(function)
        wait([call])  # the loop stands still: nothing can overtake the call
        return self._charge(call, self._now_s, cost_s)

    async def _charge(self, call: Future[T], start_s: float, cost_s: Callable[[T], float]) -> tuple[T, float]:
        cost = cost_s(call.result())
        await self.sleep_until(start_s + cost)
        return call.result(), cost

    def advance(self) -> bool:
        """Wake the sleeper that is due next and move to its time; False when nobody sleeps."""
        while self._sleepers:
            t_s, _, waker = heapq.heappop(self._sleepers)
            if waker.cancelled():
                continue
            self._now_s = t_s
            waker.set_result(None)
            return True
        return False


class _AdvancingSelector(selectors.DefaultSelector):
    """Where the loop would wait for the outside world, the virtual clock moves on instead."""

    def __init__(self, clock: VirtualClock) -> None:
        super().__init__()
        self._clock = clock

    def select(self, timeout: float | None = None) -> Any:
        ready = super().select(0)
        if ready or timeout == 0:
            return ready
        if not self._clock.advance():
            raise RuntimeError("virtual time stands still: every task waits and none of them for a time")
        return []


def virtual_loop(clock: VirtualClock) -> asyncio.AbstractEventLoop:
    """An event loop that moves `clock` forward whenever every task waits."""
    return asyncio.SelectorEventLoop(_AdvancingSelector(clock))


def run_in_virtual_time(main: Callable[[VirtualClock], Coroutine[Any, Any, T]]) -> T:
    """Run `main(clock)` to its end on a fresh virtual clock."""
    clock = VirtualClock()
    with asyncio.Runner(loop_factory=lambda: virtual_loop(clock)) as runner:
        return runner.run(main(clock))
