"""The schedule: runs the jobs of apps at their times, one after another, until it is stopped."""

from __future__ import annotations

import asyncio
import logging
import signal
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final, TypeAlias

import structlog
from apscheduler.events import EVENT_JOB_MAX_INSTANCES, JobSubmissionEvent
from apscheduler.executors.pool import ThreadPoolExecutor
from apscheduler.schedulers.background import BackgroundScheduler
from apscheduler.triggers.interval import IntervalTrigger

from homefeed.engine import text_model_of
from homefeed.environment import Clock, Environment, system_clock
from homefeed.errors import HomefeedError, NotFoundError
from homefeed.recipe import JobSpec, Recipe
from homefeed.settings import Settings
from homefeed.store import open_store
from homefeed.store.artifacts import ArtifactStore
from homefeed.times import format_time
from homefeed.train.jobs import Trained, train_app
from homefeed.types import SECOND

_MINUTE: Final = 60
_ENDS: Final = (signal.SIGINT, signal.SIGTERM)
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)

_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Task:
    """A job of an app."""

    recipe: Recipe
    job: JobSpec

    @property
    def name(self) -> str:
        """The app and the job."""
        return f"{self.recipe.app} {self.job.name}"


Work: TypeAlias = Callable[[Task], Trained]
"""Does a task and returns its outcome."""


def tasks_of(recipes: Iterable[Recipe], job: str | None = None) -> list[Task]:
    """Every job of the apps, or those with one name.

    Raises:
        NotFoundError: no app has it.
    """
    every = [Task(recipe, spec) for recipe in recipes for spec in recipe.jobs.values()]
    found = [task for task in every if job in (None, task.job.name)]
    if job is not None and not found:
        known = ", ".join(task.name for task in every)
        raise NotFoundError(f'no job "{job}"; the jobs are, by app: {known}')
    return found


def work_of(settings: Settings, environment: Environment | None = None) -> Work:
    """Training by the settings. The store is opened for every run, so a failed run does not affect the next."""
    environment = environment or Environment()

    async def train(task: Task) -> Trained:
        async with open_store(settings.store_url) as store:
            return await train_app(
                task.recipe,
                store,
                ArtifactStore(settings.models_folder),
                environment,
                models=task.job.models,
                seed=settings.seed,
                text_model=text_model_of(settings.text_model),
            )

    return lambda task: asyncio.run(train(task))


def run_task(task: Task, work: Work) -> bool:
    """Do a task and log its outcome. Returns whether it succeeded; never raises."""
    app, job = task.recipe.app, task.job.name
    try:
        done = work(task)
    except HomefeedError as error:
        _log.error("job failed", app=app, job=job, error=str(error))
        return False
    except Exception as error:
        _log.error("job failed", app=app, job=job, error=repr(error), exc_info=True)
        return False
    seconds = round(done.seconds, 1)
    models = [manifest.model for manifest in done.manifests]
    _log.info("job done", app=app, job=job, models=models, seconds=seconds, events=done.events)
    return True


def trigger_of(job: JobSpec) -> IntervalTrigger:
    """The times of a job, in the scheduler's form."""
    start = _EPOCH + timedelta(microseconds=job.offset)
    return IntervalTrigger(seconds=job.period / SECOND, start_date=start, timezone=UTC)


@contextmanager
def running(tasks: Iterable[Task], work: Work) -> Iterator[BackgroundScheduler]:
    """Run the tasks at their times in a single thread while the caller goes on, and calls `keep_time` at times.

    A task that is due while another runs waits for it. One that still runs or waits when it is due again is not
    started a second time. On exit a running task is completed, and no other starts.
    """
    ending = threading.Event()

    def run(task: Task) -> None:
        if not ending.is_set():
            run_task(task, work)

    def skipped(event: JobSubmissionEvent) -> None:
        app, job = event.job_id.split()
        _log.warning("job skipped: it is still running or waiting", app=app, job=job)

    logging.getLogger("apscheduler").setLevel(logging.ERROR)  # its warnings are logged here
    scheduler = BackgroundScheduler(
        executors={"default": ThreadPoolExecutor(1)},
        # A late task, such as after a long one, still runs, and only once.
        job_defaults={"coalesce": True, "max_instances": 1, "misfire_grace_time": None},
        timezone=UTC,
    )
    scheduler.add_listener(skipped, EVENT_JOB_MAX_INSTANCES)
    for task in tasks:
        scheduler.add_job(run, trigger_of(task.job), args=[task], id=task.name)
    scheduler.start()
    try:
        yield scheduler
    finally:
        ending.set()
        scheduler.shutdown(wait=True)


def keep_time(scheduler: BackgroundScheduler, now: int) -> None:
    """Go by the clock as it is: the scheduler sleeps until the next time by what the clock was when it looked.

    A clock that was ahead, and is set back, would have all jobs wait until then.
    """
    moment = _EPOCH + timedelta(microseconds=now)
    for job in scheduler.get_jobs():
        if job.next_run_time - moment > job.trigger.interval + timedelta(seconds=_MINUTE):
            job.modify(next_run_time=job.trigger.get_next_fire_time(None, moment))
            app, name = job.id.split()
            _log.warning("clock went back, job is due by it again", app=app, job=name)
    scheduler.wakeup()


def run_schedule(tasks: Sequence[Task], work: Work, clock: Clock = system_clock) -> None:
    """Run the tasks at their times until SIGTERM or Ctrl+C; at a second one the process ends during a task."""
    found = {number: signal.getsignal(number) for number in _ENDS}
    handlers = {number: handler for number, handler in found.items() if handler not in (None, signal.SIG_IGN)}
    for number in handlers:
        # By an exception, not an event: a handler may run while the main thread holds the event's lock.
        signal.signal(number, signal.default_int_handler)
    try:
        with suppress(KeyboardInterrupt), running(tasks, work) as scheduler:
            try:
                now = clock()
                first = min(tasks, key=lambda task: task.job.next_time(now))
                due = format_time(first.job.next_time(now))
                _log.info("schedule running", jobs=len(tasks), next=first.name, at=due)
                while True:
                    time.sleep(_MINUTE)
                    keep_time(scheduler, clock())
            except KeyboardInterrupt:
                for number in handlers:
                    signal.signal(number, signal.SIG_DFL)
                _log.info("stopping after the running job")
    finally:
        for number, handler in handlers.items():
            signal.signal(number, handler)
