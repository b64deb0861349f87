"""The service as it would have been at a moment: trained on the past only, with requests of its users."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Final

import numpy as np

from homefeed.catalog import CatalogView, Counters, Exposures, strengths
from homefeed.engine import build_feeds, counters_of, event_weights, fit_models, fit_signals, prepare, resources_of
from homefeed.evaluate.split import Case
from homefeed.funnel import Feed
from homefeed.privacy import apply_opt_out
from homefeed.protocols import Model
from homefeed.rank.blend import Blend
from homefeed.recipe import BLEND, Recipe
from homefeed.types import DAY, Floats, History, Interactions, Mask, Positions, Query, TrainingData, UserState

WEEK: Final = 7 * DAY


class WeekCounts:
    """How many events each item had in the seven days before a time that only moves on, and how many before it."""

    def __init__(self, interactions: Interactions, item_count: int) -> None:
        """`interactions` are in the order of time."""
        self._items, self._times = interactions.items, interactions.times
        self._start = self._stop = 0
        self.counts, self._ever = np.zeros(item_count, np.int64), np.zeros(item_count, np.int64)

    def advance(self, time: int) -> None:
        """Count the events before `time`."""
        start, stop = np.searchsorted(self._times, (time - WEEK, time)).tolist()
        new = self._items[self._stop : stop]
        np.add.at(self.counts, new, 1)
        np.add.at(self._ever, new, 1)
        np.subtract.at(self.counts, self._items[self._start : start], 1)
        self._start, self._stop = start, stop

    def best(self, eligible: Mask, count: int) -> Positions:
        """The most frequent eligible (items,) of the week, of equals the most frequent ever, then the newest."""
        known = np.flatnonzero(self._ever * eligible)
        order = np.lexsort((-known, -self._ever[known], -self.counts[known]))
        return known[order[:count]].astype(np.int32)


@dataclass(frozen=True, slots=True)
class Setting:
    """Feeds, models, counters and typical full values (items,) made from the events before a cutoff.

    `week` counts the events of the last seven days. With `repeats`, items of a user's history may be recommended
    again.
    """

    recipe: Recipe
    catalog: CatalogView
    feeds: Mapping[str, Feed]
    models: Mapping[str, Model]
    counters: Counters
    full: Floats
    week: WeekCounts
    repeats: bool = False

    def query(self, data: TrainingData, case: Case, n: int) -> Query:
        """A test user's request for a page of `n`, as it would have been made at the case's time.

        The items of the user's history are left out for every system, unless `repeats`. So are those created
        later, as in every feed.
        """
        history = self._weighed(case.seen(data.interactions))
        attributes = data.users[case.user] if data.users else {}
        had = history.items[:0] if self.repeats else history.items
        user = apply_opt_out(UserState(str(case.user), history, attributes), self.recipe)
        return Query(
            app=self.recipe.app,
            feed="",
            user=user,
            now=case.time,
            n=n,
            exclude=np.unique(had),
            place=self.recipe.users.place_of(user.attributes),
        )

    def _weighed(self, history: History) -> History:
        weights = event_weights(self.recipe)
        weighed = strengths(weights, history.types, history.values, self.full[history.items])
        return replace(history, strengths=weighed)


def set_up(
    recipe: Recipe,
    catalog: CatalogView,
    data: TrainingData,
    past: Interactions,
    cutoff: int,
    repeats: bool = False,
    week: WeekCounts | None = None,
    blend: Blend | None = None,
    rankers: Mapping[str, Model] = MappingProxyType({}),
    exposures: Exposures | None = None,
) -> Setting:
    """Fit on the past only, as of the cutoff: typical full values are also those of its events.

    The `week` is that before the cutoff, unless one is given. Feeds are blended as the `blend` says, and ranked by
    the learned `rankers`, where they have one; `exposures` are what was shown and chosen, nothing without any.
    """
    prepared = prepare(recipe, replace(data, interactions=past, now=cutoff))
    models: dict[str, Model] = fit_models(recipe, prepared.data)
    models |= rankers
    if blend is not None:
        models[BLEND] = blend
    signals = fit_signals(recipe, prepared, watermark=0)
    counters = counters_of(recipe, catalog, signals)
    feeds = build_feeds(recipe, resources_of(recipe, catalog, counters, models, exposures=exposures))
    if week is None:
        week = WeekCounts(past, catalog.size)
        week.advance(cutoff)
    return Setting(recipe, catalog, feeds, models, counters, prepared.full, week, repeats)
