"""Users and items: from rows of text to ids with attributes."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import polars as pl

from homefeed.ingest.cells import (
    as_mask,
    faults_of_times,
    is_missing,
    parse_flags,
    parse_numbers,
    parse_tags,
    parse_times,
    whole_numbers,
    whole_or_real,
)
from homefeed.ingest.locations import read_locations
from homefeed.ingest.mapping import Layout, Origin
from homefeed.ingest.preparation import Preparation, Prepared
from homefeed.ingest.table import Batch
from homefeed.ingest.tallies import RowChecks, Tallies, merged
from homefeed.limits import find_excess
from homefeed.recipe.entities import FieldKind
from homefeed.times import FEWEST_SECONDS, format_time
from homefeed.types import SECOND, Mask

LONGEST_ID: Final = 255


@dataclass(frozen=True, slots=True)
class Entity:
    """A user or an item as a file describes it. `hidden` is None where the file does not state it."""

    entity_id: str
    attributes: Mapping[str, Any]
    created_at: int | None
    hidden: bool | None


@dataclass(frozen=True, slots=True)
class EntityBatch:
    """The usable entities of a batch, with the batch's row of each, and the problems of the others."""

    source: Batch
    entities: tuple[Entity, ...]
    indices: tuple[int, ...]
    rejected: Tallies
    warnings: Tallies


def read_ids(checks: RowChecks, cells: pl.Series, label: str) -> pl.Series:
    """The ids of a column; rows without one, or with one that cannot be stored, are refused."""
    checks.reject(is_missing(cells), f"missing {label}")
    return read_present_ids(checks, cells, label)


def read_present_ids(checks: RowChecks, cells: pl.Series, label: str) -> pl.Series:
    """The ids of a column that may have gaps; rows with one that cannot be stored are refused."""
    checks.reject(as_mask(cells.str.len_chars() > LONGEST_ID), f"{label} longer than {LONGEST_ID} characters")
    checks.reject(as_mask(cells.str.contains("\0", literal=True)), f"{label} with a NUL character")
    return _whole(checks, cells, label)


def _whole(checks: RowChecks, cells: pl.Series, label: str) -> pl.Series:
    whole, shortened = whole_numbers(cells)
    checks.warn(shortened, f"{label} ends in .0: read as a whole number")
    return whole


def _check_pattern(checks: RowChecks, ids: pl.Series, label: str, pattern: str, key: str) -> None:
    """Refuse ids that the app could not serve, by the recipe's `key`."""
    whole = re.compile(pattern)
    unfit = [cell is not None and whole.fullmatch(cell) is None for cell in ids]
    checks.reject(np.array(unfit, dtype=np.bool_), f"{label} does not match {pattern}, the recipe's {key}")


def read_entities(
    batch: Batch,
    layout: Layout,
    id_name: str,
    fields: Mapping[str, FieldKind],
    max_bytes: int,
    dated: bool,
    prepare: Preparation | None = None,
    pattern: str | None = None,
) -> EntityBatch:
    """The users or items of a batch, of attributes of up to `max_bytes`.

    `dated`: they may be hidden and have a time of creation.

    `prepare` converts the rows to the layout; examples show the file's own rows. Ids match `pattern` as a whole.
    """
    checks = RowChecks(batch.frame, batch.rows)
    frame = batch.frame if prepare is None else _prepared(checks, prepare(batch.frame))
    ids = read_ids(checks, layout.cells(frame, id_name), layout.origins[id_name].label)
    if pattern is not None:
        key = "items.id_pattern" if id_name == "item_id" else "users.id_pattern"
        _check_pattern(checks, ids, layout.origins[id_name].label, pattern, key)
    own = {id_name, "created_at", "hidden"} if dated else {id_name}
    columns = {
        name: _attribute(checks, layout.cells(frame, name), origin, fields.get(name))
        for name, origin in layout.origins.items()
        if name not in own or name in fields
    }
    for name in layout.others(frame):
        columns[name] = _texts(frame[name], is_missing(frame[name]))
    created = _created(checks, layout, frame) if dated else [None] * frame.height
    hidden = _hidden(checks, layout, frame) if dated else [None] * frame.height
    id_list = ids.to_list()
    made = {
        i: Entity(
            id_list[i],
            {name: cells[i] for name, cells in columns.items() if cells[i] is not None},
            created[i],
            hidden[i],
        )
        for i in np.flatnonzero(checks.good).tolist()
    }
    _check_limits(checks, {i: find_excess(each.attributes, max_bytes, fields) for i, each in made.items()})
    indices = tuple(np.flatnonzero(checks.good).tolist())
    entities = tuple(made[i] for i in indices)
    return EntityBatch(batch, entities, indices, merged(batch.bad, checks.rejected()), checks.warnings())


def _check_limits(checks: RowChecks, found: Mapping[int, str | None]) -> None:
    """Refuse the rows, by index, of which something is beyond a limit."""
    for excess in {excess for excess in found.values() if excess is not None}:
        checks.reject(np.array([found.get(i) == excess for i in range(len(checks.good))], np.bool_), excess)


def _prepared(checks: RowChecks, items: Prepared) -> pl.DataFrame:
    for reason, rows in items.rejected:
        checks.reject(rows, reason)
    for reason, rows in items.warnings:
        checks.warn(rows, reason)
    return items.frame


def _attribute(checks: RowChecks, cells: pl.Series, origin: Origin, kind: FieldKind | None) -> list[Any]:
    missing = is_missing(cells)
    tags = [_tags(cell, origin.separator) for cell in cells.to_list()] if kind == "tags" else []
    if kind == "tags":
        missing = np.array([words is None for words in tags], dtype=np.bool_)
    if origin.required:
        checks.reject(missing, f"missing {origin.label}")
    elif kind is not None and not origin.optional:
        checks.warn(missing, f"empty {origin.label}")
    if kind == "number":
        numbers = parse_numbers(cells, origin.multiply)
        _complain(checks, as_mask(numbers.is_null()) & ~missing, f"{origin.label} is not a number", origin)
        return [whole_or_real(number) for number in numbers.to_list()]
    if kind == "tags":
        return tags
    if kind == "time":
        times = parse_times(cells, origin.unit, origin.format)
        _complain_of_times(checks, cells, as_mask(times.is_null()) & ~missing, origin)
        return [None if time is None else format_time(time) for time in times.to_list()]
    if kind == "location":
        places, faults = read_locations(cells, origin.label)
        for reason, rows in faults:
            _complain(checks, rows, reason, origin)
        return places
    return _texts(_whole(checks, cells.str.strip_chars(), origin.label) if kind == "category" else cells, missing)


def _texts(cells: pl.Series, missing: Mask) -> list[str | None]:
    return pl.select(pl.when(pl.lit(~missing)).then(cells)).to_series().to_list()


def _tags(cell: str | None, separator: str) -> list[str] | None:
    return parse_tags(cell, separator) or None if cell else None


def _complain(checks: RowChecks, bad: Mask, reason: str, origin: Origin) -> None:
    if origin.required:
        checks.reject(bad, reason)
    else:
        checks.warn(bad, reason)


def _complain_of_times(checks: RowChecks, cells: pl.Series, bad: Mask, origin: Origin) -> None:
    for reason, rows in faults_of_times(cells, bad, origin.label):
        _complain(checks, rows, reason, origin)


def _created(checks: RowChecks, layout: Layout, frame: pl.DataFrame) -> list[int | None]:
    origin = layout.origins.get("created_at")
    if origin is None:
        return [None] * frame.height
    cells = layout.cells(frame, "created_at")
    missing = is_missing(cells)
    times = parse_times(cells, origin.unit, origin.format)
    if origin.required:
        checks.reject(missing, f"missing {origin.label}")
    _complain_of_times(checks, cells, as_mask(times.is_null()) & ~missing, origin)
    checks.warn(as_mask(times < FEWEST_SECONDS * SECOND), f"{origin.label} before 1990")
    return times.to_list()


def _hidden(checks: RowChecks, layout: Layout, frame: pl.DataFrame) -> list[bool | None]:
    origin = layout.origins.get("hidden")
    if origin is None:
        return [None] * frame.height
    cells = layout.cells(frame, "hidden")
    missing = is_missing(cells)
    flags = parse_flags(cells)
    if origin.required:
        checks.reject(missing, f"missing {origin.label}")
    # An item that was meant to be hidden must not appear because the value could not be parsed.
    checks.reject(as_mask(flags.is_null()) & ~missing, f"{origin.label} is neither true nor false")
    return flags.to_list()
