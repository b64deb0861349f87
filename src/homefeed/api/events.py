"""Events over HTTP: acknowledged once durable, counted once however often they are sent."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import Body
from pydantic import BaseModel

from homefeed.api.access import UserAt, needs
from homefeed.api.context import App, InContext
from homefeed.api.intake import MAX_EVENTS, build_event, take_events
from homefeed.api.openapi import schema_of
from homefeed.api.routing import JSON, BeaconRoute, Router
from homefeed.api.schemas import EventIn, EventsAccepted
from homefeed.serving import LiveApp
from homefeed.types import Event

router = Router(prefix="/v1/apps/{app}/events", tags=["events"], route_class=BeaconRoute)


def one_or_list(kind: type[BaseModel]) -> dict[str, Any]:
    """The OpenAPI of a body that is one element or a list of them."""
    schema = schema_of(kind)
    many = {"type": "array", "maxItems": MAX_EVENTS, "items": schema}
    content = {JSON: {"schema": {"anyOf": [schema, many]}}}
    return {"requestBody": {"required": True, "content": content}}


@router.post("", openapi_extra=one_or_list(EventIn))
@needs("write", user=UserAt("body", "user_id"))
async def record_events(context: InContext, app: App, payload: Annotated[Any, Body()]) -> EventsAccepted:
    """Record an event, or a list of up to 1,000.

    A single bad event is an error: 404 where its item is unknown, else 422. Of a list the good ones are kept
    and `rejected` names the others.
    """
    return await take_events(context, app, payload, EventIn, _event)


def _event(app: LiveApp, body: EventIn) -> Event:
    return build_event(
        app,
        user_id=body.user_id,
        item_id=body.item_id,
        event_type=body.event_type,
        value=body.value,
        time=body.timestamp,
        event_id=body.event_id,
        request_id=body.request_id,
        context=body.context,
    )
