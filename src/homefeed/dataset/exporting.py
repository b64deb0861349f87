"""An app's rows as files that `homefeed import` reads again: one for each of users, items, events, impressions."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any, Final, Literal, TypeAlias

import orjson
import polars as pl

from homefeed.dataset.impression_frames import SHOWN, impression_frames
from homefeed.errors import InvalidError
from homefeed.recipe import Recipe, Source, Sources
from homefeed.recipe.entities import FieldKind
from homefeed.store import Store
from homefeed.store.attributes import read_attributes
from homefeed.store.identity import NO_ITEM
from homefeed.store.items import item_ids
from homefeed.store.rows import event_rows, item_rows, user_rows
from homefeed.store.users import user_ids

Kind: TypeAlias = Literal["users", "items", "events", "impressions"]
KINDS: Final[tuple[Kind, ...]] = ("users", "items", "events", "impressions")
Frames: TypeAlias = AsyncIterator[pl.DataFrame]

MAX_COLUMNS: Final = 1_000
"""How many names of attributes that the recipe does not declare a file may have."""

_TIME: Final = pl.Datetime("us", "UTC")


async def frames_of(store: Store, recipe: Recipe, kind: Kind, last: int, *, with_features: bool = False) -> Frames:
    """The rows of a kind, some at a time, each time with the same columns; of events those up to the row `last`.

    Impressions have what an import reads, or, `with_features`, all that rankers learn from.

    Raises:
        InvalidError: attributes have more than `MAX_COLUMNS` names that are not declared.
    """
    makers: Mapping[Kind, Callable[[], Frames]] = {
        "users": lambda: _users(store, recipe),
        "items": lambda: _items(store, recipe),
        "events": lambda: _events(store, recipe.app, last),
        "impressions": lambda: _impressions(store, recipe.app, with_features=with_features),
    }
    async for frame in makers[kind]():
        yield frame


def as_exported(recipe: Recipe) -> Recipe:
    """The recipe with the sources of exported files in place of its own: each column under Homefeed's name."""
    sources = recipe.sources
    return replace(
        recipe,
        sources=Sources(
            users=Source(optional=tuple(recipe.users.fields)),
            items=Source(optional=tuple(recipe.items.fields)),
            events=Source(
                optional=("value",),
                unknown_users=sources.events.unknown_users,
                equal_rows=sources.events.equal_rows,
            ),
            impressions=Source(unknown_users=sources.impressions.unknown_users),
        ),
    )


async def _users(store: Store, recipe: Recipe) -> Frames:
    fields = recipe.users.fields
    others = await _undeclared(user_rows(store, recipe.app), 2, fields, ("user_id",))
    async for rows in user_rows(store, recipe.app):
        _, ids, attributes = zip(*rows, strict=True)
        yield pl.DataFrame({"user_id": pl.Series(ids, dtype=pl.String), **_columns(attributes, fields, others)})


async def _items(store: Store, recipe: Recipe) -> Frames:
    fields = recipe.items.fields
    others = await _undeclared(item_rows(store, recipe.app), 2, fields, ("item_id", "created_at", "hidden"))
    async for rows in item_rows(store, recipe.app):
        _, ids, attributes, created, hidden = zip(*rows, strict=True)
        own = {
            "item_id": pl.Series(ids, dtype=pl.String),
            "created_at": pl.Series(created, dtype=pl.Int64).cast(_TIME),
            "hidden": pl.Series(hidden, dtype=pl.Boolean),
        }
        yield pl.DataFrame(own | _columns(attributes, fields, others))


async def _events(store: Store, app: str, last: int) -> Frames:
    async for rows in event_rows(store, app, last):
        seqs, users, items, types, values, times, event_ids, request_ids, contexts = zip(*rows, strict=True)
        by_user = await user_ids(store, app, set(users))
        by_item = await item_ids(store, app, set(items) - {NO_ITEM})
        told = [{} if context is None else read_attributes(context)[0] for context in contexts]
        queries = [context.get("query") for context in told]
        frame = pl.DataFrame(
            {
                "user_id": pl.Series([by_user.get(user) for user in users], dtype=pl.String),
                "item_id": pl.Series([by_item.get(item) for item in items], dtype=pl.String),
                "event_type": pl.Series(types, dtype=pl.String),
                "value": pl.Series(values, dtype=pl.Float64),
                "timestamp": pl.Series(times, dtype=pl.Int64).cast(_TIME),
                "event_id": pl.Series(event_ids, dtype=pl.String),
                "query": pl.Series([None if query is None else str(query) for query in queries], dtype=pl.String),
                "request_id": pl.Series(request_ids, dtype=pl.String),
                "context": pl.Series(contexts, dtype=pl.String),
                "seq": pl.Series(seqs, dtype=pl.Int64),
            }
        )
        yield frame.filter(pl.col("user_id").is_not_null())  # who was erased meanwhile is left out


async def _impressions(store: Store, app: str, *, with_features: bool) -> Frames:
    async for frame in impression_frames(store, app):
        yield frame if with_features else frame.select(SHOWN)


async def _undeclared(
    pages: AsyncIterator[Sequence[Any]], column: int, fields: Mapping[str, FieldKind], own: Sequence[str]
) -> tuple[str, ...]:
    """The names of attributes that the recipe does not declare, sorted."""
    found: set[str] = set()
    async for rows in pages:
        for row in rows:
            found.update(read_attributes(row[column])[0].keys() - fields.keys())
        if len(found) > MAX_COLUMNS:
            raise InvalidError(
                f"attributes have more than {MAX_COLUMNS:,} names that the recipe does not declare: a file has a "
                "column for each; declare those that you need, and take the others out"
            )
    return tuple(sorted(found - set(own)))


def _columns(
    attributes: Sequence[str], fields: Mapping[str, FieldKind], others: Sequence[str]
) -> dict[str, pl.Series]:
    """A column for each declared field, and for each of the other names, as text."""
    read = [read_attributes(text)[0] for text in attributes]
    kinds: dict[str, FieldKind] = {**dict.fromkeys(others, "text"), **fields}
    return {name: _column([each.get(name) for each in read], kind) for name, kind in kinds.items()}


def _column(values: Sequence[Any], kind: FieldKind) -> pl.Series:
    if kind == "number":
        is_number = [isinstance(value, int | float) and not isinstance(value, bool) for value in values]
        numbers = [value if good else None for value, good in zip(values, is_number, strict=True)]
        return pl.Series(numbers, dtype=pl.Float64, strict=False)
    if kind == "tags":
        lists = [[str(tag) for tag in value] if isinstance(value, list) else None for value in values]
        return pl.Series(lists, dtype=pl.List(pl.String))
    return pl.Series([_text(value) for value in values], dtype=pl.String)


def _text(value: Any) -> str | None:
    if value is None or isinstance(value, str):
        return value
    return orjson.dumps(value).decode()
