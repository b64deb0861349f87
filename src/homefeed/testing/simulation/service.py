"""The house in memory, without a store: catalogue, log, counters, models and feeds."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from homefeed.catalog import strengths
from homefeed.engine import (
    build_feeds,
    counters_of,
    empty_catalog,
    event_weights,
    fit_models,
    fit_signals,
    prepare,
    refresh,
    resources_of,
)
from homefeed.funnel import Feed
from homefeed.protocols import Model
from homefeed.recipe import Recipe
from homefeed.types import (
    NO_HISTORY,
    Codes,
    Floats,
    History,
    Interactions,
    Item,
    Positions,
    Query,
    TrainingData,
    UserState,
)


class Service:
    """Feeds that answer by what was told so far; models are those of the last training.

    Items are at the position of their number. Users are numbers from 0; of all events only the choices of one type
    are told, the first that serves the recipe's goal.
    """

    def __init__(self, recipe: Recipe, items: tuple[Item, ...], users: int, seed: int = 0) -> None:
        self.recipe, self._user_count, self._seed = recipe, users, seed
        self.catalog = empty_catalog(recipe)
        self.catalog.apply(items)
        self.event_type = recipe.event_types[recipe.goal_types[0]]
        self._type = recipe.goal_types[0]
        self._log: list[tuple[int, int, int]] = []
        self._histories: dict[int, History] = {}
        self.feeds: Mapping[str, Feed] = {}

    def tell(self, user: int, items: Positions, time: int) -> None:
        """A user chose items (n,): counters and history have it at once."""
        if not len(items):
            return
        self._log += [(user, item, time) for item in items.tolist()]
        users, times = np.full(len(items), user, np.int32), np.full(len(items), time, np.int64)
        types, values, strength = self._events(items)
        new = History(items, types, values, strength, times)
        old = self._histories.get(user, NO_HISTORY)
        columns = ("items", "types", "values", "strengths", "times")
        self._histories[user] = History(
            *(np.concatenate([getattr(old, name), getattr(new, name)]) for name in columns)
        )
        if self.feeds:
            self._counters.add(users, items, strength, times)

    def train(self, now: int, rankers: Mapping[str, Model]) -> None:
        """Fit the recipe's models to all that was told, and build the feeds with them and learned `rankers`."""
        catalog, recipe = self.catalog, self.recipe
        numbers, terms = catalog.numbers.copy(), catalog.all_terms()
        data = TrainingData(self._interactions(), self._user_count, numbers, terms, now, self._seed)
        prepared = prepare(recipe, data)
        self._counters = counters_of(recipe, catalog, fit_signals(recipe, prepared, watermark=len(self._log)))
        models = fit_models(recipe, prepared.data)
        self.feeds = build_feeds(recipe, resources_of(recipe, catalog, self._counters, models | dict(rankers)))

    def catch_up(self) -> None:
        """Have parts that keep something computed take over what was told since."""
        refresh(self.feeds)

    def query(self, feed: str, user: int, now: int, n: int) -> Query:
        """A user's request."""
        state = UserState(f"u{user}", self._histories.get(user, NO_HISTORY))
        return Query(app=self.recipe.app, feed=feed, user=state, now=now, n=n)

    def met(self, user: int) -> Positions:
        """What a user chose."""
        return self._histories.get(user, NO_HISTORY).items

    def _interactions(self) -> Interactions:
        """All that was told, in the order of time."""
        log = np.array(sorted(self._log, key=lambda row: row[2]), np.int64).reshape(-1, 3)
        items = log[:, 1].astype(np.int32)
        return Interactions(log[:, 0].astype(np.int32), items, *self._events(items), log[:, 2])

    def _events(self, items: Positions) -> tuple[Codes, Floats, Floats]:
        """The types, values and strengths of choices of items."""
        types, values = np.full(len(items), self._type, np.int32), np.full(len(items), np.nan, np.float32)
        full = np.full(len(items), self.recipe.signals.full_default, np.float32)
        return types, values, strengths(event_weights(self.recipe), types, values, full)
