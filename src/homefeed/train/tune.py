"""Tunes the hyper-parameters of an app's models on the latest part of its own events."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import asdict, dataclass, replace
from typing import Any, TypeAlias

from homefeed.catalog import CatalogView
from homefeed.engine.blending import with_values
from homefeed.errors import HomefeedError
from homefeed.evaluate.blending import blending_feeds
from homefeed.evaluate.metrics import PerUser
from homefeed.protocols import NamesModel, Tunable
from homefeed.recipe import FeedRecipe, PartSpec, Recipe, find_part
from homefeed.train.search import Budget, Searched, Values, search
from homefeed.train.validation import MIN_USERS, Validation, alone, rounded, validation_of
from homefeed.types import TrainingData

Progress: TypeAlias = Callable[[str, int, int], None]


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
    validation = validation_of(recipe, data)
    users = 0 if validation is None else validation.user_count
    if validation is None or users < MIN_USERS:
        raise HomefeedError(
            f"{recipe.app}: {users} users can be judged on, tuning needs {MIN_USERS} who had events before and "
            "came to something new in the last tenth of all; train without --tune until there are more"
        )
    share = replace(budget, seconds=budget.seconds / len(served))
    return tuple(_tuned(recipe, catalog, one, validation, share, data.seed, progress) for one in served)


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
    served: _Served,
    validation: Validation,
    budget: Budget,
    seed: int,
    progress: Progress,
) -> Tuning:
    spec, stage = served.spec, f"tuning {served.spec.name}"
    space = find_part("trainer", spec.part).SPACE
    start = {name: float(getattr(spec.config, name)) for name in space}
    feed = alone(served.feed, [served.retriever])

    def judged(values: Values) -> PerUser:
        model = replace(spec, config=with_values(spec.config, rounded(space, values)))
        setting = validation.set_up(replace(recipe, feeds={feed.name: feed}, models=(model,)), catalog)
        return validation.judged(setting, setting.feeds[feed.name], served.retriever.name)

    seconds = max(int(budget.seconds), 1)
    progress(stage, 0, seconds)
    found = search(space, start, judged, budget, seed, lambda used, _: progress(stage, int(used), seconds))
    progress(stage, seconds, seconds)
    chosen = rounded(space, found.best) if found.taken else {}
    differing = {name: value for name, value in chosen.items() if value != getattr(spec.config, name)}
    return Tuning(spec.name, differing, _facts(spec, found, validation, differing))


def with_tuned(recipe: Recipe, tunings: Iterable[Tuning]) -> Recipe:
    """The recipe with the tuned values in place of its own."""
    chosen = {tuning.model: tuning.changed for tuning in tunings}
    models = (replace(spec, config=with_values(spec.config, chosen.get(spec.name, {}))) for spec in recipe.models)
    return replace(recipe, models=tuple(models))


def _facts(
    spec: PartSpec, found: Searched, validation: Validation, differing: Mapping[str, Any]
) -> dict[str, Any]:
    return {
        "metric": validation.metric,
        "validation_users": validation.user_count,
        "cutoff": validation.split.cutoff,
        "recipe": spec.config.model_dump(),
        "changed": dict(differing),
        **{name: value for name, value in asdict(found).items() if name != "best"},
    }
