"""What of the items shown was followed by what: counted by feed, and by place."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import polars as pl

from homefeed.dataset.followed import Tally
from homefeed.dataset.impressions import ShownItems


@dataclass(frozen=True, slots=True)
class Counts:
    """Items shown, those the user is taken to have looked at, and by event type those that an event followed."""

    shown: int
    examined: int
    followed: dict[str, int]


@dataclass(frozen=True, slots=True)
class Summary:
    """What was shown, without what was shown again: `reused` is how many pages that leaves out.

    `feeds` are by feed and what served it, `places` by place from 0; `tally` says where the events went.
    """

    pages: int
    reused: int
    users: int
    counts: Counts
    feeds: dict[tuple[str, str], tuple[int, Counts]]
    places: dict[int, Counts]
    tally: Tally


@dataclass(slots=True)
class Summing:
    """Sums up what it is given; it keeps sums, and the numbers of the users."""

    event_types: tuple[str, ...]
    first_places: int = 10
    _pages: int = 0
    _reused: int = 0
    _users: set[int] = field(default_factory=set)
    _parts: list[pl.DataFrame] = field(default_factory=list)

    def add(self, shown: ShownItems) -> None:
        """Count these items."""
        pages = np.unique(shown.pages)
        reused = int(shown.reused[pages].sum())
        self._pages, self._reused = self._pages + len(pages) - reused, self._reused + reused
        self._users.update(np.unique(shown.users[pages]).tolist())
        rows = np.flatnonzero(~shown.reused[shown.pages])
        page = shown.pages[rows]
        frame = pl.DataFrame(
            {
                "feed": pl.Series(shown.feeds, dtype=pl.String).gather(page),
                "served_by": pl.Series(shown.served_by, dtype=pl.String).gather(page),
                "place": shown.places[rows],
                "pages": np.diff(page, prepend=-1) != 0,
                "examined": shown.examined[rows],
                **{
                    f"followed_{name}": shown.counts[rows, column] > 0
                    for column, name in enumerate(self.event_types)
                },
            }
        )
        place = pl.col("place").clip(upper_bound=self.first_places)
        sums = (
            pl.col("pages", "examined", "^followed_.*$").sum().cast(pl.Int64),
            pl.len().alias("shown").cast(pl.Int64),
        )
        self._parts.append(frame.group_by("feed", "served_by", place).agg(*sums))
        if len(self._parts) > 100:
            self._parts = [self._summed("feed", "served_by", "place")]

    def summary(self, tally: Tally) -> Summary:
        """What was counted."""
        if not self._parts:
            nothing = Counts(0, 0, dict.fromkeys(self.event_types, 0))
            return Summary(0, 0, 0, nothing, {}, {}, tally)
        by_feed = self._summed("feed", "served_by").sort(
            "shown", "feed", "served_by", descending=[True, False, False]
        )
        by_place = self._summed("place").filter(pl.col("place") < self.first_places).sort("place")
        return Summary(
            self._pages,
            self._reused,
            len(self._users - {-1}),
            self._counts(by_feed.drop("feed", "served_by").sum().row(0, named=True)),
            {
                (row["feed"], row["served_by"]): (row["pages"], self._counts(row))
                for row in by_feed.iter_rows(named=True)
            },
            {row["place"]: self._counts(row) for row in by_place.iter_rows(named=True)},
            tally,
        )

    def _summed(self, *by: str) -> pl.DataFrame:
        sums = pl.col("pages", "examined", "shown", "^followed_.*$").sum()
        return pl.concat(self._parts).group_by(*by).agg(sums)

    def _counts(self, row: dict[str, int]) -> Counts:
        followed = {name: row[f"followed_{name}"] for name in self.event_types}
        return Counts(row["shown"], row["examined"], followed)
