"""Users and items into the store: the last row of an id wins, or all of them are joined."""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import Any, Final, TypeAlias

import numpy as np

from homefeed.ingest.entities import Entity, EntityBatch, read_entities
from homefeed.ingest.mapping import Layout
from homefeed.ingest.preparation import Preparation
from homefeed.ingest.report import FileReport
from homefeed.ingest.stream import Progress, prepared
from homefeed.ingest.table import Batch, Table
from homefeed.ingest.tallies import Tally, merged, tally_rows
from homefeed.limits import MAX_ITEM_BYTES, MAX_USER_BYTES, find_excess
from homefeed.recipe import Recipe
from homefeed.store import Store
from homefeed.store.bulk import analyse, attributes_of
from homefeed.store.items import ItemWrite, item_numbers, put_items
from homefeed.store.users import put_users

REPEATED: Final = "repeated id; its last row counts"
JOINED: Final = "repeated id; its rows are joined"
_TRANSACTION: Final = 5_000

_Put: TypeAlias = Callable[[Sequence[Entity]], Awaitable[int]]
"""Writes entities and returns how many were new."""

_Stored: TypeAlias = Callable[[Sequence[str]], Awaitable[Mapping[str, Mapping[str, Any]]]]
"""The attributes of the entities in the store, by id."""


async def load_users(store: Store, recipe: Recipe, table: Table, layout: Layout, progress: Progress) -> FileReport:
    """Write the users of a file. What they refused or blocked stays as it is where the file does not state it."""

    async def put(users: Sequence[Entity]) -> int:
        writes = [(user.entity_id, user.attributes) for user in users]
        return await put_users(store, recipe.app, writes, recipe.kept_of_users)

    def read(batch: Batch) -> EntityBatch:
        fields, pattern = recipe.users.fields, recipe.users.id_pattern
        return read_entities(batch, layout, "user_id", fields, MAX_USER_BYTES, dated=False, pattern=pattern)

    stored = partial(attributes_of, store, recipe.app, "users") if recipe.sources.users.join else None
    return await _load(store, "users", table, layout, read, put, stored, MAX_USER_BYTES, progress)


async def load_items(
    store: Store,
    recipe: Recipe,
    table: Table,
    layout: Layout,
    created_at: int | None,
    progress: Progress,
    prepare: Preparation | None = None,
) -> FileReport:
    """Write the items of a file. `created_at` is for new items where the file has none.

    What moderation set stays where the file does not state it: hidden items stay hidden.
    """

    async def put(items: Sequence[Entity]) -> int:
        async with store.read() as connection:
            there = await item_numbers(connection, recipe.app, [item.entity_id for item in items])
        writes = [
            ItemWrite(
                item_id=item.entity_id,
                attributes=item.attributes,
                created_at=created_at
                if item.created_at is None and item.entity_id not in there
                else item.created_at,
                hidden=item.hidden,
            )
            for item in items
        ]
        return await put_items(store, recipe.app, writes, recipe.items.moderation)

    def read(batch: Batch) -> EntityBatch:
        return read_entities(
            batch,
            layout,
            "item_id",
            recipe.items.fields,
            MAX_ITEM_BYTES,
            dated=True,
            prepare=prepare,
            pattern=recipe.items.id_pattern,
        )

    stored = partial(attributes_of, store, recipe.app, "items") if recipe.sources.items.join else None
    return await _load(store, "items", table, layout, read, put, stored, MAX_ITEM_BYTES, progress)


async def _load(
    store: Store,
    kind: str,
    table: Table,
    layout: Layout,
    read: Callable[[Batch], EntityBatch],
    put: _Put,
    stored: _Stored | None,
    max_bytes: int,
    progress: Progress,
) -> FileReport:
    started = time.perf_counter()
    rows = new = 0
    analysed = False
    seen: set[str] = set()
    rejected: dict[str, Tally] = {}
    repeated: dict[str, Tally] = {}
    warnings: dict[str, Tally] = {}
    async with prepared(table, read) as batches:
        async for as_read in batches:
            batch = as_read
            rows += batch.source.count
            if stored is None:
                latest = list({entity.entity_id: entity for entity in batch.entities}.values())
            else:
                latest, batch = await _joined(batch, seen, stored, max_bytes)
            rejected = merged(rejected, batch.rejected)
            warnings = merged(warnings, batch.warnings)
            repeated = merged(repeated, _repeated(batch, seen, REPEATED if stored is None else JOINED))
            for start in range(0, len(latest), _TRANSACTION):
                new += await put(latest[start : start + _TRANSACTION])
                if not analysed:
                    await analyse(store)
                    analysed = True
            progress(kind, batch.source.done, table.total)
    progress(kind, table.total, table.total)
    return FileReport(
        kind=kind,
        path=str(table.path),
        rows=rows,
        loaded=len(seen),
        new=new,
        updated=len(seen) - new,
        rejected=rejected,
        duplicates=repeated,
        warnings=warnings,
        notes=layout.notes,
        ignored_columns=layout.ignored,
        seconds=time.perf_counter() - started,
    )


async def _joined(
    batch: EntityBatch, seen: set[str], stored: _Stored, max_bytes: int
) -> tuple[list[Entity], EntityBatch]:
    """One entity per id, and the batch without the rows that would make one larger than it may be.

    A value missing from a row is the last one stated, in this batch or an earlier one.
    """
    again = list({entity.entity_id for entity in batch.entities} & seen)
    written = await stored(again) if again else {}
    joined = {entity_id: Entity(entity_id, values, None, None) for entity_id, values in written.items()}
    kept: list[tuple[Entity, int]] = []
    refused: dict[str, Tally] = {}
    for entity, index in zip(batch.entities, batch.indices, strict=True):
        before = joined.get(entity.entity_id)
        after = entity if before is None else _over(before, entity)
        excess = None if before is None else find_excess(after.attributes, max_bytes)
        if excess is None:
            joined[entity.entity_id] = after
            kept.append((entity, index))
        else:
            row = np.arange(batch.source.frame.height) == index
            tally = tally_rows(batch.source.frame, batch.source.rows, row)
            refused = merged(refused, {f"joined, {excess}": tally})
    if refused:
        entities, indices = zip(*kept, strict=True) if kept else ((), ())
        batch = replace(batch, entities=entities, indices=indices, rejected=merged(batch.rejected, refused))
    return list(joined.values()), batch


def _over(before: Entity, after: Entity) -> Entity:
    return Entity(
        after.entity_id,
        {**before.attributes, **after.attributes},
        before.created_at if after.created_at is None else after.created_at,
        before.hidden if after.hidden is None else after.hidden,
    )


def _repeated(batch: EntityBatch, seen: set[str], reason: str) -> dict[str, Tally]:
    """The rows with an id that is in `seen`; the other ids are added to it."""
    again = np.zeros(batch.source.frame.height, dtype=np.bool_)
    for entity, index in zip(batch.entities, batch.indices, strict=True):
        again[index] = entity.entity_id in seen
        seen.add(entity.entity_id)
    if not again.any():
        return {}
    return {reason: tally_rows(batch.source.frame, batch.source.rows, again)}
