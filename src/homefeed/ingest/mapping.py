"""The column of a file that each of Homefeed's columns comes from, as the recipe declares it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Final

import numpy as np
import polars as pl

from homefeed.errors import DataError
from homefeed.ingest.cells import is_missing, joined, mapped
from homefeed.ingest.printing import listed
from homefeed.recipe import Entity, Recipe, Source
from homefeed.recipe.sources import Case
from homefeed.times import TimeUnit
from homefeed.types import Mask

_USER_COLUMNS: Final = ("user_id",)
_ITEM_COLUMNS: Final = ("item_id", "created_at", "hidden")
_EVENT_COLUMNS: Final = ("user_id", "item_id", "event_type", "value", "timestamp", "event_id")
_IMPRESSION_COLUMNS: Final = (
    "request_id",
    "item_id",
    "timestamp",
    "user_id",
    "feed",
    "place",
    "propensity",
    "score",
)
_PAIR: Final = ("latitude", "longitude")
_QUIET: Final = ("created_at", "hidden", "value", "event_id", "query", "propensity", "score")
"""Columns that few files have: their absence is noted only where the recipe maps them."""


@dataclass(frozen=True, slots=True)
class Origin:
    """The source of one of Homefeed's columns: a `column` of the file, a `pair` of them, or a `constant`."""

    name: str
    column: str | None
    pair: tuple[str, str] | None
    constant: str | None
    multiply: float
    separator: str
    unit: TimeUnit | None
    format: str | None
    required: bool
    optional: bool = False
    map: Mapping[str, str] = field(default_factory=dict)
    case: Case = "keep"
    in_file: str | None = None
    """The column of the file, where what is mapped was made of it."""

    @property
    def label(self) -> str:
        """What the file calls it."""
        return self.in_file or " and ".join(self.columns) or self.name

    @property
    def columns(self) -> tuple[str, ...]:
        """The columns of the file that it needs."""
        return self.pair or (() if self.column is None else (self.column,))


@dataclass(frozen=True, slots=True)
class Layout:
    """How a file becomes rows: the sources that exist, and a line for each that does not."""

    origins: Mapping[str, Origin]
    ignored: tuple[str, ...]
    notes: tuple[str, ...]

    def cells(self, frame: pl.DataFrame, name: str) -> pl.Series:
        """A column by Homefeed's name for it, as text; all null where the file does not have it."""
        origin = self.origins.get(name)
        if origin is not None and origin.constant is not None:
            return pl.repeat(origin.constant, frame.height, dtype=pl.String, eager=True)
        if origin is not None and origin.pair is not None:
            return joined(*(self._column(frame, column) for column in origin.pair))
        cells = self._column(frame, None if origin is None else origin.column)
        if origin is not None and origin.case != "keep":
            cells = cells.str.to_lowercase() if origin.case == "lower" else cells.str.to_uppercase()
        return mapped(cells, origin.map) if origin is not None and origin.map else cells

    def _column(self, frame: pl.DataFrame, column: str | None) -> pl.Series:
        if column in frame.columns:
            return frame[column]
        return pl.repeat(None, frame.height, dtype=pl.String, eager=True)

    def unmapped(self, frame: pl.DataFrame, name: str) -> Mask:
        """Where a column has a cell of which the map of the recipe makes nothing."""
        origin = self.origins.get(name)
        if origin is None or not origin.map or origin.column not in frame.columns:
            return np.zeros(frame.height, np.bool_)
        return is_missing(self.cells(frame, name)) & ~is_missing(frame[origin.column])

    def made_of(self, columns: Mapping[str, str]) -> Layout:
        """With what the file calls the columns that its own were made of."""
        origins = {name: replace(origin, in_file=columns.get(name)) for name, origin in self.origins.items()}
        return replace(self, origins=origins)

    def label(self, name: str) -> str:
        """What the file calls a column, or would call it."""
        origin = self.origins.get(name)
        return name if origin is None else origin.label

    def others(self, frame: pl.DataFrame) -> list[str]:
        """The columns of the file that were not used."""
        taken = {column for origin in self.origins.values() for column in origin.columns} | set(self.origins)
        return [name for name in frame.columns if name not in taken]


def user_layout(recipe: Recipe, path: Path, columns: Sequence[str] | None) -> Layout:
    """The layout of a file of users.

    Raises:
        DataError: a required column is missing.
    """
    source = _located(recipe.sources.users, recipe.users, columns)
    return _layout(path, columns, source, (*_USER_COLUMNS, *recipe.users.fields), ("user_id",))


def item_layout(
    recipe: Recipe, path: Path, columns: Sequence[str] | None, there: Sequence[str] | None = None
) -> Layout:
    """The layout of a file of items; `there` has the file's columns before preparation.

    Raises:
        DataError: a required column is missing.
    """
    names = (*_ITEM_COLUMNS, *recipe.items.fields)
    source = _located(recipe.sources.items, recipe.items, columns)
    return _layout(path, columns, source, names, ("item_id",), there)


def event_layout(recipe: Recipe, path: Path, columns: Sequence[str] | None) -> Layout:
    """The layout of a file of events. If the recipe has only one type but for dislikes, the file needs no types.

    If it has searches, a file without items can be one of searches only.

    Raises:
        DataError: a required column is missing.
    """
    source = recipe.sources.events
    always = ["user_id", "item_id", "event_type", "timestamp"]
    names = list(_EVENT_COLUMNS)
    if any(spec.about == "query" for spec in recipe.events.values()):
        names.append("query")
        if columns is not None and source.column("query").column in columns:
            always.remove("item_id")
    type_column = source.column("event_type").column
    types = [name for name, spec in recipe.events.items() if spec.weight >= 0]
    if columns is not None and len(types) == 1 and type_column is not None and type_column not in columns:
        source = _with_constant(source, "event_type", types[0])
    layout = _layout(path, columns, source, names, always)
    taken = {column for origin in layout.origins.values() for column in origin.columns}
    ignored = tuple(name for name in columns or () if name not in taken)
    return Layout(layout.origins, ignored, layout.notes)


def impression_layout(recipe: Recipe, path: Path, columns: Sequence[str] | None) -> Layout:
    """The layout of a file of impressions. Without a column for it the feed is the first that is for the goal.

    Raises:
        DataError: a required column is missing.
    """
    source = recipe.sources.impressions
    feed_column = source.column("feed").column
    if columns is not None and feed_column is not None and feed_column not in columns and recipe.goal_feeds:
        source = _with_constant(source, "feed", recipe.goal_feeds[0])
    return _layout(path, columns, source, _IMPRESSION_COLUMNS, ("request_id", "item_id", "timestamp", "feed"))


def _located(source: Source, entity: Entity, columns: Sequence[str] | None) -> Source:
    """The source, its place from the columns `latitude` and `longitude` where the file has no other for it."""
    field, there = entity.place_field, columns or ()
    if field is None or field in source.columns or field in there or not set(_PAIR) <= set(there):
        return source
    return source.model_copy(update={"columns": {**source.columns, field: _PAIR}})


def _with_constant(source: Source, name: str, value: str) -> Source:
    return source.model_copy(
        update={
            "columns": {
                **source.columns,
                name: source.column(name).model_copy(update={"column": None, "value": value}),
            }
        }
    )


def _layout(
    path: Path,
    columns: Sequence[str] | None,
    source: Source,
    names: Iterable[str],
    always: Sequence[str],
    there: Sequence[str] | None = None,
) -> Layout:
    origins: dict[str, Origin] = {}
    notes: list[str] = []
    for name in dict.fromkeys([*names, *source.columns, *source.required]):
        spec = source.column(name)
        required = name in always or name in source.required
        optional = name in source.optional
        read = (spec.multiply, spec.separator, spec.unit, spec.format)
        origin = Origin(
            name, spec.column, spec.columns, spec.value, *read, required, optional, spec.map, spec.case
        )
        missing = [column for column in origin.columns if columns is not None and column not in columns]
        absent = f'no column "{missing[0]}"{_role(origin)}' if missing else ""
        if not missing:
            origins[name] = origin
        elif required:
            found = listed(there or columns or ())
            raise DataError(f"{path}: {absent}; its columns are: {found}")
        elif not optional and (name not in _QUIET or name in source.columns):
            notes.append(f"{absent}: rows load without it")
    taken = {column for origin in origins.values() for column in origin.columns}
    ignored = tuple(name for name in columns or () if name in origins and name not in taken)
    return Layout(origins, ignored, tuple(notes))


def _role(origin: Origin) -> str:
    return "" if origin.column == origin.name else f" (the recipe's {origin.name})"
