"""Which showing of an item an event is put down to: by the request that it names, else by time."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import numpy as np
import polars as pl

from homefeed.store.events import LogRows
from homefeed.store.shown import NOBODY, ShownPages
from homefeed.types import SECOND

LONGEST_REUSE: Final = 3_600 * SECOND
"""No feed gives a slate again for longer."""

PAGE: Final = ("time", "request_id", "feed", "start")
"""What tells pages apart."""

EVENTS: Final = pl.Schema(
    {
        "event": pl.Int64,
        "at": pl.Int64,
        "user": pl.Int32,
        "item": pl.Int32,
        "type": pl.Int32,
        "spent": pl.Float64,
        "named": pl.String,
    }
)
"""Columns of events about items: seq, time, user, item, code of the type, the seconds spent with it if they are
told, and the request named, if any."""

SHOWINGS: Final = pl.Schema(
    {
        "time": pl.Int64,
        "request_id": pl.String,
        "feed": pl.String,
        "start": pl.Int32,
        "owner": pl.Int32,
        "reused": pl.Boolean,
        "row": pl.Int32,
        "item": pl.Int32,
    }
)
"""Columns of showings: the page, whose it is, whether it was shown again, and which row of it holds which item."""

FOUND: Final = pl.Schema({name: kind for name, kind in (EVENTS | SHOWINGS).items() if name != "named"})
"""An event beside the showing that it is put down to."""


def events_of(rows: LogRows, types: Sequence[str], value_seconds: float | None = None) -> pl.DataFrame:
    """The events of these types. Where a context does not tell the time spent, `value_seconds` are what 1 of an
    event's value stands for; None where values are no times.
    """
    codes = {name: code for code, name in enumerate(types)}
    columns = {
        "event": rows.seqs,
        "at": rows.times,
        "user": rows.users,
        "item": rows.items,
        "type": [codes.get(name) for name in rows.types],
        "spent": _spent(rows, value_seconds),
        "named": rows.request_ids,
    }
    return pl.DataFrame(columns, schema=EVENTS).filter(pl.col("type").is_not_null())


def _spent(rows: LogRows, value_seconds: float | None) -> Sequence[float | None]:
    told = rows.seconds or [None] * len(rows)
    if value_seconds is None:
        return told
    return [
        seconds if seconds is not None or value is None else max(value, 0.0) * value_seconds
        for seconds, value in zip(told, rows.values, strict=True)
    ]


def showings_of(pages: ShownPages) -> pl.DataFrame:
    """Every item of every page."""
    sizes = pages.sizes
    page = np.repeat(np.arange(len(pages)), sizes)
    columns = {
        "time": pages.times,
        "request_id": pages.request_ids,
        "feed": pages.feeds,
        "start": pages.starts,
        "owner": pages.users,
        "reused": pages.reused,
    }
    by_page = pl.DataFrame(columns, schema={name: SHOWINGS[name] for name in columns})
    first = np.cumsum(sizes) - sizes
    rows = pl.DataFrame({"row": np.arange(len(page)) - first[page], "item": pages.items})
    return pl.concat([by_page[page], rows.cast({"row": pl.Int32})], how="horizontal")


def by_request(events: pl.DataFrame, showings: pl.DataFrame, window: int) -> pl.DataFrame:
    """Events put down to the request that they name, if it showed their item to their user, or to nobody known.

    Of several such showings the latest at or before the event counts, and of one moment's the first place. A
    client's clock may be behind: what it says happened up to a window before any of them counts for the earliest.
    """
    before = pl.col("at") - pl.col("time")
    return (
        events.join(
            showings,
            left_on=["named", "item"],
            right_on=["request_id", "item"],
            how="inner",
            maintain_order="left",
        )
        .filter((pl.col("owner") == pl.col("user")) | (pl.col("owner") == NOBODY), before >= -window)
        .sort("event", pl.col("owner") == NOBODY, before < 0, before.abs(), *_PREFERRED)
        .unique("event", keep="first", maintain_order=True)
        .with_columns(request_id="named")
        .select(FOUND.names())
    )


def wanted(*events: pl.DataFrame) -> pl.DataFrame:
    """The users and items of the events: what of the showings the join by time needs."""
    return pl.concat([each.select(owner="user", item="item") for each in events]).unique()


def by_time(events: pl.DataFrame, showings: pl.DataFrame, window: int) -> pl.DataFrame:
    """Events put down to the latest showing of their item to their user at or before them, within the window."""
    found = events.sort("at").join_asof(
        _by_time(showings).with_columns(shown_at="time"),
        left_on="at",
        right_on="shown_at",
        by_left=["user", "item"],
        by_right=["owner", "item"],
        tolerance=window,
        coalesce=False,
        check_sortedness=False,
    )
    return found.filter(pl.col("time").is_not_null()).with_columns(owner="user").select(FOUND.names())


def to_first_showing(found: pl.DataFrame, showings: pl.DataFrame, window: int | None = None) -> pl.DataFrame:
    """What is put down to a slate that was given again, put down to the page for which it was chosen.

    It stays where it is if that page is not there, or lies further back than the window.
    """
    again = found.filter("reused")
    if again.is_empty():
        return found
    chosen = _by_time(showings.filter(~pl.col("reused"))).with_columns(shown_at="time")
    told = [name for name in EVENTS.names() if name in FOUND]
    there = again.select(*told, "feed", again_at="time").sort("again_at")
    earlier = there.join_asof(
        chosen,
        left_on="again_at",
        right_on="shown_at",
        by_left=["user", "item", "feed"],
        by_right=["owner", "item", "feed"],
        tolerance=LONGEST_REUSE,
        coalesce=False,
        check_sortedness=False,
    ).filter(pl.col("time").is_not_null())
    if window is not None:
        earlier = earlier.filter(pl.col("at") - pl.col("time") <= window)
    moved = earlier.with_columns(owner="user").select(FOUND.names())
    return pl.concat([found.join(moved, on="event", how="anti"), moved])


_PREFERRED: Final = (pl.col("start") + pl.col("row"), pl.col("feed"))
"""Of showings at one moment: the first place, and then the first feed by name."""


def _by_time(showings: pl.DataFrame) -> pl.DataFrame:
    """In the order of time; of one moment, the one that counts last."""
    return showings.sort("time", *_PREFERRED, "request_id", descending=[False, True, True, True])
