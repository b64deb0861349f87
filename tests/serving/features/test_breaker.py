"""A circuit breaker, by a clock of the tests', and a deadline that counts while the loop looks."""

from __future__ import annotations

import asyncio
import time

import pytest

from homefeed.serving.features.breaker import Breaker, patience


class Seconds:
    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def seconds() -> Seconds:
    return Seconds()


@pytest.fixture
def breaker(seconds: Seconds) -> Breaker:
    return Breaker(failures=3, pause=10.0, clock=seconds)


def test_it_opens_after_so_many_failures_in_a_row(breaker: Breaker) -> None:
    for _ in range(2):
        breaker.failed()
    breaker.succeeded()
    for _ in range(2):
        breaker.failed()
    assert (breaker.state, breaker.admits()) == ("closed", True)
    breaker.failed()
    assert (breaker.state, breaker.admits()) == ("open", False)


def open_it(breaker: Breaker) -> None:
    for _ in range(3):
        breaker.failed()


def test_after_the_pause_one_call_is_a_trial(breaker: Breaker, seconds: Seconds) -> None:
    open_it(breaker)
    seconds.now = 109.9
    assert not breaker.admits()
    seconds.now = 110.0
    assert breaker.state == "half-open"
    assert [breaker.admits() for _ in range(3)] == [True, False, False]


def test_a_trial_that_succeeds_closes_it(breaker: Breaker, seconds: Seconds) -> None:
    open_it(breaker)
    seconds.now = 110.0
    assert breaker.admits()
    breaker.succeeded()
    assert breaker.state == "closed"
    breaker.failed()
    assert breaker.admits()


def test_a_trial_that_fails_keeps_it_open_for_another_pause(breaker: Breaker, seconds: Seconds) -> None:
    open_it(breaker)
    seconds.now = 112.0
    assert breaker.admits()
    breaker.failed()
    seconds.now = 121.9
    assert not breaker.admits()
    seconds.now = 122.0
    assert breaker.admits()


def test_a_trial_that_never_ends_holds_up_nobody(breaker: Breaker, seconds: Seconds) -> None:
    open_it(breaker)
    seconds.now = 110.0
    assert breaker.admits()
    seconds.now = 120.0
    assert breaker.admits()


async def test_patience_ends() -> None:
    started = time.monotonic()
    with pytest.raises(TimeoutError):
        async with patience(0.02):
            await asyncio.sleep(5)
    assert time.monotonic() - started < 0.5


async def test_patience_lets_errors_and_answers_through() -> None:
    async with patience(0.02):
        pass
    with pytest.raises(KeyError):
        async with patience(0.02):
            raise KeyError
    await asyncio.sleep(0.03)  # no timer of either is left


async def test_who_is_cancelled_is_cancelled() -> None:
    async def wait() -> None:
        async with patience(5):
            await asyncio.sleep(5)

    task = asyncio.create_task(wait())
    await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
