"""What feeds showed in the last days and what followed, from the store: by feed, ranker and model version.

It is read from the latest `MOST_PAGES` impressions and the events of their time, whoever served them and however
often servers were restarted. Users who opted out are left out, and no id of a user or an item is in it.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from typing import Final, Literal

import orjson

from homefeed.dataset.followed import Tally, find_followed
from homefeed.dataset.log import Progress
from homefeed.dataset.measures import Group, Proposed, Series
from homefeed.dataset.overview_sums import Key, Summing
from homefeed.errors import InvalidError
from homefeed.privacy import opted_out
from homefeed.recipe import Recipe
from homefeed.store import Store
from homefeed.store.first_seen import first_seen
from homefeed.store.items import count_items
from homefeed.store.shown import earliest_of_latest, stream_served
from homefeed.store.users import list_users
from homefeed.times import LATEST
from homefeed.types import DAY, SECOND

MOST_DAYS: Final = 90
"""How many days an overview spans at most."""
MOST_PAGES: Final = 100_000
"""How many pages are read at most, the latest."""
HOURLY_DAYS: Final = 2
"""Up to how many days are told by the hour; more are told by the day."""
MOST_VERSIONS: Final = 10
"""How many versions of a model are told of each feed, those that first served last."""
MOST_CHANGES: Final = 200
"""How many changes are told, the latest."""

_HOUR: Final = 3_600 * SECOND
_USERS: Final = 20_000
_CLICK: Final = re.compile(r"(^|_)click$")


@dataclass(frozen=True, slots=True)
class Change:
    """When a ranker of a feed, or a version of a model, served for the first time; not what did from the start."""

    time: int
    kind: Literal["ranker", "model"]
    feed: str | None
    name: str
    version: str | None


@dataclass(frozen=True, slots=True)
class Overview:
    """What feeds showed, and what followed, from `since` to `until`.

    `read_from` is later than `since` where there were more pages than are read. A period is as long as `every`.
    `click_types` are the events that count as a click, `main_type` is the one that the app is for, None without
    any; `tally` says where the events went. `visits` are by whether users were new, `proposed` by retriever, and
    `catalogue_items` is how many items there are now that are not hidden.
    """

    app: str
    since: int
    until: int
    read_from: int
    every: Literal["hour", "day"]
    event_types: tuple[str, ...]
    click_types: tuple[str, ...]
    main_type: str | None
    catalogue_items: int
    total: Series | None
    feeds: tuple[Series, ...]
    rankers: tuple[Series, ...]
    versions: tuple[Series, ...]
    visits: tuple[Series, ...]
    proposed: tuple[Proposed, ...]
    changes: tuple[Change, ...]
    tally: Tally


def click_types(recipe: Recipe) -> tuple[str, ...]:
    """The event types that count as a click: those called `click` or `..._click`, else those of the goal."""
    about_items = [name for name, event in recipe.events.items() if event.about == "item"]
    named = tuple(name for name in about_items if _CLICK.search(name))
    return named or tuple(recipe.event_types[code] for code in recipe.goal_types)


def main_type(recipe: Recipe) -> str | None:
    """The event type that the app is for: of those of the goal the first of the largest weight."""
    names = [recipe.event_types[code] for code in recipe.goal_types]
    about_items = [name for name in names if recipe.events[name].about == "item"]
    return max(about_items, key=lambda name: recipe.events[name].weight, default=None)


async def read_overview(
    store: Store, recipe: Recipe, now: int, days: int, progress: Progress | None = None, most: int = MOST_PAGES
) -> Overview:
    """The overview of the last days, the present one included.

    It takes the processor for seconds where much was shown: not for a thread that answers requests. `progress` is
    called with (pages looked through, pages in all), twice over.

    Raises:
        InvalidError: there are no such days.
    """
    if not 1 <= days <= MOST_DAYS:
        raise InvalidError(f"days: expected 1 to {MOST_DAYS}, got {days}")
    width = _HOUR if days <= HOURLY_DAYS else DAY
    until = now - now % width + width
    since = until - days * DAY
    read_from = await earliest_of_latest(store, recipe.app, since, until, most)
    without = await _refusing(store, recipe)
    followed = await find_followed(store, recipe, read_from, until, progress, without=without, only_received=True)
    seen = await first_seen(store, recipe.app, read_from, until)
    summing = Summing(recipe, followed, click_types(recipe), since, width, without, seen)
    done = 0
    async for served in stream_served(store, recipe.app, read_from, until):
        summing.add(served)
        done += len(served.pages)
        if progress is not None:
            progress(min(done, followed.pages), followed.pages)
    size = await count_items(store, recipe.app)
    span = since, now, read_from
    return _overview(recipe, summing, span, "hour" if width == _HOUR else "day", followed.tally, size)


async def _refusing(store: Store, recipe: Recipe) -> frozenset[int]:
    """The numbers of the users who opted out."""
    if recipe.privacy is None:
        return frozenset()
    found: set[int] = set()
    last = 0
    while page := await list_users(store, recipe.app, last, _USERS, naming=recipe.privacy.field):
        found.update(user.number for user in page if opted_out(user.attributes, recipe))
        last = page[-1].number
    return frozenset(found)


def _overview(
    recipe: Recipe,
    summing: Summing,
    span: tuple[int, int, int],
    every: Literal["hour", "day"],
    tally: Tally,
    catalogue_items: int,
) -> Overview:
    since, now, read_from = span
    versions = _versions(summing)
    return Overview(
        app=recipe.app,
        since=since,
        until=now,
        read_from=read_from,
        every=every,
        event_types=summing.event_types,
        click_types=click_types(recipe),
        main_type=main_type(recipe),
        catalogue_items=catalogue_items,
        total=next(iter(summing.series(lambda _key: [Group()])), None),
        feeds=summing.series(lambda key: [Group(key.feed)]),
        rankers=summing.series(lambda key: [Group(key.feed, key.ranker)]),
        versions=summing.series(lambda key: [group for group in _versions_of(key) if group in versions]),
        visits=summing.series(lambda key: [Group(visit=key.visit), Group(key.feed, visit=key.visit)]),
        proposed=summing.proposed(),
        changes=_changes(summing),
        tally=tally,
    )


def _versions_of(key: Key) -> list[Group]:
    """The versions of models that answered; of what is damaged none."""
    try:
        models = orjson.loads(key.models)
    except orjson.JSONDecodeError:
        return []
    return (
        [Group(key.feed, None, name, str(version)) for name, version in models.items()]
        if isinstance(models, dict)
        else []
    )


def _versions(summing: Summing) -> frozenset[Group]:
    """The versions to tell of: of each feed and model those that first served last."""
    first = _first(summing, _versions_of)
    kept: dict[tuple[str | None, str | None], list[Group]] = {}
    for group in sorted(first, key=lambda group: -first[group]):
        of_model = kept.setdefault((group.feed, group.model), [])
        if len(of_model) < MOST_VERSIONS:
            of_model.append(group)
    return frozenset(group for groups in kept.values() for group in groups)


def _changes(summing: Summing) -> tuple[Change, ...]:
    """The first times of rankers and versions, without the first of a feed or model: it may have served before."""
    rankers = _first(summing, lambda key: [Group(key.feed, key.ranker, key.answered_by)])
    versions = _first(summing, lambda key: [replace(group, feed=None) for group in _versions_of(key)])
    found: list[Change] = []
    for first in (rankers, versions):
        known: set[tuple[str | None, str | None]] = set()
        for group in sorted(first, key=lambda group: first[group]):
            if (group.feed, group.model) in known:
                kind: Literal["ranker", "model"] = "model" if group.ranker is None else "ranker"
                name = group.ranker or group.model or ""
                found.append(Change(first[group], kind, group.feed, name, group.version))
            known.add((group.feed, group.model))
    return tuple(sorted(found, key=lambda change: change.time)[-MOST_CHANGES:])


def _first(summing: Summing, groups_of: Callable[[Key], Iterable[Group]]) -> dict[Group, int]:
    """When each group served for the first time."""
    first: dict[Group, int] = {}
    for key, code in summing.keys.items():
        for group in groups_of(key):
            first[group] = min(first.get(group, LATEST), summing.first[code])
    return first
