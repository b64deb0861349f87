"""Sums of what was shown and what followed by hour or day, feed, ranker and models: what overviews are made of."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, TypeAlias

import numpy as np
import numpy.typing as npt
import polars as pl

from homefeed.dataset.attribution import PAGE, SHOWINGS
from homefeed.dataset.followed import Followed
from homefeed.dataset.intervals import with_intervals
from homefeed.dataset.measures import SCORE_BOUNDS, Group, Measures, Period, Proposed, Series, Visit, rates_of
from homefeed.dataset.proposed import ProposedSums
from homefeed.recipe import Recipe
from homefeed.store.shown import NOBODY, ServedPages
from homefeed.types import DAY, Mask

_MANY_PARTS: Final = 50
_GROUPS_AT_ONCE: Final = 8
_KNOWN: Final = pl.col("cluster") >= 0

_Counts: TypeAlias = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Key:
    """What a page was asked of and answered by, and for whom: `ranker` is what `served_by` says."""

    feed: str
    ranker: str
    models: str
    visit: Visit

    @property
    def answered_by(self) -> str:
        """The feed that answered; empty where that is not known."""
        return self.ranker.partition("/")[0] if "/" in self.ranker else ""


@dataclass(slots=True)
class Summing:
    """Sums up the pages it is given, in the order of their times.

    It keeps sums by user, or by request where nobody is known, and numbers of items. Periods are `width` long and
    begin at `since`. Users of `without` count for nothing; `first_seen` is when the others first were.
    """

    recipe: Recipe
    followed: Followed
    clicks: Collection[str]
    since: int
    width: int
    without: Collection[int] = ()
    first_seen: Mapping[int, int] = field(default_factory=dict)
    keys: dict[Key, int] = field(default_factory=dict)
    first: list[int] = field(default_factory=list)
    last: list[int] = field(default_factory=list)
    _scores: list[_Counts] = field(default_factory=list)
    _sums: list[pl.DataFrame] = field(default_factory=list)
    _items: list[pl.DataFrame] = field(default_factory=list)
    _proposed: ProposedSums = field(init=False)

    def __post_init__(self) -> None:
        self._proposed = ProposedSums(self.recipe, self._counts)

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
                "page": np.arange(len(pages), dtype=np.int32),
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
        ).with_columns(cluster=_CLUSTER)
        rows = np.repeat(np.arange(len(pages)), pages.sizes)
        items = frame.select("bucket", "key")[rows].with_columns(item=pl.Series(pages.items))
        self._items.append(items.filter(pl.col("key") >= 0).unique())
        frame = frame.filter(pl.col("key") >= 0)
        events = self._events_of(frame)
        self._sums.append(self._summed(frame, events))
        self._proposed.add(served, frame, events)
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
        # A page can be of many groups: only some at a time, so that memory is bounded.
        named = list(codes.items())
        chunks = (named[start : start + _GROUPS_AT_ONCE] for start in range(0, len(named), _GROUPS_AT_ONCE))
        made = [one for chunk in chunks for one in self._series_of(chunk)]
        return tuple(sorted(made, key=lambda series: -series.total.shown))

    def proposed(self) -> tuple[Proposed, ...]:
        """What became of what each retriever had proposed, of all feeds and of each, the most shown first."""
        return self._proposed.found(self.event_types)

    @property
    def _counts(self) -> tuple[str, ...]:
        """The columns of how many items were followed: by a click, and by each type."""
        return ("clicked", *(f"followed_{code}" for code in range(len(self.event_types))))

    def _series_of(self, codes: Sequence[tuple[Group, list[int]]]) -> Iterator[Series]:
        pairs = [(key, number) for number, (_, members) in enumerate(codes) for key in members]
        groups = pl.DataFrame(pairs, schema={"key": pl.Int32, "group": pl.Int32}, orient="row")
        totals = {row["group"]: self._measures(row) for row in self._measured(groups, "group")}
        periods: dict[int, list[Period]] = {}
        for row in self._measured(groups, "group", "bucket"):
            start = self.since + row["bucket"] * self.width
            periods.setdefault(row["group"], []).append(Period(start, self._measures(row)))
        for number, (group, members) in enumerate(codes):
            yield Series(
                group,
                min(self.first[code] for code in members),
                max(self.last[code] for code in members),
                totals[number],
                tuple(periods[number]),
                tuple(np.sum([self._scores[code] for code in members], axis=0).tolist()),
            )

    def _keys_of(self, served: ServedPages, kept: Mask) -> npt.NDArray[np.int32]:
        """(pages,) the code of each page's key, -1 of pages that do not count."""
        pages = served.pages
        codes = np.full(len(pages), -1, np.int32)
        for page in np.flatnonzero(kept).tolist():
            time = int(pages.times[page])
            visit = self._visit(int(pages.users[page]), time)
            key = Key(pages.feeds[page], served.served_by[page], served.models[page], visit)
            code = self.keys.setdefault(key, len(self.keys))
            if code == len(self.first):
                self.first.append(time)
                self.last.append(time)
                self._scores.append(np.zeros(len(SCORE_BOUNDS) + 1, np.int64))
            self.last[code] = time
            codes[page] = code
        return codes

    def _visit(self, user: int, time: int) -> Visit:
        if user == NOBODY:
            return "not known"
        return "new" if self.first_seen.get(user, time) >= time - time % DAY else "returning"

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
        """What followed these pages, by page and row: which of `_counts`, and the time spent."""
        events = self.followed.events
        times = events["time"]
        start = times.search_sorted(pages["time"][0], side="left") if len(pages) else 0
        stop = times.search_sorted(pages["time"][-1], side="right") if len(pages) else 0
        there = events[start:stop].join(pages.select(*PAGE, "page"), on=list(PAGE), how="inner")
        clicks = [code for code, name in enumerate(self.event_types) if name in self.clicks]
        return there.group_by("page", "row").agg(
            pl.col("type").is_in(clicks).any().alias("clicked"),
            pl.col("spent").sum(),
            *((pl.col("type") == code).any().alias(f"followed_{code}") for code in range(len(self.event_types))),
        )

    def _summed(self, pages: pl.DataFrame, events: pl.DataFrame) -> pl.DataFrame:
        by_page = events.group_by("page").agg(pl.col("spent", *self._counts).sum())
        joined = pages.join(by_page, on="page", how="left").fill_null(0)
        sums = joined.group_by("bucket", "key", "cluster").agg(
            pl.len().alias("pages"), pl.col("shown", "score_sum", "score_count", "spent", *self._counts).sum()
        )
        whole = pl.all().exclude("bucket", "key", "cluster", "score_sum", "spent")
        return sums.with_columns(whole.cast(pl.Int64))

    def _condense(self) -> None:
        """One part of each kind in the place of many."""
        self._sums = [pl.concat(self._sums).group_by("bucket", "key", "cluster").agg(pl.all().sum())]
        self._items = [pl.concat(self._items).unique()]
        self._proposed.condense()

    def _measured(self, groups: pl.DataFrame, *by: str) -> list[dict[str, Any]]:
        """The sums by group, or by group and bucket, in the order of these."""
        kinds = pl.DataFrame(
            {"key": list(self.keys.values()), "open": [self._is_open(key) for key in self.keys]},
            schema={"key": pl.Int32, "open": pl.Boolean},
        ).with_columns(
            personal=pl.Series([self._is_open(key) and key.answered_by == key.feed for key in self.keys])
        )
        joined = self._sums[0].join(groups.join(kinds, on="key"), on="key")
        pages, user = pl.col("pages"), pl.col("cluster").filter(_KNOWN)
        summed = joined.group_by(by).agg(
            pl.col("pages", "shown", "score_sum", "score_count", "spent", *self._counts).sum(),
            pages.filter("open").sum().alias("open_pages"),
            pages.filter("personal").sum().alias("personal_pages"),
            user.n_unique().alias("users"),
            pl.col("cluster").filter(_KNOWN & pl.col("open")).n_unique().alias("open_users"),
            pl.col("cluster").filter(_KNOWN & pl.col("personal")).n_unique().alias("personal_users"),
        )
        clusters = joined.group_by(*by, "cluster").agg(pl.col("shown", *self._counts).sum())
        intervals = with_intervals(clusters, by, self._counts)
        items = self._items[0].join(groups, on="key").group_by(by).agg(pl.col("item").n_unique())
        whole = summed.join(items, on=by, how="left").with_columns(pl.col("item").fill_null(0))
        return whole.join(intervals, on=by, how="left").sort(by).to_dicts()

    def _is_open(self, key: Key) -> bool:
        """Whether the feed is one that another answers for new users."""
        feed = self.recipe.feeds.get(key.feed)
        return feed is not None and feed.settings.cold_start is not None and key.answered_by != ""

    def _measures(self, row: dict[str, Any]) -> Measures:
        return Measures(
            **rates_of(row, self.event_types),
            pages=row["pages"],
            time_spent_seconds=row["spent"],
            mean_score=row["score_sum"] / row["score_count"] if row["score_count"] else None,
            distinct_items=row["item"],
            users=row["users"],
            open_users=row["open_users"],
            personal_users=row["personal_users"],
            open_pages=row["open_pages"],
            personal_pages=row["personal_pages"],
        )


_CLUSTER: Final = (
    pl.when(pl.col("user") != NOBODY)
    .then(pl.col("user").cast(pl.Int64))
    .otherwise(-2 - (pl.col("request_id").hash() // 4).cast(pl.Int64))
)
"""Whose page it is: the user, else a number below 0 of the request."""
