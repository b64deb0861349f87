"""What is sent: events, items, changes of items, users."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final, TypeAlias

NOTHING: Final[Mapping[str, Any]] = {}
Time: TypeAlias = datetime | str | float
"""A time: a datetime (UTC where it tells no offset), ISO 8601 or Unix seconds."""


@dataclass(frozen=True, slots=True)
class Event:
    """Something a user did to an item. Without `timestamp` it is when the server gets it.

    `event_id` makes it count once, however often it is sent; without it the client gives it one. A search has no
    item: its words are the context's `query`. `request_id` is that of the page where it happened.
    """

    user_id: str
    item_id: str | None
    event_type: str
    value: float | None = None
    timestamp: Time | None = None
    event_id: str | None = None
    request_id: str | None = None
    context: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Item:
    """An item of the catalogue. Where `hidden` or `created_at` is None, one that is there keeps its own."""

    item_id: str
    attributes: Mapping[str, Any] = field(default_factory=dict)
    hidden: bool | None = None
    created_at: Time | None = None


@dataclass(frozen=True, slots=True)
class ItemChange:
    """What to change of an item: None takes an attribute away."""

    item_id: str
    attributes: Mapping[str, Any] = field(default_factory=dict)
    hidden: bool | None = None


@dataclass(frozen=True, slots=True)
class User:
    """A user."""

    user_id: str
    attributes: Mapping[str, Any] = field(default_factory=dict)
