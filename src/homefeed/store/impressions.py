"""Impressions: the slate of each request, and the models behind it, for training and for audits."""

from __future__ import annotations

from collections.abc import AsyncIterator, Collection, Container, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from types import MappingProxyType
from typing import Any, Final

import numpy as np
import orjson
import sqlalchemy as sa
import structlog
from sqlalchemy.ext.asyncio import AsyncConnection

from homefeed.store.session import BRIEF, PRUNED_AT_ONCE, Store, chunked
from homefeed.store.tables import impressions, users
from homefeed.types import Floats, Numbers

_log = structlog.get_logger(__name__)

PLACES_END: Final = 2**31
IMPORTED: Final = "imported"
"""What `served_by` says of pages that another service showed."""
_MOST_KEPT: Final = 256
_MOST_PAGES: Final = 10_000
"""Pages that are looked at for a group of events: clients choose request ids, and may choose one for a million."""


@dataclass(frozen=True, slots=True, eq=False)
class Impression:
    """One page of a feed as shown.

    `items` (n,) are permanent numbers, best first, from place `start` on; `scores` and `propensities` (n,);
    `features` (n, feature_names). `user` is a permanent number, None without a user and for users who opted out.
    `reused` is whether the user got the same slate a moment before: nothing was chosen again. `served_by` names
    the feed that answered, another where the user is new, and its ranker, "home/weighted": empty of what earlier
    versions wrote. `variant` names that of an experiment, empty for none.
    """

    request_id: str
    feed: str
    user: int | None
    time: int
    start: int
    items: Numbers
    scores: Floats
    propensities: Floats
    feature_names: tuple[str, ...]
    features: Floats
    models: Mapping[str, str]
    reused: bool = False
    served_by: str = ""
    variant: str = ""


async def write_impressions(store: Store, app: str, shown: Sequence[Impression]) -> None:
    """Write impressions; if a request is written twice, the first one stays.

    Those of users who were erased since are written without a user.
    """
    if not shown:
        return
    async with store.write(brief=len(shown) <= BRIEF) as connection:
        users_shown = {impression.user for impression in shown if impression.user is not None}
        there: set[int] = set()
        for chunk in chunked(sorted(users_shown)):
            query = sa.select(users.c.number).where(users.c.app == app, users.c.number.in_(chunk))
            there.update((await connection.execute(query)).scalars())
        insert = store.insert(impressions).on_conflict_do_nothing(
            index_elements=["app", "time", "request_id", "feed", "start"]
        )
        await connection.execute(insert, [_row(app, impression, there) for impression in shown])


async def known_pages(store: Store, app: str, request_ids: Collection[str]) -> set[tuple[int, str, str, int]]:
    """The pages that are there of some requests: time, request, feed, and where each starts."""
    found: set[tuple[int, str, str, int]] = set()
    key = [impressions.c[name] for name in ("time", "request_id", "feed", "start")]
    async with store.read() as connection:
        for chunk in chunked(sorted(request_ids)):
            theirs = sa.and_(impressions.c.app == app, impressions.c.request_id.in_(chunk))
            # By this order SQLite takes the index by requests; else it would read all pages of the app.
            query = sa.select(*key).where(theirs).order_by(impressions.c.request_id)
            found.update(map(tuple, await connection.execute(query)))
    return found


async def impressions_of_request(store: Store, app: str, request_id: str) -> list[Impression]:
    """The impressions of a request."""
    query = sa.select(impressions).where(impressions.c.app == app, impressions.c.request_id == request_id)
    async with store.read() as connection:
        return [_impression(row) for row in await connection.execute(query.order_by(impressions.c.start))]


async def stream_impressions(
    store: Store, app: str, since: int, until: int, page: int = 1_000
) -> AsyncIterator[list[Impression]]:
    """The impressions from `since` to before `until`, up to `page` at a time, in the order of their times."""
    async for rows in stream_rows(store, app, since, until, page, tuple(impressions.c)):
        if sound := [impression for row in rows if (impression := _sound(app, row)) is not None]:
            yield sound


async def stream_rows(
    store: Store, app: str, since: int, until: int, page: int, columns: Sequence[sa.Column[Any]]
) -> AsyncIterator[Sequence[Any]]:
    """Columns of the impressions from `since` to before `until`, up to `page` rows at a time.

    They are in the order of their key: time, request, feed, start. No transaction is open between two groups.
    """
    names = ("time", "request_id", "feed", "start")
    key = [impressions.c[name] for name in names]
    named = [column.label(f"key_{column.name}") for column in key]
    query = sa.select(*columns, *named).where(impressions.c.app == app, impressions.c.time < until)
    query = query.order_by(*key).limit(page)
    beyond: sa.ColumnElement[bool] = impressions.c.time >= since
    while True:
        async with store.read() as connection:
            rows = (await connection.execute(query.where(beyond))).all()
        if rows:
            yield rows
        if len(rows) < page:
            return
        last = [sa.literal(getattr(rows[-1], f"key_{column.name}"), column.type) for column in key]
        beyond = sa.tuple_(*key) > sa.tuple_(*last)


async def owners_of_requests(
    connection: AsyncConnection, app: str, request_ids: Collection[str]
) -> dict[str, set[int | None]]:
    """The users of the pages that requests were answered with, None for nobody known; only of logged requests."""
    owners: dict[str, set[int | None]] = {}
    for chunk in chunked(sorted(request_ids)):
        query = sa.select(impressions.c.request_id, impressions.c.user).where(
            impressions.c.app == app, impressions.c.request_id.in_(chunk)
        )
        pages = (await connection.execute(query.limit(_MOST_PAGES))).all()
        for request_id, user in pages:
            owners.setdefault(request_id, set()).add(user)
        if len(pages) == _MOST_PAGES:  # there are more: whoever else they are of is not known
            owners |= {request_id: {None} for request_id in chunk}
    return owners


async def prune_impressions(store: Store, app: str, before: int) -> int:
    """Delete the impressions older than a time; returns how many."""
    gone, mine = 0, impressions.c.app == app
    while True:  # in steps, so that other writers get their turn
        async with store.write() as connection:
            times = sa.select(impressions.c.time).where(mine, impressions.c.time < before)
            step = times.order_by(impressions.c.time).offset(PRUNED_AT_ONCE - 1).limit(1)
            last: int | None = (await connection.execute(step)).scalar_one_or_none()
            old = impressions.c.time < before if last is None else impressions.c.time <= last
            gone += (await connection.execute(impressions.delete().where(mine, old))).rowcount
        if last is None:
            return gone


def _row(app: str, shown: Impression, there: Container[int | None]) -> dict[str, Any]:
    return {
        "app": app,
        "time": shown.time,
        "request_id": shown.request_id,
        "feed": shown.feed,
        "start": shown.start,
        "user": shown.user if shown.user in there else None,
        "items": shown.items.astype("<i4").tobytes(),
        "scores": shown.scores.astype("<f4").tobytes(),
        "propensities": shown.propensities.astype("<f4").tobytes(),
        "feature_names": ",".join(shown.feature_names),
        "features": shown.features.astype("<f4").tobytes(),
        "models": orjson.dumps(dict(shown.models)).decode(),
        "reused": shown.reused,
        "served_by": shown.served_by,
        "variant": shown.variant,
    }


def _sound(app: str, row: Any) -> Impression | None:
    try:
        return _impression(row)
    except ValueError as error:
        _log.warning("impression damaged, passed over", app=app, request_id=row.request_id, error=str(error))
        return None


# Pages of one day name the same features and models: each is read once, not once a page.
@lru_cache(maxsize=_MOST_KEPT)
def _names(listed: str) -> tuple[str, ...]:
    return tuple(listed.split(",")) if listed else ()


@lru_cache(maxsize=_MOST_KEPT)
def _models(written: str) -> Mapping[str, str]:
    models = orjson.loads(written)
    if not isinstance(models, dict):
        raise ValueError("its models are no object")
    return MappingProxyType(models)


def _impression(row: Any) -> Impression:
    if not 0 <= row.start < PLACES_END:
        raise ValueError(f"it starts at place {row.start}")
    names = _names(row.feature_names)
    items = np.frombuffer(row.items, "<i4").astype(np.int32)
    if not len(row.items) == len(row.scores) == len(row.propensities):
        raise ValueError("it has not as many scores, or propensities, as items")
    return Impression(
        request_id=row.request_id,
        feed=row.feed,
        user=row.user,
        time=row.time,
        start=row.start,
        items=items,
        scores=np.frombuffer(row.scores, "<f4").astype(np.float32),
        propensities=np.frombuffer(row.propensities, "<f4").astype(np.float32),
        feature_names=names,
        features=np.frombuffer(row.features, "<f4").astype(np.float32).reshape(len(items), len(names)),
        models=_models(row.models),
        reused=row.reused,
        served_by=row.served_by,
        variant=row.variant,
    )
