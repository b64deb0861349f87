"""Taking events: one or a list, the good ones of a list kept, each bad one named."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from pydantic import ValidationError

from homefeed.api.context import Context
from homefeed.api.errors import validation_errors
from homefeed.api.schemas import EventIn, EventsAccepted, Rejected
from homefeed.errors import InvalidError, NotFoundError
from homefeed.serving import LiveApp
from homefeed.store.events import Outcome
from homefeed.times import parse_time
from homefeed.types import Event
from homefeed.validation import check_event, check_query

MOST_IN_LIST = 1_000


def format_validation_error(error: ValidationError) -> str:
    """What is wrong with an element."""
    return "; ".join(f"{e['where']}: {e['error']}" for e in validation_errors(error.errors()))


def parse_event(app: LiveApp, raw: Any) -> Event:
    """A checked event from the generic API's JSON.

    Raises:
        InvalidError: it cannot be used.
    """
    try:
        body = EventIn.model_validate(raw)
    except ValidationError as error:
        raise InvalidError(format_validation_error(error)) from None
    now = app.environment.clock()
    event_id = body.event_id
    if body.timestamp is None and event_id is None:
        event_id = app.environment.new_id()
    event = Event(
        user_id=body.user_id,
        item_id=_item_of(app, body),
        event_type=body.event_type,
        time=now if body.timestamp is None else parse_time("timestamp", body.timestamp),
        value=body.value,
        event_id=event_id,
        request_id=body.request_id,
        context=_context_of(app, body),
    )
    return check_event(app.recipe, event, now)


async def take_events(
    context: Context, app: LiveApp, body: Any, parse: Callable[[LiveApp, Any], Event]
) -> EventsAccepted:
    """Write the events of a request.

    Raises:
        InvalidError: a single event, or the whole list, cannot be used.
        NotFoundError: a single event's item does not exist, or its user where users must be declared.
    """
    if not isinstance(body, list):
        return await _take_one(context, app, parse(app, body))
    if len(body) > MOST_IN_LIST:
        raise InvalidError(f"expected up to {MOST_IN_LIST} events in a list, got {len(body)}")
    events: dict[int, Event] = {}
    rejected: dict[int, str] = {}
    for index, raw in enumerate(body):
        try:
            events[index] = parse(app, raw)
        except InvalidError as error:
            rejected[index] = str(error)
    outcomes = dict(zip(events, await app.append(list(events.values())), strict=True))
    for index, outcome in outcomes.items():
        if outcome is Outcome.UNKNOWN_ITEM:
            rejected[index] = f'item_id: no item "{events[index].item_id}"'
        elif outcome is Outcome.UNKNOWN_USER:
            rejected[index] = _no_user(app, events[index])
    return _counted(context, app, list(outcomes.values()), rejected)


async def _take_one(context: Context, app: LiveApp, event: Event) -> EventsAccepted:
    outcomes = await app.append([event])
    if outcomes[0] is Outcome.UNKNOWN_ITEM:
        raise NotFoundError(f'item_id: no item "{event.item_id}" in {app.recipe.app}')
    if outcomes[0] is Outcome.UNKNOWN_USER:
        raise NotFoundError(_no_user(app, event))
    return _counted(context, app, outcomes, {})


def _item_of(app: LiveApp, body: EventIn) -> str:
    if body.item_id is None and not _is_search(app, body):
        raise InvalidError("item_id: missing")
    return body.item_id or ""


def _context_of(app: LiveApp, body: EventIn) -> dict[str, Any]:
    """The context as it is; the words of a search without the white space around them, as files have them."""
    if not _is_search(app, body):
        return body.context
    return {**body.context, "query": check_query(body.context.get("query"))}


def _is_search(app: LiveApp, body: EventIn) -> bool:
    declared = app.recipe.events.get(body.event_type)
    return declared is not None and declared.about == "query"


def _no_user(app: LiveApp, event: Event) -> str:
    isolation = app.recipe.isolation
    what = f" with their {isolation.user}" if isolation else ""
    return f'user_id: no user "{event.user_id}" in {app.recipe.app}; tell of them{what} first'


def _counted(context: Context, app: LiveApp, outcomes: list[Outcome], rejected: dict[int, str]) -> EventsAccepted:
    answer = EventsAccepted(
        accepted=outcomes.count(Outcome.ACCEPTED),
        duplicates=outcomes.count(Outcome.DUPLICATE),
        rejected=[Rejected(index=index, error=rejected[index]) for index in sorted(rejected)],
    )
    for outcome, count in (
        ("accepted", answer.accepted),
        ("duplicate", answer.duplicates),
        ("rejected", len(rejected)),
    ):
        context.metrics.events.labels(app.recipe.app, outcome).inc(count)
    return answer
