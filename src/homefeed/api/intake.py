"""Taking events: one or a list, the good ones of a list kept, each bad one named."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final, TypeVar

from pydantic import BaseModel, ValidationError

from homefeed.api.context import Context
from homefeed.api.errors import shortened, validation_errors
from homefeed.api.schemas import EventsAccepted, Rejected
from homefeed.errors import ConflictError, HomefeedError, InvalidError, NotFoundError
from homefeed.serving import LiveApp
from homefeed.store.events import Outcome
from homefeed.times import parse_time
from homefeed.types import Event
from homefeed.validation import check_event, check_query

MAX_EVENTS: Final = 1_000
"""How many events a list may hold."""

B = TypeVar("B", bound=BaseModel)


def format_validation_error(error: ValidationError) -> str:
    """What is wrong with an element."""
    return shortened("; ".join(f"{e['where']}: {e['error']}" for e in validation_errors(error.errors())))


def build_event(
    app: LiveApp,
    *,
    user_id: str,
    item_id: str | None,
    event_type: str,
    value: float | None = None,
    time: str | float | None = None,
    time_field: str = "timestamp",
    event_id: str | None = None,
    request_id: str | None = None,
    context: Mapping[str, Any] | None = None,
) -> Event:
    """A checked event. Without a `time` it is now; `time_field` is what the caller's contract calls the time.

    One without time and id gets an id of its own, so that the same may happen again. Of a search the white
    space around the context's `query` is taken away, as it is when a file is imported.

    Raises:
        InvalidError: it cannot be used.
    """
    declared, context = app.recipe.events.get(event_type), context or {}
    if declared is not None and declared.about == "query":
        context = {**context, "query": check_query(context.get("query"))}
    elif item_id is None:
        raise InvalidError("item_id: missing")
    now = app.environment.clock()
    event = Event(
        user_id=user_id,
        item_id=item_id or "",
        event_type=event_type,
        time=now if time is None else parse_time(time_field, time),
        value=value,
        event_id=app.environment.new_id() if time is None and event_id is None else event_id,
        request_id=request_id,
        context=context,
        time_told=time is not None,
    )
    return check_event(app.recipe, event, now, time_field)


async def take_event(context: Context, app: LiveApp, event: Event) -> EventsAccepted:
    """Write one event.

    Raises:
        NotFoundError: its item does not exist, or its user where users must be declared.
        ConflictError: another event of its user has its id.
        InvalidError: the page it names is another user's.
    """
    outcomes = await app.append([event])
    context.metrics.on_shown.note(app, [event], outcomes)
    refusal = _refusal(app, event, outcomes[0])
    if refusal is not None:
        raise refusal
    return _counted(context, app, outcomes, {})


async def take_events(
    context: Context, app: LiveApp, payload: Any, schema: type[B], build: Callable[[LiveApp, B], Event]
) -> EventsAccepted:
    """Write the event or the list of events of a JSON payload: `build` makes each of what `schema` reads.

    Raises:
        InvalidError: a single event, or the whole list, cannot be used.
        NotFoundError, ConflictError: of a single event; see `take_event`.
    """

    def read(element: Any) -> Event:
        try:
            return build(app, schema.model_validate(element))
        except ValidationError as error:
            raise InvalidError(format_validation_error(error)) from None

    if not isinstance(payload, list):
        return await take_event(context, app, read(payload))
    if len(payload) > MAX_EVENTS:
        raise InvalidError(f"expected up to {MAX_EVENTS} events in a list, got {len(payload)}")
    events: dict[int, Event] = {}
    rejected: dict[int, str] = {}
    for index, element in enumerate(payload):
        try:
            events[index] = read(element)
        except InvalidError as error:
            rejected[index] = str(error)
    outcomes = dict(zip(events, await app.append(list(events.values())), strict=True))
    context.metrics.on_shown.note(app, list(events.values()), list(outcomes.values()))
    for index, outcome in outcomes.items():
        refusal = _refusal(app, events[index], outcome)
        if refusal is not None:
            rejected[index] = str(refusal)
    return _counted(context, app, list(outcomes.values()), rejected)


def _refusal(app: LiveApp, event: Event, outcome: Outcome) -> HomefeedError | None:
    """Why an event was not written; None where it was, now or before."""
    match outcome:
        case Outcome.UNKNOWN_ITEM:
            return NotFoundError(f'item_id: no item "{event.item_id}" in {app.recipe.app}')
        case Outcome.UNKNOWN_USER:
            isolation = app.recipe.isolation
            what = f" with their {isolation.user}" if isolation else ""
            return NotFoundError(
                f'user_id: no user "{event.user_id}" in {app.recipe.app}; create them{what} first'
            )
        case Outcome.CONFLICT:
            known = f'event_id: "{event.event_id}" is that of another event of this user'
            return ConflictError(f"{known}; send a new one, or the same event again")
        case Outcome.FOREIGN_PAGE:
            named = f'request_id: "{event.request_id}" is that of a page shown to another user'
            return InvalidError(f"{named}; send that of this user's page, or none")
        case Outcome.ACCEPTED | Outcome.DUPLICATE:
            return None


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
