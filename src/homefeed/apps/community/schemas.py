"""The bodies of the community contract."""

from __future__ import annotations

from typing import Annotated, Literal, TypeAlias

from pydantic import BaseModel, ConfigDict, Field

from homefeed.api.schemas import Id, Number, Time

ItemType: TypeAlias = Literal["post", "event", "service", "offer", "poll", "announcement"]


class Entry(BaseModel):
    """An item of a resident's feed."""

    item_id: str
    title: str
    item_type: str | None
    creator_id: str | None
    score: float
    reason: str
    sources: list[str]


class HomefeedOut(BaseModel):
    """A page of a resident's feed. `cold_start` is true while nothing they did can be used,
    `all_seen` is there where they have seen all that there is for them.
    """

    user_id: str
    request_id: str
    cold_start: bool
    next_cursor: str | None
    items: list[Entry]
    all_seen: bool = False


class FeedbackIn(BaseModel):
    """What a resident did. `request_id` and `position` name the page and the place that showed the item."""

    model_config = ConfigDict(extra="forbid")

    user_id: Id
    item_id: Id
    event_type: str
    event_id: Id | None = None
    request_id: Id | None = None
    position: Annotated[int, Field(ge=0, le=100_000, strict=True)] | None = None
    dwell_seconds: Number | None = None
    created_at: Time | None = None
