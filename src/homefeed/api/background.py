"""What a server does beside the requests: probe and follow the store, write impressions, delete what is old."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass
from functools import partial

import structlog

from homefeed.api.job_metrics import job_states
from homefeed.api.metrics import Metrics
from homefeed.errors import UnavailableError
from homefeed.serving import LiveApp
from homefeed.serving.features.store import FeatureStore
from homefeed.serving.keyring import KeyRing
from homefeed.serving.retention import prune
from homefeed.settings import Settings
from homefeed.store import Store

_PROBE_SECONDS = 1.0
_CHECKPOINT_SECONDS = 5.0
_IDLE_SECONDS = 5.0
_WRITE_SECONDS = 1.0
_PRUNE_SECONDS = 3_600.0
_COUNT_SECONDS = 2.0
_JOBS_SECONDS = 20.0
_USED_SECONDS = 10.0
_PATIENCE_SECONDS = 10.0

_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Background:
    """What is at work, until `stop`."""

    apps: tuple[LiveApp, ...]
    measured: Metrics
    ending: asyncio.Event
    tasks: tuple[asyncio.Task[None], ...]

    async def stop(self) -> None:
        """End it, and write the impressions that are left.

        Each is let finish what it is at: a write that is cut short keeps the store locked for everybody.
        """
        self.ending.set()
        late = (await asyncio.wait(self.tasks, timeout=_PATIENCE_SECONDS))[1] if self.tasks else ()
        for task in late:
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task
        for app in self.apps:
            await _write(app, self.measured)


def start(
    store: Store,
    apps: Iterable[LiveApp],
    settings: Settings,
    measured: Metrics,
    features: FeatureStore,
    keys: KeyRing,
) -> Background:
    """Begin all of it, for as long as the server runs."""
    apps, ending = tuple(apps), asyncio.Event()
    for app in apps:
        measured.first_shown.begin(app.recipe.app, app.catalog, app.environment.clock())
    repeated = [
        _repeat(partial(_probe, store), _PROBE_SECONDS, ending),
        _repeat(store.checkpoint, _CHECKPOINT_SECONDS, ending),
        _repeat(features.probe, _PROBE_SECONDS, ending),
        _repeat(partial(_follow_keys, keys, store), settings.poll_seconds, ending),
        _repeat(partial(_write_used, keys, store.unhurried), _USED_SECONDS, ending),
    ]
    repeated += [
        work
        for app in apps
        for work in (
            _repeat(partial(_follow, app, measured), settings.poll_seconds, ending),
            _repeat(partial(_write, app, measured), _WRITE_SECONDS, ending),
            _repeat(partial(_describe, app), _WRITE_SECONDS, ending),
            _repeat(partial(_prune, app, settings), _PRUNE_SECONDS, ending),
            _repeat(partial(_count_events, app, measured), _COUNT_SECONDS, ending),
            _repeat(partial(_tell_jobs, app, measured), _JOBS_SECONDS, ending),
        )
    ]
    return Background(apps, measured, ending, tuple(asyncio.create_task(work) for work in repeated))


async def _repeat(step: Callable[[], Awaitable[None]], every: float, ending: asyncio.Event) -> None:
    while not ending.is_set():
        await step()
        with suppress(TimeoutError):
            await asyncio.wait_for(ending.wait(), every)


async def _probe(store: Store) -> None:
    """Find out whether the store takes writes, unless one told a moment ago: /readyz asks nobody."""
    if not store.health.written_within(_IDLE_SECONDS):
        await store.probe()


async def _follow_keys(keys: KeyRing, store: Store) -> None:
    """Take over which keys there are; meanwhile those known last hold."""
    try:
        await keys.follow(store)
    except Exception as error:
        if not _is_told(error):
            _log.error("cannot read the keys; trying again", error=repr(error))


async def _write_used(keys: KeyRing, store: Store) -> None:
    """Write down when keys were used."""
    try:
        await keys.write_used(store)
    except Exception as error:
        if not _is_told(error):
            _log.error("cannot write down when keys were used; going on", error=repr(error))


async def _follow(app: LiveApp, measured: Metrics) -> None:
    """Bring an app in step with what others wrote and trained."""
    name = app.recipe.app
    try:
        if await app.catch_up():
            measured.reloads.labels(name).inc()
            _log.info("models live", app=name, versions=app.model_versions)
        measured.items.labels(name).set(app.catalog.size)
        for kind, rows in app.set_aside.items():
            measured.set_aside.labels(name, kind).set(len(rows))
        measured.degraded.labels(name).set(len(app.degraded))
        measured.work.set(name, app.work)
        for feed, learned in app.learned.items():
            measured.learned.labels(name, feed, learned.part).set(learned.serving)
    except Exception as error:
        measured.follow_errors.labels(name).inc()
        if not _is_told(error):
            _log.error("cannot follow the store; trying again", app=name, error=repr(error))


async def _write(app: LiveApp, measured: Metrics) -> None:
    """Write the impressions that wait."""
    name = app.recipe.app
    try:
        measured.impressions.labels(name, "written").inc(await app.impressions.flush())
    except Exception as error:
        if not _is_told(error):
            _log.error("cannot write impressions; trying again", app=name, error=repr(error))
    measured.impressions.labels(name, "lost").inc(app.impressions.take_lost())


async def _describe(app: LiveApp) -> None:
    """Have what changed of users and items in the store that replicas share."""
    try:
        await app.features.flush()
    except Exception as error:
        if not _is_told(error):
            _log.error("cannot describe users and items; trying again", app=app.recipe.app, error=repr(error))


async def _prune(app: LiveApp, settings: Settings) -> None:
    """Delete what is too old."""
    try:
        gone = await prune(app.store.unhurried, app.recipe.app, settings, app.environment.clock())
        for why in gone.refused:
            _log.error("not deleted", app=app.recipe.app, why=why)
        if gone.events or gone.impressions:
            counts = {"events": gone.events, "impressions": gone.impressions}
            _log.info("deleted what is too old", app=app.recipe.app, **counts)
        if gone.events:
            app.forget_users()
    except Exception as error:
        if not _is_told(error):
            _log.error("cannot delete what is too old; trying again", app=app.recipe.app, error=repr(error))


async def _count_events(app: LiveApp, measured: Metrics) -> None:
    """Put events down to what was shown, for the metrics."""
    try:
        await measured.on_shown.count(app)
    except Exception as error:
        if not _is_told(error):
            _log.error("cannot count events on what was shown; going on", app=app.recipe.app, error=repr(error))


async def _tell_jobs(app: LiveApp, measured: Metrics) -> None:
    """Tell how jobs went, and how old models are, in the metrics."""
    try:
        measured.jobs.set(app.recipe.app, await job_states(app.store.unhurried, app.recipe), app.model_versions)
    except Exception as error:
        if not _is_told(error):
            _log.error("cannot read the runs of jobs; trying again", app=app.recipe.app, error=repr(error))


def _is_told(error: Exception) -> bool:
    # Trouble of the store is told once, by the store itself, however often it is met.
    return isinstance(error, UnavailableError)
