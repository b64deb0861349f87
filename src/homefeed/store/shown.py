"""What was shown to whom and when, without what it took to make it: all that events are attributed by."""

from __future__ import annotations

from collections.abc import AsyncIterator, Collection, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import sqlalchemy as sa

from homefeed.store.impressions import PLACES_END, stream_rows
from homefeed.store.session import Store, chunked
from homefeed.store.tables import impressions
from homefeed.types import Floats, Mask, Numbers, Times

NOBODY: Final = -1
"""In place of a user's number where a page is nobody's."""

MOST_PAGES: Final = 100
"""A request id that names more pages names none: clients choose them, and may choose one for all they ask."""

_PAGE: Final = 2_000
_COLUMNS: Final = tuple(
    impressions.c[name]
    for name in ("request_id", "feed", "feature_names", "time", "start", "user", "reused", "items")
)
_SERVED: Final = tuple(impressions.c[name] for name in ("served_by", "models", "scores", "features"))


@dataclass(frozen=True, slots=True, eq=False)
class ShownPages:
    """Pages as columns. `items` are those of all pages, page after page, and `sizes` how many each has.

    `feature_names` are as they are stored, with commas between.
    """

    request_ids: Sequence[str]
    feeds: Sequence[str]
    feature_names: Sequence[str]
    times: Times
    starts: Numbers
    users: Numbers
    reused: Mask
    sizes: Numbers
    items: Numbers

    def __len__(self) -> int:
        return len(self.request_ids)


@dataclass(frozen=True, slots=True, eq=False)
class ServedPages:
    """Pages with what served each: `served_by` and `models`, as they are stored, and the `scores` of all items.

    `features` are by page as they are stored: of each item a number of 32 bits for each of the page's names.
    """

    pages: ShownPages
    served_by: Sequence[str]
    models: Sequence[str]
    scores: Floats
    features: Sequence[bytes]


@dataclass(frozen=True, slots=True)
class Extent:
    """How many pages there are, and the times of the first and the last; 0 without any."""

    pages: int
    first: int
    last: int


async def extent_of_shown(store: Store, app: str, since: int, until: int) -> Extent:
    """What there is from `since` to before `until`."""
    time = impressions.c.time
    query = sa.select(
        sa.func.count(), sa.func.coalesce(sa.func.min(time), 0), sa.func.coalesce(sa.func.max(time), 0)
    )
    async with store.read() as connection:
        rows = await connection.execute(query.where(impressions.c.app == app, time >= since, time < until))
        return Extent(*rows.one())


async def extent_of_latest(store: Store, app: str, feed: str, items: int) -> tuple[Extent, int]:
    """The latest pages of a feed, asked for or answered, that show up to so many items, and how many they show.

    Pages of one moment are taken together, or not at all.
    """
    theirs = sa.or_(impressions.c.feed == feed, impressions.c.served_by.startswith(f"{feed}/", autoescape=True))
    size = sa.func.length(impressions.c["items"])
    shown = sa.func.sum(size).over(order_by=impressions.c.time.desc())
    latest = sa.select(impressions.c.time, shown.label("shown")).where(impressions.c.app == app, theirs).subquery()
    first, last = sa.func.min(latest.c.time), sa.func.max(latest.c.time)
    query = sa.select(
        sa.func.count(),
        *(sa.func.coalesce(value, 0) for value in (first, last, sa.func.max(latest.c.shown))),
    )
    async with store.read() as connection:
        rows = await connection.execute(query.where(latest.c.shown <= 4 * items))
        pages, first_time, last_time, length = rows.one()
    return Extent(pages, first_time, last_time), int(length) // 4


async def stream_shown(store: Store, app: str, since: int, until: int) -> AsyncIterator[ShownPages]:
    """The pages from `since` to before `until`, in the order of their times, some at a time."""
    async for rows in stream_rows(store, app, since, until, _PAGE, _COLUMNS):
        if sound := _sound(rows):
            yield _pages(sound)


async def stream_served(store: Store, app: str, since: int, until: int) -> AsyncIterator[ServedPages]:
    """The pages from `since` to before `until` and what served them, in the order of time, some at a time."""
    async for rows in stream_rows(store, app, since, until, _PAGE, (*_COLUMNS, *_SERVED)):
        if sound := [row for row in _sound(rows) if len(row.scores) == len(row.items)]:
            yield ServedPages(
                _pages(sound),
                [row.served_by for row in sound],
                [row.models for row in sound],
                np.frombuffer(b"".join(row.scores for row in sound), "<f4").astype(np.float32),
                [row.features for row in sound],
            )


async def earliest_of_latest(store: Store, app: str, since: int, until: int, most: int) -> int:
    """From when on there are no more than `most` pages, at the earliest `since`, to before `until`."""
    mine = sa.and_(impressions.c.app == app, impressions.c.time >= since, impressions.c.time < until)
    query = sa.select(impressions.c.time).where(mine).order_by(impressions.c.time.desc()).offset(most).limit(1)
    async with store.read() as connection:
        one_too_many: int | None = (await connection.execute(query)).scalar_one_or_none()
    return since if one_too_many is None else one_too_many + 1


async def shown_by_requests(store: Store, app: str, request_ids: Collection[str]) -> AsyncIterator[ShownPages]:
    """The pages of the requests that have no more than `MOST_PAGES`, some at a time."""
    for chunk in chunked(sorted(request_ids)):
        theirs = sa.and_(impressions.c.app == app, impressions.c.request_id.in_(chunk))
        few = (
            sa.select(impressions.c.request_id)
            .where(theirs)
            .group_by(impressions.c.request_id)
            .having(sa.func.count() <= MOST_PAGES)
        )
        query = sa.select(*_COLUMNS).where(impressions.c.app == app, impressions.c.request_id.in_(few))
        async with store.read() as connection:
            rows = (await connection.execute(query)).all()
        if sound := _sound(rows):
            yield _pages(sound)


async def first_starts(store: Store, app: str, request_ids: Collection[str]) -> dict[tuple[str, str, int], int]:
    """Where the first page that a request showed of a feed to a user begins, by request, feed and user."""
    found: dict[tuple[str, str, int], int] = {}
    by = (impressions.c.request_id, impressions.c.feed, impressions.c.user)
    for chunk in chunked(sorted(request_ids)):
        query = sa.select(*by, sa.func.min(impressions.c.start)).group_by(*by)
        query = query.where(impressions.c.app == app, impressions.c.request_id.in_(chunk))
        async with store.read() as connection:
            for request_id, feed, user, start in await connection.execute(query):
                found[request_id, feed, NOBODY if user is None else user] = start
    return found


def _sound(rows: Sequence[Any]) -> Sequence[Any]:
    """The rows without those that are damaged: whoever reads the whole of one tells of it."""
    return [row for row in rows if 0 <= row.start < PLACES_END and len(row.items) % 4 == 0]


def _pages(rows: Sequence[Any]) -> ShownPages:
    request_ids, feeds, feature_names, times, starts, users, reused, items, *_ = zip(*rows, strict=True)
    return ShownPages(
        request_ids=request_ids,
        feeds=feeds,
        feature_names=feature_names,
        times=np.array(times, np.int64),
        starts=np.array(starts, np.int32),
        users=np.array([NOBODY if user is None else user for user in users], np.int32),
        reused=np.array(reused, np.bool_),
        sizes=np.array([len(blob) // 4 for blob in items], np.int32),
        items=np.frombuffer(b"".join(items), "<i4").astype(np.int32),
    )
