"""Tunes the hyper-parameters of an app's models on the latest part of its own events."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import asdict, dataclass, replace
from typing import Any, Final, TypeAlias

import numpy as np
from threadpoolctl import threadpool_limits

from homefeed.catalog import CatalogView
from homefeed.errors import HomefeedError
from homefeed.evaluate.blending import blending_feeds
from homefeed.evaluate.bootstrap import by_user
from homefeed.evaluate.metrics import MEASURES, PerUser, judge
from homefeed.evaluate.protocol import Protocol
from homefeed.evaluate.setting import set_up
from homefeed.evaluate.split import Case, Split, assert_no_leak
from homefeed.funnel import rank
from homefeed.protocols import NamesModel, PartConfig, Range, Tunable
from homefeed.recipe import FeedRecipe, PartSpec, Recipe, find_part
from homefeed.train.search import Budget, Searched, Values, search
from homefeed.types import TrainingData

Progress: TypeAlias = Callable[[str, int, int], None]

_CUTOFF: Final = 0.9
_DEPTH: Final = 20
_MIN_USERS: Final = 20


@dataclass(frozen=True, slots=True)
class Tuning:
    """The values for a model: the fields that differ from the recipe, and how they were found."""

    model: str
    changed: Mapping[str, Any]
    facts: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class _Served:
    """A model of the recipe that can be tuned, and the retriever and feed that judge it."""

    spec: PartSpec
    feed: FeedRecipe
    retriever: PartSpec


def tune(
    recipe: Recipe,
    catalog: CatalogView,
    data: TrainingData,
    budget: Budget,
    progress: Progress,
    *,
    blend: bool = False,
) -> tuple[Tuning, ...]:
    """Choose the values of every model that can be tuned and that a retriever serves; they share the seconds.

    The validation part is the last tenth of the events: requests as `homefeed evaluate` makes them while its clock
    runs. Each trial is fitted to the events before it and judged by the goal's measure of its retriever alone,
    under the feed's filters, user by user. A later evaluation on the same events is thus tuned on its own test
    part: evaluate the recipe with the values of an earlier tuning, or on newer events. That no model can be tuned
    is no error where a `blend` is to be, and there are feeds for one.

    Raises:
        HomefeedError: nothing can be tuned, or too few users have events on both sides of the cutoff.
    """
    served = _served(recipe)
    if not served:
        if blend and blending_feeds(recipe):
            return ()
        raise HomefeedError(f"{recipe.app}: no model of its feeds has values to tune; train without --tune")
    protocol = Protocol(cutoff_share=_CUTOFF, max_requests=1_000, seed=data.seed)
    goal = np.array(recipe.goal_types, np.int32)
    split = protocol.divide(data.interactions, goal) if len(data.interactions) else None
    cases = [] if split is None else [case for case in protocol.drawn(split) if len(case.history)]
    users = len({case.user for case in cases})
    if split is None or users < _MIN_USERS:
        raise HomefeedError(
            f"{recipe.app}: {users} users can be judged on, tuning needs {_MIN_USERS} who had events before and "
            "came to something new in the last tenth of all; train without --tune until there are more"
        )
    assert_no_leak(split, data.interactions)
    share = replace(budget, seconds=budget.seconds / len(served))
    return tuple(_tuned(recipe, catalog, data, one, split, cases, share, progress) for one in served)


def _served(recipe: Recipe) -> list[_Served]:
    """The tunable models, each with the first retriever that serves it in a feed for users."""
    found: dict[str, _Served] = {}
    models = {spec.name: spec for spec in recipe.models}
    for feed in recipe.feeds.values():
        for retriever in () if feed.settings.anchored else feed.retrieve:
            name = retriever.config.model if isinstance(retriever.config, NamesModel) else None
            if (
                name in models
                and name not in found
                and isinstance(find_part("trainer", models[name].part), Tunable)
            ):
                found[name] = _Served(models[name], feed, retriever)
    return list(found.values())


def _tuned(
    recipe: Recipe,
    catalog: CatalogView,
    data: TrainingData,
    served: _Served,
    split: Split,
    cases: list[Case],
    budget: Budget,
    progress: Progress,
) -> Tuning:
    spec, stage = served.spec, f"tuning {served.spec.name}"
    space = find_part("trainer", spec.part).SPACE
    start = {name: float(getattr(spec.config, name)) for name in space}
    alone = _alone(recipe, served)
    targets, users = [case.targets for case in cases], np.array([case.user for case in cases])
    measure, depth = recipe.goal.metric.split("@")

    def judged(values: Values) -> PerUser:
        model = replace(spec, config=_changed(spec, _rounded(space, values)))
        setting = set_up(replace(alone, models=(model,)), catalog, data, split.train, split.cutoff)
        feed, name = setting.feeds[served.feed.name], served.retriever.name
        with threadpool_limits(1, "blas"):  # as the server does
            ranked = [rank(feed, setting.query(data, case, _DEPTH)).proposals[name][0] for case in cases]
        sums, requests = by_user(MEASURES[measure](judge(ranked, targets), int(depth))[:, None], users)
        return np.asarray(sums[:, 0] / requests)

    seconds = max(int(budget.seconds), 1)
    progress(stage, 0, seconds)
    found = search(space, start, judged, budget, data.seed, lambda used, _: progress(stage, int(used), seconds))
    progress(stage, seconds, seconds)
    chosen = _rounded(space, found.best) if found.taken else {}
    differing = {name: value for name, value in chosen.items() if value != getattr(spec.config, name)}
    return Tuning(
        spec.name, differing, _facts(recipe, spec, found, len(np.unique(users)), split.cutoff, differing)
    )


def _alone(recipe: Recipe, served: _Served) -> Recipe:
    """The recipe with only one retriever in one feed, under that feed's filters."""
    name = served.retriever.name
    ranker = PartSpec("weighted", "weighted", find_part("rank", "weighted").Config(weights={name: 1.0}))
    settings = served.feed.settings.model_copy(update={"cold_start": None})
    feed = replace(
        served.feed, settings=settings, retrieve=(served.retriever,), features=(), rank=ranker, rerank=()
    )
    return replace(recipe, feeds={feed.name: feed})


def with_tuned(recipe: Recipe, tunings: Iterable[Tuning]) -> Recipe:
    """The recipe with the tuned values in place of its own."""
    chosen = {tuning.model: tuning.changed for tuning in tunings}
    models = (replace(spec, config=_changed(spec, chosen.get(spec.name, {}))) for spec in recipe.models)
    return replace(recipe, models=tuple(models))


def _changed(spec: PartSpec, values: Mapping[str, Any]) -> PartConfig:
    """The model's config with these values, checked as a recipe's would be."""
    return type(spec.config).model_validate(spec.config.model_dump() | dict(values))


def _rounded(space: Mapping[str, Range], values: Values) -> dict[str, float]:
    """Values rounded so they can be written into a recipe."""
    return {name: int(value) if space[name].whole else float(f"{value:.4g}") for name, value in values.items()}


def _facts(
    recipe: Recipe, spec: PartSpec, found: Searched, users: int, cutoff: int, differing: Mapping[str, Any]
) -> dict[str, Any]:
    return {
        "metric": recipe.goal.metric,
        "validation_users": users,
        "cutoff": cutoff,
        "recipe": spec.config.model_dump(),
        "changed": dict(differing),
        **{name: value for name, value in asdict(found).items() if name != "best"},
    }
