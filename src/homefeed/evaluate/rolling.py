"""The service that answers an evaluation's requests: one that stands still, or one whose clock runs."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from types import MappingProxyType
from typing import Final, Protocol

import numpy as np

from homefeed.catalog import CatalogView, Exposures, strengths
from homefeed.catalog.exposing import advanced, settled_at
from homefeed.catalog.exposures import Choices, Showings
from homefeed.engine import event_weights, refresh
from homefeed.evaluate.setting import Setting, WeekCounts, set_up
from homefeed.evaluate.split import Split
from homefeed.funnel import Feed
from homefeed.protocols import Model
from homefeed.rank.blend import Blend
from homefeed.recipe import BLEND, EXPOSURES, SIGNALS, Recipe
from homefeed.types import Times, TrainingData

Progress = Callable[[str, int, int], None]

MAX_TRAININGS: Final = 10
"""How often models are trained at most, unless the protocol says otherwise."""


class Service(Protocol):
    """Gives the app's service as it is at a request; requests come in an order of the caller's."""

    def at(self, time: int) -> Setting:
        """The app at the time of a request."""
        ...


class FrozenService:
    """A service that stands still at the cutoff, whenever its requests come."""

    def __init__(
        self,
        recipe: Recipe,
        catalog: CatalogView,
        data: TrainingData,
        split: Split,
        progress: Progress,
        blend: Blend | None = None,
        rankers: Mapping[str, Model] = MappingProxyType({}),
    ) -> None:
        progress("training", 0, 1)
        self._setting = set_up(
            recipe, catalog, data, split.train, split.cutoff, split.repeats, None, blend, rankers
        )
        progress("training", 1, 1)

    def at(self, time: int) -> Setting:  # noqa: ARG002
        """As of the cutoff."""
        return self._setting


class RollingService:
    """A service whose clock runs: its requests come in the order of time.

    At each request counters have all earlier events, models are those of the latest of the trainings `due`, and
    neither has anything later. `data` holds the events in the order of time, of which each is read when its time
    has come. Only the `feeds` named, and those that stand in for them at cold starts, are kept up to date. Of
    what was shown, the `showings` in the order of time, exposures have as much as a server would have counted.
    """

    def __init__(
        self,
        recipe: Recipe,
        catalog: CatalogView,
        data: TrainingData,
        due: Times,
        repeats: bool,
        feeds: Iterable[str],
        progress: Progress,
        blend: Blend | None = None,
        rankers: Mapping[str, Model] = MappingProxyType({}),
        showings: Showings | None = None,
    ) -> None:
        self._blend, self._rankers = blend, rankers
        self._exposures, self._showings, self._chosen = Exposures(), showings, 0
        self._recipe, self._catalog, self._data, self._due, self._repeats = recipe, catalog, data, due, repeats
        self._feeds, self._progress = frozenset(feeds), progress
        self._weights = event_weights(recipe)
        self._week = WeekCounts(data.interactions, catalog.size)
        self._trained = -1
        self._counted = self._latest = 0
        self._setting: Setting | None = None

    def at(self, time: int) -> Setting:
        """The service at a time, which is none before that of an earlier call.

        Raises:
            ValueError: it is, and counters would hold what came later; or it is before the first training.
        """
        if time < self._latest:
            raise ValueError(f"the clock runs one way: asked for {time} after {self._latest}")
        if time < self._due[0]:
            raise ValueError(f"nothing is trained yet at {time}, the first training is at {self._due[0]}")
        self._latest = time
        latest = int(np.searchsorted(self._due, time, side="right")) - 1
        if self._setting is None or latest > self._trained:
            self._setting = self._train(latest)
        if self._count(self._setting, time) | self._expose(time):
            refresh(self._kept(self._setting))
        self._week.advance(time)
        return self._setting

    def _train(self, latest: int) -> Setting:
        self._progress("training", latest, len(self._due))
        self._trained, moment = latest, int(self._due[latest])
        self._counted = int(np.searchsorted(self._data.interactions.times, moment))
        past = self._data.interactions.take(slice(0, self._counted))
        setting = set_up(
            self._recipe,
            self._catalog,
            self._data,
            past,
            moment,
            self._repeats,
            self._week,
            self._blend,
            self._rankers,
            self._exposures,
        )
        self._progress("training", latest + 1, len(self._due))
        return setting

    def _kept(self, setting: Setting) -> dict[str, Feed]:
        feeds = {name: setting.feeds[name] for name in self._feeds}
        standing_in = [feed.cold_start for feed in feeds.values() if feed.cold_start is not None]
        return feeds | {feed.name: feed for feed in standing_in}

    def _count(self, setting: Setting, time: int) -> bool:
        """Add the events before `time` to the counters; whether there were any."""
        until = int(np.searchsorted(self._data.interactions.times, time))
        if until <= self._counted:
            return False
        events = self._data.interactions.take(slice(self._counted, until))
        self._counted = until
        strength = strengths(self._weights, events.types, events.values, setting.counters.full[events.items])
        users = self._data.numbers_of_users(events.users)
        weights = self._weights.weight[events.types]
        setting.counters.add(users, events.items, strength, events.times, weights)
        for name in self._recipe.signals.distinct:
            told = events.types == self._recipe.event_types.index(name)
            setting.counters.add_distinct(name, users[told], self._catalog.numbers[events.items[told]])
        return True

    def _expose(self, time: int) -> bool:
        """Count what was shown and chosen as a server would have by then; whether there was anything new."""
        until, model = settled_at(time), self._exposures.model
        if self._showings is None or until <= model.until:
            return False
        last = int(np.searchsorted(self._showings.times, until))
        showings, self._showings = self._showings.take(slice(0, last)), self._showings.take(slice(last, None))
        events = self._data.interactions.take(slice(self._chosen, self._counted))
        self._chosen = self._counted
        events = events.take(np.isin(events.types, self._recipe.goal_types))
        users, items = self._data.numbers_of_users(events.users), self._catalog.numbers[events.items]
        window = self._recipe.impressions.window_length
        choices = Choices(events.times, users, items)
        self._exposures.model = advanced(model, showings, choices, until, window)
        return True


def service_of(
    recipe: Recipe,
    catalog: CatalogView,
    data: TrainingData,
    split: Split,
    due: Times,
    feeds: Iterable[str],
    progress: Progress,
    blend: Blend | None = None,
    rankers: Mapping[str, Model] = MappingProxyType({}),
) -> Service:
    """The service that a split's requests to `feeds` are for; `due` is when that of a rolling split is trained."""
    if split.kind == "rolling":
        return RollingService(recipe, catalog, data, due, split.repeats, feeds, progress, blend, rankers)
    return FrozenService(recipe, catalog, data, split, progress, blend, rankers)


def trainings_due(cutoff: int, requests: Times, period: int | None, max_trainings: int) -> Times:
    """When models are trained: at the `cutoff`, and every `period` after it, where requests follow before the
    next time.

    Of more than `max_trainings` as many are kept, at equal distances, the first always. Without a period it is at
    the cutoff only.
    """
    if period is None:
        return np.array([cutoff], np.int64)
    moments = np.unique(cutoff + (requests - cutoff) // period * period)
    count = min(max_trainings, len(moments))
    return np.asarray(moments[np.arange(count) * len(moments) // count], np.int64)


def training_period(recipe: Recipe) -> int:
    """How often the recipe's jobs train models, in microseconds: the most frequent of those that train any.

    The signals, the blend and learned rankers are none.
    """
    others = {SIGNALS, EXPOSURES, BLEND, *(spec.name for spec in recipe.rankers.values())}
    jobs: Sequence[int] = [job.period for job in recipe.jobs.values() if set(job.models) - others]
    return min(jobs or [job.period for job in recipe.jobs.values()])
