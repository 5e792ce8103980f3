"""Virtual time is exact and moves only when everybody waits; real time waits for calls that have begun."""

from __future__ import annotations

import asyncio
import threading

import pytest
from hypothesis import given
from hypothesis import strategies as st

from voice_agent.clock import VirtualClock, WallClock, Worker, run_in_virtual_time


def sleepers(wake_at_s: list[float]) -> list[tuple[float, int]]:
    """Who woke when: one task for each time."""

    async def main(clock: VirtualClock) -> list[tuple[float, int]]:
        woken: list[tuple[float, int]] = []

        async def sleeper(number: int, t_s: float) -> None:
            await clock.sleep_until(t_s)
            woken.append((clock.now_s(), number))

        async with asyncio.TaskGroup() as tasks:
            for number, t_s in enumerate(wake_at_s):
                tasks.create_task(sleeper(number, t_s))
        return woken

    return run_in_virtual_time(main)


@given(wake_at_s=st.lists(st.sampled_from([-1.0, 0.0, 0.5, 1.0, 3600.0]), max_size=8))
def test_sleepers_wake_in_order_of_time_and_ties_in_order_of_going_to_sleep(wake_at_s: list[float]) -> None:
    expected = sorted((max(0.0, t_s), number) for number, t_s in enumerate(wake_at_s))
    assert sleepers(wake_at_s) == expected


def test_a_call_costs_what_was_declared() -> None:
    async def main(clock: VirtualClock) -> list[tuple[str, float]]:
        worker, log = Worker("model"), []

        async def caller(name: str, cost_s: float) -> None:
            result, took_s = await clock.call(worker, lambda: name.upper(), lambda _result: cost_s)
            log.append((result, clock.now_s()))
            assert took_s == cost_s

        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(caller("slow", 0.3))
            tasks.create_task(caller("quick", 0.1))
        worker.close()
        return log

    assert run_in_virtual_time(main) == [("QUICK", 0.1), ("SLOW", 0.3)]


def test_the_cost_may_depend_on_the_result() -> None:
    async def main(clock: VirtualClock) -> tuple[str, float]:
        return await clock.call(Worker("model"), lambda: "four", lambda result: len(result) / 10)

    assert run_in_virtual_time(main) == ("four", 0.4)


def test_nobody_waits_for_a_time() -> None:
    async def main(clock: VirtualClock) -> None:
        await asyncio.Event().wait()

    with pytest.raises(RuntimeError, match="virtual time stands still"):
        run_in_virtual_time(main)


def test_a_cancelled_sleeper_does_not_move_time() -> None:
    async def main(clock: VirtualClock) -> float:
        sleeper = asyncio.create_task(clock.sleep_until(100.0))
        await clock.sleep_until(1.0)
        sleeper.cancel()
        await clock.sleep_until(2.0)
        assert sleeper.cancelled()
        return clock.now_s()

    assert run_in_virtual_time(main) == 2.0


async def _fails(clock: VirtualClock | WallClock) -> None:
    def broken() -> None:
        raise ValueError("out of paper")

    await clock.call(Worker("model"), broken, lambda _result: 1.0)


def test_what_a_call_raises_reaches_the_caller() -> None:
    with pytest.raises(ValueError, match="out of paper"):
        run_in_virtual_time(_fails)
    with pytest.raises(ValueError, match="out of paper"):
        asyncio.run(_fails(WallClock()))


def test_real_time_runs_calls_beside_the_loop() -> None:
    async def main() -> tuple[str, float, bool]:
        clock, go = WallClock(), threading.Event()

        def model() -> str:
            go.wait()
            return "done"

        call = asyncio.create_task(clock.call(Worker("model"), model, lambda _result: 1e9))
        await clock.sleep_until(clock.now_s() - 1.0)  # the loop goes on meanwhile
        go.set()
        result, took_s = await call
        return result, took_s, clock.now_s() >= took_s

    result, took_s, later = asyncio.run(main())
    assert (result, later) == ("done", True)
    assert took_s < 1e9


@pytest.mark.parametrize("outcome", ["returns", "raises"])
def test_a_cancelled_caller_waits_for_a_call_that_has_begun(outcome: str) -> None:
    async def main() -> None:
        clock, worker = WallClock(), Worker("model")
        loop, begun = asyncio.get_running_loop(), asyncio.Event()
        go, finished = threading.Event(), []

        def model() -> None:
            loop.call_soon_threadsafe(begun.set)
            go.wait()
            finished.append(True)
            if outcome == "raises":
                raise ValueError

        running = asyncio.create_task(clock.call(worker, model, lambda _result: 0.0))
        queued = asyncio.create_task(clock.call(worker, lambda: finished.append(False), lambda _result: 0.0))
        await begun.wait()
        try:
            queued.cancel()
            with pytest.raises(asyncio.CancelledError):
                await queued
            for _ in range(3):  # however often
                running.cancel()
                await asyncio.wait([running], timeout=0)
            assert not running.done()
        finally:
            go.set()
        with pytest.raises(asyncio.CancelledError):
            await running
        worker.close()
        assert finished == [True]  # the queued one had not begun, and never did

    asyncio.run(main())
