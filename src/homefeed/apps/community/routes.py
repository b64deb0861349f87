"""The community contract over HTTP."""

from __future__ import annotations

from typing import Annotated, Any, TypeAlias

import orjson
from fastapi import Body, Depends, Query, Response

from homefeed.api.access import UserAt, needs
from homefeed.api.answers import all_seen, explain_item, json_response, record_impressions
from homefeed.api.cards import cards_of
from homefeed.api.context import InContext, RequestId, ready_made
from homefeed.api.events import one_or_list
from homefeed.api.intake import build_event, take_events
from homefeed.api.routing import Router, StrictRoute
from homefeed.api.schemas import EventsAccepted, Explanation, Id
from homefeed.apps.community.schemas import FeedbackIn, HomefeedOut, ItemType
from homefeed.catalog import CatalogView
from homefeed.serving import Answer, FeedRequest, LiveApp
from homefeed.types import Condition, Event
from homefeed.validation import check_id

APP = "community"

router = Router(prefix="/v1/reco", tags=[APP], route_class=StrictRoute)

Live: TypeAlias = Annotated[LiveApp, Depends(ready_made(APP))]


@router.get("/homefeed", response_model=HomefeedOut)
@needs("read", APP, UserAt("query", "user_id"))
async def homefeed(
    context: InContext,
    live: Live,
    request_id: RequestId,
    user_id: Id,
    limit: Annotated[int, Query(ge=1, le=100)] = 20,
    cursor: Annotated[str | None, Query(description="`next_cursor` of the page before.")] = None,
    types: Annotated[list[ItemType] | None, Query(description="Only items of these types.")] = None,
) -> Response:
    """A page of a resident's feed; empty where the resident's community is not known."""
    check_id("user_id", user_id)
    answer = await live.recommend(FeedRequest("home", user_id, limit, cursor, conditions=type_condition(types)))
    record_impressions(context, live, [answer], request_id)
    return json_response(
        {
            "user_id": user_id,
            "request_id": request_id,
            "cold_start": answer.slate.cold_start,
            "next_cursor": answer.next_cursor,
            "items": _entries(answer),
            **all_seen(answer),
        }
    )


@router.post("/feedback", openapi_extra=one_or_list(FeedbackIn))
@needs("write", APP, UserAt("body", "user_id"))
async def feedback(context: InContext, live: Live, payload: Annotated[Any, Body()]) -> EventsAccepted:
    """One event, or a list of up to 1,000; answered once they are durable, and the next page reflects them.

    A single bad one is an error: 404 where its item is unknown to the resident, else 422. Of a list the good
    ones are kept and `rejected` names the others.
    """
    return await take_events(context, live, payload, FeedbackIn, _event)


@router.get("/explanations")
@needs("read", APP)
async def explanations(live: Live, request_id: RequestId, user_id: Id, item_id: Id) -> Explanation:
    """Why a resident is, or is not, shown an item now: the whole trace."""
    request = FeedRequest("home", check_id("user_id", user_id))
    return await explain_item(live, request, check_id("item_id", item_id), request_id)


def type_condition(types: list[ItemType] | None) -> tuple[Condition, ...]:
    """One condition: any of the types. None where every type is wanted."""
    if not types:
        return ()
    first, *others = types
    return (Condition("item_type", ":", first, tuple(others)),)


def _event(live: LiveApp, body: FeedbackIn) -> Event:
    return build_event(
        live,
        user_id=body.user_id,
        item_id=body.item_id,
        event_type=body.event_type,
        value=body.dwell_seconds,
        time=body.created_at,
        time_field="created_at",
        event_id=body.event_id,
        request_id=body.request_id,
        context={} if body.position is None else {"position": body.position},
    )


def _entries(answer: Answer) -> orjson.Fragment:
    slate = answer.slate
    columns = zip(slate.scores.tolist(), slate.reasons, slate.sources, strict=True)
    shown = [
        orjson.dumps({"score": score, "reason": reason, "sources": sources}) for score, reason, sources in columns
    ]
    return orjson.Fragment(cards_of(answer.catalog, _entry).listed(slate.positions.tolist(), shown))


def _entry(catalog: CatalogView, position: int) -> dict[str, str | None]:
    return {
        "item_id": catalog.item_id(position),
        "title": catalog.title(position),
        "item_type": next(iter(catalog.terms_at("item_type", position)), None),
        "creator_id": next(iter(catalog.terms_at("creator_id", position)), None),
    }
