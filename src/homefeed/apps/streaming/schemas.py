"""The bodies and conditions of the streaming contract."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict

from homefeed.api.schemas import Id, Number, Time
from homefeed.types import Condition


class Title(BaseModel):
    """A recommended title."""

    item_id: str
    title: str
    reason: str


class PopularOut(BaseModel):
    """The most popular titles."""

    k: int
    items: list[Title]
    request_id: str


class RecommendationsOut(BaseModel):
    """Titles for a user; `fallback_used` is true where they are the popular ones, `all_seen` is
    there where the user has watched all there are.
    """

    user_id: str
    k: int
    items: list[Title]
    fallback_used: bool
    request_id: str
    all_seen: bool = False


class Watched(BaseModel):
    """A play of a user's history. `title` is null where the item was deleted."""

    item_id: str
    title: str | None
    event_type: str
    watch_seconds: float | None
    timestamp: str


class WatchedOut(BaseModel):
    """What a user watched, newest first."""

    user_id: str
    limit: int
    items: list[Watched]
    request_id: str


class PlayIn(BaseModel):
    """A play, in the shape of events.csv."""

    model_config = ConfigDict(extra="forbid")

    user_id: Id
    item_id: Id
    event_type: Literal["play"] = "play"
    watch_seconds: Number
    timestamp: Time | None = None
    event_id: Id | None = None
    request_id: Id | None = None


class HealthOut(BaseModel):
    """The service answers."""

    status: Literal["ok"] = "ok"


def title_conditions(content_type: str | None, genre: str | None) -> tuple[Condition, ...]:
    """The conditions of a request for titles, on what is given."""
    given = {"content_type": content_type, "genre": genre}
    return tuple(Condition(field, ":", value) for field, value in given.items() if value is not None)
