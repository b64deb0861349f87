"""Events into the log: each once, even if it is repeated in this file, an earlier one or over HTTP."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping
from typing import Final

import numpy as np
import numpy.typing as npt
import orjson
import polars as pl

from homefeed.ingest.cells import as_mask
from homefeed.ingest.equal_rows import EqualRows
from homefeed.ingest.ids import IdNumbers, read_numbers
from homefeed.ingest.interactions import UNKNOWN_ITEM, UNKNOWN_USER, EventBatch, EventRows, read_events
from homefeed.ingest.mapping import Layout
from homefeed.ingest.matrix import DistinctCounter, MatrixCounter
from homefeed.ingest.report import EventFacts, FileReport
from homefeed.ingest.row_counts import RowCounts
from homefeed.ingest.stream import Progress, prepared
from homefeed.ingest.table import Batch, Table
from homefeed.ingest.tallies import merged, tally_rows
from homefeed.recipe import Recipe
from homefeed.store import Store
from homefeed.store.bulk import (
    Appended,
    EventColumns,
    StaleNumbersError,
    analyse,
    append_rows,
    item_pages,
    settle,
    user_pages,
)
from homefeed.store.identity import NO_ITEM, row_key
from homefeed.store.users import ensure_users, user_numbers
from homefeed.types import Mask

REPEATED_IN_FILE: Final = "the same event is earlier in this file"
IN_LOG: Final = "the event is already in the log"
OTHER_EVENT: Final = "another event of the user has this event_id"
_TRANSACTION: Final = 250_000
"""The maximum number of events per transaction: large ones rewrite the pages of the index by user less often."""


async def load_events(
    store: Store, recipe: Recipe, table: Table, layout: Layout, now: int, progress: Progress
) -> tuple[FileReport, EventFacts]:
    """Write the events of a file; each transaction is durable, and an interrupted import can be repeated."""
    started = time.perf_counter()
    loading = _Loading(store, recipe, now)

    def read(batch: Batch) -> EventBatch:
        return read_events(batch, layout, recipe, now)

    await loading.read_ids()
    try:
        async with prepared(table, read) as batches:
            async for batch in batches:
                await loading.take(batch)
                progress("events", batch.source.done, table.total)
        progress("events", table.total, table.total)
    finally:
        await settle(store)
    report = loading.report("events", table, layout, time.perf_counter() - started)
    return report, loading.facts()


class _Loading(RowCounts):
    """The state of loading one file of events."""

    def __init__(self, store: Store, recipe: Recipe, now: int) -> None:
        super().__init__()
        self._store = store
        self._app = recipe.app
        self._has_searches = any(spec.about == "query" for spec in recipe.events.values())
        self._creates_users = recipe.sources.events.unknown_users == "create"
        self._now = now
        self._erasures = 0
        self._users = IdNumbers(pl.DataFrame())
        self._items = IdNumbers(pl.DataFrame())
        self._item_count = 0
        self._own_seqs: list[tuple[int, int]] = []
        self._times: list[tuple[int, int]] = []
        self._unknown_users = DistinctCounter()
        self._unknown_items = DistinctCounter()
        self._created = 0
        self._matrix = MatrixCounter()
        self._equal_rows = EqualRows() if recipe.sources.events.equal_rows == "each" else None

    async def read_ids(self) -> None:
        """Read the ids and numbers of all users and items."""
        self._erasures = (await self._store.watermarks(self._app)).erasures
        self._users = await read_numbers(user_pages(self._store, self._app))
        items = await read_numbers(item_pages(self._store, self._app))
        self._item_count = len(items)
        self._items = items.with_more({"": NO_ITEM}) if self._has_searches else items

    async def take(self, batch: EventBatch) -> None:
        """Write the usable events of a batch and count all of its rows."""
        self.count(batch.source, batch.rejected, batch.warnings)
        for part in batch.events.parts(_TRANSACTION):
            await self._take_part(part)

    def facts(self) -> EventFacts:
        """Figures on all events of the file."""
        return EventFacts(
            first=min((first for first, _ in self._times), default=None),
            last=max((last for _, last in self._times), default=None),
            unknown_users=self._unknown_users.count()[0],
            unknown_items=self._unknown_items.count()[0],
            created_users=self._created,
            matrix=self._matrix.matrix(len(self._users), self._item_count),
        )

    async def _take_part(self, events: EventRows) -> None:
        items = self._items.of(events.columns["item_id"])
        is_item = as_mask(items.is_not_null())
        self._refuse(events, ~is_item, UNKNOWN_ITEM)
        self._unknown_items.add(_hashes(events.columns["item_id"], ~is_item))
        await self._take_of_items(events.only(is_item), items.drop_nulls())

    async def _take_of_items(self, events: EventRows, items: pl.Series) -> None:
        users = await self._numbers_of_users(events.columns["user_id"])
        is_user = as_mask(users.is_not_null())
        good = events.only(is_user)
        if len(good):
            users, items_met = users.drop_nulls(), items.filter(is_user)
            columns = await asyncio.to_thread(_columns, good, users, items_met)
            told_apart = columns if self._equal_rows is None else self._equal_rows.told_apart(columns)
            try:
                appended = await self._append(told_apart)
            except StaleNumbersError:
                if self._equal_rows is not None:
                    self._equal_rows.take_back(columns)
                await self.read_ids()
                await self._take_of_items(events, items)
                return
            met = items_met.to_numpy() != NO_ITEM
            self._matrix.add(users.to_numpy()[met], items_met.to_numpy()[met])
            self._count(good, appended)
        self._refuse(events, ~is_user, UNKNOWN_USER)
        self._unknown_users.add(_hashes(events.columns["user_id"], ~is_user))

    async def _numbers_of_users(self, ids: pl.Series) -> pl.Series:
        numbers = self._users.of(ids)
        if not self._creates_users or not numbers.has_nulls():
            return numbers
        new = ids.filter(numbers.is_null()).unique().to_list()
        async with self._store.write() as connection:
            before = await user_numbers(connection, self._app, new)
            created = await ensure_users(self._store, connection, self._app, new)
        if not self._created:
            await analyse(self._store)
        self._created += len(created) - len(before)
        self._users = self._users.with_more(created)
        return self._users.of(ids)

    def _refuse(self, events: EventRows, bad: Mask, reason: str) -> None:
        if bad.any():
            self.rejected = merged(self.rejected, {reason: tally_rows(events.raw, events.rows, bad)})

    async def _append(self, columns: EventColumns) -> Appended:
        appended = await append_rows(self._store, self._app, columns, self._now, self._erasures)
        if not self._own_seqs:
            await analyse(self._store)
        return appended

    def _count(self, events: EventRows, appended: Appended) -> None:
        self.loaded += appended.inserted
        self._own_seqs.append((appended.first_seq, appended.first_seq + len(events)))
        times = events.columns["time"].to_numpy()
        self._times.append((int(times.min()), int(times.max())))
        if appended.duplicates:
            self._count_duplicates(events, appended.duplicates)
        if appended.conflicts:
            self._refuse(events, _mask(events, list(appended.conflicts)), OTHER_EVENT)

    def _count_duplicates(self, events: EventRows, duplicates: Mapping[int, int]) -> None:
        indices, seqs = (np.array(list(part)) for part in (duplicates.keys(), duplicates.values()))
        starts, ends = np.array(self._own_seqs).T
        batches = np.searchsorted(starts, seqs, side="right") - 1
        is_own = (batches >= 0) & (seqs < ends[batches])
        for reason, chosen in ((REPEATED_IN_FILE, indices[is_own]), (IN_LOG, indices[~is_own])):
            if len(chosen):
                tally = tally_rows(events.raw, events.rows, _mask(events, chosen))
                self.duplicates = merged(self.duplicates, {reason: tally})


def _columns(events: EventRows, users: pl.Series, items: pl.Series) -> EventColumns:
    cells = {name: column.to_list() for name, column in events.columns.to_dict().items()}
    names = ("user_id", "item_id", "event_type", "value", "time", "event_id")
    parts = [cells[name] for name in names]
    contexts = None
    if "query" in cells and events.columns["query"].null_count() < len(events):
        parts.append(cells["query"])
        contexts = [None if text is None else orjson.dumps({"query": text}).decode() for text in cells["query"]]
    return EventColumns(
        keys=list(map(row_key, *parts)),
        users=users.to_list(),
        items=items.to_list(),
        types=cells["event_type"],
        values=cells["value"],
        times=cells["time"],
        event_ids=cells["event_id"],
        contexts=contexts,
    )


def _mask(events: EventRows, chosen: npt.NDArray[np.intp] | list[int]) -> Mask:
    rows = np.zeros(len(events), dtype=np.bool_)
    rows[chosen] = True
    return rows


def _hashes(ids: pl.Series, chosen: Mask) -> npt.NDArray[np.uint64]:
    return ids.filter(chosen).unique().hash().to_numpy()
