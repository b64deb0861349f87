"""The schedule: runs the jobs of apps at their times, one after another, until it is stopped."""

from __future__ import annotations

import asyncio
import logging
import signal
import threading
import time
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Final, Literal, TypeAlias

import structlog
from apscheduler.events import EVENT_JOB_MAX_INSTANCES, JobSubmissionEvent
from apscheduler.executors.pool import ThreadPoolExecutor
from apscheduler.schedulers.background import BackgroundScheduler
from apscheduler.triggers.base import BaseTrigger

from homefeed.engine import text_model_of
from homefeed.environment import Clock, Environment, system_clock
from homefeed.errors import HomefeedError, LeaseHeldError, NotFoundError
from homefeed.recipe import JobSpec, Recipe
from homefeed.settings import Settings
from homefeed.store import open_store
from homefeed.store.artifacts import ArtifactStore
from homefeed.store.job_runs import KEPT_RUNS, latest_job_runs
from homefeed.times import format_time
from homefeed.train.jobs import Trained, train_app

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

Outcome: TypeAlias = Literal["done", "failed", "held"]
"""How a task went; one is held where another process has the lease of its app."""


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
                job=task.job.name,
                seed=settings.seed,
                text_model=text_model_of(settings.text_model),
            )

    return lambda task: asyncio.run(train(task))


def find_missed(settings: Settings, tasks: Sequence[Task], now: int) -> list[Task]:
    """The tasks that were missed; none, with a line in the log, where the store does not say."""
    try:
        return asyncio.run(missed_tasks(settings, tasks, now))
    except HomefeedError as error:
        _log.error("cannot tell which jobs were missed", error=str(error))
        return []


async def missed_tasks(settings: Settings, tasks: Sequence[Task], now: int) -> list[Task]:
    """Those that were due while nobody ran them: since the last start of a run that was done.

    An app without items has nothing to miss.
    """
    found = []
    async with open_store(settings.store_url) as store:
        for task in tasks:
            app, due = task.recipe.app, task.job.last_time(now)
            runs = await latest_job_runs(store, app, KEPT_RUNS, task.job.name)
            done = max((run.started for run in runs if run.outcome == "done"), default=None)
            if (done is None or done < due) and (await store.watermarks(app)).item_number:
                found.append(task)
    return found


def run_task(task: Task, work: Work) -> Outcome:
    """Do a task and log its outcome; never raises."""
    app, job = task.recipe.app, task.job.name
    try:
        done = work(task)
    except LeaseHeldError as error:
        _log.warning("job held", app=app, job=job, by=str(error))
        return "held"
    except HomefeedError as error:
        _log.error("job failed", app=app, job=job, error=str(error))
        return "failed"
    except Exception as error:
        _log.error("job failed", app=app, job=job, error=repr(error), exc_info=True)
        return "failed"
    seconds = round(done.seconds, 1)
    models = [manifest.model for manifest in done.manifests]
    more = {"resumed": list(done.resumed)} if done.resumed else {}
    _log.info("job done", app=app, job=job, models=models, seconds=seconds, events=done.events, **more)
    return "done"


class JobTrigger(BaseTrigger):  # type: ignore[misc]
    """The times of a job, in the scheduler's form: the same, also after a run at another time."""

    def __init__(self, job: JobSpec) -> None:
        self.job = job

    def get_next_fire_time(self, previous: datetime | None, now: datetime) -> datetime:
        """The first time after both."""
        latest = now if previous is None else max(previous, now)
        return _moment(self.job.next_time((latest - _EPOCH) // timedelta(microseconds=1)))


def _moment(time: int) -> datetime:
    return _EPOCH + timedelta(microseconds=time)


@contextmanager
def running(
    tasks: Iterable[Task], work: Work, missed: Collection[Task] = (), again_after: float = _MINUTE
) -> Iterator[BackgroundScheduler]:
    """Run the tasks at their times in a single thread while the caller goes on, and calls `keep_time` at times.

    Those that were `missed` run at once, too. A task that is due while another runs waits for it. One that still
    runs or waits when it is due again is not started a second time. One whose lease another process holds is tried
    again after so many seconds. On exit a running task is completed, and no other starts.
    """
    ending = threading.Event()

    def run(task: Task) -> None:
        if ending.is_set() or run_task(task, work) != "held":
            return
        soon, job = datetime.now(UTC) + timedelta(seconds=again_after), scheduler.get_job(task.name)
        if job is not None and soon < job.next_run_time:
            job.modify(next_run_time=soon)

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
        at_once: dict[str, Any] = {"next_run_time": datetime.now(UTC)} if task in missed else {}
        scheduler.add_job(run, JobTrigger(task.job), args=[task], id=task.name, **at_once)
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
    moment = _moment(now)
    for job in scheduler.get_jobs():
        period = timedelta(microseconds=job.trigger.job.period)
        if job.next_run_time - moment > period + timedelta(seconds=_MINUTE):
            job.modify(next_run_time=job.trigger.get_next_fire_time(None, moment))
            app, name = job.id.split()
            _log.warning("clock went back, job is due by it again", app=app, job=name)
    scheduler.wakeup()


def run_schedule(
    tasks: Sequence[Task], work: Work, clock: Clock = system_clock, missed: Collection[Task] = ()
) -> None:
    """Run the tasks at their times until SIGTERM or Ctrl+C; at a second one the process ends during a task.

    Those that were `missed` run at once, too.
    """
    found = {number: signal.getsignal(number) for number in _ENDS}
    handlers = {number: handler for number, handler in found.items() if handler not in (None, signal.SIG_IGN)}
    for number in handlers:
        # By an exception, not an event: a handler may run while the main thread holds the event's lock.
        signal.signal(number, signal.default_int_handler)
    try:
        with suppress(KeyboardInterrupt), running(tasks, work, missed) as scheduler:
            try:
                now = clock()
                first = min(tasks, key=lambda task: task.job.next_time(now))
                due = format_time(first.job.next_time(now))
                _log.info("schedule running", jobs=len(tasks), next=first.name, at=due)
                for task in missed:
                    _log.info("job missed, runs now", app=task.recipe.app, job=task.job.name)
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
