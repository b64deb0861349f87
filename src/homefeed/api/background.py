"""What a server does beside the requests: follow the store, write impressions, delete what is too old."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Sequence
from contextlib import suppress

import structlog

from homefeed.api.metrics import Metrics
from homefeed.serving import LiveApp
from homefeed.serving.retention import prune
from homefeed.settings import Settings

_WRITE_SECONDS = 1.0
_PRUNE_SECONDS = 3_600.0

_log = structlog.get_logger(__name__)


def start(apps: Iterable[LiveApp], settings: Settings, measured: Metrics) -> list[asyncio.Task[None]]:
    """Begin all of it, for as long as the server runs."""
    return [
        asyncio.create_task(work)
        for app in apps
        for work in (_follow(app, settings.poll_seconds, measured), _write(app, measured), _prune(app, settings))
    ]


async def stop(working: Sequence[asyncio.Task[None]], apps: Iterable[LiveApp], measured: Metrics) -> None:
    """End it, and write the impressions that are left."""
    for task in working:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task
    for app in apps:
        await _flush(app, measured)


async def _follow(app: LiveApp, every: float, measured: Metrics) -> None:
    """Keep an app in step with what others write and train, for as long as the server runs."""
    name = app.recipe.app
    while True:
        await asyncio.sleep(every)
        try:
            if await app.catch_up():
                measured.reloads.labels(name).inc()
                _log.info("models live", app=name, versions=app.model_versions)
            measured.items.labels(name).set(app.catalog.size)
        except Exception as error:
            measured.follow_errors.labels(name).inc()
            _log.error("cannot follow the store; trying again", app=name, error=repr(error))


async def _write(app: LiveApp, measured: Metrics) -> None:
    """Write the impressions, a group a second."""
    while True:
        await asyncio.sleep(_WRITE_SECONDS)
        await _flush(app, measured)


async def _flush(app: LiveApp, measured: Metrics) -> None:
    name = app.recipe.app
    try:
        measured.impressions.labels(name, "written").inc(await app.impressions.flush())
    except Exception as error:
        _log.error("cannot write impressions; trying again", app=name, error=repr(error))
    measured.impressions.labels(name, "lost").inc(app.impressions.take_lost())


async def _prune(app: LiveApp, settings: Settings) -> None:
    """Delete what is too old, once an hour."""
    while True:
        try:
            await prune(app.store, app.recipe.app, settings, app.outside.clock())
            if settings.events_days is not None:
                app.forget_users()
        except Exception as error:
            _log.error("cannot delete what is too old; trying again", app=app.recipe.app, error=repr(error))
        await asyncio.sleep(_PRUNE_SECONDS)
