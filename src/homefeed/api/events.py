"""Events over HTTP: acknowledged once durable, counted once however often they are told."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Body

from homefeed.api.context import App, InContext, StrictRoute
from homefeed.api.intake import MOST_IN_LIST, parse_event, take_events
from homefeed.api.schemas import EventIn, EventsAccepted

router = APIRouter(prefix="/v1/apps/{app}/events", tags=["events"], route_class=StrictRoute)


def one_or_list(schema: dict[str, Any]) -> dict[str, Any]:
    """The OpenAPI of a body that is one element or a list of them."""
    many = {"type": "array", "maxItems": MOST_IN_LIST, "items": schema}
    content = {"application/json": {"schema": {"anyOf": [schema, many]}}}
    return {"requestBody": {"required": True, "content": content}}


@router.post("", openapi_extra=one_or_list(EventIn.model_json_schema()))
async def post_events(context: InContext, app: App, body: Annotated[Any, Body()]) -> EventsAccepted:
    """One event, or a list of up to 1,000.

    A single bad event is an error: 404 where its item is unknown, else 422. Of a list the good ones are kept
    and `rejected` names the others.
    """
    return await take_events(context, app, body, parse_event)
