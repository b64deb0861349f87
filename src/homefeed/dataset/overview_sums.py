"""Sums of what was shown and what followed by hour or day, feed, ranker and models: what overviews are made of."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass, field
from typing import Any, Final, TypeAlias

import numpy as np
import numpy.typing as npt
import polars as pl

from homefeed.dataset.attribution import PAGE, SHOWINGS
from homefeed.dataset.followed import Followed
from homefeed.recipe import Recipe
from homefeed.store.shown import NOBODY, ServedPages
from homefeed.types import Mask

SCORE_BOUNDS: Final = (
    *(-10.0, -5.0, -2.0, -1.0, -0.5, -0.2, -0.1, 0.0),
    *(0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1.0),
    *(1.5, 2.0, 3.0, 5.0, 10.0, 20.0, 50.0, 100.0),
)
"""The upper bounds of the buckets in which scores are counted: finest from 0 to 1."""

_MANY_PARTS: Final = 50

Group: TypeAlias = tuple[str | None, str | None, str | None, str | None]
"""A feed, a ranker, a model and its version; None for all."""
_Counts: TypeAlias = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Key:
    """What a page was asked of and answered by: `ranker` as `served_by` has it, `models` as it is stored."""

    feed: str
    ranker: str
    models: str

    @property
    def answered_by(self) -> str:
        """The feed that answered; empty where that is not known."""
        return self.ranker.partition("/")[0] if "/" in self.ranker else ""


@dataclass(frozen=True, slots=True)
class Measures:
    """What was shown, without what was shown again a moment later, and what followed.

    `shown` are items on pages, `followed` how many of them an event of the type followed, once or more, and
    `clicked` how many any event did that counts as a click. `users` are those who are known. Of feeds that another
    answers for new users there are also `open_users` and `open_pages`, and of these the ones who had an answer of
    the feed itself: `personal_users` and `personal_pages`.
    """

    pages: int
    shown: int
    clicked: int
    followed: dict[str, int]
    time_spent_seconds: float
    mean_score: float | None
    distinct_items: int
    users: int
    open_users: int
    personal_users: int
    open_pages: int
    personal_pages: int


@dataclass(frozen=True, slots=True)
class Period:
    """What was measured in an hour or a day from `start` on."""

    start: int
    measures: Measures


@dataclass(frozen=True, slots=True)
class Series:
    """What was measured of a feed, None for all; of what one `ranker`, or one version of a model, answered of it.

    `first` and `last` are the times of its first and last page, `periods` those in which it was shown, and
    `scores` how many scores of items shown are up to each of `SCORE_BOUNDS`, and beyond the last.
    """

    feed: str | None
    ranker: str | None
    model: str | None
    version: str | None
    first: int
    last: int
    total: Measures
    periods: tuple[Period, ...]
    scores: tuple[int, ...]


@dataclass(slots=True)
class Summing:
    """Sums up the pages it is given, in the order of their times; it keeps sums, and numbers of users and items.

    Periods are `width` long and begin at `since`. Users of `without` count for nothing.
    """

    recipe: Recipe
    followed: Followed
    clicks: Collection[str]
    since: int
    width: int
    without: Collection[int] = ()
    keys: dict[Key, int] = field(default_factory=dict)
    first: list[int] = field(default_factory=list)
    last: list[int] = field(default_factory=list)
    _scores: list[_Counts] = field(default_factory=list)
    _sums: list[pl.DataFrame] = field(default_factory=list)
    _items: list[pl.DataFrame] = field(default_factory=list)
    _users: list[pl.DataFrame] = field(default_factory=list)

    @property
    def event_types(self) -> tuple[str, ...]:
        """The types of events about items."""
        return self.followed.event_types

    def add(self, served: ServedPages) -> None:
        """Count these pages."""
        pages = served.pages
        kept = ~pages.reused & ~np.isin(pages.users, list(self.without))
        if not kept.any():
            return
        keys = self._keys_of(served, kept)
        frame = pl.DataFrame(
            {
                "time": pages.times,
                "request_id": pages.request_ids,
                "feed": pages.feeds,
                "start": pages.starts,
                "bucket": (pages.times - self.since) // self.width,
                "key": keys,
                "user": pages.users,
                "shown": pages.sizes,
                **self._score_sums(served, keys),
            },
            schema_overrides={name: SHOWINGS[name] for name in PAGE} | {"bucket": pl.Int32, "key": pl.Int32},
        )
        rows = np.repeat(np.arange(len(pages)), pages.sizes)
        items = frame.select("bucket", "key")[rows].with_columns(item=pl.Series(pages.items))
        self._items.append(items.filter(pl.col("key") >= 0).unique())
        frame = frame.filter(pl.col("key") >= 0)
        self._users.append(frame.filter(pl.col("user") != NOBODY).select("bucket", "key", "user").unique())
        self._sums.append(self._summed(frame, self._events_of(frame)))
        if len(self._sums) > _MANY_PARTS:
            self._condense()

    def series(self, groups_of: Callable[[Key], Iterable[Group]]) -> tuple[Series, ...]:
        """A series for each group that keys are of, those of which most was shown first."""
        codes: dict[Group, list[int]] = {}
        for key, code in self.keys.items():
            for group in groups_of(key):
                codes.setdefault(group, []).append(code)
        if not codes:
            return ()
        self._condense()
        pairs = [(key, number) for number, members in enumerate(codes.values()) for key in members]
        groups = pl.DataFrame(pairs, schema={"key": pl.Int32, "group": pl.Int32}, orient="row")
        totals = {row["group"]: self._measures(row) for row in self._measured(groups, "group")}
        periods: dict[int, list[Period]] = {}
        for row in self._measured(groups, "group", "bucket"):
            start = self.since + row["bucket"] * self.width
            periods.setdefault(row["group"], []).append(Period(start, self._measures(row)))
        made = [
            Series(
                *group,
                min(self.first[code] for code in members),
                max(self.last[code] for code in members),
                totals[number],
                tuple(periods[number]),
                tuple(np.sum([self._scores[code] for code in members], axis=0).tolist()),
            )
            for number, (group, members) in enumerate(codes.items())
        ]
        return tuple(sorted(made, key=lambda series: -series.total.shown))

    def _keys_of(self, served: ServedPages, kept: Mask) -> npt.NDArray[np.int32]:
        """(pages,) the code of each page's key, -1 of pages that do not count."""
        pages = served.pages
        codes = np.full(len(pages), -1, np.int32)
        for page in np.flatnonzero(kept).tolist():
            key = Key(pages.feeds[page], served.served_by[page], served.models[page])
            code = self.keys.setdefault(key, len(self.keys))
            time = int(pages.times[page])
            if code == len(self.first):
                self.first.append(time)
                self.last.append(time)
                self._scores.append(np.zeros(len(SCORE_BOUNDS) + 1, np.int64))
            self.last[code] = time
            codes[page] = code
        return codes

    def _score_sums(self, served: ServedPages, keys: npt.NDArray[np.int32]) -> dict[str, Any]:
        """The sum of each page's scores and how many they are; they are counted by their size as well."""
        sizes = served.pages.sizes
        page = np.repeat(np.arange(len(sizes)), sizes)
        finite = np.isfinite(served.scores)
        scores, of_page = served.scores[finite].astype(np.float64), page[finite]
        width, of_key = len(SCORE_BOUNDS) + 1, keys[of_page]
        cells = of_key * width + np.searchsorted(SCORE_BOUNDS, scores)
        counts = np.bincount(cells[of_key >= 0], minlength=len(self.keys) * width).reshape(-1, width)
        for code in np.unique(of_key[of_key >= 0]).tolist():
            self._scores[code] += counts[code]
        count = np.bincount(of_page, minlength=len(sizes))
        return {"score_sum": np.bincount(of_page, scores, minlength=len(sizes)), "score_count": count}

    def _events_of(self, pages: pl.DataFrame) -> pl.DataFrame:
        """What followed these pages: by bucket and key, how many items what followed, and the time spent."""
        events = self.followed.events
        times = events["time"]
        start = times.search_sorted(pages["time"][0], side="left") if len(pages) else 0
        stop = times.search_sorted(pages["time"][-1], side="right") if len(pages) else 0
        there = events[start:stop].join(pages.select(*PAGE, "bucket", "key"), on=list(PAGE), how="inner")
        clicks = [code for code, name in enumerate(self.event_types) if name in self.clicks]
        by_item = there.group_by("bucket", "key", *PAGE, "row").agg(
            pl.col("type").is_in(clicks).any().alias("clicked"),
            pl.col("spent").sum(),
            *((pl.col("type") == code).any().alias(f"followed_{code}") for code in range(len(self.event_types))),
        )
        sums = pl.col("clicked", "spent", "^followed_.*$").sum()
        return by_item.group_by("bucket", "key").agg(sums)

    def _summed(self, pages: pl.DataFrame, events: pl.DataFrame) -> pl.DataFrame:
        sums = pl.col("shown", "score_sum", "score_count").sum()
        by = pages.group_by("bucket", "key").agg(pl.len().alias("pages"), sums)
        joined = by.join(events, on=["bucket", "key"], how="left").fill_null(0)
        return joined.with_columns(pl.all().exclude("bucket", "key", "score_sum", "spent").cast(pl.Int64))

    def _condense(self) -> None:
        """One part of each kind in the place of many."""
        self._sums = [pl.concat(self._sums).group_by("bucket", "key").agg(pl.all().sum())]
        self._items = [pl.concat(self._items).unique()]
        self._users = [pl.concat(self._users).unique()]

    def _measured(self, groups: pl.DataFrame, *by: str) -> list[dict[str, Any]]:
        """The sums by group, or by group and bucket, in the order of these."""
        kinds = pl.DataFrame(
            {"key": list(self.keys.values()), "open": [self._is_open(key) for key in self.keys]},
            schema={"key": pl.Int32, "open": pl.Boolean},
        ).with_columns(
            personal=pl.Series([self._is_open(key) and key.answered_by == key.feed for key in self.keys])
        )
        groups = groups.join(kinds, on="key")
        pages, user = pl.col("pages"), pl.col("user")
        sums = self._sums[0].join(groups, on="key").group_by(by)
        summed = sums.agg(
            pl.col("pages", "shown", "score_sum", "score_count", "clicked", "spent", "^followed_.*$").sum(),
            pages.filter("open").sum().alias("open_pages"),
            pages.filter("personal").sum().alias("personal_pages"),
        )
        items = self._items[0].join(groups, on="key").group_by(by).agg(pl.col("item").n_unique())
        users = self._users[0].join(groups, on="key").group_by(by)
        known = users.agg(
            user.n_unique().alias("users"),
            user.filter("open").n_unique().alias("open_users"),
            user.filter("personal").n_unique().alias("personal_users"),
        )
        whole = summed.join(items, on=by, how="left").join(known, on=by, how="left")
        return whole.fill_null(0).sort(by).to_dicts()

    def _is_open(self, key: Key) -> bool:
        """Whether the feed is one that another answers for new users."""
        feed = self.recipe.feeds.get(key.feed)
        return feed is not None and feed.settings.cold_start is not None and key.answered_by != ""

    def _measures(self, row: dict[str, Any]) -> Measures:
        return Measures(
            pages=row["pages"],
            shown=row["shown"],
            clicked=row["clicked"],
            followed={name: row[f"followed_{code}"] for code, name in enumerate(self.event_types)},
            time_spent_seconds=row["spent"],
            mean_score=row["score_sum"] / row["score_count"] if row["score_count"] else None,
            distinct_items=row["item"],
            users=row["users"],
            open_users=row["open_users"],
            personal_users=row["personal_users"],
            open_pages=row["open_pages"],
            personal_pages=row["personal_pages"],
        )
