"""Items: put, patch, hide, delete, list; and what changed since a revision."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

import orjson
import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from homefeed.errors import HomefeedError, InvalidError, NotFoundError
from homefeed.limits import MAX_ITEM_BYTES, check_merged
from homefeed.store.attributes import read_attributes
from homefeed.store.ids import ids_of_numbers
from homefeed.store.session import BRIEF, Store, chunked
from homefeed.store.tables import changed_after, items
from homefeed.types import Item


@dataclass(frozen=True, slots=True)
class ItemWrite:
    """An item to create, or to replace. Where `created_at` or `hidden` is None, an existing item keeps its own."""

    item_id: str
    attributes: Mapping[str, Any]
    created_at: int | None = None
    hidden: bool | None = None


@dataclass(frozen=True, slots=True)
class ItemChange:
    """What to change of an item: the named attributes (None removes one), whether it is hidden where given."""

    item_id: str
    attributes: Mapping[str, Any]
    hidden: bool | None = None


@dataclass(frozen=True, slots=True)
class Changes:
    """Items, each with the revision of its latest change, as columns.

    An item is made when it is read: as many as are read at once would keep Python's garbage collector busy, for
    longer than all else takes when a million are.
    """

    item_ids: Sequence[str]
    numbers: Sequence[int]
    attributes: Sequence[str]
    created_at: Sequence[int | None]
    hidden: Sequence[bool]
    deleted: Sequence[bool]
    revisions: Sequence[int]

    def __len__(self) -> int:
        return len(self.item_ids)

    def __getitem__(self, part: slice) -> Changes:
        return Changes(*(column[part] for column in (*self._columns, self.revisions)))

    def __iter__(self) -> Iterator[tuple[int, Item]]:
        return zip(self.revisions, map(_item, *self._columns), strict=True)

    @property
    def last(self) -> tuple[int, int]:
        """The revision and the number of the last of them."""
        return self.revisions[-1], self.numbers[-1]

    @property
    def _columns(self) -> tuple[Sequence[Any], ...]:
        return self.item_ids, self.numbers, self.attributes, self.created_at, self.hidden, self.deleted


async def put_items(store: Store, app: str, writes: Sequence[ItemWrite], kept: Collection[str] = ()) -> int:
    """Create or replace items, the last one of an id winning; returns how many were new.

    An existing item, and one of an earlier write, keeps the attributes that `kept` names where a write does not,
    whether it is hidden, and when it came.
    """
    by_id: dict[str, ItemWrite] = {}
    for write in writes:
        before = by_id.get(write.item_id)
        by_id[write.item_id] = write if before is None else _keeping(write, before, kept)
    latest = list(by_id.values())
    if not latest:
        return 0
    async with store.write(brief=len(latest) <= BRIEF) as connection:
        return await _put(store, connection, app, latest, kept)


async def put_item(store: Store, app: str, write: ItemWrite, kept: Collection[str] = ()) -> Item:
    """Create or replace one item, likewise; returns it as it is now."""
    async with store.write(brief=True) as connection:
        await _put(store, connection, app, [write], kept)
        return await _find(connection, app, write.item_id)


async def patch_item(
    store: Store, app: str, item_id: str, attributes: Mapping[str, Any], hidden: bool | None = None
) -> Item:
    """Change the named attributes (None removes one) and, where given, whether it is hidden.

    Raises:
        NotFoundError: there is no such item.
        InvalidError: it would hold more than an item may.
    """
    async with store.write(brief=True) as connection:
        counters = await store.advance(connection, app, item_revision=1)
        found = await _find(connection, app, item_id)
        merged = {k: v for k, v in ({**found.attributes, **attributes}).items() if v is not None}
        check_merged("attributes", attributes, merged, MAX_ITEM_BYTES)
        is_hidden = _is_hidden(found) if hidden is None else hidden
        await connection.execute(
            items.update()
            .where(items.c.app == app, items.c.number == found.number)
            .values(attributes=_json(merged), hidden=is_hidden, revision=counters.item_revision)
        )
    return Item(item_id, found.number, merged, found.created_at, is_hidden)


async def patch_items(store: Store, app: str, changes: Sequence[ItemChange]) -> list[HomefeedError | None]:
    """Change many items at once, one that is named twice in the order of its changes.

    Returns:
        For each change why it was not made, in the order given: NotFoundError where there is no such item,
        InvalidError where it would hold more than an item may; None where it was made.
    """
    if not changes:
        return []
    named = list(dict.fromkeys(change.item_id for change in changes))
    async with store.write(brief=len(named) <= BRIEF) as connection:
        counters = await store.advance(connection, app, item_revision=1)
        found = await _existing(connection, app, named)
        merged: dict[str, ItemChange] = {}
        refused = [_merge(app, found, merged, change) for change in changes]
        rows = [
            {"of": found[item_id].number, "told": _json(made.attributes), "hides": made.hidden}
            for item_id, made in merged.items()
        ]
        if rows:
            await connection.execute(
                items.update()
                .where(items.c.app == app, items.c.number == sa.bindparam("of"))
                .values(
                    attributes=sa.bindparam("told"),
                    hidden=sa.bindparam("hides"),
                    revision=counters.item_revision,
                ),
                rows,
            )
    return refused


async def delete_item(store: Store, app: str, item_id: str) -> None:
    """Delete an item. Its attributes are gone; its events stay in the log.

    Raises:
        NotFoundError: there is no such item.
    """
    async with store.write(brief=True) as connection:
        counters = await store.advance(connection, app, item_revision=1)
        found = await _find(connection, app, item_id)
        await connection.execute(
            items.update()
            .where(items.c.app == app, items.c.number == found.number)
            .values(attributes="{}", created_at=None, hidden=True, deleted=True, revision=counters.item_revision)
        )


async def get_item(store: Store, app: str, item_id: str) -> Item:
    """One item.

    Raises:
        NotFoundError: there is no such item.
    """
    async with store.read() as connection:
        return await _find(connection, app, item_id)


async def list_items(store: Store, app: str, after: int, limit: int) -> list[Item]:
    """Up to `limit` items whose number is above `after`, in the order of their numbers."""
    query = _select(app).where(items.c.number > after, ~items.c.deleted).order_by(items.c.number).limit(limit)
    async with store.read() as connection:
        return [_item(*row) for row in await connection.execute(query)]


async def count_items(store: Store, app: str) -> int:
    """How many items an app has that are not hidden."""
    there = sa.and_(items.c.app == app, ~items.c.hidden, ~items.c.deleted)
    async with store.read() as connection:
        return int(
            (await connection.execute(sa.select(sa.func.count()).select_from(items).where(there))).scalar_one()
        )


async def changed_items(store: Store, app: str, after: tuple[int, int], limit: int) -> Changes:
    """Up to `limit` (revision, item), deleted ones included, beyond `after`, a (revision, number)."""
    revision, number = after
    rows = await store.rows(_CHANGED, limit, app=app, revision=revision, number=number, limit=limit)
    return Changes(*zip(*rows, strict=True)) if rows else Changes(*[()] * 7)


async def item_numbers(connection: AsyncConnection, app: str, item_ids: Iterable[str]) -> dict[str, int]:
    """The numbers of the ids that are existing items."""
    return await _numbers(connection, app, sorted(set(item_ids)), deleted_too=False)


async def item_ids(store: Store, app: str, numbers: Collection[int]) -> dict[int, str]:
    """The ids of the items with these numbers, deleted ones too."""
    return await ids_of_numbers(store, items.c.item_id, app, numbers)


async def _put(
    store: Store, connection: AsyncConnection, app: str, writes: Sequence[ItemWrite], kept: Collection[str]
) -> int:
    """Create or replace items of distinct ids; returns how many were new."""
    counters = await store.advance(connection, app, item_revision=1)
    known = await _numbers(connection, app, [write.item_id for write in writes])
    new = [write.item_id for write in writes if write.item_id not in known]
    first = counters.item_number + 1
    await store.advance(connection, app, item_number=len(new))
    numbers = known | {item_id: first + i for i, item_id in enumerate(new)}
    stated = await _with_kept(connection, app, writes, list(known), kept)
    await _upsert(store, connection, app, counters.item_revision, stated, numbers)
    return len(new)


async def _with_kept(
    connection: AsyncConnection, app: str, writes: Sequence[ItemWrite], known: Sequence[str], kept: Collection[str]
) -> list[ItemWrite]:
    """The writes with what they do not state of items that are there."""
    before = await _existing(connection, app, known)
    return [
        write if (item := before.get(write.item_id)) is None else _keeping(write, item, kept) for write in writes
    ]


def _keeping(write: ItemWrite, before: ItemWrite | Item, kept: Collection[str]) -> ItemWrite:
    """A write with what it does not state of the same item as it was before."""
    former = {name: before.attributes[name] for name in kept if name in before.attributes}
    return replace(
        write,
        attributes={**former, **write.attributes},
        created_at=before.created_at if write.created_at is None else write.created_at,
        hidden=before.hidden if write.hidden is None else write.hidden,
    )


async def _upsert(
    store: Store,
    connection: AsyncConnection,
    app: str,
    revision: int,
    writes: Sequence[ItemWrite],
    numbers: Mapping[str, int],
) -> None:
    rows = [
        {
            "app": app,
            "number": numbers[write.item_id],
            "item_id": write.item_id,
            "attributes": _json(write.attributes),
            "created_at": write.created_at,
            "hidden": bool(write.hidden),
            "deleted": False,
            "revision": revision,
        }
        for write in writes
    ]
    insert = store.insert(items)
    replaced: dict[str, sa.ColumnElement[Any]] = {
        name: insert.excluded[name] for name in ("attributes", "hidden", "deleted", "revision")
    }
    replaced["created_at"] = sa.func.coalesce(insert.excluded.created_at, items.c.created_at)
    await connection.execute(insert.on_conflict_do_update(index_elements=["app", "number"], set_=replaced), rows)


async def _numbers(
    connection: AsyncConnection, app: str, item_ids: Sequence[str], deleted_too: bool = True
) -> dict[str, int]:
    found: dict[str, int] = {}
    for chunk in chunked(item_ids):
        query = sa.select(items.c.item_id, items.c.number).where(items.c.app == app, items.c.item_id.in_(chunk))
        if not deleted_too:
            query = query.where(~items.c.deleted)
        found.update((row.item_id, row.number) for row in await connection.execute(query))
    return found


async def _find(connection: AsyncConnection, app: str, item_id: str) -> Item:
    query = _select(app).where(items.c.item_id == item_id, ~items.c.deleted)
    row = (await connection.execute(query)).first()
    if row is None:
        raise NotFoundError(f'no item "{item_id}" in {app}')
    return _item(*row)


async def _existing(connection: AsyncConnection, app: str, item_ids: Sequence[str]) -> dict[str, Item]:
    """Those of the items that are there, by id."""
    found: dict[str, Item] = {}
    for chunk in chunked(item_ids):
        query = _select(app).where(items.c.item_id.in_(chunk), ~items.c.deleted)
        found.update((row.item_id, _item(*row)) for row in await connection.execute(query))
    return found


def _merge(
    app: str, found: Mapping[str, Item], merged: dict[str, ItemChange], change: ItemChange
) -> HomefeedError | None:
    """Add a change of an item to what was `merged` of it: all it becomes; else why that cannot be."""
    item_id = change.item_id
    if item_id not in found:
        return NotFoundError(f'no item "{item_id}" in {app}')
    stored = found[item_id]
    before = merged.get(item_id, ItemChange(item_id, stored.attributes, _is_hidden(stored)))
    after = {
        name: value for name, value in ({**before.attributes, **change.attributes}).items() if value is not None
    }
    try:
        check_merged("attributes", change.attributes, after, MAX_ITEM_BYTES)
    except InvalidError as error:
        return error
    merged[item_id] = ItemChange(item_id, after, before.hidden if change.hidden is None else change.hidden)
    return None


def _is_hidden(item: Item) -> bool:
    """Whether it stays hidden where nobody says otherwise: what could not be read is."""
    return item.hidden or item.flaw is not None


_ITEM: Final = ("item_id", "number", "attributes", "created_at", "hidden", "deleted")
_CHANGED: Final = changed_after(items, *_ITEM, "revision")


def _select(app: str) -> sa.Select[Any]:
    return sa.select(*(items.c[name] for name in _ITEM)).where(items.c.app == app)


def _item(item_id: str, number: int, attributes: str, created_at: int | None, hidden: bool, deleted: bool) -> Item:
    read, flaw = read_attributes(attributes)
    return Item(item_id, number, read, created_at, hidden, deleted, flaw)


def _json(value: Mapping[str, Any]) -> str:
    return orjson.dumps(value).decode()
