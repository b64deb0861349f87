"""Opens an app on the store and models of the settings."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from homefeed.environment import Environment
from homefeed.recipe import Recipe
from homefeed.serving.fair_lock import FairLock
from homefeed.serving.features.store import FeatureStore
from homefeed.serving.live import LiveApp
from homefeed.settings import Settings
from homefeed.store import Store, open_store
from homefeed.store.artifacts import ArtifactStore
from homefeed.store.shared_files import SharedFiles


def live_app(
    recipe: Recipe,
    store: Store,
    settings: Settings,
    environment: Environment | None = None,
    features: FeatureStore | None = None,
    turns: FairLock | None = None,
) -> LiveApp:
    """An app that is yet to be started; without `features` it has a feature store of its own, in memory.

    Apps of one process share `turns`: whose turn it is to compute.
    """
    return LiveApp(
        recipe,
        store,
        ArtifactStore(settings.models_folder, SharedFiles(settings.models_folder)),
        environment or Environment(),
        user_cache_megabytes=settings.user_cache_megabytes,
        slate_cache=settings.slate_cache,
        reuse_cache_megabytes=settings.reuse_cache_megabytes,
        replicas=settings.replicas,
        features=features,
        prefix=settings.redis_prefix,
        turns=turns,
    )


@asynccontextmanager
async def open_app(recipe: Recipe, settings: Settings) -> AsyncIterator[LiveApp]:
    """An app that can answer."""
    async with open_store(settings.store_url) as store:
        app = live_app(recipe, store, settings)
        await app.start()
        yield app
