"""Reads an app's catalogue and whole event log as the columns that trainers and evaluation take."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from homefeed.catalog import CatalogView, EventWeights
from homefeed.collector import without_collector
from homefeed.dataset.columns import log_columns, own
from homefeed.dataset.set_aside import apply_changes, use_rows
from homefeed.engine import empty_catalog, event_weights
from homefeed.recipe import Recipe
from homefeed.store import Store
from homefeed.store.events import LogRows, rows_after
from homefeed.store.items import changed_items
from homefeed.store.users import list_users
from homefeed.types import Interactions, TrainingData

_PAGE = 20_000

Progress = Callable[[int, int], None]


@dataclass(frozen=True, slots=True)
class LogData:
    """A consistent copy of an app's data. `data` has no strengths yet: they depend on what is trained on."""

    catalog: CatalogView
    data: TrainingData
    watermark: int


async def read_catalog(store: Store, recipe: Recipe) -> CatalogView:
    """The catalogue as it is now."""
    catalog = empty_catalog(recipe)
    after = (0, 0)
    while changes := await changed_items(store, recipe.app, after, _PAGE):
        apply_changes(catalog, changes)
        after = changes.last
    return catalog


async def read_log(
    store: Store, recipe: Recipe, *, now: int, seed: int, progress: Progress | None = None
) -> LogData:
    """All events up to now, in the order of their times; those of deleted items left out, and creators' own.

    `progress` is called with (events read, events in all).
    """
    with without_collector():
        until = (await store.watermarks(recipe.app)).event_seq
        catalog = await read_catalog(store, recipe)
        known = await _read_users(store, recipe.app)
        columns = await _read_columns(store, recipe, catalog, until, progress or _silence)
        return LogData(catalog, _training_data(catalog, columns, known, now, seed), until)


async def _read_columns(
    store: Store, recipe: Recipe, catalog: CatalogView, until: int, progress: Progress
) -> list[tuple[np.ndarray, ...]]:
    """Users by number, items by position, types, values and times of all events, in the order of the log."""
    weights = event_weights(recipe)
    columns: list[tuple[np.ndarray, ...]] = []
    seq, creator = 0, recipe.items.creator
    while seq < until and len(
        rows := await rows_after(store, recipe.app, seq, _PAGE, until, user_ids=creator is not None)
    ):
        use_rows(rows, lambda part: columns.append(_columns_of(part, catalog, weights, creator)))
        seq = rows.seqs[-1]
        progress(seq, until)
    return columns


def _columns_of(
    rows: LogRows, catalog: CatalogView, weights: EventWeights, creator: str | None = None
) -> tuple[np.ndarray, ...]:
    types, values = log_columns(rows, weights)
    positions = catalog.positions(np.array(rows.items, np.int32))
    positions[own(rows, positions, catalog, creator)] = -1
    return np.array(rows.users, np.int32), positions, types, values, np.array(rows.times, np.int64)


async def _read_users(store: Store, app: str) -> dict[int, Mapping[str, Any]]:
    found: dict[int, Mapping[str, Any]] = {}
    while page := await list_users(store, app, max(found, default=0), _PAGE):
        found |= {user.number: user.attributes for user in page}
    return found


def _training_data(
    catalog: CatalogView,
    columns: list[tuple[np.ndarray, ...]],
    known: Mapping[int, Mapping[str, Any]],
    now: int,
    seed: int,
) -> TrainingData:
    empty = tuple(np.empty(0, kind) for kind in (np.int32, np.int32, np.int32, np.float32, np.int64))
    users, items, types, values, times = (np.concatenate(parts) for parts in zip(empty, *columns, strict=True))
    order = np.argsort(times, kind="stable")
    order = order[(items[order] >= 0) & (types[order] >= 0)]
    distinct, rows = np.unique(users[order], return_inverse=True)
    interactions = Interactions(
        rows.astype(np.int32),
        items[order],
        types[order],
        values[order],
        np.zeros(len(order), np.float32),
        times[order],
    )
    return TrainingData(
        interactions,
        len(distinct),
        catalog.numbers.copy(),
        catalog.all_terms(),
        now,
        seed,
        distinct.astype(np.int32),
        tuple(known.get(number, {}) for number in distinct.tolist()),
        catalog.partitions(),
    )


async def find_set_aside(store: Store, recipe: Recipe) -> dict[str, dict[str, str]]:
    """All rows that cannot be read or applied, by kind and id (an event by its seq), and why."""
    catalog, weights = empty_catalog(recipe), event_weights(recipe)
    found: dict[str, dict[str, str]] = {"items": {}, "users": {}, "events": {}}
    after, last, seq = (0, 0), 0, 0
    while changes := await changed_items(store, recipe.app, after, _PAGE):
        found["items"] |= apply_changes(catalog, changes)
        after = changes.last
    while page := await list_users(store, recipe.app, last, _PAGE):
        found["users"] |= {user.user_id: user.flaw for user in page if user.flaw is not None}
        last = page[-1].number
    while len(rows := await rows_after(store, recipe.app, seq, _PAGE)):
        found["events"] |= use_rows(rows, lambda part: _columns_of(part, catalog, weights))
        seq = rows.seqs[-1]
    return found


def _silence(_done: int, _total: int) -> None:
    pass
