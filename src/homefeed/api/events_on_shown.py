"""Events that name the request they came from, put down to the feed that showed their item, for Prometheus."""

from __future__ import annotations

import asyncio
import time
from collections import deque
from collections.abc import Sequence
from typing import Final

import polars as pl
from prometheus_client import CollectorRegistry, Counter

from homefeed.dataset.attribution import by_request, events_of, showings_of
from homefeed.dataset.followed import seconds_of_values
from homefeed.privacy import opted_out
from homefeed.serving import LiveApp
from homefeed.store.event_stream import seconds_spent
from homefeed.store.events import LogRows, Outcome
from homefeed.store.shown import shown_by_requests
from homefeed.types import Event

_MOST_WAITING: Final = 10_000
"""How many events of an app wait at most; of more the oldest are not counted."""
_SETTLED_SECONDS: Final = 3.0
"""After so long the impression of the page that an event names is in the store."""


class EventsOnShown:
    """The counters `homefeed_events_on_shown_total` and `homefeed_time_spent_seconds_total`.

    An event counts once, where it was accepted, by the joining that `homefeed impressions` has: for the page that
    it names, if that showed its item to its user or to nobody known. Of users who opted out none does.
    """

    def __init__(self, registry: CollectorRegistry) -> None:
        self.events = Counter(
            "homefeed_events_on_shown",
            "Events that name the request they came from, by the feed that showed their item.",
            ("app", "feed", "event"),
            registry=registry,
        )
        self.seconds = Counter(
            "homefeed_time_spent_seconds",
            "Time that such events say was spent with items shown.",
            ("app", "feed"),
            registry=registry,
        )
        self._waiting: dict[str, deque[tuple[float, Event]]] = {}

    def note(self, app: LiveApp, events: Sequence[Event], outcomes: Sequence[Outcome]) -> None:
        """Take accepted events to be counted when their pages are in the store."""
        now, declared = time.monotonic(), app.recipe.events
        waiting = self._waiting.setdefault(app.recipe.app, deque(maxlen=_MOST_WAITING))
        waiting.extend(
            (now, event)
            for event, outcome in zip(events, outcomes, strict=True)
            if outcome is Outcome.ACCEPTED and event.request_id and event.item_id and event.event_type in declared
        )

    async def count(self, app: LiveApp, settled_seconds: float = _SETTLED_SECONDS) -> None:
        """Count the events of an app that have waited long enough."""
        name, waiting = app.recipe.app, self._waiting.get(app.recipe.app)
        settled: list[Event] = []
        while waiting and waiting[0][0] <= time.monotonic() - settled_seconds:
            settled.append(waiting.popleft()[1])
        if not settled:
            return
        rows = await _rows(app, settled)
        requests = {event.request_id for event in settled if event.request_id}
        pages = [showings_of(shown) async for shown in shown_by_requests(app.store, name, requests)]
        if not pages or not len(rows):
            return
        found = await asyncio.to_thread(_by_feed, app, rows, pages)
        for feed, event, count, seconds in found:
            self.events.labels(name, feed, event).inc(count)
            if seconds:
                self.seconds.labels(name, feed).inc(seconds)


async def _rows(app: LiveApp, events: Sequence[Event]) -> LogRows:
    """The events as rows of the log, without those of users who opted out."""
    catalog = app.catalog
    rows = []
    for number, event in enumerate(events):
        user, position = await app.follower.stored_user(event.user_id), catalog.position(event.item_id)
        if user.number is None or position is None or opted_out(user.attributes, app.recipe):
            continue
        item, spent = int(catalog.numbers[position]), seconds_spent(event.context)
        rows.append(
            (number, user.number, item, event.event_type, event.value, event.time, event.request_id, spent)
        )
    seqs, users, items, types, values, times, request_ids, seconds = zip(*rows, strict=True) if rows else [()] * 8
    return LogRows(seqs, users, items, types, values, times, request_ids=request_ids, seconds=seconds)


def _by_feed(app: LiveApp, rows: LogRows, pages: Sequence[pl.DataFrame]) -> list[tuple[str, str, int, float]]:
    """By feed and event type how many events were put down to its pages, and the seconds spent."""
    recipe = app.recipe
    types = [name for name, event in recipe.events.items() if event.about == "item"]
    events = events_of(rows, types, seconds_of_values(recipe))
    found = by_request(events, pl.concat(pages), recipe.impressions.window_length)
    sums = found.group_by("feed", "type").agg(pl.len(), pl.col("spent").sum())
    return [(feed, types[code], count, spent) for feed, code, count, spent in sums.iter_rows()]
