"""FairLock refuses who would wait longer than it may, and nobody else."""

from __future__ import annotations

import asyncio

import pytest

from homefeed.errors import OverloadedError
from homefeed.serving.fair_lock import FairLock


class Clock:
    """Seconds that pass only where a test says so."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


async def compute(lock: FairLock, clock: Clock, seconds: float) -> str:
    async with lock:
        clock.now += seconds
    return "computed"


async def many(lock: FairLock, clock: Clock, seconds: float, count: int) -> list[str | BaseException]:
    tasks = [compute(lock, clock, seconds) for _ in range(count)]
    return await asyncio.gather(*tasks, return_exceptions=True)


async def test_the_wait_is_the_number_of_those_before_times_a_turn() -> None:
    clock = Clock()
    lock = FairLock(0.5, clock)
    for _ in range(200):
        await compute(lock, clock, 0.01)
    outcomes = await many(lock, clock, 0.01, 80)
    # 50 need 0.5 seconds; the next would wait longer.
    assert outcomes[:51] == ["computed"] * 51
    assert all(isinstance(outcome, OverloadedError) for outcome in outcomes[51:])
    assert lock.refused == 29
    assert (lock.length, lock.expected_wait) == (0, 0.0)
    assert await compute(lock, clock, 0.01) == "computed", "it is over as soon as the queue is empty"


async def test_what_passes_between_turns_counts() -> None:
    clock = Clock()
    lock = FairLock(0.5, clock)

    async def disturb() -> None:
        for _ in range(2_000):
            clock.now += 0.01  # another request in each turn of the loop
            await asyncio.sleep(0)

    disturbing = asyncio.create_task(disturb())
    for _ in range(10):
        await many(lock, clock, 0.01, 20)
    outcomes = await many(lock, clock, 0.01, 60)
    assert 10 < outcomes.count("computed") < 26, "a turn takes longer than its own work"
    disturbing.cancel()


async def test_a_pause_does_not_make_it_refuse_those_who_wait() -> None:
    clock = Clock()
    lock = FairLock(0.5, clock)
    for _ in range(100):
        await compute(lock, clock, 0.01)
    await compute(lock, clock, 5.0)
    assert await many(lock, clock, 0.01, 30) == ["computed"] * 30


async def test_a_few_may_always_wait() -> None:
    clock = Clock()
    lock = FairLock(0.5, clock)
    for _ in range(50):
        await compute(lock, clock, 2.0)
    assert (await many(lock, clock, 2.0, 9)) == ["computed"] * 9


async def test_who_goes_away_or_is_refused_is_no_longer_counted() -> None:
    clock = Clock()
    lock = FairLock(0.5, clock)
    async with lock:
        waiting = [asyncio.create_task(compute(lock, clock, 0.01)) for _ in range(5)]
        await asyncio.sleep(0)
        assert lock.length == 6
        for task in waiting:
            task.cancel()
        await asyncio.gather(*waiting, return_exceptions=True)
        assert lock.length == 1
    with pytest.raises(ZeroDivisionError):
        async with lock:
            _ = 1 / 0
    assert lock.length == 0


async def test_without_a_bound_nobody_is_refused() -> None:
    clock = Clock()
    lock = FairLock(clock=clock)
    assert await many(lock, clock, 10.0, 200) == ["computed"] * 200
