"""Feeds and explanations over HTTP."""

from __future__ import annotations

import re
from typing import Annotated, TypeAlias

from fastapi import APIRouter, Query, Request

from homefeed.api.answers import explain_item, record_impression
from homefeed.api.context import App, InContext, RequestId, StrictRoute
from homefeed.api.schemas import Explanation, FeedAnswer, FeedItem, Id
from homefeed.errors import InvalidError
from homefeed.serving import FeedRequest
from homefeed.types import Condition
from homefeed.validation import check_id

router = APIRouter(prefix="/v1/apps/{app}", tags=["feeds"], route_class=StrictRoute)

_FILTER = re.compile(r"([a-z][a-z0-9_]*)(>=|<=|:|>|<)(.*)", re.DOTALL)
_PLACE = ("query", "latitude", "longitude", "radius_km")
_NAMED = {"user_id", "n", "cursor", "item_id", "filter", "exclude", "feed", *_PLACE}

UserId: TypeAlias = Annotated[Id | None, Query(description="Without it, or unknown: a cold start.")]
Conditions: TypeAlias = Annotated[
    list[str] | None, Query(alias="filter", description="`field:value`, `field>=number`, ...; all must hold.")
]


@router.get("/feeds/{feed}")
async def get_feed(
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
    latitude: Annotated[float | None, Query(ge=-90, le=90)] = None,
    longitude: Annotated[float | None, Query(ge=-180, le=180)] = None,
    radius_km: Annotated[float | None, Query(gt=0, allow_inf_nan=False)] = None,
    conditions: Conditions = None,
    exclude: Annotated[list[str] | None, Query(description="Items to leave out.")] = None,
) -> FeedAnswer:
    """A page of a feed. Parameters not named here are passed on as the context of the request."""
    known = {"query": query, "latitude": latitude, "longitude": longitude, "radius_km": radius_km}
    asked = FeedRequest(
        feed=feed,
        user_id=None if user_id is None else check_id("user_id", user_id),
        n=n,
        cursor=cursor,
        item_id=item_id,
        conditions=tuple(parse_condition(text) for text in conditions or ()),
        exclude=tuple(exclude or ()),
        context={name: str(value) for name, value in known.items() if value is not None}
        | {name: value for name, value in request.query_params.items() if name not in _NAMED},
    )
    answer = await app.recommend(asked)
    slate, catalog = answer.slate, answer.catalog
    record_impression(context, app, answer, request_id)
    return FeedAnswer(
        app=app.recipe.app,
        feed=feed,
        user_id=user_id,
        request_id=request_id,
        cold_start=slate.cold_start,
        items=[
            FeedItem(
                item_id=catalog.item_id(position),
                score=score,
                reason=reason,
                sources=list(sources),
                attributes=catalog.attributes(position),
            )
            for position, score, reason, sources in zip(
                slate.positions.tolist(), slate.scores.tolist(), slate.reasons, slate.sources, strict=True
            )
        ],
        next_cursor=answer.next_cursor,
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
    conditions: Conditions = None,
) -> Explanation:
    """The whole trace of one item for one user: who proposed it, what it scored and why, what stopped it."""
    asked = FeedRequest(
        feed=feed,
        user_id=None if user_id is None else check_id("user_id", user_id),
        n=n,
        item_id=anchor,
        conditions=tuple(parse_condition(text) for text in conditions or ()),
        context={} if query is None else {"query": query},
    )
    return await explain_item(app, asked, item_id, request_id)


def parse_condition(text: str) -> Condition:
    """A condition from its text.

    Raises:
        InvalidError: it is not of the form `field:value` or `field>=number`.
    """
    match = _FILTER.fullmatch(text)
    if match is None:
        raise InvalidError(f"filter: expected field:value or field>=number, got {text!r:.80}")
    return Condition(match[1], match[2], match[3])  # type: ignore[arg-type]
