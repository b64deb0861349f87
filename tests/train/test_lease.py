"""An app's turn to train: held beside the work, by one at a time, and nothing is published without it."""

from __future__ import annotations

import asyncio
import socket
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from tests.ticking import Ticking

from homefeed.environment import Environment, system_clock
from homefeed.errors import LeaseHeldError, LeaseLostError
from homefeed.rank.blend import Blend
from homefeed.store import Store
from homefeed.store.artifacts import ArtifactStore
from homefeed.store.job_runs import latest_job_runs
from homefeed.store.leases import acquire_lease, find_lease
from homefeed.train import lease as turns
from homefeed.train.lease import Rhythm, Turn, taking_turn
from homefeed.train.publishing import Fit, Publisher
from homefeed.types import SECOND, Interactions, TrainingData

APP, NOW = "market", 1_700_000_000 * SECOND
CLOCK = Ticking(NOW)
QUICK = Rhythm(lease_seconds=0.6, beat_seconds=0.05)


@asynccontextmanager
async def turn_of(
    store: Store, folder: Path, environment: Environment | None = None, rhythm: Rhythm | None = None
) -> AsyncIterator[Turn]:
    """A turn of the job daily."""
    environment = environment or Environment(CLOCK)
    told = taking_turn(store, folder, APP, "daily", environment, progress=lambda *_: None, rhythm=rhythm)
    async with told as turn:
        yield turn


async def outcomes(store: Store) -> list[tuple[str, str]]:
    return [(run.outcome, run.detail) for run in await latest_job_runs(store, APP, 9)]


async def test_work_that_lets_nothing_else_run_keeps_its_lease(store: Store, tmp_path: Path) -> None:
    numbers = np.random.default_rng(0).random(200_000)
    async with turn_of(store, tmp_path, Environment(system_clock), QUICK) as turn:
        turn.report("sorting", 3, 9)
        until = time.monotonic() + 1.2
        while time.monotonic() < until:
            np.sort(numbers)
        (run,) = await latest_job_runs(store, APP, 9)
        assert (run.detail, run.done, run.total, run.outcome) == ("sorting", 3, 9, "running")
        assert run.heartbeat > run.started
        async with turn.fenced():
            pass
    assert await find_lease(store, APP, system_clock()) is None
    assert await outcomes(store) == [("done", "")]


async def test_who_slept_past_the_lease_is_told_and_the_run_failed(store: Store, tmp_path: Path) -> None:
    clock = Ticking(NOW)

    async def sleep_and_publish() -> None:
        async with turn_of(store, tmp_path, Environment(clock)) as turn:
            clock.now += 120 * SECOND
            async with turn.fenced():
                raise AssertionError("it must not publish")

    with pytest.raises(LeaseLostError, match=r"daily of market lost its lease .* run it again"):
        await sleep_and_publish()
    ((outcome, why),) = await outcomes(store)
    assert outcome == "failed"
    assert why.startswith("LeaseLostError: daily of market lost its lease")


@pytest.mark.parametrize("store_url", ["sqlite"], indirect=True)
async def test_work_whose_lease_is_over_ends_at_its_next_report(store: Store, tmp_path: Path) -> None:
    clock = Ticking(NOW)

    async def sleep_and_work_on() -> None:
        async with turn_of(store, tmp_path, Environment(clock), Rhythm(60, 0.01)) as turn:
            clock.now += 60 * SECOND
            for _ in range(500):
                turn.report("training", 0, 1)
                await asyncio.sleep(0.01)

    with pytest.raises(LeaseLostError):
        await sleep_and_work_on()


async def test_the_second_is_told_who_holds_it_and_leaves_no_run(store: Store, tmp_path: Path) -> None:
    there = {"job": "daily", "now": NOW, "length": 60 * SECOND}
    await acquire_lease(store, APP, holder="host9 (process 3)", place="host9:x", **there)  # type: ignore[arg-type]
    with pytest.raises(LeaseHeldError, match=r"daily, on host9 \(process 3\), since 2023-11-14T22:13:20Z"):
        async with turn_of(store, tmp_path):
            raise AssertionError("it has no turn")
    assert await outcomes(store) == []


@pytest.mark.parametrize("store_url", ["sqlite"], indirect=True)
async def test_on_the_same_machine_a_training_that_runs_is_found_by_its_lock(store: Store, tmp_path: Path) -> None:
    async with turn_of(store, tmp_path):
        with pytest.raises(LeaseHeldError, match=r"is running: daily, on .* \(process \d+\), since 2023-11-14"):
            async with turn_of(store, tmp_path):
                raise AssertionError("it has no turn")
    async with turn_of(store, tmp_path):
        pass


async def test_on_the_same_machine_the_lease_of_one_that_was_killed_is_taken_at_once(
    store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def dies(*_: object) -> None:
        raise OSError

    with monkeypatch.context() as patched:
        for name in ("release_lease", "end_job_run"):
            patched.setattr(turns, name, dies)
        async with turn_of(store, tmp_path):
            pass
    assert await find_lease(store, APP, NOW) is not None
    assert await outcomes(store) == [("running", "")]
    async with turn_of(store, tmp_path):
        assert await outcomes(store) == [("running", ""), ("stopped", "")]
    with monkeypatch.context() as patched:
        patched.setattr(turns, "release_lease", dies)
        async with turn_of(store, tmp_path):
            pass
    monkeypatch.setattr(socket, "gethostname", lambda: "another machine with the same folder")
    with pytest.raises(LeaseHeldError):
        async with turn_of(store, tmp_path):
            raise AssertionError("it has no turn")


async def test_a_model_of_who_slept_past_the_lease_is_not_published(store: Store, tmp_path: Path) -> None:
    clock, artifacts = Ticking(NOW), ArtifactStore(tmp_path)
    no_numbers = np.empty(0, np.int32)
    nothing = Interactions(*[no_numbers] * 3, *[np.empty(0, np.float32)] * 2, np.empty(0, np.int64))
    data = TrainingData(nothing, 0, no_numbers, {}, NOW)

    def sleep_while_fitting() -> Blend:
        clock.now += 120 * SECOND
        return Blend({})

    async def publish(fit: Callable[[], Blend], taken_by_another: bool = False) -> None:
        async with turn_of(store, tmp_path / APP, Environment(clock)) as turn:
            if taken_by_another:  # by a clock that is ahead of ours
                ahead = clock.now + 120 * SECOND
                await acquire_lease(store, APP, job="daily", holder="host9", now=ahead, length=SECOND)
            published = replace(data, now=clock())
            await Publisher(artifacts, turn, published, 0).publish(Fit("blend", "blend", {}, fit))

    await publish(lambda: Blend({}))
    first = artifacts.current(APP, "blend")
    assert first is not None
    with pytest.raises(LeaseLostError, match="it expired at"):
        await publish(sleep_while_fitting)
    with pytest.raises(LeaseLostError, match="daily on host9 took it at"):
        await publish(lambda: Blend({}), taken_by_another=True)
    assert artifacts.versions(APP, "blend") == [first]
    assert artifacts.current(APP, "blend") == first
    assert [path.name for path in (tmp_path / APP / "blend").iterdir() if "draft" in path.name] == []
