"""What an app accepts: ids, event types, values."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from homefeed.catalog.locations import check_location
from homefeed.errors import InvalidError
from homefeed.limits import MAX_CONTEXT_BYTES, MAX_USER_BYTES, check_limits
from homefeed.recipe import Recipe
from homefeed.types import DAY, Event

LONGEST_ID = 255
LONGEST_QUERY = 255


def check_id(name: str, value: str) -> str:
    """An id as it is: any non-empty string of up to 255 characters.

    Raises:
        InvalidError: it is empty, too long, or has a NUL character or half a surrogate pair.
    """
    if not value or len(value) > LONGEST_ID:
        raise InvalidError(f"{name}: expected 1 to {LONGEST_ID} characters, got {len(value)}")
    if "\0" in value or any("\ud800" <= character <= "\udfff" for character in value):
        raise InvalidError(f"{name}: NUL and unpaired surrogates cannot be stored")
    return value


def check_user(recipe: Recipe, attributes: Mapping[str, Any]) -> dict[str, Any]:
    """Attributes of a user as they are to be stored.

    Raises:
        InvalidError: a location is none, or something is beyond a limit.
    """
    fields = recipe.users.fields
    checked = {
        name: check_location(name, value) if fields.get(name) == "location" else value
        for name, value in attributes.items()
    }
    check_limits("attributes", checked, MAX_USER_BYTES, fields)
    return checked


def check_item_id(recipe: Recipe, value: str) -> str:
    """An id of an item as it is.

    Raises:
        InvalidError: it cannot be stored, or is not what the recipe's `items.id_pattern` says.
    """
    return _check_pattern("item_id", value, recipe.items.id_pattern)


def check_user_id(recipe: Recipe, value: str) -> str:
    """The same of a user, by `users.id_pattern`."""
    return _check_pattern("user_id", value, recipe.users.id_pattern)


def _check_pattern(name: str, value: str, pattern: str | None) -> str:
    if pattern is not None and not re.fullmatch(pattern, check_id(name, value)):
        raise InvalidError(f"{name}: expected one that matches {pattern}, got {value!r:.80}")
    return check_id(name, value)


def check_query(value: object) -> str:
    """The words of a search, without white space around them.

    Raises:
        InvalidError: they are no text, or there are none, or too many.
    """
    text = value.strip() if isinstance(value, str) else ""
    if not 1 <= len(text) <= LONGEST_QUERY:
        raise InvalidError(f"query: expected a text of 1 to {LONGEST_QUERY} characters")
    return check_id("query", text)


def check_event(recipe: Recipe, event: Event, now: int, time_field: str = "timestamp") -> Event:
    """An event as it is. `time_field` is what an error calls its time.

    Raises:
        InvalidError: its ids, type, value, time or context are not what is allowed.
    """
    check_user_id(recipe, event.user_id)
    _check_about(recipe, event)
    for name, text in (("event_id", event.event_id), ("request_id", event.request_id)):
        if text is not None:
            check_id(name, text)
    declared = recipe.events.get(event.event_type)
    if declared is None:
        if not recipe.accepts_unknown_events:
            known = ", ".join(recipe.events)
            raise InvalidError(f'event_type: expected one of {known}, got "{event.event_type:.80}"')
        check_id("event_type", event.event_type[:LONGEST_ID])
        if len(event.event_type) > 63:
            raise InvalidError(f"event_type: expected up to 63 characters, got {len(event.event_type)}")
    elif event.value is None and declared.weight >= 0 and "value" in recipe.sources.events.required:
        raise InvalidError(f"{value_name(recipe)}: missing")
    elif event.value is not None:
        most = float("inf") if declared.max_value is None else declared.max_value
        if not declared.min_value <= event.value <= most:
            allowed = f"{declared.min_value:g} to {most:g}"
            raise InvalidError(f"{value_name(recipe)}: expected {allowed}, got {event.value:g}")
    check_limits("context", event.context, MAX_CONTEXT_BYTES)
    if event.time > now + DAY:
        raise InvalidError(f"{time_field}: more than a day in the future")
    return event


def _check_about(recipe: Recipe, event: Event) -> None:
    declared = recipe.events.get(event.event_type)
    if declared is None or declared.about == "item":
        check_id("item_id", event.item_id)
    elif event.item_id:
        raise InvalidError(f"item_id: {event.event_type} is about a query; send only its context's query")
    else:
        check_query(event.context.get("query"))


def value_name(recipe: Recipe) -> str:
    """What the app's own data calls the value of an event."""
    return recipe.sources.events.column("value").column or "value"
