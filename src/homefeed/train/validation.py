"""The part of an app's events that tuning judges by: requests of the latest tenth, as the clock runs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

import numpy as np

from homefeed.blas import one_thread
from homefeed.catalog import CatalogView
from homefeed.evaluate.bootstrap import by_user
from homefeed.evaluate.metrics import MEASURES, PerUser, judge
from homefeed.evaluate.protocol import Protocol
from homefeed.evaluate.setting import Setting, set_up
from homefeed.evaluate.split import Case, Split, assert_no_leak
from homefeed.funnel import Feed, rank
from homefeed.protocols import Range
from homefeed.recipe import FeedRecipe, PartSpec, Recipe, find_part
from homefeed.train.search import Values
from homefeed.types import Codes, TrainingData

MIN_USERS: Final = 20
"""How many users there must be to judge by."""
_CUTOFF: Final = 0.9
_DEPTH: Final = 20


@dataclass(frozen=True, slots=True)
class Validation:
    """Requests of users with a history, on the events after the split's cutoff, and the goal's measure."""

    data: TrainingData
    split: Split
    cases: Sequence[Case]
    metric: str

    @property
    def users(self) -> Codes:
        """(requests,) whose each is."""
        return np.array([case.user for case in self.cases], np.int32)

    @property
    def user_count(self) -> int:
        """How many users make the requests."""
        return len({case.user for case in self.cases})

    def set_up(self, recipe: Recipe, catalog: CatalogView) -> Setting:
        """The app as of the cutoff: its models are fitted to the events before."""
        return set_up(recipe, catalog, self.data, self.split.train, self.split.cutoff)

    def judged(self, setting: Setting, feed: Feed, retriever: str) -> PerUser:
        """(users,) the mean of the goal's measure of what a retriever of the feed proposes alone."""
        measure, depth = self.metric.split("@")
        with one_thread():  # as the server does
            queries = (setting.query(self.data, case, _DEPTH) for case in self.cases)
            ranked = [rank(feed, query).proposals[retriever][0] for query in queries]
        values = MEASURES[measure](judge(ranked, [case.targets for case in self.cases]), int(depth))
        sums, requests = by_user(values[:, None], self.users)
        return np.asarray(sums[:, 0] / requests)


def validation_of(recipe: Recipe, data: TrainingData) -> Validation | None:
    """The validation part of an app; None without events."""
    if not len(data.interactions):
        return None
    protocol = Protocol(cutoff_share=_CUTOFF, max_requests=1_000, latest=True, seed=data.seed)
    split = protocol.divide(data.interactions, np.array(recipe.goal_types, np.int32))
    assert_no_leak(split, data.interactions)
    cases = [case for case in protocol.drawn(split) if len(case.history)]
    return Validation(data, split, cases, recipe.goal.metric)


def alone(feed: FeedRecipe, retrievers: Sequence[PartSpec]) -> FeedRecipe:
    """The feed with only these retrievers, under its filters."""
    weights = {spec.name: 1.0 for spec in retrievers}
    ranker = PartSpec("weighted", "weighted", find_part("rank", "weighted").Config(weights=weights))
    settings = feed.settings.model_copy(update={"cold_start": None})
    return replace(feed, settings=settings, retrieve=tuple(retrievers), features=(), rank=ranker, rerank=())


def rounded(space: Mapping[str, Range], values: Values) -> dict[str, float]:
    """Values rounded so they can be written into a recipe."""
    return {name: int(value) if space[name].whole else float(f"{value:.4g}") for name, value in values.items()}
