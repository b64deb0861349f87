"""The bodies of the generic API."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Any

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    FiniteFloat,
    Strict,
    WithJsonSchema,
)

from homefeed.explain import Trace
from homefeed.geo import FARTHEST_KM
from homefeed.serving.rankers import LearnedHistory, LearnedState
from homefeed.validation import LONGEST_ID

_DEEPEST = 32


def _not_too_deep(attributes: dict[str, Any]) -> dict[str, Any]:
    # What is nested hundreds deep can be read as JSON but not written again.
    level: list[Any] = [attributes]
    for _ in range(_DEEPEST):
        level = [
            inner
            for outer in level
            if isinstance(outer, dict | list)
            for inner in (outer.values() if isinstance(outer, dict) else outer)
        ]
        if not level:
            return attributes
    raise ValueError(f"nested more than {_DEEPEST} deep")


def _no_boolean(value: Any) -> Any:
    # Else true would be the number 1.
    if isinstance(value, bool):
        raise ValueError("expected a number, got a boolean")
    return value


Attributes = dict[str, Any]
AttributesIn = Annotated[Attributes, AfterValidator(_not_too_deep)]
# The schema documents ids; `check_id` checks them, with plainer errors.
Id = Annotated[
    str,
    WithJsonSchema({"type": "string", "minLength": 1, "maxLength": LONGEST_ID, "pattern": r"^[^\u0000]+$"}),
]
NotBoolean = BeforeValidator(_no_boolean)
Number = Annotated[FiniteFloat, NotBoolean]
# Bounds stand before the validator: after it the document would not tell them.
LatitudeIn = Annotated[FiniteFloat, Field(ge=-90, le=90), NotBoolean]
LongitudeIn = Annotated[FiniteFloat, Field(ge=-180, le=180), NotBoolean]
KilometresIn = Annotated[FiniteFloat, Field(gt=0, le=FARTHEST_KM), NotBoolean]
Time = Annotated[
    str | int | float,
    BeforeValidator(_no_boolean),
    Field(description="ISO 8601, UTC where no offset is given, or Unix seconds."),
]


class Body(BaseModel):
    """Base of request bodies: an unknown key is an error, so that a typing error is not lost."""

    model_config = ConfigDict(extra="forbid")


class Problem(BaseModel):
    """An error, as of RFC 9457."""

    type: str = "about:blank"
    title: str
    status: int
    detail: str
    request_id: str | None = None
    errors: list[dict[str, Any]] | None = None


class FeedOut(BaseModel):
    """A feed of an app. `anchored` ones are about an item; `home` is the one that the app begins with.

    `cold_start` is the feed that answers in its place for users without a history. `ranked_by` is the part that
    ranks now; `learned`, of a feed that declares a learned ranker, whether that is the one, and why.
    """

    feed: str
    title: str
    anchored: bool
    home: bool
    cold_start: str | None
    ranked_by: str
    learned: LearnedState | None


class AppOut(BaseModel):
    """An app served here. Of its `event_types` those also in `query_event_types` are searches, about no item.

    `title_field` is the field of items that people call them by.
    """

    app: str
    title: str
    title_field: str
    feeds: list[FeedOut]
    event_types: list[str]
    query_event_types: list[str]


class AppsOut(BaseModel):
    """The apps served here."""

    apps: list[AppOut]


class RankersOut(BaseModel):
    """The learned rankers of an app's feeds, with what was found of them."""

    app: str
    rankers: list[LearnedHistory]


class ItemIn(Body):
    """An item to create or replace. What moderation set stays unless it is named: `hidden`, and the attributes
    that the recipe has in `items.moderation`.
    """

    attributes: AttributesIn = {}
    hidden: Annotated[bool, Strict()] | None = None
    created_at: Time | None = None


class ItemWithId(ItemIn):
    """An item in a list."""

    item_id: Id


class ItemPatch(Body):
    """What to change of an item; null takes an attribute away."""

    attributes: AttributesIn = {}
    hidden: Annotated[bool, Strict()] | None = None


class ItemPatchWithId(ItemPatch):
    """What to change of an item of a list."""

    item_id: Id


class ItemOut(BaseModel):
    """An item. `created_at` is null where it is not known."""

    item_id: str
    hidden: bool
    created_at: str | None
    attributes: Attributes


class ItemsOut(BaseModel):
    """A page of the catalogue."""

    items: list[ItemOut]
    next_cursor: str | None


class Rejected(BaseModel):
    """An element that was not accepted, by its index from 0, and why."""

    index: int
    error: str


class Accepted(BaseModel):
    """How many elements were accepted. `rejected` names the first 1,000 that were not.

    `rejected_count` says how many there were in all; it is there only where they are more.
    """

    accepted: int
    rejected: list[Rejected]
    rejected_count: int | None = None


class EventsAccepted(BaseModel):
    """The outcome of events that are now durable; a duplicate was sent before and counts once."""

    accepted: int
    duplicates: int
    rejected: list[Rejected]


class UserIn(Body):
    """A user to create or replace. What they refused or blocked stays, unless it is named."""

    attributes: AttributesIn = {}


class UserWithId(UserIn):
    """A user in a list."""

    user_id: Id


class UserOut(BaseModel):
    """A user."""

    user_id: str
    attributes: Attributes


class UsersOut(BaseModel):
    """A page of the users."""

    users: list[UserOut]
    next_cursor: str | None


class Erased(BaseModel):
    """A user is gone, and so many events with them."""

    user_id: str
    events: int


class EventIn(Body):
    """Something a user did to an item. Without `timestamp` it is now; without `event_id` its content is its id.

    A search has no item: its words are the context's `query`.
    """

    user_id: Id
    item_id: Id | None = None
    event_type: str
    value: Number | None = None
    timestamp: Time | None = None
    event_id: Id | None = None
    request_id: Id | None = None
    context: AttributesIn = {}


class EventOut(BaseModel):
    """An event of a user's history. A search has no `item_id`: its words are the context's `query`."""

    item_id: str | None
    event_type: str
    value: float | None
    timestamp: str
    event_id: str | None
    request_id: str | None
    context: Attributes


class UserEventsOut(BaseModel):
    """A user's history, newest first."""

    user_id: str
    events: list[EventOut]


class ExportedEvent(EventOut):
    """An event as it is stored: with the time it came."""

    received_at: str


class ExportedPlace(BaseModel):
    """An item of a page that was shown."""

    item_id: str | None
    place: int
    score: float


class ExportedPage(BaseModel):
    """A page that a user was shown."""

    request_id: str
    feed: str
    variant: str
    timestamp: str
    items: list[ExportedPlace]


class UserExportOut(BaseModel):
    """All that is stored of a user."""

    app: str
    user_id: str
    attributes: Attributes
    events: list[ExportedEvent]
    impressions: list[ExportedPage]


class FeedItem(BaseModel):
    """A recommended item. `title` is its id where it has none, `created_at` null where it is not known."""

    item_id: str
    title: str
    created_at: str | None
    score: float
    reason: str
    sources: list[str]
    attributes: Attributes


class UnderstoodOut(BaseModel):
    """What a query that names a price was taken for: what it looks for, and the least and the most it may cost."""

    query: str
    min_price: float | None = None
    max_price: float | None = None


class FeedAnswer(BaseModel):
    """A page of a feed. `understood` is there where a query names a price, `all_seen` where the user has seen all
    that there is for them.
    """

    app: str
    feed: str
    user_id: str | None
    request_id: str
    cold_start: bool
    items: list[FeedItem]
    next_cursor: str | None
    understood: UnderstoodOut | None = None
    all_seen: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Explanation(Trace):
    """The whole trace of one item for one user; contributions sum to the score."""

    app: str
    user_id: str | None
    item_id: str
    request_id: str
    models: Mapping[str, str]
    text_models: Mapping[str, str]


class StatsOut(BaseModel):
    """What an app holds and serves by."""

    app: str
    items: int
    hidden_items: int
    users: int
    events: int
    first_event: str | None
    last_event: str | None
    events_per_minute: float
    models: dict[str, str]
