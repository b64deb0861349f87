"""The stores and models that answer the requests, and their server: all that depends on parts of the package."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Final

from fastapi import FastAPI

from benchmarks.serving.routes import APPS
from homefeed.apps import find_preparation, find_recipe
from homefeed.environment import Environment, random_id
from homefeed.ingest import find_files, import_files
from homefeed.log import configure_logging
from homefeed.samples import END
from homefeed.samples.community.generate import generate as generate_community
from homefeed.samples.shop.generate import generate as generate_shop
from homefeed.samples.streaming.generate import generate as generate_streaming
from homefeed.server import create_app
from homefeed.settings import Settings
from homefeed.store import Store, open_store
from homefeed.store.artifacts import ArtifactStore
from homefeed.train import train_app

START: Final = int((END + timedelta(minutes=10)).timestamp()) * 1_000_000
"""The first moment of a recording, just after the last event of the samples: microseconds since 1970, UTC."""

_NEVER_SECONDS: Final = 1e6
_GENERATORS: Final = {
    "community": generate_community,
    "streaming": generate_streaming,
    "shop": generate_shop,
}


class Clock:
    """A clock that stands until it is set."""

    def __init__(self) -> None:
        self.now = START

    def __call__(self) -> int:
        return self.now


async def prepare(home: Path) -> None:
    """Generate, import and train the apps in `home`."""
    configure_logging("warning", "console")
    unfinished = home.with_name(home.name + ".unfinished")
    settings = _settings(unfinished)
    async with open_store(settings.store_url) as store:
        for routes in APPS:
            recipe, folder = find_recipe(routes.app), unfinished / "sample" / routes.app
            _GENERATORS[routes.app](folder, dated=True)
            files = find_files(folder, recipe.sources)
            await import_files(store, recipe, files, now=START, prepare_items=find_preparation(routes.app))
            await _train(store, settings, routes.app)
    unfinished.rename(home)


async def retrain(home: Path) -> None:
    """Train all models anew, at the time at which those of `prepare` were trained."""
    settings = _settings(home)
    async with open_store(settings.store_url) as store:
        for routes in APPS:
            await _train(store, settings, routes.app)


def application(home: Path, clock: Callable[[], int], new_id: Callable[[], str]) -> FastAPI:
    """A server of the apps in `home`, with time and ids of the caller; it follows writes by `follow` alone."""
    return create_app(_settings(home), Environment(clock, new_id))


async def follow(server: FastAPI) -> None:
    """Have a server take over all that was written, as it does by itself every now and then."""
    for live in server.state.context.apps.values():
        await live.catch_up()


async def _train(store: Store, settings: Settings, app: str) -> None:
    artifacts = ArtifactStore(settings.models_folder)
    await train_app(find_recipe(app), store, artifacts, Environment(Clock(), random_id), keep_tuned=False)


def _settings(home: Path) -> Settings:
    apps = tuple(routes.app for routes in APPS)
    return Settings(home=home, apps=apps, recipes={}, poll_seconds=_NEVER_SECONDS, log_level="error")
