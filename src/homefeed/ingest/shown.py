"""Impressions: from rows of text, one for each item shown, to pages, still by ids."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

import numpy as np
import polars as pl

from homefeed.ingest.cells import as_mask, faults_of_times, is_missing, parse_numbers, parse_times
from homefeed.ingest.entities import read_ids, read_present_ids
from homefeed.ingest.interactions import EventRows
from homefeed.ingest.mapping import Layout
from homefeed.ingest.table import Batch
from homefeed.ingest.tallies import RowChecks, Tallies, merged
from homefeed.store.impressions import PLACES_END
from homefeed.types import DAY, Mask

UNKNOWN_FEED: Final = "the recipe has no such feed"
_NO_REQUEST: Final = pl.Series([], dtype=pl.UInt32)


@dataclass(frozen=True, slots=True)
class ShownBatch:
    """The usable rows of a batch, and the problems of the others.

    The columns are request_id, feed, user_id, null for nobody known, item_id, time, place, null where it is that
    of the row, propensity and score.
    """

    source: Batch
    shown: EventRows
    rejected: Tallies
    warnings: Tallies


def read_shown(batch: Batch, layout: Layout, feeds: Iterable[str], now: int) -> ShownBatch:
    """The items shown of a batch; whether users and items are known is not checked."""
    frame, checks = batch.frame, RowChecks(batch.frame, batch.rows)
    cells = {
        name: read_ids(checks, layout.cells(frame, name), layout.label(name))
        for name in ("request_id", "item_id", "feed")
    }
    checks.reject(~as_mask(cells["feed"].is_in(list(feeds))), UNKNOWN_FEED)
    users = read_present_ids(checks, layout.cells(frame, "user_id"), layout.label("user_id"))
    cells["user_id"] = pl.select(pl.when(pl.lit(~is_missing(users))).then(users)).to_series()
    cells["time"] = _times(checks, layout, frame, now)
    cells["place"] = _numbers(checks, layout, frame, "place", 0, PLACES_END - 1, whole=True).cast(pl.Int64)
    chances = _numbers(checks, layout, frame, "propensity", 0, 1)
    checks.reject(as_mask(chances == 0), f"{layout.label('propensity')} of 0: it was shown")
    cells["propensity"] = chances.fill_null(1.0)
    cells["score"] = _numbers(checks, layout, frame, "score", -3e38, 3e38).fill_null(0.0)
    rows = EventRows(pl.DataFrame(cells), frame, batch.rows).only(checks.good)
    return ShownBatch(batch, rows, merged(batch.bad, checks.rejected()), checks.warnings())


def request_of(columns: pl.DataFrame) -> pl.Series:
    """(rows,) the number of the request that each row is of: rows of one that follow one another."""
    if not columns.height:
        return _NO_REQUEST
    return columns.select(pl.struct("request_id", "feed", "user_id").rle_id()).to_series()


def in_order(rows: EventRows) -> tuple[EventRows, Mask]:
    """Rows of whole requests by place, each of the earliest time of its request; and which are on a taken place.

    A row that tells no place has the one after the row before it, in the order of the file.
    """
    request = request_of(rows.columns).alias("request")
    placed = rows.columns.with_columns(request).with_columns(
        pl.col("time").min().over("request"),
        pl.col("place").fill_null(pl.int_range(pl.len()).over("request")),
    )
    order = placed.select(pl.arg_sort_by("request", "place", maintain_order=True)).to_series()
    placed, numbers = placed[order], order.to_numpy()
    taken = np.zeros(len(rows), np.bool_)
    same = (np.diff(placed["request"].to_numpy()) == 0) & (np.diff(placed["place"].to_numpy()) == 0)
    taken[1:] = same
    return EventRows(placed, rows.raw[order], rows.rows[numbers]), taken


def _times(checks: RowChecks, layout: Layout, frame: pl.DataFrame, now: int) -> pl.Series:
    cells, origin = layout.cells(frame, "timestamp"), layout.origins["timestamp"]
    checks.reject(is_missing(cells), f"missing {origin.label}")
    times = parse_times(cells, origin.unit, origin.format)
    for reason, rows in faults_of_times(cells, as_mask(times.is_null()), origin.label):
        checks.reject(rows, reason)
    checks.reject(as_mask(times > now + DAY), f"{origin.label} in the future")
    return times


def _numbers(
    checks: RowChecks,
    layout: Layout,
    frame: pl.DataFrame,
    name: str,
    least: float,
    most: float,
    *,
    whole: bool = False,
) -> pl.Series:
    """A column of numbers that may have gaps."""
    cells, label = layout.cells(frame, name), layout.label(name)
    numbers = parse_numbers(cells)
    checks.reject(as_mask(numbers.is_null()) & ~is_missing(cells), f"{label} is not a number")
    checks.reject(as_mask((numbers < least) | (numbers > most)), f"{label} outside {least:g} to {most:g}")
    if whole:
        checks.reject(as_mask(numbers != numbers.floor()), f"{label} is not a whole number")
    return numbers
