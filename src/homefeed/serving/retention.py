"""What is kept no longer than the settings say, and never deleted on the word of the clock alone."""

from __future__ import annotations

import math
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Final

import sqlalchemy as sa

from homefeed.settings import Settings
from homefeed.store import Store
from homefeed.store.ages import EVENTS, IMPRESSIONS, count_newer, count_older, newest_time
from homefeed.store.erasing import forget_erased
from homefeed.store.events import prune_events
from homefeed.store.impressions import prune_impressions
from homefeed.times import format_time
from homefeed.types import DAY


@dataclass(frozen=True, slots=True)
class Pruned:
    """How much was too old and is gone; `refused` says what was not deleted, why, and how to insist."""

    events: int
    impressions: int
    refused: tuple[str, ...] = ()


async def prune(store: Store, app: str, settings: Settings, now: int, *, insist: bool = False) -> Pruned:
    """Delete the app's events and impressions that are older than the settings allow.

    By a clock that is years ahead everything is old. So ages are measured from the newest event or impression that
    the clock is not behind, and where more than the share `max_prune_share` is too old nothing is deleted. With
    `insist` the clock is trusted, and all that is too old by it goes.
    """
    newest = now if insist else await newest_time(store, app, now)
    outcomes = []
    for log, days in ((_EVENTS, settings.events_days), (_IMPRESSIONS, settings.impressions_days)):
        # To keep none is an order that needs no clock.
        trusted = insist or days == 0
        moment = now if trusted else newest
        if days is None or moment is None:
            outcomes.append((0, ""))
            continue
        before = moment - round(days * DAY)
        why = "" if trusted else await _refusal(store, app, log, days, before, settings.max_prune_share)
        outcomes.append((0, why) if why else (await log.delete(store, app, before), ""))
    (events, _), (impressions, _) = outcomes
    if events or impressions:
        await forget_erased(store)
    return Pruned(events, impressions, tuple(why for _, why in outcomes if why))


@dataclass(frozen=True, slots=True)
class _Log:
    name: str
    table: sa.Table
    delete: Callable[[Store, str, int], Awaitable[int]]


_EVENTS: Final = _Log("events", EVENTS, prune_events)
_IMPRESSIONS: Final = _Log("impressions", IMPRESSIONS, prune_impressions)


async def _refusal(store: Store, app: str, log: _Log, days: float, before: int, max_share: float) -> str:
    """Why what is older is not deleted; empty where it may be."""
    older = await count_older(store, log.table, app, before)
    least = math.ceil(older * (1 - max_share) / max_share)
    newer = await count_newer(store, log.table, app, before, least)
    if newer >= least:
        return ""
    return (
        f"{older:,} of {older + newer:,} {log.name} are from before {format_time(before)}, {log.name}_days = "
        f"{days:g} before the newest: more than max_prune_share = {max_share:g}. If the clock is right, insist: "
        f"homefeed prune {app} --yes"
    )
