"""What is costly is made once for all who ask at once."""

from __future__ import annotations

import asyncio

from homefeed.api.together import Together


class Counted:
    def __init__(self) -> None:
        self.made = 0

    def __call__(self) -> int:
        self.made += 1
        return self.made


async def test_all_who_ask_at_once_get_the_same() -> None:
    shared = Together(Counted())
    assert await asyncio.gather(*(shared.get() for _ in range(50))) == [1] * 50
    assert await shared.get() == 2, "made after it was asked for"


async def test_it_rests_as_long_as_the_last_took() -> None:
    times = iter([0.0, 0.0, 0.03, 0.03])
    began = asyncio.get_running_loop().time()
    shared = Together(Counted(), lambda: next(times))
    assert await shared.get() == 1, "from 0.00 to 0.03"
    assert asyncio.get_running_loop().time() - began < 0.03
    task = asyncio.create_task(shared.get())
    await asyncio.sleep(0.01)
    assert not task.done()
    task.cancel()


async def test_who_gives_up_leaves_it_to_the_others() -> None:
    shared = Together(Counted())
    one, other = asyncio.create_task(shared.get()), asyncio.create_task(shared.get())
    await asyncio.sleep(0)
    one.cancel()
    assert await other == 1


async def test_what_fails_fails_for_all_and_is_tried_again() -> None:
    counted, broken = Counted(), [True]

    def make() -> int:
        if broken.pop() if broken else False:
            raise ValueError("no")
        return counted()

    shared = Together(make)
    found = await asyncio.gather(shared.get(), shared.get(), return_exceptions=True)
    assert [type(each) for each in found] == [ValueError] * 2
    assert await shared.get() == 1
