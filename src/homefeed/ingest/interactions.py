"""Events: from rows of text to columns the log can take, still by ids."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np
import polars as pl

from homefeed.ingest.cells import as_mask, is_missing, parse_numbers, parse_times
from homefeed.ingest.entities import check_id, check_length
from homefeed.ingest.mapping import Layout, Origin
from homefeed.ingest.table import Batch, RowNumbers
from homefeed.ingest.tallies import Screening, Tallies, merged
from homefeed.recipe import EventType, Recipe
from homefeed.types import DAY, Mask

UNKNOWN_USER: Final = "unknown user"
UNKNOWN_ITEM: Final = "unknown item"
_LONGEST_TYPE: Final = 63


@dataclass(frozen=True, slots=True)
class EventRows:
    """Events as columns: user_id, item_id, event_type, value, time, event_id.

    `raw` are the file's own cells of the same rows, `rows` their numbers in the file.
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
        """All rows, so many at a time."""
        for start in range(0, len(self), size):
            part = slice(start, start + size)
            yield EventRows(self.columns[part], self.raw[part], self.rows[part])


@dataclass(frozen=True, slots=True)
class EventBatch:
    """The usable events of a batch, and what was wrong with the others."""

    source: Batch
    events: EventRows
    rejected: Tallies
    warnings: Tallies


def read_events(batch: Batch, layout: Layout, recipe: Recipe, now: int) -> EventBatch:
    """The events of a batch, but for whether their users and items are known."""
    frame = batch.frame
    screening = Screening(frame, batch.rows)
    cells = {name: layout.cells(frame, name) for name in ("user_id", "item_id", "event_type", "event_id")}
    for name in ("user_id", "item_id"):
        check_id(screening, cells[name], layout.origins[name].label)
    codes = _check_types(screening, cells["event_type"], layout.origins["event_type"], recipe)
    times = _check_times(screening, layout.cells(frame, "timestamp"), layout.origins["timestamp"], now)
    values = pl.repeat(None, frame.height, dtype=pl.Float64, eager=True)
    if "value" in layout.origins:
        origin = layout.origins["value"]
        values = _check_values(screening, layout.cells(frame, "value"), origin, codes, recipe.events)
    if "event_id" in layout.origins:
        check_length(screening, cells["event_id"], layout.origins["event_id"].label)
        present = ~is_missing(cells["event_id"])
        cells["event_id"] = pl.select(pl.when(pl.lit(present)).then(cells["event_id"])).to_series()
    columns = pl.DataFrame({**cells, "value": values, "time": times})
    events = EventRows(columns, frame, batch.rows).only(screening.good)
    return EventBatch(batch, events, merged(batch.bad, screening.rejected()), screening.warnings())


def _check_types(screening: Screening, cells: pl.Series, origin: Origin, recipe: Recipe) -> Mask:
    """The codes of the events' types, -1 for those the recipe does not declare."""
    screening.reject(is_missing(cells), f"missing {origin.label}")
    names = list(recipe.event_types)
    codes = cells.replace_strict(names, list(range(len(names))), default=-1, return_dtype=pl.Int16).to_numpy()
    if not recipe.accepts_unknown_events:
        screening.reject(codes < 0, "unknown event type")
        return codes
    screening.reject(
        as_mask(cells.str.len_chars() > _LONGEST_TYPE), f"{origin.label} longer than {_LONGEST_TYPE} characters"
    )
    screening.reject(as_mask(cells.str.contains("\0", literal=True)), f"{origin.label} with a NUL character")
    return codes


def _check_times(screening: Screening, cells: pl.Series, origin: Origin, now: int) -> pl.Series:
    screening.reject(is_missing(cells), f"missing {origin.label}")
    times = parse_times(cells)
    screening.reject(as_mask(times.is_null()), f"bad {origin.label}")
    screening.reject(as_mask(times > now + DAY), f"{origin.label} in the future")
    return times


def _check_values(
    screening: Screening, cells: pl.Series, origin: Origin, codes: Mask, types: Mapping[str, EventType]
) -> pl.Series:
    missing = is_missing(cells)
    declared = codes >= 0
    if origin.required:
        screening.reject(missing & declared, f"missing {origin.label}")
    elif not origin.optional:
        screening.warn(missing, f"empty {origin.label}")
    values = parse_numbers(cells, origin.multiply)
    screening.reject(as_mask(values.is_null()) & ~missing, f"{origin.label} is not a number")
    numbers = values.fill_null(np.nan).to_numpy()
    for code, spec in enumerate(types.values()):
        mine = codes == code
        screening.reject(mine & (numbers < spec.minimum), f"{origin.label} below {spec.minimum:g}")
        if spec.maximum is not None:
            screening.reject(mine & (numbers > spec.maximum), f"{origin.label} above {spec.maximum:g}")
    return values
