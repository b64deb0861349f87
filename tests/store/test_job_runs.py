"""The runs of jobs."""

from __future__ import annotations

from dataclasses import replace

import pytest

from homefeed.store import Store, job_runs
from homefeed.store.job_runs import JobRun, beat_job_run, end_job_run, latest_job_runs, start_job_run

APP = "market"


async def test_a_run_is_followed_from_its_start_to_its_end(store: Store) -> None:
    begun = await start_job_run(store, APP, "daily", "a", 10)
    assert begun == JobRun(APP, "daily", "a", 10, 10, None, "running", 0, 0, "")
    assert await latest_job_runs(store, APP, 9) == [begun]
    assert await beat_job_run(store, APP, "a", 25, done=3, total=8, detail="reading events")
    alive = replace(begun, heartbeat=25, done=3, total=8, detail="reading events")
    assert await latest_job_runs(store, APP, 9) == [alive]
    assert await end_job_run(store, APP, "a", 40, "failed", "x" * 2_000)
    ended = replace(alive, heartbeat=40, ended=40, outcome="failed", detail="x" * 1_000)
    assert await latest_job_runs(store, APP, 9) == [ended]


async def test_a_run_that_ended_is_not_brought_back(store: Store) -> None:
    await start_job_run(store, APP, "daily", "a", 10)
    assert not await end_job_run(store, "other", "a", 20, "done")
    assert await end_job_run(store, APP, "a", 20, "done")
    assert not await beat_job_run(store, APP, "a", 30)
    assert not await end_job_run(store, APP, "a", 30, "failed")
    (run,) = await latest_job_runs(store, APP, 9)
    assert (run.ended, run.outcome) == (20, "done")


async def test_what_still_runs_when_the_next_begins_was_stopped_at_its_last_heartbeat(store: Store) -> None:
    await start_job_run(store, APP, "daily", "a", 10)
    await start_job_run(store, "other", "daily", "a", 10)
    await beat_job_run(store, APP, "a", 25)
    await start_job_run(store, APP, "hourly", "b", 90)
    newest, stopped = await latest_job_runs(store, APP, 9)
    assert (newest.run_id, newest.outcome) == ("b", "running")
    assert (stopped.run_id, stopped.outcome, stopped.ended) == ("a", "stopped", 25)
    assert (await latest_job_runs(store, "other", 9))[0].outcome == "running"


async def test_the_latest_come_first_and_of_one_job_if_asked(store: Store) -> None:
    for started, job in enumerate(["daily", "hourly", "daily"]):
        await start_job_run(store, APP, job, f"r{started}", started)
    assert [run.run_id for run in await latest_job_runs(store, APP, 2)] == ["r2", "r1"]
    assert [run.run_id for run in await latest_job_runs(store, APP, 9, "daily")] == ["r2", "r0"]


async def test_so_many_runs_of_each_job_are_kept(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(job_runs, "KEPT_RUNS", 2)
    await start_job_run(store, APP, "daily", "old", 0)
    for started in range(1, 5):
        await start_job_run(store, APP, "hourly", f"r{started}", started)
    assert [run.run_id for run in await latest_job_runs(store, APP, 9)] == ["r4", "r3", "old"]
