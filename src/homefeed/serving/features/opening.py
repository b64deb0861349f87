"""Opens the feature store of the settings."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from homefeed.errors import SettingsError
from homefeed.serving.features.memory import MemoryFeatures
from homefeed.serving.features.store import FeatureStore
from homefeed.settings import Settings


@asynccontextmanager
async def open_features(settings: Settings) -> AsyncIterator[FeatureStore]:
    """The Redis that the settings name, whether it answers or not; without one, a store in memory.

    Raises:
        SettingsError: Redis is named, and its client is not installed.
    """
    address = settings.redis_address
    store: FeatureStore
    if address is None:
        store = MemoryFeatures()
    else:
        try:
            from homefeed.serving.features.redis import RedisFeatures
        except ModuleNotFoundError as error:
            raise SettingsError(f"Redis needs {error.name}: pip install 'homefeed[redis]'") from None
        store = RedisFeatures(address, settings.redis_timeout_seconds)
        await store.open()
    try:
        yield store
    finally:
        await store.close()
