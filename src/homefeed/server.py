"""The serving composition root: settings in, an ASGI application out."""

from __future__ import annotations

import asyncio
import gc
import importlib
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager, suppress

import structlog
from fastapi import APIRouter, FastAPI
from fastapi_offline import FastAPIOffline
from threadpoolctl import threadpool_limits

from homefeed import __version__
from homefeed.api import apps, errors, events, feeds, health, items, metrics, openapi, users
from homefeed.api.context import Context
from homefeed.api.metrics import Metrics
from homefeed.api.middleware import RequestMiddleware
from homefeed.apps import built_in, find_recipes
from homefeed.dashboard import pages
from homefeed.log import configure_logging
from homefeed.recipe import Recipe
from homefeed.serving import LiveApp, live_app
from homefeed.serving.clock import Outside
from homefeed.settings import Settings, load_settings
from homefeed.store import open_store

_log = structlog.get_logger(__name__)


def create_app(settings: Settings | None = None, outside: Outside | None = None) -> FastAPI:
    """The application of the settings in force.

    Raises:
        SettingsError, RecipeError: what is configured cannot be served.
    """
    settings = settings or load_settings()
    outside = outside or Outside()
    configure_logging(settings.log_level, settings.log_format)
    # A request's matrices are small: threads would cost more in waiting for one another than they save.
    threadpool_limits(1, user_api="blas")
    recipes = find_recipes(settings.apps)
    measured = Metrics()

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        async with open_store(settings.store_url) as store:
            live = {name: live_app(recipe, store, settings, outside) for name, recipe in recipes.items()}
            for one in live.values():
                await one.start()
            app.state.context = Context(live, measured)
            # What is loaded stays: the collector need not look at it with every full collection.
            gc.collect()
            gc.freeze()
            followers = [
                asyncio.create_task(_follow(one, settings.poll_seconds, measured)) for one in live.values()
            ]
            try:
                yield
            finally:
                for task in followers:
                    task.cancel()
                    with suppress(asyncio.CancelledError):
                        await task

    app = FastAPIOffline(title="Homefeed", version=__version__, lifespan=lifespan, redirect_slashes=False)
    for router in (apps.router, items.router, users.router, events.router, feeds.router, health.router):
        app.include_router(router)
    app.include_router(metrics.router(measured))
    app.include_router(pages.router)
    for router in _own_routes(recipes):
        app.include_router(router)
    errors.install(app)
    openapi.install(app)
    most = int(settings.max_body_megabytes * 1_000_000)
    app.add_middleware(RequestMiddleware, new_id=outside.new_id, max_body=most, metrics=measured)
    return app


def _own_routes(recipes: Mapping[str, Recipe]) -> list[APIRouter]:
    """The contracts' routes of the ready-made apps among those served."""
    return [
        importlib.import_module(f"homefeed.apps.{name}.routes").router for name in recipes if name in built_in()
    ]


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
