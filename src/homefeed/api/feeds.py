"""Feeds and explanations over HTTP."""

from __future__ import annotations

import re
from typing import Annotated, Any, TypeAlias

import orjson
from fastapi import Query, Request, Response

from homefeed.api.answers import all_seen, candidates_header, explain_item, json_response, record_impressions
from homefeed.api.context import App, InContext, RequestId
from homefeed.api.places import Latitude, Longitude, RadiusKm
from homefeed.api.routing import Router, StrictRoute, query_of
from homefeed.api.schemas import Explanation, FeedAnswer, Id
from homefeed.errors import InvalidError
from homefeed.limits import MAX_PARAMETER
from homefeed.serving import Answer, FeedRequest, named_place
from homefeed.types import Condition
from homefeed.validation import LONGEST_ID, check_id

router = Router(prefix="/v1/apps/{app}", tags=["feeds"], route_class=StrictRoute)

_FILTER = re.compile(r"([a-z][a-z0-9_]*)(>=|<=|:|>|<)(.*)", re.DOTALL)
_PLACE = ("latitude", "longitude", "radius_km")
_NAMED = {"user_id", "n", "cursor", "item_id", "filter", "exclude", "feed", "query", *_PLACE}

UserId: TypeAlias = Annotated[Id | None, Query(description="Without it, or unknown: a cold start.")]
Conditions: TypeAlias = Annotated[
    list[str] | None, Query(alias="filter", description="`field:value`, `field>=number`, ...; all must hold.")
]


@router.get("/feeds/{feed}", response_model=FeedAnswer)
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
    """A page of a feed. Parameters not named here are passed on as the context of the request."""
    feed_request = FeedRequest(
        feed=feed,
        user_id=None if user_id is None else check_id("user_id", user_id),
        n=n,
        cursor=cursor,
        item_id=item_id,
        conditions=tuple(parse_condition(text) for text in conditions or ()),
        exclude=tuple(left_out for left_out in exclude or () if len(left_out) <= LONGEST_ID),
        context=_context(
            ({} if query is None else {"query": query})
            | {name: value for name, value in query_of(request) if name not in _NAMED}
        ),
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
        candidates_header(app, answer),
    )


@router.get("/explain")
async def explain(
    app: App,
    request_id: RequestId,
    feed: str,
    item_id: str,
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
        feed=feed,
        user_id=None if user_id is None else check_id("user_id", user_id),
        n=n,
        item_id=anchor,
        conditions=tuple(parse_condition(text) for text in conditions or ()),
        context={} if query is None else _context({"query": query}),
        place=named_place(latitude, longitude),
        radius_km=radius_km,
    )
    return await explain_item(app, feed_request, item_id, request_id)


def _context(given: dict[str, str]) -> dict[str, str]:
    for name, value in given.items():
        if max(len(name), len(value)) > MAX_PARAMETER:
            raise InvalidError(f"{name:.40}: expected up to {MAX_PARAMETER} characters, got {len(value):,}")
    return given


def _items(answer: Answer) -> list[dict[str, Any]]:
    catalog, slate = answer.catalog, answer.slate
    columns = zip(slate.positions.tolist(), slate.scores.tolist(), slate.reasons, slate.sources, strict=True)
    return [
        {
            "item_id": catalog.item_id(position),
            "score": score,
            "reason": reason,
            "sources": sources,
            "attributes": orjson.Fragment(catalog.attributes_json(position)),
        }
        for position, score, reason, sources in columns
    ]


def parse_condition(text: str) -> Condition:
    """A condition from its text.

    Raises:
        InvalidError: it is not of the form `field:value` or `field>=number`.
    """
    match = _FILTER.fullmatch(text)
    if match is not None and max(len(match[1]), len(match[3])) > MAX_PARAMETER:
        raise InvalidError(
            f"filter: expected up to {MAX_PARAMETER} characters of a field and a value, got {len(text):,}"
        )
    if match is None:
        raise InvalidError(f"filter: expected field:value or field>=number, got {text!r:.80}")
    return Condition(match[1], match[2], match[3])  # type: ignore[arg-type]
