"""What is kept no longer than the settings say."""

from __future__ import annotations

from dataclasses import dataclass

from homefeed.settings import Settings
from homefeed.store import Store
from homefeed.store.events import prune_events
from homefeed.store.impressions import prune_impressions
from homefeed.types import DAY


@dataclass(frozen=True, slots=True)
class Pruned:
    """How much was too old and is gone."""

    events: int
    impressions: int


async def prune(store: Store, app: str, settings: Settings, now: int) -> Pruned:
    """Delete the app's events and impressions that are older than the settings allow."""
    events = 0
    if settings.events_days is not None:
        events = await prune_events(store, app, now - round(settings.events_days * DAY))
    return Pruned(events, await prune_impressions(store, app, now - round(settings.impressions_days * DAY)))
