"""The streaming contract over HTTP."""

from __future__ import annotations

from typing import Annotated, Any, TypeAlias

import orjson
from fastapi import Body, Depends, Query, Response

from homefeed.api.access import UserAt, needs, open_to_all
from homefeed.api.answers import all_seen, json_response, record_impressions
from homefeed.api.cards import cards_of
from homefeed.api.context import InContext, RequestId, ready_made
from homefeed.api.events import one_or_list
from homefeed.api.intake import build_event, take_events
from homefeed.api.routing import Router, StrictRoute
from homefeed.api.schemas import EventsAccepted, Id
from homefeed.apps.streaming.schemas import (
    HealthOut,
    PlayIn,
    PopularOut,
    RecommendationsOut,
    Watched,
    WatchedOut,
    title_conditions,
)
from homefeed.catalog import CatalogView
from homefeed.serving import Answer, FeedRequest, LiveApp
from homefeed.store.events import latest_of_user
from homefeed.times import format_time
from homefeed.types import Event
from homefeed.validation import check_id

APP = "streaming"

router = Router(tags=[APP], route_class=StrictRoute)


Live: TypeAlias = Annotated[LiveApp, Depends(ready_made(APP))]
K: TypeAlias = Annotated[int, Query(ge=1, le=1_000, description="How many titles.")]
ContentType: TypeAlias = Annotated[str | None, Query(description="Only titles of this type.")]
Genre: TypeAlias = Annotated[str | None, Query(description="Only titles of this genre.")]


@router.get("/health")
@open_to_all
async def health() -> HealthOut:
    """Whether the service answers."""
    return HealthOut()


@router.get("/popular", response_model=PopularOut)
@needs("read", APP)
async def popular(
    context: InContext,
    live: Live,
    request_id: RequestId,
    k: K = 10,
    content_type: ContentType = None,
    genre: Genre = None,
) -> Response:
    """The most popular titles."""
    answer = await live.recommend(FeedRequest("popular", n=k, conditions=title_conditions(content_type, genre)))
    record_impressions(context, live, [answer], request_id)
    return json_response({"k": k, "items": _titles(answer), "request_id": request_id})


@router.get("/recommendations", response_model=RecommendationsOut)
@needs("read", APP, UserAt("query", "user_id"))
async def recommendations(
    context: InContext,
    live: Live,
    request_id: RequestId,
    user_id: Id,
    k: K = 10,
    content_type: ContentType = None,
    genre: Genre = None,
) -> Response:
    """Titles for a user; the popular ones for a user without history."""
    check_id("user_id", user_id)
    answer = await live.recommend(
        FeedRequest("home", user_id, n=k, conditions=title_conditions(content_type, genre))
    )
    record_impressions(context, live, [answer], request_id)
    return json_response(
        {
            "user_id": user_id,
            "k": k,
            "items": _titles(answer),
            "fallback_used": answer.slate.cold_start,
            "request_id": request_id,
            **all_seen(answer),
        }
    )


@router.get("/history")
@needs("read", APP, UserAt("query", "user_id"))
async def history(
    live: Live, request_id: RequestId, user_id: Id, limit: Annotated[int, Query(ge=1, le=1_000)] = 50
) -> WatchedOut:
    """What a user watched, newest first; an empty list for an unknown user."""
    found = await latest_of_user(live.store, APP, check_id("user_id", user_id), limit)
    items = [
        Watched(
            item_id=event.item_id,
            title=None if attributes is None else _title(live, event.item_id),
            event_type=event.event_type,
            watch_seconds=event.value,
            timestamp=format_time(event.time),
        )
        for event, attributes in found
    ]
    return WatchedOut(user_id=user_id, limit=limit, items=items, request_id=request_id)


@router.post("/events", openapi_extra=one_or_list(PlayIn))
@needs("write", APP, UserAt("body", "user_id"))
async def record_events(context: InContext, live: Live, payload: Annotated[Any, Body()]) -> EventsAccepted:
    """One play, or a list of up to 1,000, in the shape of events.csv; answered once they are durable.

    A single bad one is an error: 404 where its item is unknown, else 422. Of a list the good ones are kept.
    """
    return await take_events(context, live, payload, PlayIn, _event)


def _event(live: LiveApp, play: PlayIn) -> Event:
    return build_event(
        live,
        user_id=play.user_id,
        item_id=play.item_id,
        event_type=play.event_type,
        value=play.watch_seconds,
        time=play.timestamp,
        event_id=play.event_id,
        request_id=play.request_id,
    )


def _title(live: LiveApp, item_id: str) -> str:
    position = live.catalog.position(item_id)
    return item_id if position is None else live.catalog.title(position)


def _titles(answer: Answer) -> orjson.Fragment:
    slate = answer.slate
    reasons = [orjson.dumps({"reason": reason}) for reason in slate.reasons]
    return orjson.Fragment(cards_of(answer.catalog, _described).listed(slate.positions.tolist(), reasons))


def _described(catalog: CatalogView, position: int) -> dict[str, str]:
    return {"item_id": catalog.item_id(position), "title": catalog.title(position)}
