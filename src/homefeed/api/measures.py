"""What was shown and what followed, as bodies of the API."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from pydantic import BaseModel

from homefeed.dataset.intervals import Interval
from homefeed.dataset.measures import Measures, Proposed, Rates, Series, Visit
from homefeed.times import format_time


class RatesOut(BaseModel):
    """How many items were shown, and what share of them was followed by what; of nothing there is no rate.

    `rates` are by event type the shares of the items shown that one or more such events followed, and
    `click_through_rate` that of those which an event of `click_types` did. `intervals` hold what each rate would
    be among very many users, in 95 of 100 cases: as users are drawn and not showings, they are null where fewer
    than two were shown anything.
    """

    items_shown: int
    items_clicked: int
    click_through_rate: float | None
    click_through_interval: Interval | None
    items_followed: dict[str, int]
    rates: dict[str, float]
    intervals: dict[str, Interval | None]


class MeasuresOut(RatesOut):
    """What was shown, without what was shown again a moment later, and what followed.

    `coverage` is the share of the known users who had a personal answer, of feeds that another answers for new
    users, and `personal_pages` that of the pages. `mean_score` is that of the items shown, `distinct_items` how
    many different ones they were, and `catalogue_share` what share of the items that are not hidden.
    """

    pages: int
    time_spent_seconds: float
    mean_score: float | None
    distinct_items: int
    catalogue_share: float | None
    users: int
    coverage: float | None
    personal_pages: float | None


class PeriodOut(MeasuresOut):
    """What was measured in an hour or a day from `start` on."""

    start: str


class SeriesOut(BaseModel):
    """What was measured of a feed, null for all; of what a `ranker`, or a `version` of a `model`, answered of it.

    `visit` is whether users were new: on the day, in UTC, of their first event or page. `first_served` and
    `last_served` are of the time of the overview. `scores` count the scores of the items shown: up to each of
    `score_bounds`, and beyond the last.
    """

    feed: str | None
    ranker: str | None
    model: str | None
    version: str | None
    visit: Visit | None
    first_served: str
    last_served: str
    total: MeasuresOut
    periods: list[PeriodOut]
    scores: list[int]


class ProposedOut(RatesOut):
    """What became of the items shown that a retriever had proposed, of a feed or, where it is null, of all.

    What several proposed counts for each of them; `items_alone` no other had proposed.
    """

    feed: str | None
    retriever: str
    items_alone: int


def _rates(found: Rates) -> dict[str, Any]:
    shown = found.shown
    return {
        "items_shown": shown,
        "items_clicked": found.clicked,
        "click_through_rate": _share(found.clicked, shown),
        "click_through_interval": found.click_interval,
        "items_followed": found.followed,
        "rates": {name: count / shown for name, count in found.followed.items()} if shown else {},
        "intervals": found.intervals if shown else {},
    }


def _measures(found: Measures, catalogue_items: int) -> dict[str, Any]:
    return {
        **_rates(found),
        "pages": found.pages,
        "time_spent_seconds": found.time_spent_seconds,
        "mean_score": found.mean_score,
        "distinct_items": found.distinct_items,
        # What was shown may have been hidden or deleted since.
        "catalogue_share": _share(min(found.distinct_items, catalogue_items), catalogue_items),
        "users": found.users,
        "coverage": _share(found.personal_users, found.open_users),
        "personal_pages": _share(found.personal_pages, found.open_pages),
    }


def _share(part: int, whole: int) -> float | None:
    return part / whole if whole else None


def series_out(found: Series, catalogue_items: int) -> SeriesOut:
    """The body of a series."""
    periods = [(format_time(one.start), _measures(one.measures, catalogue_items)) for one in found.periods]
    return SeriesOut(
        **asdict(found.group),
        first_served=format_time(found.first),
        last_served=format_time(found.last),
        total=MeasuresOut(**_measures(found.total, catalogue_items)),
        periods=[PeriodOut(start=start, **measures) for start, measures in periods],
        scores=list(found.scores),
    )


def proposed_out(found: Proposed) -> ProposedOut:
    """The body of what a retriever had proposed."""
    return ProposedOut(feed=found.feed, retriever=found.retriever, items_alone=found.alone, **_rates(found.rates))
