"""What the server answers. Fields that a later server adds are passed over."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, TypeAlias

from homefeed.client.records import Item, User

Json: TypeAlias = Mapping[str, Any]
Explanation: TypeAlias = Mapping[str, Any]
"""The trace of an item, as the API documents it."""


@dataclass(frozen=True, slots=True)
class Recommendation:
    """A recommended item. `title` is its id where it has none, `created_at` None where it is not known."""

    item_id: str
    title: str
    score: float
    reason: str
    sources: tuple[str, ...]
    attributes: Json
    created_at: datetime | None


@dataclass(frozen=True, slots=True)
class Page:
    """A page of a feed. `next_cursor` asks for the page after it; None where there is none.

    `all_seen`: the user has seen all that there is for them. `understood`: what a query was taken for, where it
    names a price.
    """

    feed: str
    user_id: str | None
    request_id: str
    cold_start: bool
    items: tuple[Recommendation, ...]
    next_cursor: str | None
    all_seen: bool
    understood: Json | None


@dataclass(frozen=True, slots=True)
class Items:
    """A page of the catalogue."""

    items: tuple[Item, ...]
    next_cursor: str | None


@dataclass(frozen=True, slots=True)
class Users:
    """A page of the users."""

    items: tuple[User, ...]
    next_cursor: str | None


@dataclass(frozen=True, slots=True)
class Rejected:
    """An element that was not taken, by its index from 0 in what was sent, and why."""

    index: int
    error: str


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of elements. Duplicates are events that were sent before: they count once.

    `rejected` names up to 1,000 of each request's; `rejected_count` is how many there were.
    """

    accepted: int = 0
    duplicates: int = 0
    rejected: tuple[Rejected, ...] = ()
    rejected_count: int = 0

    def __add__(self, other: Outcome) -> Outcome:
        return Outcome(
            self.accepted + other.accepted,
            self.duplicates + other.duplicates,
            self.rejected + other.rejected,
            self.rejected_count + other.rejected_count,
        )


@dataclass(frozen=True, slots=True)
class Erased:
    """A user is gone, and so many events with them; None where the answer that told how many was lost."""

    user_id: str
    events: int | None


@dataclass(frozen=True, slots=True)
class Feed:
    """A feed of an app; `anchored` ones are about an item, `home` is the one that the app begins with."""

    feed: str
    title: str
    anchored: bool
    home: bool


@dataclass(frozen=True, slots=True)
class ServedApp:
    """An app of the server."""

    app: str
    title: str
    feeds: tuple[Feed, ...]
    event_types: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Stats:
    """What an app holds, and the versions of the models that it serves by."""

    items: int
    hidden_items: int
    users: int
    events: int
    models: Mapping[str, str]


def page_of(told: Json) -> Page:
    """A page of a feed from its JSON."""
    items = tuple(
        Recommendation(
            item["item_id"],
            item["title"],
            item["score"],
            item["reason"],
            tuple(item["sources"]),
            item["attributes"],
            time_of(item.get("created_at")),
        )
        for item in told["items"]
    )
    return Page(
        told["feed"],
        told["user_id"],
        told["request_id"],
        told["cold_start"],
        items,
        told["next_cursor"],
        told.get("all_seen", False),
        told.get("understood"),
    )


def item_of(told: Json) -> Item:
    """An item from its JSON."""
    return Item(told["item_id"], told["attributes"], told["hidden"], time_of(told["created_at"]))


def items_of(told: Json) -> Items:
    """A page of the catalogue from its JSON."""
    return Items(tuple(map(item_of, told["items"])), told["next_cursor"])


def user_of(told: Json) -> User:
    """A user from their JSON."""
    return User(told["user_id"], told["attributes"])


def users_of(told: Json) -> Users:
    """A page of the users from its JSON."""
    return Users(tuple(map(user_of, told["users"])), told["next_cursor"])


def outcome_of(told: Json) -> Outcome:
    """What became of elements, each by its index in the request."""
    rejected = tuple(Rejected(one["index"], one["error"]) for one in told["rejected"])
    count = told.get("rejected_count")
    return Outcome(
        told["accepted"], told.get("duplicates", 0), rejected, len(rejected) if count is None else count
    )


def erased_of(told: Json) -> Erased:
    """What erasing a user did."""
    return Erased(told["user_id"], told["events"])


def apps_of(told: Json) -> tuple[ServedApp, ...]:
    """The apps of a server."""
    return tuple(
        ServedApp(
            app["app"],
            app["title"],
            tuple(Feed(feed["feed"], feed["title"], feed["anchored"], feed["home"]) for feed in app["feeds"]),
            tuple(app["event_types"]),
        )
        for app in told["apps"]
    )


def stats_of(told: Json) -> Stats:
    """What an app holds."""
    return Stats(told["items"], told["hidden_items"], told["users"], told["events"], told["models"])


def time_of(text: str | None) -> datetime | None:
    """A time as the server tells it."""
    return None if text is None else datetime.fromisoformat(text)
