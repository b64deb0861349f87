"""Impressions of another service into the log: pages without features, each once."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from typing import Final

import numpy as np
import polars as pl

from homefeed.ingest.cells import as_mask
from homefeed.ingest.ids import IdNumbers, read_numbers
from homefeed.ingest.interactions import UNKNOWN_ITEM, UNKNOWN_USER, EventRows
from homefeed.ingest.mapping import Layout
from homefeed.ingest.report import FileReport
from homefeed.ingest.row_counts import RowCounts
from homefeed.ingest.shown import ShownBatch, in_order, read_shown, request_of
from homefeed.ingest.stream import Progress, prepared
from homefeed.ingest.table import Batch, Table
from homefeed.ingest.tallies import merged, tally_rows
from homefeed.privacy import opted_out
from homefeed.recipe import Recipe
from homefeed.store import Store
from homefeed.store.bulk import analyse, attributes_of, item_pages, user_pages
from homefeed.store.impressions import IMPORTED, Impression, known_pages, write_impressions
from homefeed.store.users import ensure_users
from homefeed.types import Mask

PLACE_TAKEN: Final = "another item of the request is in this place"
IN_LOG: Final = "the page is already in the log"
_LONGEST: Final = 10_000
"""So many rows of a request are waited for at most; the others are further pages of it."""
_PAGES_AT_ONCE: Final = 1_000


async def load_impressions(
    store: Store, recipe: Recipe, table: Table, layout: Layout, now: int, progress: Progress
) -> FileReport:
    """Write what a file says was shown. Rows of one request follow one another; what has gaps is several pages.

    Each transaction is durable, and an interrupted import can be repeated.
    """
    started, loading = time.perf_counter(), _Loading(store, recipe)

    def read(batch: Batch) -> ShownBatch:
        return read_shown(batch, layout, recipe.feeds, now)

    await loading.read_ids()
    async with prepared(table, read) as batches:
        async for batch in batches:
            await loading.take(batch)
            progress("impressions", batch.source.done, table.total)
    await loading.end()
    progress("impressions", table.total, table.total)
    await analyse(store)
    return loading.report("impressions", table, layout, time.perf_counter() - started)


class _Loading(RowCounts):
    """The state of loading one file of impressions; the last request of a batch waits for the next."""

    def __init__(self, store: Store, recipe: Recipe) -> None:
        super().__init__()
        self._store, self._recipe, self._app = store, recipe, recipe.app
        self._users, self._items = IdNumbers(pl.DataFrame()), IdNumbers(pl.DataFrame())
        self._waiting: EventRows | None = None

    async def read_ids(self) -> None:
        """Read the ids and numbers of all users and items."""
        self._users = await read_numbers(user_pages(self._store, self._app))
        self._items = await read_numbers(item_pages(self._store, self._app))

    async def take(self, batch: ShownBatch) -> None:
        """Write the whole requests of a batch, and count all of its rows."""
        self.count(batch.source, batch.rejected, batch.warnings)
        rows = batch.shown if self._waiting is None else _joined(self._waiting, batch.shown)
        request = request_of(rows.columns).to_numpy()
        last = int(np.searchsorted(request, request[-1])) if len(request) else 0
        if len(rows) - last > _LONGEST:
            last = len(rows)
        whole = np.arange(len(rows)) < last
        self._waiting = rows.only(~whole)
        await self._write(rows.only(whole))

    async def end(self) -> None:
        """Write the last request."""
        if self._waiting is not None:
            await self._write(self._waiting)

    async def _write(self, rows: EventRows) -> None:
        rows, taken = in_order(rows)
        items = self._items.of(rows.columns["item_id"])
        users = await self._numbers_of_users(rows.columns["user_id"])
        nobody = as_mask(rows.columns["user_id"].is_null())
        unknown_item, unknown_user = as_mask(items.is_null()), as_mask(users.is_null()) & ~nobody
        for bad, reason in (
            (unknown_item, UNKNOWN_ITEM),
            (unknown_user & ~unknown_item, UNKNOWN_USER),
            (taken & ~unknown_item & ~unknown_user, PLACE_TAKEN),
        ):
            if bad.any():
                self.rejected = merged(self.rejected, {reason: tally_rows(rows.raw, rows.rows, bad)})
        good = ~(taken | unknown_item | unknown_user)
        named = rows.only(good)
        columns = named.columns.with_columns(items.filter(good).alias("item"), users.filter(good).alias("user"))
        columns = columns.with_columns(user=await self._without_refusing(columns))
        starts = _starts_of_pages(columns)
        for some in range(0, len(starts), _PAGES_AT_ONCE):
            bounds = np.append(starts, len(named))[some : some + _PAGES_AT_ONCE + 1]
            await self._write_pages(named, columns, bounds.tolist())

    async def _write_pages(self, rows: EventRows, columns: pl.DataFrame, bounds: Sequence[int]) -> None:
        """Write the pages that lie between bounds, but for those that are there."""
        pages = list(_pages(columns, bounds))
        there = await known_pages(self._store, self._app, {page.request_id for page in pages})
        new, repeated = [], np.zeros(len(rows), np.bool_)
        for page, start in zip(pages, bounds, strict=False):
            key = page.time, page.request_id, page.feed, page.start
            if key in there:
                repeated[start : start + len(page.items)] = True
            else:
                there.add(key)
                new.append(page)
        await write_impressions(self._store, self._app, new)
        self.loaded += sum(len(page.items) for page in new)
        if repeated.any():
            self.duplicates = merged(self.duplicates, {IN_LOG: tally_rows(rows.raw, rows.rows, repeated)})

    async def _numbers_of_users(self, ids: pl.Series) -> pl.Series:
        numbers = self._users.of(ids)
        new = ids.filter(numbers.is_null() & ids.is_not_null()).unique().to_list()
        if new and self._recipe.sources.impressions.unknown_users == "create":
            async with self._store.write() as connection:
                self._users = self._users.with_more(await ensure_users(self._store, connection, self._app, new))
            return self._users.of(ids)
        return numbers

    async def _without_refusing(self, columns: pl.DataFrame) -> pl.Series:
        """(rows,) the users' numbers, null of those who refuse to be known by what they were shown."""
        if self._recipe.privacy is None:
            return columns["user"]
        ids = columns["user_id"].drop_nulls().unique().to_list()
        known = await attributes_of(self._store, self._app, "users", ids)
        refusing = [user for user, attributes in known.items() if opted_out(attributes, self._recipe)]
        is_known = pl.lit(~as_mask(columns["user_id"].is_in(refusing)))
        return pl.select(pl.when(is_known).then(columns["user"])).to_series()


def _joined(first: EventRows, then: EventRows) -> EventRows:
    columns, raw = (pl.concat(pair) for pair in ((first.columns, then.columns), (first.raw, then.raw)))
    return EventRows(columns, raw, np.concatenate([first.rows, then.rows]))


def _starts_of_pages(columns: pl.DataFrame) -> np.ndarray:
    """The rows at which a page begins: another request, or a gap in its places."""
    request, place = columns["request"].to_numpy(), columns["place"].to_numpy()
    begins: Mask = np.ones(len(columns), np.bool_)
    begins[1:] = (np.diff(request) != 0) | (np.diff(place) != 1)
    return np.flatnonzero(begins)


def _pages(columns: pl.DataFrame, bounds: Sequence[int]) -> Iterator[Impression]:
    names = ("request_id", "feed", "user", "time", "place")
    heads = columns[list(bounds[:-1])].select(names).rows()
    items = columns["item"].to_numpy().astype(np.int32)
    scores, propensities = (columns[name].to_numpy().astype(np.float32) for name in ("score", "propensity"))
    for head, start, stop in zip(heads, bounds, bounds[1:], strict=False):
        request_id, feed, user, moment, place = head
        yield Impression(
            request_id=request_id,
            feed=feed,
            user=user,
            time=moment,
            start=place,
            items=items[start:stop],
            scores=scores[start:stop],
            propensities=propensities[start:stop],
            feature_names=(),
            features=np.empty((stop - start, 0), np.float32),
            models={},
            served_by=IMPORTED,
        )
