"""FairLock: one computes in each turn of the event loop, and who goes away leaves the others theirs."""

from __future__ import annotations

import asyncio

from homefeed.serving.fair_lock import FairLock


async def test_each_turn_of_the_event_loop_has_one_who_computes() -> None:
    lock, beats, computed_at = FairLock(), 0, list[int]()

    async def compute() -> None:
        async with lock:
            computed_at.append(beats)

    tasks = [asyncio.create_task(compute()) for _ in range(5)]
    while not all(task.done() for task in tasks):
        beats += 1
        await asyncio.sleep(0)
    assert len(set(computed_at)) == 5


async def test_who_is_cancelled_in_its_turn_leaves_it_to_the_next() -> None:
    lock = FairLock()

    async def compute() -> str:
        async with lock:
            return "computed"

    first, second = asyncio.create_task(compute()), asyncio.create_task(compute())
    await asyncio.sleep(0)
    first.cancel()
    assert await asyncio.wait_for(second, 5) == "computed"
    assert first.cancelled()
