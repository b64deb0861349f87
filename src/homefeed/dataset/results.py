"""What happened online, as rows: by feed, retriever, ranker, model version, day, or whether users were new."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Final, Literal, TypeAlias, get_args

from homefeed.dataset.measures import Measures, Rates, Series
from homefeed.dataset.overview import Change, Overview
from homefeed.errors import InvalidError
from homefeed.times import format_time

By: TypeAlias = Literal["feed", "retriever", "ranker", "version", "day", "users"]
WAYS: Final[tuple[By, ...]] = get_args(By)


@dataclass(frozen=True, slots=True)
class Row:
    """What was shown of something, and what followed; `labels` say of what, by name.

    `pages`, `users` and `items`, how many different ones were shown, are None of retrievers; `alone`, how many no
    other retriever had proposed, of all else. `changed` is what served for the first time.
    """

    labels: Mapping[str, str]
    rates: Rates
    pages: int | None = None
    users: int | None = None
    items: int | None = None
    alone: int | None = None
    changed: tuple[str, ...] = ()


def results_by(overview: Overview, by: By, feed: str | None = None) -> list[Row]:
    """The rows of an overview, of one feed or of all.

    Raises:
        InvalidError: nothing of the feed was shown.
    """
    shown = [series.group.feed for series in overview.feeds]
    if feed is not None and feed not in shown:
        known = ", ".join(name for name in shown if name) or "none"
        raise InvalidError(f"feed: nothing of {feed} was shown in this time; the feeds that were: {known}")
    if by == "retriever":
        return [
            Row(_labels(feed=one.feed, retriever=one.retriever), one.rates, alone=one.alone)
            for one in overview.proposed
            if one.feed == feed
        ]
    if by == "day":
        return _by_day(overview, feed)
    return list(_by_group(overview, by, feed))


def _by_group(overview: Overview, by: By, feed: str | None) -> Iterable[Row]:
    found: Mapping[By, tuple[tuple[Series, ...], Callable[[Series], Mapping[str, str]]]] = {
        "feed": (overview.feeds, lambda one: _labels(feed=one.group.feed)),
        "ranker": (overview.rankers, lambda one: _labels(feed=one.group.feed, ranker=one.group.ranker)),
        "version": (overview.versions, _version),
        "users": (overview.visits, lambda one: _labels(feed=one.group.feed, users=one.group.visit)),
    }
    served_since = _firsts(overview)
    series, labels = found[by]
    for one in series:
        # Of new and returning users there is what all feeds showed, too: one row counts no page of another.
        if (one.group.feed == feed) if by == "users" else (feed in (None, one.group.feed)):
            named = labels(one)
            since = served_since.get(_first_key(named, by))
            changed = () if since is None else (f"since {format_time(since)}",)
            yield _row(named, one.total, changed)


def _by_day(overview: Overview, feed: str | None) -> list[Row]:
    whole = overview.total if feed is None else next(one for one in overview.feeds if one.group.feed == feed)
    periods = () if whole is None else whole.periods
    starts = [one.start for one in periods]
    changes = [change for change in overview.changes if change.feed in (None, feed) or feed is None]
    rows = []
    for number, one in enumerate(periods):
        end = starts[number + 1] if number + 1 < len(starts) else overview.until + 1
        changed = tuple(described(change) for change in changes if one.start <= change.time < end)
        rows.append(_row({overview.every: format_time(one.start)}, one.measures, changed))
    return rows


def described(change: Change) -> str:
    """What served for the first time, in words."""
    of_feed = f" of {change.feed}" if change.feed else ""
    return f"{change.kind} {change.name}{of_feed} {change.version or ''}".rstrip()


def _row(labels: Mapping[str, str], total: Measures, changed: tuple[str, ...]) -> Row:
    return Row(labels, total, total.pages, total.users, total.distinct_items, changed=changed)


def _firsts(overview: Overview) -> dict[tuple[str | None, str], int]:
    """When what is new served for the first time, by feed and name."""
    return {(one.feed, f"{one.name} {one.version or ''}".rstrip()): one.time for one in overview.changes}


def _first_key(labels: Mapping[str, str], by: By) -> tuple[str | None, str]:
    if by == "version":
        return None, f"{labels['model']} {labels['version']}"
    return labels["feed"], labels["ranker"] if by == "ranker" else ""


def _version(one: Series) -> Mapping[str, str]:
    return _labels(feed=one.group.feed, model=one.group.model, version=one.group.version)


def _labels(**labels: str | None) -> dict[str, str]:
    return {name: value or ("all" if name == "feed" else "not known") for name, value in labels.items()}
