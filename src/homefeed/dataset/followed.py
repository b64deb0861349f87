"""What followed the impressions of a period: each event put down to one showing of its item, or to none.

The events and what was shown are read through once; memory is taken by the event, and not by what was shown.
"""

from __future__ import annotations

import re
from collections.abc import Collection
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt
import polars as pl

from homefeed.dataset.attribution import (
    EVENTS,
    FOUND,
    LONGEST_REUSE,
    PAGE,
    SHOWINGS,
    by_request,
    by_time,
    events_of,
    showings_of,
    to_first_showing,
    wanted,
)
from homefeed.dataset.log import Progress
from homefeed.recipe import Recipe
from homefeed.recipe.sources import Column
from homefeed.store import Store
from homefeed.store.event_stream import received_before, stream_events
from homefeed.store.shown import extent_of_shown, shown_by_requests, stream_shown
from homefeed.times import LATEST
from homefeed.types import SECOND, Numbers

REQUEST: Final = ("request_id", "feed", "owner")
"""What the pages have in common that a user went through in one request."""


_TIMED: Final = re.compile(r"_(seconds|time|minutes|hours)$")
_SECONDS: Final = {"seconds": 1.0, "time": 1.0, "minutes": 60.0, "hours": 3_600.0}


@dataclass(frozen=True, slots=True)
class Tally:
    """How many events of a period were put down to a showing by request or by time, and how many to none."""

    by_request: int
    by_time: int
    to_none: int


@dataclass(frozen=True, slots=True, eq=False)
class Followed:
    """What followed the `pages` impressions from `since` to before `until`.

    `events` has a row for each type of events that followed a showing: the page and row, how many, after how many
    seconds the first, and how many were `spent` with the item; in the order of the pages' times. `requests` are
    hashes, ascending, of those that an event followed, and `last` the last place of each that one did.
    """

    since: int
    until: int
    pages: int
    event_types: tuple[str, ...]
    feature_names: tuple[str, ...]
    events: pl.DataFrame
    requests: npt.NDArray[np.uint64]
    last: Numbers
    tally: Tally


@dataclass(frozen=True, slots=True)
class _Told:
    """Events: those put down to the request they name, those for the join by time, and how many of the period."""

    named: pl.DataFrame
    others: pl.DataFrame
    count: int


async def find_followed(
    store: Store,
    recipe: Recipe,
    since: int = 0,
    until: int = LATEST,
    progress: Progress | None = None,
    *,
    without: Collection[int] = (),
    only_received: bool = False,
) -> Followed:
    """Put the events down to what was shown, and count those from the first impression to before `until`.

    `progress` is called with (pages looked through, pages in all). Events of the users `without` count for
    nothing. With `only_received` the log is read from what was received a day before `since` on, instead of whole.
    """
    app, window = recipe.app, recipe.impressions.window_length
    types = tuple(name for name, declared in recipe.events.items() if declared.about == "item")
    extent = await extent_of_shown(store, app, since, until)
    if not extent.pages:
        events, requests, last = _summed(FOUND.to_frame())
        return Followed(since, until, 0, types, (), events, requests, last, Tally(0, 0, 0))
    since = extent.first
    after = await received_before(store, app, since - window) if only_received else 0
    told = await _read_events(store, recipe, types, since, until, after, without)
    want = wanted(told.others, told.named.filter("reused"))
    listed: dict[str, None] = {}
    parts, done = [SHOWINGS.to_frame()], 0
    async for pages in stream_shown(store, app, since - max(window, LONGEST_REUSE), until + window):
        inside = np.flatnonzero((pages.times >= since) & (pages.times < until))
        listed |= dict.fromkeys(pages.feature_names[page] for page in inside.tolist())
        parts.append(showings_of(pages).join(want, on=["owner", "item"], how="semi"))
        done += len(inside)
        if progress is not None:
            progress(min(done, extent.pages), extent.pages)
    showings = pl.concat(parts)
    named = to_first_showing(told.named, showings)
    others = to_first_showing(by_time(told.others, showings, window), showings, window)
    shown_in_period = pl.col("time").is_between(since, until, closed="left")
    events, requests, last = _summed(pl.concat([named, others]).filter(shown_in_period))
    names = tuple(dict.fromkeys(name for text in listed for name in text.split(",") if name))
    put_down = _count(named, since, until), _count(others, since, until)
    tally = Tally(*put_down, told.count - sum(put_down))
    return Followed(since, until, extent.pages, types, names, events, requests, last, tally)


def seconds_of_values(recipe: Recipe) -> float | None:
    """How many seconds 1 of an event's value stands for, by what files call the column of the values.

    1 where it ends in `_seconds` or `_time`, 60 in `_minutes`, 3,600 in `_hours`; None where it does not say so.
    """
    column = recipe.sources.events.columns.get("value")
    name, multiply = (column.column, column.multiply) if isinstance(column, Column) else (column, 1.0)
    found = _TIMED.search(name) if isinstance(name, str) and multiply > 0 else None
    return None if found is None else _SECONDS[found[1]] / multiply


def hashed(requests: pl.DataFrame) -> npt.NDArray[np.uint64]:
    """A hash of each row of the columns `REQUEST`: with 64 bits, no two of a billion are likely to meet."""
    found: npt.NDArray[np.uint64] = requests.select(pl.struct(*REQUEST).hash()).to_series().to_numpy()
    return found


async def _read_events(
    store: Store,
    recipe: Recipe,
    types: tuple[str, ...],
    since: int,
    until: int,
    after: int,
    without: Collection[int],
) -> _Told:
    app, window = recipe.app, recipe.impressions.window_length
    value_seconds, theirs = seconds_of_values(recipe), pl.col("user").is_in(list(without))
    found, others, count = [FOUND.to_frame()], [EVENTS.to_frame()], 0
    # A client's clock may be behind by a window; what names a page may follow it however late.
    async for rows in stream_events(store, app, since - window, until + window, after=after):
        events = events_of(rows, types, value_seconds)
        events = events.filter(~theirs) if without else events
        count += _count(events, since, until)
        named = events.filter(pl.col("named").is_not_null())
        showings, known = await _showings_named(store, app, named)
        found.append(by_request(named, showings, window))
        rest = events.filter(~pl.col("named").is_in(known).fill_null(value=False))
        others.append(rest.filter(pl.col("at").is_between(since, until + window, closed="left")))
    return _Told(pl.concat(found), pl.concat(others), count)


async def _showings_named(store: Store, app: str, named: pl.DataFrame) -> tuple[pl.DataFrame, list[str]]:
    """The showings of their items in the requests that events name, and which of these are known."""
    parts, known = [SHOWINGS.to_frame()], set[str]()
    async for pages in shown_by_requests(store, app, named["named"].unique().to_list()):
        known.update(pages.request_ids)
        theirs = named.select("item", request_id="named")
        parts.append(showings_of(pages).join(theirs, on=["request_id", "item"], how="semi"))
    return pl.concat(parts), sorted(known)


def _summed(found: pl.DataFrame) -> tuple[pl.DataFrame, npt.NDArray[np.uint64], Numbers]:
    """Events by page, row and type; and the requests that any followed, with the last place of each."""
    seconds = (pl.col("at") - pl.col("time")).clip(0).min() / SECOND
    counted = found.group_by(*PAGE, "row", "type")
    events = counted.agg(count=pl.len().cast(pl.Int32), seconds=seconds, spent=pl.col("spent").sum())
    place = (pl.col("start") + pl.col("row")).max().alias("place")
    requests = found.group_by(*REQUEST).agg(place)
    hashes = hashed(requests)
    order = np.argsort(hashes)
    return events.sort(*PAGE, "row", "type"), hashes[order], requests["place"].to_numpy()[order]


def _count(events: pl.DataFrame, since: int, until: int) -> int:
    return events.filter(pl.col("at").is_between(since, until, closed="left")).height
