"""Events: from rows of text to columns the log can take, still by ids."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np
import polars as pl

from homefeed.ingest.cells import as_mask, faults_of_times, is_missing, parse_numbers, parse_times
from homefeed.ingest.entities import read_ids, read_present_ids
from homefeed.ingest.mapping import Layout, Origin
from homefeed.ingest.table import Batch, RowNumbers
from homefeed.ingest.tallies import RowChecks, Tallies, merged
from homefeed.recipe import EventType, Recipe
from homefeed.times import FEWEST_SECONDS
from homefeed.types import DAY, SECOND, Mask
from homefeed.validation import LONGEST_QUERY

UNKNOWN_USER: Final = "unknown user"
UNKNOWN_ITEM: Final = "unknown item"
_LONGEST_TYPE: Final = 63
_WHITE_SPACE: Final = "".join(filter(str.isspace, map(chr, range(0x3001))))
"""The characters str.strip removes; Polars keeps some of them."""


@dataclass(frozen=True, slots=True)
class EventRows:
    """Events as columns: user_id, item_id, event_type, value, time, event_id.

    Apps with searches also have query: null for other events. The item_id of a search is empty.
    `raw` has the file's own cells of the same rows, `rows` their numbers in the file.
    """

    columns: pl.DataFrame
    raw: pl.DataFrame
    rows: RowNumbers

    def __len__(self) -> int:
        return len(self.rows)

    def only(self, chosen: Mask) -> EventRows:
        """Some of the rows."""
        if chosen.all():
            return self
        return EventRows(self.columns.filter(chosen), self.raw.filter(chosen), self.rows[chosen])

    def parts(self, size: int) -> Iterator[EventRows]:
        """All rows, `size` at a time."""
        for start in range(0, len(self), size):
            part = slice(start, start + size)
            yield EventRows(self.columns[part], self.raw[part], self.rows[part])


@dataclass(frozen=True, slots=True)
class EventBatch:
    """The usable events of a batch, and the problems of the others."""

    source: Batch
    events: EventRows
    rejected: Tallies
    warnings: Tallies


def read_events(batch: Batch, layout: Layout, recipe: Recipe, now: int) -> EventBatch:
    """The events of a batch; whether their users and items are known is not checked."""
    frame = batch.frame
    checks = RowChecks(frame, batch.rows)
    cells = {name: layout.cells(frame, name) for name in ("user_id", "item_id", "event_type", "event_id")}
    cells["event_type"] = cells["event_type"].str.strip_chars(_WHITE_SPACE)
    cells["user_id"] = read_ids(checks, cells["user_id"], layout.origins["user_id"].label)
    searches = [name for name, spec in recipe.events.items() if spec.about == "query"]
    if searches:
        cells |= _read_searches(checks, layout, frame, as_mask(cells["event_type"].is_in(searches)))
    else:
        cells["item_id"] = read_ids(checks, cells["item_id"], layout.origins["item_id"].label)
    checks.reject(layout.unmapped(frame, "event_type"), f"{layout.label('event_type')} is mapped to no event type")
    codes = _check_types(checks, cells["event_type"], layout.origins["event_type"], recipe)
    times = _check_times(checks, layout.cells(frame, "timestamp"), layout.origins["timestamp"], now)
    values = pl.repeat(None, frame.height, dtype=pl.Float64, eager=True)
    if "value" in layout.origins:
        origin = layout.origins["value"]
        values = _check_values(checks, layout.cells(frame, "value"), origin, codes, recipe.events)
    if "event_id" in layout.origins:
        event_ids = read_present_ids(checks, cells["event_id"], layout.origins["event_id"].label)
        cells["event_id"] = pl.select(pl.when(pl.lit(~is_missing(event_ids))).then(event_ids)).to_series()
    columns = pl.DataFrame({**cells, "value": values, "time": times})
    events = EventRows(columns, frame, batch.rows).only(checks.good)
    return EventBatch(batch, events, merged(batch.bad, checks.rejected()), checks.warnings())


def _read_searches(
    checks: RowChecks, layout: Layout, frame: pl.DataFrame, is_search: Mask
) -> dict[str, pl.Series]:
    """The items and queries of events some of which are searches: those have no item and must have a query.

    The query of another event is the search that led to it, left out where it cannot be stored.
    """
    items, label = layout.cells(frame, "item_id"), layout.label("item_id")
    checks.reject(is_missing(items) & ~is_search, f"missing {label}")
    items = pl.select(pl.when(pl.lit(is_search)).then(pl.lit("")).otherwise(items)).to_series()
    items = read_present_ids(checks, items, label)
    queries, label = layout.cells(frame, "query").str.strip_chars(_WHITE_SPACE), layout.label("query")
    missing = is_missing(queries)
    checks.reject(missing & is_search, f"missing {label}")
    for bad, reason in (
        (as_mask(queries.str.len_chars() > LONGEST_QUERY), f"{label} longer than {LONGEST_QUERY} characters"),
        (as_mask(queries.str.contains("\0", literal=True)), f"{label} with a NUL character"),
    ):
        checks.reject(bad & is_search, reason)
        checks.warn(bad & ~is_search, reason)
        missing |= bad
    return {"item_id": items, "query": pl.select(pl.when(pl.lit(~missing)).then(queries)).to_series()}


def _check_types(checks: RowChecks, cells: pl.Series, origin: Origin, recipe: Recipe) -> Mask:
    """The codes of the events' types, -1 for those the recipe does not declare."""
    checks.reject(is_missing(cells), f"missing {origin.label}")
    names = list(recipe.event_types)
    codes = cells.replace_strict(names, list(range(len(names))), default=-1, return_dtype=pl.Int16).to_numpy()
    if not recipe.accepts_unknown_events:
        where = "" if origin.label == "event_type" else f" in {origin.label}"
        checks.reject(codes < 0, f"unknown event type{where}")
        return codes
    checks.reject(
        as_mask(cells.str.len_chars() > _LONGEST_TYPE), f"{origin.label} longer than {_LONGEST_TYPE} characters"
    )
    checks.reject(as_mask(cells.str.contains("\0", literal=True)), f"{origin.label} with a NUL character")
    return codes


def _check_times(checks: RowChecks, cells: pl.Series, origin: Origin, now: int) -> pl.Series:
    checks.reject(is_missing(cells), f"missing {origin.label}")
    times = parse_times(cells, origin.unit, origin.format)
    for reason, rows in faults_of_times(cells, as_mask(times.is_null()), origin.label):
        checks.reject(rows, reason)
    checks.warn(as_mask(times < FEWEST_SECONDS * SECOND), f"{origin.label} before 1990")
    checks.reject(as_mask(times > now + DAY), f"{origin.label} in the future")
    return times


def _check_values(
    checks: RowChecks, cells: pl.Series, origin: Origin, codes: Mask, types: Mapping[str, EventType]
) -> pl.Series:
    missing = is_missing(cells)
    valued = np.isin(codes, [code for code, spec in enumerate(types.values()) if spec.weight >= 0])
    if origin.required:
        checks.reject(missing & valued, f"missing {origin.label}")
    elif not origin.optional:
        checks.warn(missing, f"empty {origin.label}")
    values = parse_numbers(cells, origin.multiply)
    checks.reject(as_mask(values.is_null()) & ~missing, f"{origin.label} is not a number")
    numbers = values.fill_null(np.nan).to_numpy()
    for code, spec in enumerate(types.values()):
        mine = codes == code
        checks.reject(mine & (numbers < spec.min_value), f"{origin.label} below {spec.min_value:g}")
        if spec.max_value is not None:
            checks.reject(mine & (numbers > spec.max_value), f"{origin.label} above {spec.max_value:g}")
    return values
