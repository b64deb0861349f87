"""The calls of the API as values: what is sent, and how the answer is read. Both clients make them."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from functools import partial
from typing import Any, Final, Generic, TypeVar
from urllib.parse import quote
from uuid import uuid4

from homefeed.client import answers
from homefeed.client.answers import (
    Erased,
    Explanation,
    Items,
    Json,
    Outcome,
    Page,
    Rejected,
    ServedApp,
    Stats,
    Users,
)
from homefeed.client.records import NOTHING, Event, Item, ItemChange, User

MOST_IN_REQUEST: Final = 1_000
"""How many elements a request of many holds."""
MOST_BYTES: Final = 4_000_000
"""How many bytes they have, unless one has more."""
_PAGE: Final = 1_000

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Call(Generic[T]):
    """A request; `path` is below that of the app, or begins with a slash.

    `gone` is what came of it where a first answer was lost and a second says that nothing is there.
    """

    method: str
    path: str
    read: Callable[[Json], T]
    query: tuple[tuple[str, str], ...] = ()
    body: bytes | None = None
    gone: Callable[[], T] | None = None

    def beyond(self, cursor: str) -> Call[T]:
        """The same for the page after the one that told `cursor`."""
        others = tuple(pair for pair in self.query if pair[0] != "cursor")
        return replace(self, query=(*others, ("cursor", cursor)))


def recommend(
    feed: str,
    *,
    user_id: str | None = None,
    n: int | None = None,
    cursor: str | None = None,
    item_id: str | None = None,
    query: str | None = None,
    filters: Sequence[str] = (),
    exclude: Sequence[str] = (),
    latitude: float | None = None,
    longitude: float | None = None,
    radius_km: float | None = None,
    context: Mapping[str, str] = NOTHING,
) -> Call[Page]:
    """A page of a feed.

    Args:
        feed: Its name.
        user_id: Whose; without it, or unknown: a cold start.
        n: How many items, 1 to 1,000; 20 without it.
        cursor: `next_cursor` of the page before.
        item_id: The item that an anchored feed, such as similar, is about.
        query: What a search feed looks for.
        filters: Conditions that every item must meet, such as `genre:Drama` and `year>=2000`.
        exclude: Items to leave out.
        latitude: Where the user is, in degrees, with `longitude`.
        longitude: See `latitude`.
        radius_km: How far away items may be.
        context: What the feed's parts may go by besides, such as the device.
    """
    named: dict[str, Any] = {"user_id": user_id, "n": n, "cursor": cursor, "item_id": item_id, "query": query}
    named |= {"latitude": latitude, "longitude": longitude, "radius_km": radius_km}
    named |= {f"context.{name}": value for name, value in context.items()}
    told = _query(named, filter=filters, exclude=exclude)
    return Call("GET", f"feeds/{_segment(feed)}", answers.page_of, told)


def similar(
    item_id: str,
    *,
    feed: str = "similar",
    user_id: str | None = None,
    n: int | None = None,
    cursor: str | None = None,
    filters: Sequence[str] = (),
    exclude: Sequence[str] = (),
) -> Call[Page]:
    """A page of what is similar to an item; see `recommend`."""
    return recommend(feed, item_id=item_id, user_id=user_id, n=n, cursor=cursor, filters=filters, exclude=exclude)


def search(
    query: str,
    *,
    feed: str = "search",
    user_id: str | None = None,
    n: int | None = None,
    cursor: str | None = None,
    filters: Sequence[str] = (),
    exclude: Sequence[str] = (),
) -> Call[Page]:
    """A page of what matches a query, best first; see `recommend`."""
    return recommend(feed, query=query, user_id=user_id, n=n, cursor=cursor, filters=filters, exclude=exclude)


def explain(
    feed: str,
    item_id: str,
    *,
    user_id: str | None = None,
    n: int | None = None,
    anchor: str | None = None,
    query: str | None = None,
    filters: Sequence[str] = (),
) -> Call[Explanation]:
    """The whole trace of one item for one user; `anchor` is the item that an anchored feed is about."""
    named = {"feed": feed, "item_id": item_id, "user_id": user_id, "n": n, "anchor": anchor, "query": query}
    return Call("GET", "explain", _as_it_is, _query(named, filter=filters))


def record(event: Event) -> Call[Outcome]:
    """Record one event: returns once it is durable, and the user's next page goes by it."""
    return _sent("POST", "events", answers.outcome_of, _event(event))


def record_events(events: Iterable[Event]) -> Iterator[Call[Outcome] | Outcome]:
    """Record any number of events, 1,000 a request; the good ones are kept, the outcome names the others.

    One that JSON cannot hold, such as a NaN, is among the others, too.
    """
    return _many("POST", "events", map(_event, events))


def put_item(item: Item) -> Call[Item]:
    """Create or replace an item; returns it as it is now."""
    return _sent("PUT", f"items/{_segment(item.item_id)}", answers.item_of, _stated(item))


def put_items(items: Iterable[Item]) -> Iterator[Call[Outcome] | Outcome]:
    """Create or replace any number of items, 1,000 a request; the good ones are kept."""
    return _many("POST", "items", ({"item_id": item.item_id} | _stated(item) for item in items))


def patch_item(change: ItemChange) -> Call[Item]:
    """Change the named attributes of an item, or whether it is hidden; returns it as it is now."""
    return _sent("PATCH", f"items/{_segment(change.item_id)}", answers.item_of, _stated(change))


def patch_items(changes: Iterable[ItemChange]) -> Iterator[Call[Outcome] | Outcome]:
    """Change any number of items, 1,000 a request; those that can be are changed."""
    return _many("PATCH", "items", ({"item_id": change.item_id} | _stated(change) for change in changes))


def get_item(item_id: str) -> Call[Item]:
    """One item."""
    return Call("GET", f"items/{_segment(item_id)}", answers.item_of)


def delete_item(item_id: str) -> Call[None]:
    """Delete an item; one that is gone after an answer was lost is deleted."""
    return Call("DELETE", f"items/{_segment(item_id)}", _nothing, gone=lambda: None)


def items() -> Call[Items]:
    """Every item of the catalogue, hidden ones included, in the order they came."""
    return Call("GET", "items", answers.items_of, _query({"limit": _PAGE}))


def put_user(user: User) -> Call[User]:
    """Create or replace a user; returns them as they are now."""
    return _sent("PUT", f"users/{_segment(user.user_id)}", answers.user_of, {"attributes": user.attributes})


def put_users(users: Iterable[User]) -> Iterator[Call[Outcome] | Outcome]:
    """Create or replace any number of users, 1,000 a request; the good ones are kept."""
    return _many("POST", "users", ({"user_id": one.user_id, "attributes": one.attributes} for one in users))


def patch_user(user: User) -> Call[User]:
    """Change the attributes of a user that are named, None takes one away; returns them as they are now."""
    return _sent("PATCH", f"users/{_segment(user.user_id)}", answers.user_of, {"attributes": user.attributes})


def get_user(user_id: str) -> Call[User]:
    """One user."""
    return Call("GET", f"users/{_segment(user_id)}", answers.user_of)


def erase_user(user_id: str) -> Call[Erased]:
    """Erase a user, all their events, and the impressions of what they were shown.

    Where an answer was lost and the user is gone since, they are erased; how many events went is not known: None.
    """
    return Call("DELETE", f"users/{_segment(user_id)}", answers.erased_of, gone=lambda: Erased(user_id, None))


def users() -> Call[Users]:
    """Every user, in the order they came."""
    return Call("GET", "users", answers.users_of, _query({"limit": _PAGE}))


def apps() -> Call[tuple[ServedApp, ...]]:
    """The apps of the server, each with its feeds."""
    return Call("GET", "/v1/apps", answers.apps_of)


def stats() -> Call[Stats]:
    """What the app holds and serves by."""
    return Call("GET", "stats", answers.stats_of)


def _stated(item: Item | ItemChange) -> dict[str, Any]:
    """What is said of an item besides its id."""
    created_at = item.created_at if isinstance(item, Item) else None
    return _known(attributes=item.attributes, hidden=item.hidden, created_at=created_at)


def _event(event: Event) -> dict[str, Any]:
    # One whose time is told is known again by what it says, also where a file tells it.
    is_known = event.event_id is not None or event.timestamp is not None
    return _known(
        user_id=event.user_id,
        item_id=event.item_id,
        event_type=event.event_type,
        value=event.value,
        timestamp=event.timestamp,
        event_id=event.event_id if is_known else uuid4().hex,
        request_id=event.request_id,
        context=event.context or None,
    )


def _sent(method: str, path: str, read: Callable[[Json], T], told: Mapping[str, Any]) -> Call[T]:
    return Call(method, path, read, body=_json(told))


def _many(method: str, path: str, told: Iterable[Mapping[str, Any]]) -> Iterator[Call[Outcome] | Outcome]:
    """Requests of as many elements as one may hold. What JSON cannot hold is refused alone."""
    size = 0
    chunk: list[bytes] = []
    places: list[int] = []
    refused: list[Rejected] = []

    def call() -> Call[Outcome]:
        read = partial(_placed, tuple(places), tuple(refused))
        return Call(method, path, read, body=b"[%s]" % b",".join(chunk))

    for index, each in enumerate(told):
        try:
            one = _json(each)
        except (TypeError, ValueError) as error:
            refused.append(Rejected(index, f"it cannot be sent as JSON: {error}"))
            continue
        if chunk and (len(chunk) == MOST_IN_REQUEST or size + len(one) > MOST_BYTES):
            yield call()
            size, chunk, places, refused = 0, [], [], []
        chunk.append(one)
        places.append(index)
        size += len(one)
    if chunk:
        yield call()
    elif refused:
        yield Outcome(rejected=tuple(refused), rejected_count=len(refused))


def _placed(places: tuple[int, ...], refused: tuple[Rejected, ...], told: Json) -> Outcome:
    """What became of elements, by their places in all that was given, and of those that were not sent."""
    found = answers.outcome_of(told)
    theirs = [Rejected(places[one.index], one.error) for one in found.rejected]
    rejected = tuple(sorted((*theirs, *refused), key=lambda one: one.index))
    return replace(found, rejected=rejected, rejected_count=found.rejected_count + len(refused))


def _known(**told: Any) -> dict[str, Any]:
    return {name: value for name, value in told.items() if value is not None}


def _query(named: Mapping[str, Any], **many: Sequence[str]) -> tuple[tuple[str, str], ...]:
    for name, values in many.items():
        if isinstance(values, str):
            raise TypeError(f"{name}: expected a list of texts, got one")
    once = [(name, str(value)) for name, value in named.items() if value is not None]
    return *once, *((name, value) for name, values in many.items() for value in values)


def _json(told: Mapping[str, Any]) -> bytes:
    text = json.dumps(told, ensure_ascii=False, allow_nan=False, separators=(",", ":"), default=_time)
    return text.encode()


def _time(value: object) -> str:
    if isinstance(value, datetime):
        return value.isoformat()
    raise TypeError(f"{type(value).__name__} is nothing that JSON can hold")


def _segment(name: str) -> str:
    if name in (".", ".."):
        # In a path they mean a folder, however they are written.
        raise ValueError(f"an id or a name in a path cannot be {name!r}")
    return quote(name, safe="")


def _as_it_is(told: Json) -> Json:
    return told


def _nothing(_told: Json) -> None:
    return None
