"""The serving composition root: settings in, an ASGI application out."""

from __future__ import annotations

import asyncio
import gc
import importlib
import multiprocessing
import os
import signal
import sys
import threading
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Final

from fastapi import APIRouter, FastAPI
from fastapi_offline import FastAPIOffline
from threadpoolctl import threadpool_limits

from homefeed import __version__
from homefeed.api import (
    apps,
    background,
    errors,
    events,
    features,
    feeds,
    guard,
    health,
    items,
    metrics,
    openapi,
    overview,
    script,
    users,
)
from homefeed.api.access_log import AccessLog
from homefeed.api.context import Context
from homefeed.api.guard import Guard
from homefeed.api.hosts import Hosts
from homefeed.api.metrics import Metrics
from homefeed.api.middleware import RequestMiddleware
from homefeed.api.origins import allow_origins
from homefeed.api.overload import Door
from homefeed.api.overviews import Overviews
from homefeed.api.rates import RateLimitMiddleware, Rates
from homefeed.api.traces import TraceMiddleware, open_traces
from homefeed.apps import built_in, find_recipes
from homefeed.dashboard import pages
from homefeed.environment import Environment
from homefeed.kernels import warm_up
from homefeed.log import configure_logging
from homefeed.recipe import Recipe
from homefeed.serving import live_app
from homefeed.serving.fair_lock import FairLock
from homefeed.serving.features.opening import open_features
from homefeed.serving.keyring import KeyRing
from homefeed.serving.tokens import Tokens
from homefeed.settings import Settings, load_settings
from homefeed.store import open_store

_SWITCH_SECONDS: Final = 0.0005
_DOCUMENTATION: Final = ("/openapi.json", "/docs", "/docs/oauth2-redirect", "/redoc", "/static-offline-docs")


def create_app(settings: Settings | None = None, environment: Environment | None = None) -> FastAPI:
    """The application of the settings in force.

    Raises:
        SettingsError, RecipeError: what is configured cannot be served.
    """
    settings = settings or load_settings()
    environment = environment or Environment()
    configure_logging(settings.log_level, settings.log_format)
    # A request's matrices are small: threads would cost more in waiting for one another than they save.
    threadpool_limits(1, user_api="blas")
    # A commit waits for the disk in a thread; once there, it gets its turn while feeds are computed.
    sys.setswitchinterval(_SWITCH_SECONDS)
    recipes = find_recipes(settings.apps, settings.recipes)
    keys = KeyRing(environment.clock)
    measured = Metrics()
    turns = FairLock(settings.max_queue_seconds)
    traces = open_traces() if settings.traces else None
    rates = Rates(settings, measured.limited) if settings.rate_limit_key or settings.rate_limit_user else None

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[dict[str, Metrics]]:
        _end_with_parent()
        async with (
            open_features(settings) as shared,
            open_store(
                settings.store_url, settings.max_store_wait_seconds, settings.database_connections
            ) as store,
        ):
            await keys.follow(store)
            live = {
                name: live_app(recipe, store, settings, environment, shared, turns)
                for name, recipe in recipes.items()
            }
            for one in live.values():
                await one.start()
            await asyncio.to_thread(warm_up)
            measured.feature_store.follow(shared)
            measured.store.follow(store)
            measured.queues.follow(turns, live.values())
            overviews = Overviews(settings.store_url)
            app.state.context = Context(live, measured, settings.impressions_days > 0, shared, overviews)
            # What is loaded stays: the collector need not look at it with every full collection.
            gc.collect()
            gc.freeze()
            working = background.start(store, live.values(), settings, measured, shared, keys)
            try:
                yield {"metrics": measured}  # connections count by it, too
            finally:
                await overviews.stop()
                await working.stop()
                if traces is not None:
                    await asyncio.to_thread(traces.shutdown)
                if rates is not None:
                    await rates.close()

    app = FastAPIOffline(
        title="Homefeed",
        version=__version__,
        lifespan=lifespan,
        redirect_slashes=False,
        generate_unique_id_function=openapi.operation_ids(built_in()),
    )
    _include_routes(app, recipes, measured)
    tokens = Tokens(settings.token_secrets, settings.max_token_seconds, environment.clock)
    guard.install(app, Guard(keys, tokens, insecure=settings.insecure), _DOCUMENTATION)
    errors.install(app)
    openapi.install(app)
    if rates is not None:
        app.add_middleware(RateLimitMiddleware, rates=rates)
    if traces is not None:
        app.add_middleware(TraceMiddleware, provider=traces)
    _answer_every_request(app, settings, environment, measured, turns)
    # Around all else: a page must be able to read what is wrong with its request, too.
    allow_origins(app, settings.cors_origins)
    return app


def _end_with_parent() -> None:
    """Have a worker end when the process that started it is gone, however that ended."""
    parent = multiprocessing.parent_process()
    if parent is None:
        return

    def wait() -> None:
        parent.join()
        os.kill(os.getpid(), signal.SIGTERM)

    threading.Thread(target=wait, daemon=True, name="end-with-parent").start()


def _answer_every_request(
    app: FastAPI, settings: Settings, environment: Environment, measured: Metrics, turns: FairLock
) -> None:
    """Give each request an id, limits, a line in the log and its time in the metrics, whatever becomes of it."""
    app.add_middleware(
        RequestMiddleware,
        new_id=environment.new_id,
        hosts=Hosts(settings.host, settings.allowed_hosts),
        max_body=int(settings.max_body_megabytes * 1_000_000),
        metrics=measured,
        door=Door(turns),
        access=AccessLog(settings.access_log),
    )


def _include_routes(app: FastAPI, recipes: Mapping[str, Recipe], measured: Metrics) -> None:
    """Routes are tried in their order: those that are requested most come first."""
    for router in (
        *_own_routes(recipes),
        feeds.router,
        events.router,
        items.router,
        users.router,
        features.router,
        apps.router,
        overview.router,
    ):
        app.include_router(router)
    app.include_router(health.router)
    app.include_router(metrics.router(measured))
    app.include_router(script.router)
    app.include_router(pages.router)


def _own_routes(recipes: Mapping[str, Recipe]) -> list[APIRouter]:
    """The contracts' routes of the ready-made apps among those served."""
    return [
        importlib.import_module(f"homefeed.apps.{name}.routes").router for name in recipes if name in built_in()
    ]
