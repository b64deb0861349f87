"""The apps served here, and what each holds."""

from __future__ import annotations

import asyncio

from homefeed.api.context import App, InContext
from homefeed.api.routing import Router, StrictRoute
from homefeed.api.schemas import AppOut, AppsOut, FeedOut, RankersOut, StatsOut
from homefeed.serving import LiveApp
from homefeed.store.events import totals
from homefeed.times import format_time

router = Router(prefix="/v1/apps", tags=["apps"], route_class=StrictRoute)


@router.get("")
async def list_apps(context: InContext) -> AppsOut:
    """The apps served here, each with its feeds."""
    return AppsOut(
        apps=[
            AppOut(
                app=name,
                title=app.recipe.title,
                feeds=_feeds(app),
                event_types=list(app.recipe.events),
                query_event_types=[kind for kind, event in app.recipe.events.items() if event.about == "query"],
            )
            for name, app in context.apps.items()
        ]
    )


def _feeds(app: LiveApp) -> list[FeedOut]:
    learned = app.learned
    return [
        FeedOut(
            feed=feed.name,
            title=feed.settings.title,
            anchored=feed.settings.anchored,
            home=feed.name == app.recipe.home,
            cold_start=feed.settings.cold_start,
            ranked_by=feed.ranked_by,
            learned=learned.get(feed.name),
        )
        for feed in app.feeds.values()
    ]


@router.get("/{app}/rankers")
async def rankers(app: App) -> RankersOut:
    """The learned rankers of an app's feeds: whether each serves and why, its versions, its latest trainings."""
    return RankersOut(app=app.recipe.app, rankers=await asyncio.to_thread(app.learned_history))


@router.get("/{app}/stats")
async def stats(app: App) -> StatsOut:
    """Counts, date range, model versions, events in the last minute."""
    found = await totals(app.store, app.recipe.app, app.environment.clock())
    return StatsOut(
        app=app.recipe.app,
        items=found.items,
        hidden_items=found.hidden_items,
        users=found.users,
        events=found.events,
        first_event=None if found.first_event is None else format_time(found.first_event),
        last_event=None if found.last_event is None else format_time(found.last_event),
        events_per_minute=found.events_per_minute,
        models=app.model_versions,
    )
