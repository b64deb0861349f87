"""The schedule: each job at its time, one at a time, whatever happens, until it is stopped."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import textwrap
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TypeAlias

import pytest
import structlog
from structlog.testing import capture_logs
from structlog.typing import EventDict

from homefeed.apps import find_recipe
from homefeed.environment import Environment, system_clock
from homefeed.errors import HomefeedError, LeaseHeldError, NotFoundError
from homefeed.recipe import JobSpec
from homefeed.settings import Settings
from homefeed.store import open_store
from homefeed.store.artifacts import ArtifactStore
from homefeed.store.items import ItemWrite, put_items
from homefeed.store.job_runs import end_job_run, start_job_run
from homefeed.train import Trained
from homefeed.train.schedule import (
    JobTrigger,
    Task,
    find_missed,
    keep_time,
    missed_tasks,
    run_task,
    running,
    tasks_of,
    work_of,
)
from homefeed.types import DAY, SECOND

STREAMING, COMMUNITY = find_recipe("streaming"), find_recipe("community")
Wait: TypeAlias = Callable[[Callable[[], bool]], None]
NOW = 1_700_000_000 * SECOND
SOON = SECOND // 20


@pytest.fixture(autouse=True)
def logs() -> Iterator[list[EventDict]]:
    before = structlog.get_config()
    with capture_logs() as captured:
        yield captured
    structlog.configure(**before)


def task(name: str, period: int = SOON, app: str = "streaming") -> Task:
    return Task(replace(STREAMING, app=app), JobSpec(name, period, 0, ("signals",)))


def nothing(task: Task) -> Trained:
    return Trained(task.recipe.app, 1, 2, 3, 0.5, ())


class Recorder:
    """Work that notes what is done, how much of it at once, and may take its time or fail."""

    def __init__(self, seconds: float = 0.0, failing: str = "") -> None:
        self.seconds, self.failing = seconds, failing
        self.begun: list[str] = []
        self.ended: list[str] = []
        self.enough = threading.Event()
        self.at_once = self.most_at_once = 0

    def __call__(self, task: Task) -> Trained:
        self.at_once += 1
        self.most_at_once = max(self.most_at_once, self.at_once)
        self.begun.append(task.name)
        try:
            time.sleep(self.seconds)
            if task.job.name == self.failing:
                raise RuntimeError("on purpose")
        finally:
            self.at_once -= 1
            self.ended.append(task.name)
            if len(self.ended) >= 6:
                self.enough.set()
        return nothing(task)


def test_tasks_are_the_jobs_of_the_apps() -> None:
    names = [task.name for task in tasks_of([STREAMING, COMMUNITY])]
    assert names == ["streaming hourly", "streaming daily", "community hourly", "community daily"]
    daily = tasks_of([STREAMING, COMMUNITY], "daily")
    assert [task.name for task in daily] == ["streaming daily", "community daily"]


def test_a_job_of_only_one_app_is_a_task_of_that() -> None:
    often = replace(COMMUNITY, jobs={"frequent": JobSpec("frequent", DAY, 0, ("signals",))})
    assert [task.name for task in tasks_of([STREAMING, often], "frequent")] == ["community frequent"]
    assert [task.name for task in tasks_of([STREAMING, often], "daily")] == ["streaming daily"]
    with pytest.raises(NotFoundError, match="streaming hourly, streaming daily, community frequent"):
        tasks_of([STREAMING, often], "weekly")


@pytest.mark.parametrize(("period", "offset"), [(3_600, 0), (86_400, 11_700), (604_800, 60), (90, 0), (1.5, 0)])
@pytest.mark.parametrize("now", [NOW, NOW + 12_345_678_901, 1_767_571_200 * SECOND + 1])
def test_the_scheduler_has_the_same_times_as_people_read(period: float, offset: int, now: int) -> None:
    job = JobSpec("one", round(period * SECOND), offset * SECOND, ("signals",))
    trigger, epoch = JobTrigger(job), datetime(1970, 1, 1, tzinfo=UTC)
    first = trigger.get_next_fire_time(None, epoch + timedelta(microseconds=now))
    second = trigger.get_next_fire_time(first, first)
    for fire, due in ((first, job.next_time(now)), (second, job.next_time(job.next_time(now)))):
        assert (fire - epoch) / timedelta(microseconds=1) == due
        assert fire.utcoffset() == timedelta(0)


def test_every_task_is_run_again_and_again_one_at_a_time(logs: list[EventDict]) -> None:
    recorder = Recorder(0.01)
    with running([task("one"), task("two"), task("one", app="films")], recorder):
        assert recorder.enough.wait(5)
    assert set(recorder.begun) == {"streaming one", "streaming two", "films one"}
    assert recorder.most_at_once == 1
    # On a busy machine a task may be due again while it waits.
    assert {line["event"] for line in logs} - {"job skipped: it is still running or waiting"} == {"job done"}
    expected = {"app": "films", "job": "one", "models": [], "seconds": 0.5, "events": 3}
    assert expected | {"event": "job done", "log_level": "info"} in logs


def test_a_task_that_fails_is_logged_and_the_others_go_on(logs: list[EventDict]) -> None:
    recorder = Recorder(failing="bad")
    with running([task("bad"), task("good")], recorder):
        assert recorder.enough.wait(5)
    assert recorder.begun.count("streaming bad") >= 2, "it is tried again"
    assert recorder.begun.count("streaming good") >= 2
    failed = next(line for line in logs if line["event"] == "job failed")
    assert (failed["job"], failed["error"], failed["log_level"]) == ("bad", "RuntimeError('on purpose')", "error")


def test_an_expected_error_is_logged_by_its_reason_alone(logs: list[EventDict]) -> None:
    def refuse(task: Task) -> Trained:
        raise HomefeedError("no items yet")

    assert run_task(task("one"), refuse) == "failed"
    expected = {"event": "job failed", "app": "streaming", "job": "one", "error": "no items yet"}
    assert logs == [expected | {"log_level": "error"}]
    assert run_task(task("one"), nothing) == "done"


def test_a_task_whose_lease_another_holds_is_tried_again_soon(logs: list[EventDict], eventually: Wait) -> None:
    begun = list[str]()

    def work(task: Task) -> Trained:
        begun.append(task.name)
        if len(begun) < 3:
            raise LeaseHeldError("daily, on host9")
        return nothing(task)

    daily = task("daily", DAY)
    with running([daily], work, [daily], again_after=0.05) as scheduler:
        eventually(lambda: any(line["event"] == "job done" for line in logs))
        due = scheduler.get_job("streaming daily").next_run_time
    held = [line for line in logs if line["event"] == "job held"]
    assert [(line["job"], line["by"], line["log_level"]) for line in held] == [
        ("daily", "daily, on host9", "warning")
    ] * 2
    assert due == datetime.fromtimestamp(daily.job.next_time(system_clock()) / SECOND, UTC), "at its times again"


async def test_missed_are_jobs_not_done_since_they_were_due(store_url: str, tmp_path: Path) -> None:
    settings = Settings(home=tmp_path, database_url=store_url)
    hour = 3_600 * SECOND
    hourly, daily = task("hourly", hour), task("daily", DAY)
    now = NOW - NOW % DAY + 2 * hour
    async with open_store(store_url) as store:
        assert await missed_tasks(settings, [hourly, daily], now) == [], "there is nothing to train on"
        await put_items(store, "streaming", [ItemWrite("i", {})])
        assert await missed_tasks(settings, [hourly, daily], now) == [hourly, daily]
        for job, started, outcome in (("daily", now - 2 * hour, "done"), ("hourly", now - 1, "done")):
            await start_job_run(store, "streaming", job, job, started)
            await end_job_run(store, "streaming", job, started + 9, outcome)  # type: ignore[arg-type]
        assert await missed_tasks(settings, [hourly, daily], now - 1) == []
        await start_job_run(store, "streaming", "hourly", "killed", now + 1)
        assert await missed_tasks(settings, [hourly, daily], now + 2) == [hourly]


def test_where_the_store_does_not_say_nothing_was_missed(tmp_path: Path, logs: list[EventDict]) -> None:
    (tmp_path / "homefeed.db").write_text("no database, but long enough to be taken for one that is damaged" * 9)
    assert find_missed(Settings(home=tmp_path), [task("daily", DAY)], NOW) == []
    (line,) = logs
    assert (line["event"], line["log_level"]) == ("cannot tell which jobs were missed", "error")


def test_a_task_that_lasts_is_not_begun_twice_and_that_is_logged(logs: list[EventDict], eventually: Wait) -> None:
    def skipped() -> set[tuple[str, str]]:
        return {(line["app"], line["job"]) for line in logs if line["event"].startswith("job skipped")}

    recorder = Recorder(0.2)
    with running([task("slow"), task("other", app="films")], recorder):
        eventually(lambda: skipped() == {("streaming", "slow"), ("films", "other")})
        eventually(lambda: len(recorder.begun) > 2)
    assert recorder.most_at_once == 1
    assert sorted(recorder.begun[:2]) == ["films other", "streaming slow"]


def test_a_clock_that_was_ahead_and_is_right_again_stops_no_job(logs: list[EventDict], eventually: Wait) -> None:
    recorder, now = Recorder(), system_clock()
    with running([task("often"), task("daily", DAY)], recorder) as scheduler:
        scheduler.pause()
        for name in ("often", "daily"):
            scheduler.get_job(f"streaming {name}").modify(next_run_time=datetime.now(UTC) + timedelta(days=1_095))
        scheduler.resume()
        begun = len(recorder.begun)
        time.sleep(0.3)
        assert len(recorder.begun) <= begun + 1, "what was submitted before the clock was ahead"
        keep_time(scheduler, now)
        due = scheduler.get_job("streaming daily").next_run_time
        assert due == datetime.fromtimestamp(task("daily", DAY).job.next_time(now) / SECOND, UTC)
        eventually(lambda: len(recorder.begun) > begun + 2)
        told = {(line["event"], line.get("job")) for line in logs if line["log_level"] == "warning"}
        assert {("clock went back, job is due by it again", name) for name in ("often", "daily")} <= told
        keep_time(scheduler, now)
        assert scheduler.get_job("streaming daily").next_run_time == due


def test_on_leaving_the_running_task_is_waited_for_and_the_waiting_one_dropped(eventually: Wait) -> None:
    begun, ended, release = list[str](), list[str](), threading.Event()

    def work(task: Task) -> Trained:
        begun.append(task.name)
        assert release.wait(5)
        ended.append(task.name)
        return nothing(task)

    with running([task("one"), task("two")], work):
        eventually(lambda: bool(begun))
        threading.Timer(0.5, release.set).start()
    assert len(begun) == 1
    assert ended == begun


@pytest.mark.parametrize("store_url", ["sqlite"], indirect=True)
async def test_work_is_training_by_the_settings(store_url: str, tmp_path: Path) -> None:
    settings = Settings(home=tmp_path, seed=7)
    async with open_store(settings.store_url) as store:
        await put_items(store, "streaming", [ItemWrite(f"i{n}", {"title": f"Film {n}"}) for n in range(9)])
    done: list[Trained] = []
    (due,) = tasks_of([STREAMING], "hourly")
    working = threading.Thread(target=lambda: done.append(work_of(settings, Environment(lambda: NOW))(due)))
    working.start()
    working.join()
    exposures, manifest = done[0].manifests
    assert (manifest.model, manifest.created_at) == ("signals", "2023-11-14T22:13:20Z")
    assert exposures.model == "exposures"
    assert ArtifactStore(settings.models_folder).current("streaming", "signals") == manifest.version
    assert ArtifactStore(settings.models_folder).current("streaming", "content") is None


PROGRAM = """
    import sys, time
    from homefeed.apps import find_recipe
    from homefeed.log import configure_logging
    from homefeed.recipe import JobSpec
    from homefeed.train import Trained
    from homefeed.train.schedule import Task, run_schedule

    def work(task):
        print("begun", flush=True)
        time.sleep(float(sys.argv[1]))
        return Trained("streaming", 0, 0, 0, 0.0, ())

    configure_logging("info", "json")
    run_schedule([Task(find_recipe("streaming"), JobSpec("one", 50_000, 0, ()))], work)
    print("ended", flush=True)
"""


def schedule_of(seconds: float) -> subprocess.Popen[str]:
    """A process with a schedule, in the middle of a job that takes so long."""
    process = subprocess.Popen(
        [sys.executable, "-W", "error", "-c", textwrap.dedent(PROGRAM), str(seconds)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=os.environ | {"OMP_NUM_THREADS": "1"},
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "begun\n"
    return process


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_it_after_the_running_job(number: signal.Signals) -> None:
    with schedule_of(0.5) as process:
        process.send_signal(number)
        printed, logged = process.communicate(timeout=20)
    assert process.returncode == 0, logged
    assert printed == "ended\n", "no other job was begun"
    kept = [line for line in logged.splitlines() if "job skipped" not in line]
    assert [json.loads(line)["event"] for line in kept] == [
        "schedule running",
        "stopping after the running job",
        "job done",
    ]


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_second_signal_ends_it_at_once(number: signal.Signals) -> None:
    with schedule_of(60) as process:
        process.send_signal(number)
        assert process.stderr is not None
        assert any("stopping" in line for line in iter(process.stderr.readline, ""))
        began = time.monotonic()
        process.send_signal(number)
        process.wait(20)
    assert time.monotonic() - began < 10
    assert process.returncode == -number
