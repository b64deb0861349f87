"""The live contract over HTTP: near you, for you, of a category, and what is live now."""

from __future__ import annotations

from typing import Annotated, Final, TypeAlias

from fastapi import Depends, Request, Response

from homefeed.api.access import UserAt, needs
from homefeed.api.answers import feed_headers, json_response, record_impressions
from homefeed.api.bulk import batches_of, list_body, take_many
from homefeed.api.context import InContext, RequestId, ready_made
from homefeed.api.paths import by_id
from homefeed.api.routing import Router, StrictRoute
from homefeed.api.schemas import Accepted, Id
from homefeed.apps.live.categories import category_condition
from homefeed.apps.live.schemas import (
    CategoryFeedIn,
    HomeFeedIn,
    HomeFeedOut,
    HometownIn,
    HometownOut,
    HometownStats,
    StatusIn,
    StatusOfIn,
    StatusOut,
)
from homefeed.apps.live.streams import near_streams, status_of, streams_by_city, streams_for
from homefeed.serving import FeedRequest, LiveApp, named_place
from homefeed.store.items import ItemChange
from homefeed.store.users import count_users
from homefeed.times import parse_time
from homefeed.types import SECOND, Condition
from homefeed.validation import check_id

APP: Final = "live"

_IN_HOME_FEED: Final = 30
_TOP_CITIES: Final = 10
_ALGORITHM: Final = "Proximity boost B = 1 / (1 + distance_km)"

router = Router(prefix="/v1/scenarios", tags=[APP], route_class=StrictRoute)

Live: TypeAlias = Annotated[LiveApp, Depends(ready_made(APP))]


@router.post("/hometown", response_model=HometownOut)
@needs("read", APP, UserAt("body", "user_id"))
async def hometown(context: InContext, live: Live, request_id: RequestId, body: HometownIn) -> Response:
    """Live streams near a user; popular ones where nobody knows where they are.

    score = 1.5 x proximity x (1 + local_preference_strength) + 1.0 x base + 0.5 x ml, where proximity is
    1 / (1 + distance_km); base = quality (0 to 1) + language match (0 or 2) + category preference (0 or 1.5) +
    audience (0 to 1); ml = the probability of a click, 0 where no click model is trained.
    """
    request = FeedRequest(
        "hometown",
        check_id("user_id", body.user_id),
        body.max_results,
        place=named_place(body.latitude, body.longitude),
    )
    answer = await live.recommend(request)
    record_impressions(context, live, [answer], request_id)
    return json_response({"request_id": request_id, "streams": near_streams(answer)})


@router.get("/hometown/stats")
@needs("read", APP)
async def hometown_stats(live: Live) -> HometownStats:
    """How many streams and users there are, and in which cities the streams are."""
    total, cities = streams_by_city(live.catalog)
    return HometownStats(
        total_streams=total,
        total_users=await count_users(live.store, APP),
        cities_covered=len(cities),
        top_cities=dict(cities[:_TOP_CITIES]),
        algorithm=_ALGORITHM,
    )


@router.post("/home_feed", response_model=HomeFeedOut)
@needs("read", APP, UserAt("body", "user_id"))
async def home_feed(context: InContext, live: Live, request_id: RequestId, body: HomeFeedIn) -> Response:
    """The best 30 live streams for a user, from what they watched and what they say they like."""
    return await _for_you(context, live, request_id, body)


@router.post("/category_feed", response_model=HomeFeedOut)
@needs("read", APP, UserAt("body", "user_id"))
async def category_feed(context: InContext, live: Live, request_id: RequestId, body: CategoryFeedIn) -> Response:
    """The same of one category, by its number or its name."""
    condition = category_condition(live.catalog, body.category_id)
    return await _for_you(context, live, request_id, body, condition)


@router.put("/streams/status", response_model_exclude_none=True, openapi_extra=list_body(StatusOfIn))
@needs("write", APP)
async def put_statuses(live: Live, request: Request) -> Accepted:
    """Set the status of up to 1,000 streams, as a list.

    Answered once it is durable, and the next request goes by it. `rejected` names each that could not be taken,
    and why; the others are.
    """

    def change(status: StatusOfIn) -> ItemChange:
        return ItemChange(check_id("stream_id", status.stream_id), live.catalog.check(status.changes))

    return await take_many(batches_of(request), StatusOfIn, change, live.writes.patch_items)


@router.put("/streams" + by_id("stream_id") + "/status")
@needs("write", APP)
async def put_status(live: Live, request_id: RequestId, stream_id: Id, body: StatusIn) -> StatusOut:
    """Whether a stream is live and how many watch it; durable once answered, and the next request goes by it."""
    changes = live.catalog.check(body.changes)
    item = await live.writes.patch_item(check_id("stream_id", stream_id), changes)
    return StatusOut(stream_id=stream_id, **status_of(item.attributes), request_id=request_id)


async def _for_you(
    context: InContext, live: LiveApp, request_id: str, body: HomeFeedIn, *conditions: Condition
) -> Response:
    request = FeedRequest(
        "home_feed",
        check_id("user_id", body.user_id),
        _IN_HOME_FEED,
        conditions=conditions,
        context=_context(body),
    )
    answer = await live.recommend(request)
    record_impressions(context, live, [answer], request_id)
    content = {"request_id": request_id, "streams": streams_for(answer)}
    return json_response(content, feed_headers(live, answer))


def _context(body: HomeFeedIn) -> dict[str, str]:
    """What the request passes on to the features; no filter goes by it."""
    told = {"device": body.ctx_device, "locale": body.ctx_locale}
    if body.ctx_timestamp is not None:
        told["timestamp"] = f"{parse_time('ctx_timestamp', body.ctx_timestamp) // SECOND}"
    return {name: value for name, value in told.items() if value is not None}
