"""The apps served here, and what each holds."""

from __future__ import annotations

import asyncio
from typing import Annotated, Any, Literal

from fastapi import Query
from pydantic import BaseModel

from homefeed.api.access import NO_APP, needs
from homefeed.api.context import App, InContext, Sender
from homefeed.api.routing import Router, StrictRoute
from homefeed.api.schemas import AppOut, AppsOut, FeedOut, RankersOut, StatsOut
from homefeed.dataset.followed import seconds_of_values
from homefeed.dataset.overview import main_type
from homefeed.privacy import opted_out
from homefeed.recipe.sources import Column
from homefeed.serving import LiveApp
from homefeed.store.active_users import LATEST_EVENTS, most_active_users
from homefeed.store.events import totals
from homefeed.times import format_time

router = Router(prefix="/v1/apps", tags=["apps"], route_class=StrictRoute)


class EventTypeOut(BaseModel):
    """A type of events: what it is about, and how much it says about taste; below 0 it is a dislike."""

    event_type: str
    about: Literal["item", "query"]
    weight: float


class EventTypesOut(BaseModel):
    """The types of events of an app, in the order of its recipe.

    `main_type` is the one that the app is for: of those of its goal the one of the largest weight. `value_name` is
    what files call an event's value, and `value_seconds` how many seconds 1 of it stands for: null where it is no
    time.
    """

    app: str
    main_type: str | None
    value_name: str
    value_seconds: float | None
    event_types: list[EventTypeOut]


class ActiveUserOut(BaseModel):
    """A user, and how many of the latest events are theirs."""

    user_id: str
    attributes: dict[str, Any]
    events: int


class ActiveUsersOut(BaseModel):
    """The users who did most lately, of equals those who came first."""

    users: list[ActiveUserOut]


@router.get("")
@needs("read", NO_APP)
async def list_apps(context: InContext, sender: Sender) -> AppsOut:
    """The apps served here, each with its feeds; of a key for one app that one alone."""
    return AppsOut(
        apps=[
            AppOut(
                app=name,
                title=app.recipe.title,
                title_field=app.recipe.items.title,
                feeds=_feeds(app),
                event_types=list(app.recipe.events),
                query_event_types=[kind for kind, event in app.recipe.events.items() if event.about == "query"],
            )
            for name, app in context.seen_by(sender).items()
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
@needs("read")
async def rankers(app: App) -> RankersOut:
    """The learned rankers of an app's feeds: whether each serves and why, its versions, its latest trainings."""
    return RankersOut(app=app.recipe.app, rankers=await asyncio.to_thread(app.learned_history))


@router.get("/{app}/stats")
@needs("read")
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


@router.get("/{app}/event-types")
@needs("read")
async def event_types(app: App) -> EventTypesOut:
    """What events an app takes, and what each says: which are likes, which are dislikes, what values mean."""
    recipe = app.recipe
    column = recipe.sources.events.columns.get("value", "value")
    name = column.column if isinstance(column, Column) else column
    return EventTypesOut(
        app=recipe.app,
        main_type=main_type(recipe),
        value_name=name or "value",
        value_seconds=seconds_of_values(recipe),
        event_types=[
            EventTypeOut(event_type=kind, about=event.about, weight=event.weight)
            for kind, event in recipe.events.items()
        ],
    )


@router.get("/{app}/active-users")
@needs("read")
async def active_users(
    app: App,
    limit: Annotated[
        int, Query(ge=1, le=100, description=f"Counted in the latest {LATEST_EVENTS:,} events.")
    ] = 20,
) -> ActiveUsersOut:
    """The users who did most lately, without those who opted out."""
    found = await most_active_users(app.store, app.recipe.app, limit)
    return ActiveUsersOut(
        users=[
            ActiveUserOut(user_id=user.user_id, attributes=dict(user.attributes), events=count)
            for user, count in found
            if not opted_out(user.attributes, app.recipe)
        ]
    )
