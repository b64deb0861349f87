"""Feeds and explanations over HTTP."""

from __future__ import annotations

from typing import Annotated, Any, TypeAlias

import orjson
from fastapi import Query, Request, Response

from homefeed.api.access import UserAt, needs
from homefeed.api.answers import all_seen, explain_item, feed_headers, json_response, record_impressions
from homefeed.api.context import App, InContext, RequestId
from homefeed.api.parameters import CONTEXT, refuse_mistaken
from homefeed.api.places import Latitude, Longitude, RadiusKm
from homefeed.api.queries import query_of
from homefeed.api.routing import Router, StrictRoute
from homefeed.api.schemas import Explanation, FeedAnswer, Id
from homefeed.conditions import parse_conditions
from homefeed.errors import InvalidError
from homefeed.limits import MAX_PARAMETER
from homefeed.serving import Answer, FeedRequest, LiveApp, named_place
from homefeed.times import format_time
from homefeed.types import NO_TIME
from homefeed.validation import LONGEST_ID, check_id

router = Router(prefix="/v1/apps/{app}", tags=["feeds"], route_class=StrictRoute)

_PLACE = ("latitude", "longitude", "radius_km")
_NAMED = frozenset(("user_id", "n", "cursor", "item_id", "filter", "exclude", "query", *_PLACE))
_EXPLAINED = (_NAMED | {"feed", "anchor"}) - {"cursor", "exclude"}

UserId: TypeAlias = Annotated[Id | None, Query(description="Without it, or unknown: a cold start.")]
Conditions: TypeAlias = Annotated[
    list[str] | None,
    Query(
        alias="filter",
        description="`field:value`, `field:a|b`, `field!=value`, `field>=number`, `created_at>=2026-11-01`, "
        "`within_km:25`; all must hold.",
    ),
]


@router.get("/feeds/{feed}", response_model=FeedAnswer)
@needs("read", user=UserAt("query", "user_id"))
async def recommend(
    context: InContext,
    app: App,
    request: Request,
    request_id: RequestId,
    feed: str,
    user_id: UserId = None,
    n: Annotated[int, Query(ge=1, le=1_000)] = 20,
    cursor: Annotated[str | None, Query(description="`next_cursor` of the page before.")] = None,
    item_id: Annotated[str | None, Query(description="The item a similar feed is about.")] = None,
    query: Annotated[str | None, Query(description="What a search feed looks for.")] = None,
    latitude: Latitude = None,
    longitude: Longitude = None,
    radius_km: RadiusKm = None,
    conditions: Conditions = None,
    exclude: Annotated[list[str] | None, Query(description="Items to leave out.")] = None,
) -> Response:
    """A page of a feed. Other parameters are passed on as the context of the request, as `context.NAME` is."""
    feed_request = FeedRequest(
        feed=feed,
        user_id=None if user_id is None else check_id("user_id", user_id),
        n=n,
        cursor=cursor,
        item_id=item_id,
        conditions=parse_conditions(conditions or ()),
        exclude=tuple(left_out for left_out in exclude or () if len(left_out) <= LONGEST_ID),
        context=_context(query, _unnamed(app, request, _NAMED)),
        place=named_place(latitude, longitude),
        radius_km=radius_km,
    )
    answer = await app.recommend(feed_request)
    record_impressions(context, app, [answer], request_id)
    return json_response(
        {
            "app": app.recipe.app,
            "feed": feed,
            "user_id": user_id,
            "request_id": request_id,
            "cold_start": answer.slate.cold_start,
            "items": _items(answer),
            "next_cursor": answer.next_cursor,
            **answer.understood,
            **all_seen(answer),
        },
        feed_headers(app, answer),
    )


@router.get("/explain")
@needs("read")
async def explain(
    app: App,
    request: Request,
    request_id: RequestId,
    item_id: str,
    feed: Annotated[str | None, Query(description="Without it the feed that the app begins with.")] = None,
    user_id: UserId = None,
    n: Annotated[int, Query(ge=1, le=1_000)] = 20,
    anchor: Annotated[str | None, Query(description="The item a similar feed is about.")] = None,
    query: Annotated[str | None, Query(description="What a search feed looks for.")] = None,
    latitude: Latitude = None,
    longitude: Longitude = None,
    radius_km: RadiusKm = None,
    conditions: Conditions = None,
) -> Explanation:
    """The whole trace of one item for one user: which parts proposed, scored, moved or stopped it."""
    feed_request = FeedRequest(
        feed=feed or app.recipe.home or next(iter(app.recipe.feeds)),
        user_id=None if user_id is None else check_id("user_id", user_id),
        n=n,
        item_id=anchor,
        conditions=parse_conditions(conditions or ()),
        context=_context(query, _unnamed(app, request, _EXPLAINED)),
        place=named_place(latitude, longitude),
        radius_km=radius_km,
    )
    return await explain_item(app, feed_request, item_id, request_id)


def _unnamed(app: LiveApp, request: Request, named: frozenset[str]) -> dict[str, str]:
    """The context of the request by name: its parameters `context.NAME`, and those that are none of the `named`.

    Raises:
        InvalidError: one of these seems to mean one of the `named`, or is called as a field of items.
    """
    others = {name: value for name, value in query_of(request.scope) if name not in named}
    refuse_mistaken(others, named, ())
    for name in others:
        if name in app.recipe.items.fields:
            raise InvalidError(f"{name}: no parameter of this name; send filter={name}:VALUE, or {CONTEXT}{name}")
    return {name.removeprefix(CONTEXT): value for name, value in others.items()}


def _context(query: str | None, given: dict[str, str]) -> dict[str, str]:
    if query is not None:
        given["query"] = query
    for name, value in given.items():
        if max(len(name), len(value)) > MAX_PARAMETER:
            raise InvalidError(f"{name:.40}: expected up to {MAX_PARAMETER} characters, got {len(value):,}")
    return given


def _items(answer: Answer) -> list[dict[str, Any]]:
    catalog, slate = answer.catalog, answer.slate
    created = catalog.created[slate.positions].tolist()
    columns = zip(
        slate.positions.tolist(), created, slate.scores.tolist(), slate.reasons, slate.sources, strict=True
    )
    return [
        {
            "item_id": catalog.item_id(position),
            "title": catalog.title(position),
            "created_at": None if created == NO_TIME else format_time(created),
            "score": score,
            "reason": reason,
            "sources": sources,
            "attributes": orjson.Fragment(catalog.attributes_json(position)),
        }
        for position, created, score, reason, sources in columns
    ]
