"""Tunes the hyper-parameters of an app's models on the latest part of its own events."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import asdict, dataclass, replace
from typing import Any, Final, TypeAlias

from threadpoolctl import threadpool_limits

from homefeed.catalog import CatalogView
from homefeed.errors import HomefeedError
from homefeed.evaluate.blending import blending_feeds
from homefeed.evaluate.metrics import PerUser, judge, ndcg
from homefeed.evaluate.protocol import Protocol
from homefeed.evaluate.setting import set_up
from homefeed.evaluate.split import Case, Split, assert_no_leak
from homefeed.funnel import rank
from homefeed.protocols import NamesModel, PartConfig, Range, Tunable
from homefeed.recipe import FeedRecipe, PartSpec, Recipe, find_part
from homefeed.train.search import Budget, Searched, Values, search
from homefeed.types import TrainingData

Progress: TypeAlias = Callable[[str, int, int], None]

METRIC: Final = "ndcg@20"
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

    The validation part is the last fifth of the events, split as `homefeed evaluate` splits by time; each trial
    is fitted to the events before it and judged by the NDCG@20 of its retriever alone, under the feed's filters.
    A later evaluation on the same events is thus tuned on its own test part: evaluate the recipe with the values
    of an earlier tuning, or on newer events. That no model can be tuned is no error where a `blend` is to be, and
    there are feeds for one.

    Raises:
        HomefeedError: nothing can be tuned, or too few users have events on both sides of the cutoff.
    """
    served = _served(recipe)
    if not served:
        if blend and blending_feeds(recipe):
            return ()
        raise HomefeedError(f"{recipe.app}: no model of its feeds has values to tune; train without --tune")
    protocol = Protocol("time", max_requests=1_000, seed=data.seed)
    split = protocol.divide(data.interactions) if len(data.interactions) else None
    cases = protocol.drawn(split) if split is not None else []
    if split is None or len(cases) < _MIN_USERS:
        raise HomefeedError(
            f"{recipe.app}: {len(cases)} users can be judged on, tuning needs {_MIN_USERS} with events before "
            "and after the last fifth began; train without --tune until there are more"
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
    targets = [case.targets for case in cases]

    def judged(values: Values) -> PerUser:
        model = replace(spec, config=_changed(spec, _rounded(space, values)))
        setting = set_up(replace(alone, models=(model,)), catalog, data, split.train, split.cutoff)
        feed, name = setting.feeds[served.feed.name], served.retriever.name
        with threadpool_limits(1, "blas"):  # as the server does
            ranked = [rank(feed, setting.query(data, case, _DEPTH)).proposals[name][0] for case in cases]
        return ndcg(judge([positions[:_DEPTH] for positions in ranked], targets), _DEPTH)

    seconds = max(int(budget.seconds), 1)
    progress(stage, 0, seconds)
    found = search(space, start, judged, budget, data.seed, lambda used, _: progress(stage, int(used), seconds))
    progress(stage, seconds, seconds)
    chosen = _rounded(space, found.best) if found.taken else {}
    differing = {name: value for name, value in chosen.items() if value != getattr(spec.config, name)}
    return Tuning(spec.name, differing, _facts(spec, found, len(cases), split.cutoff, differing))


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
    spec: PartSpec, found: Searched, users: int, cutoff: int, differing: Mapping[str, Any]
) -> dict[str, Any]:
    return {
        "metric": METRIC,
        "validation_users": users,
        "cutoff": cutoff,
        "recipe": spec.config.model_dump(),
        "changed": dict(differing),
        **{name: value for name, value in asdict(found).items() if name != "best"},
    }
