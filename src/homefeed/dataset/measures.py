"""What is measured of what was shown: the numbers that an overview consists of."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final, Literal, TypeAlias

from homefeed.dataset.intervals import Interval

SCORE_BOUNDS: Final = (
    *(-10.0, -5.0, -2.0, -1.0, -0.5, -0.2, -0.1, 0.0),
    *(0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1.0),
    *(1.5, 2.0, 3.0, 5.0, 10.0, 20.0, 50.0, 100.0),
)
"""The upper bounds of the buckets in which scores are counted: finest from 0 to 1."""

Visit: TypeAlias = Literal["new", "returning", "not known"]
"""Whether a page was for a user on the day, in UTC, of their first event or page, or later, or for nobody."""


@dataclass(frozen=True, slots=True)
class Group:
    """What pages are counted together by: None for all of them."""

    feed: str | None = None
    ranker: str | None = None
    model: str | None = None
    version: str | None = None
    visit: Visit | None = None


@dataclass(frozen=True, slots=True)
class Rates:
    """How many items were shown, how many of them were followed by what, and the intervals of these shares.

    `followed` is how many of those shown an event of the type followed, once or more, and `clicked` how many any
    event did that counts as a click. An interval is None where there were fewer than two users.
    """

    shown: int
    clicked: int
    followed: dict[str, int]
    click_interval: Interval | None
    intervals: dict[str, Interval | None]


@dataclass(frozen=True, slots=True)
class Measures(Rates):
    """What was shown, without what was shown again a moment later, and what followed.

    `users` are those who are known. Of feeds that another answers for new users there are also `open_users` and
    `open_pages`, and of these the ones who had an answer of the feed itself: `personal_users` and
    `personal_pages`.
    """

    pages: int
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
    """What was measured of a group of pages.

    `first` and `last` are the times of its first and last page, `periods` those in which it was shown, and
    `scores` how many scores of items shown are up to each of `SCORE_BOUNDS`, and beyond the last.
    """

    group: Group
    first: int
    last: int
    total: Measures
    periods: tuple[Period, ...]
    scores: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Proposed:
    """What became of the items shown that a retriever had proposed; what several proposed counts for each of them.

    `feed` is the one that was asked, None for all; `alone` is how many no other had proposed.
    """

    feed: str | None
    retriever: str
    alone: int
    rates: Rates


def rates_of(row: dict[str, Any], event_types: tuple[str, ...]) -> dict[str, Any]:
    """The fields of `Rates`, of a row with `shown`, `clicked` and `followed_0` ... and their bounds."""

    def interval(name: str) -> Interval | None:
        return None if row[f"low_{name}"] is None else (row[f"low_{name}"], row[f"high_{name}"])

    counts = {name: f"followed_{code}" for code, name in enumerate(event_types)}
    return {
        "shown": row["shown"],
        "clicked": row["clicked"],
        "followed": {name: row[column] for name, column in counts.items()},
        "click_interval": interval("clicked"),
        "intervals": {name: interval(column) for name, column in counts.items()},
    }
