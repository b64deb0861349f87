"""Builds an app's feeds from its recipe, catalogue, counters and models."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from functools import cache
from types import MappingProxyType
from typing import Any, TypeAlias, cast

from homefeed.catalog import CatalogView, Counters, Exposures, Partitions, Resources, SignalsModel
from homefeed.catalog.columns import NumberColumn
from homefeed.engine.blending import blended
from homefeed.engine.stand_ins import standing_in
from homefeed.errors import RecipeError
from homefeed.funnel import Feed
from homefeed.policy.availability import Availability
from homefeed.policy.isolation import Isolation
from homefeed.policy.preferences import Preferences
from homefeed.policy.request import Request
from homefeed.protocols import (
    ConfiguredModel,
    FeatureExtractor,
    Filter,
    Model,
    NamesEarlierFeatures,
    NamesFeatures,
    NamesModel,
    PartConfig,
    RankingModel,
    Refreshable,
)
from homefeed.rank.learned import LearnedRanker
from homefeed.rank.schema import misfit
from homefeed.recipe import FeedRecipe, Kind, PartSpec, Recipe, find_part
from homefeed.types import OWN

_Made: TypeAlias = dict[tuple[Kind, str, str], Any]


def empty_catalog(recipe: Recipe) -> CatalogView:
    """A catalogue as the recipe declares it, yet without items."""
    items = recipe.items
    apart = None if recipe.isolation is None else recipe.isolation.item
    near = items.near_duplicates
    return CatalogView(
        items.fields,
        items.title,
        () if near is None else near.fields,
        0.6 if near is None else near.min_similarity,
        apart,
        items.place_field,
        items.untitled,
    )


def resources_of(
    recipe: Recipe,
    catalog: CatalogView,
    counters: Counters,
    models: Mapping[str, Model],
    degraded: Mapping[str, str] = MappingProxyType({}),
    exposures: Exposures | None = None,
) -> Resources:
    """What the parts of the recipe's feeds are built with; `degraded` are models that do not serve, and why."""
    verbs = dict(zip(recipe.event_types, recipe.verbs, strict=True))
    attribute = "" if recipe.isolation is None else recipe.isolation.user
    partitions = Partitions(catalog.apart, attribute)
    shown = Exposures() if exposures is None else exposures
    return Resources(catalog, counters, models, verbs, recipe.signals.distinct, partitions, degraded, shown)


def counters_of(recipe: Recipe, catalog: CatalogView, model: SignalsModel | None = None) -> Counters:
    """Counters as the recipe declares them, from what a model has counted, or from nothing."""
    signals = recipe.signals
    how = signals.trending_half_life, signals.full_group
    once = signals.count == "users"
    if model is None:
        return Counters(catalog, *how, signals.full_default, once_per_user=once)
    return Counters.from_model(model, catalog, *how, once_per_user=once)


def build_feeds(recipe: Recipe, resources: Resources) -> dict[str, Feed]:
    """Every feed of the recipe, by name.

    Raises:
        RecipeError: a ranker weighs a feature that its feed does not have, an extractor goes by one that does not
            stand before it, a part's `model` is none of the
            recipe's, or a filter takes the name of one that every feed has.
    """
    made: _Made = {}
    return _linked({name: _feed(recipe, feed, resources, made) for name, feed in recipe.feeds.items()})


def check_feeds(recipe: Recipe) -> None:
    """Build the feeds of a recipe on an empty catalogue: it finds what reading the recipe does not.

    Raises:
        RecipeError: a server would refuse the recipe.
    """
    catalog = empty_catalog(recipe)
    build_feeds(recipe, resources_of(recipe, catalog, counters_of(recipe, catalog), {}))


def told_anew(recipe: Recipe, feeds: Mapping[str, Feed], resources: Resources) -> dict[str, Feed]:
    """The same feeds, of the same parts, with what the resources now say of why learned rankers do not rank."""
    return _linked({name: _told_anew(recipe, recipe.feeds[name], feed, resources) for name, feed in feeds.items()})


def _told_anew(recipe: Recipe, of: FeedRecipe, feed: Feed, resources: Resources) -> Feed:
    calibrated = feed.calibration is not None
    why_not = _learned(of, resources, feed.feature_names, calibrated=calibrated)[1]
    stand_ins = standing_in(recipe, of, resources.models, resources.degraded)
    return replace(feed, why_not_learned=why_not, stand_ins=stand_ins)


def _linked(feeds: Mapping[str, Feed]) -> dict[str, Feed]:
    """Each with the one that answers in its place where the user is new."""
    return {
        name: replace(feed, cold_start=feeds[cold] if (cold := feed.settings.cold_start) else None)
        for name, feed in feeds.items()
    }


def refresh(feeds: Mapping[str, Feed]) -> None:
    """Have every part of the feeds that keeps something computed take over what changed, each once."""
    parts = {id(part): part for feed in feeds.values() for part in _parts_of(feed)}
    for part in parts.values():
        kind: Any = type(part)  # mypy takes a class's hash for that of its objects
        if _refreshes(kind):
            cast(Refreshable, part).refresh()


@cache
def _refreshes(kind: type) -> bool:
    """Asked of each kind of part once: protocols are slow to ask, and an evaluation has thousands of requests."""
    return issubclass(kind, Refreshable)


def _parts_of(feed: Feed) -> Iterator[object]:
    yield from feed.filters.values()
    yield from (retriever for retriever, _ in feed.retrievers.values())
    yield from feed.extractors.values()
    yield feed.ranker
    yield from feed.rerankers.values()


def _feed(recipe: Recipe, feed: FeedRecipe, resources: Resources, made: _Made) -> Feed:
    always = {spec.name: _part("filter", spec, resources, recipe.app, made) for spec in _always(recipe)}
    _check_filters(recipe, feed, always)
    _check_models(recipe, feed)
    if feed.settings.price is not None:
        _number_field(recipe, feed, resources, feed.settings.price)

    def parts(kind: Kind, specs: tuple[PartSpec, ...]) -> dict[str, Any]:
        where = f"{recipe.app}: feeds.{feed.name}.{kind}"
        return {spec.name: _part(kind, spec, resources, f"{where}.{spec.name}", made) for spec in specs}

    extractors = parts("features", feed.features)
    own = [] if feed.learned is None else [OWN]
    features = [*(spec.name for spec in feed.retrieve), *_names(extractors), *own]
    _check_order(recipe, feed, extractors)
    _check_weights(recipe, feed, features)
    feed, calibration = blended(feed, resources.models, features)
    retrievers = parts("retrieve", feed.retrieve)
    learned, why_not = _learned(feed, resources, features, calibrated=calibration is not None)
    ranker = parts("rank", (feed.rank,))[feed.rank.name]
    return Feed(
        name=feed.name,
        settings=feed.settings,
        filters=always | parts("filter", feed.filter),
        retrievers={spec.name: (retrievers[spec.name], spec.k) for spec in feed.retrieve},
        extractors=extractors,
        ranker=ranker if learned is None else LearnedRanker(learned, ranker),
        rerankers=parts("rerank", feed.rerank),
        isolation=always.get("isolation"),
        calibration=calibration,
        ranked_by=feed.rank.name if feed.learned is None or learned is None else feed.learned.part,
        why_not_learned=why_not,
        own=None if feed.learned is None else ranker,
        stand_ins=standing_in(recipe, feed, resources.models, resources.degraded),
        instead_of={spec.name: spec.instead_of for spec in feed.retrieve if spec.instead_of is not None},
    )


def _learned(
    feed: FeedRecipe, resources: Resources, features: Sequence[str], *, calibrated: bool
) -> tuple[RankingModel | None, str | None]:
    """The learned ranker of a feed, where it can rank; else, of a feed that declares one, why not."""
    if feed.learned is None:
        return None, None
    name = feed.learned.name
    model = resources.models.get(name)
    if not isinstance(model, RankingModel):
        return None, resources.degraded.get(name, "none is published yet")
    why_not = misfit(model, features, calibrated)
    if why_not is None and isinstance(model, ConfiguredModel):
        why_not = model.misconfigured(feed.learned.config)
        model = model if why_not else model.configured(feed.learned.config)
    return (model, None) if why_not is None else (None, why_not)


def _number_field(recipe: Recipe, feed: FeedRecipe, resources: Resources, name: str) -> None:
    try:
        resources.catalog.column(name, NumberColumn)
    except RecipeError as error:
        raise RecipeError(f"{recipe.app}: feeds.{feed.name}.price: {error}") from None


def _always(recipe: Recipe) -> list[PartSpec]:
    """The filters that every feed has, first of all."""
    names: list[tuple[str, PartConfig]] = [("availability", Availability.Config()), ("request", Request.Config())]
    if recipe.isolation is not None:
        config = Isolation.Config(item=recipe.isolation.item, user=recipe.isolation.user)
        names.insert(0, ("isolation", config))
    if recipe.users.blocks:
        names.append(("preferences", Preferences.Config(blocks=dict(recipe.users.blocks))))
    return [PartSpec(name, name, config) for name, config in names]


def _part(kind: Kind, spec: PartSpec, resources: Resources, where: str, made: _Made) -> Any:
    """The part: one object wherever feeds use it with the same settings, so that it keeps everything once."""
    key = (kind, spec.part, spec.config.model_dump_json())
    try:
        if key not in made:
            made[key] = find_part(kind, spec.part)(spec.config, resources)
    except RecipeError as error:
        raise RecipeError(f"{where}: {error}") from None
    return made[key]


def _names(extractors: Mapping[str, Any]) -> list[str]:
    return [name for extractor in extractors.values() for name in extractor.names]


def _check_order(recipe: Recipe, feed: FeedRecipe, extractors: Mapping[str, FeatureExtractor]) -> None:
    before = [spec.name for spec in feed.retrieve]
    for spec in feed.features:
        config = spec.config
        named = config.earlier_features if isinstance(config, NamesEarlierFeatures) else {}
        where = f"{recipe.app}: feeds.{feed.name}.features.{spec.name}"
        _check_named(named, before, where, "no feature that stands before it")
        before += extractors[spec.name].names


def _check_weights(recipe: Recipe, feed: FeedRecipe, features: list[str]) -> None:
    double = next((name for name in features if features.count(name) > 1), None)
    if double is not None:
        raise RecipeError(f"{recipe.app}: feeds.{feed.name}.features: two of its features are named {double}")
    config = feed.rank.config
    named = config.named_features if isinstance(config, NamesFeatures) else {}
    known = features if feed.learned is None else features[:-1]  # its own score is none to weigh
    _check_named(named, known, f"{recipe.app}: feeds.{feed.name}.rank.{feed.rank.name}", "no such feature")


def _check_named(named: Mapping[str, str], known: Sequence[str], where: str, problem: str) -> None:
    for place, name in named.items():
        if name not in known:
            raise RecipeError(f"{where}.{place}: {problem}; expected some of {', '.join(known)}")


def _check_filters(recipe: Recipe, feed: FeedRecipe, always: Mapping[str, Filter]) -> None:
    for spec in feed.filter:
        # A table of that name would take the place of the app's own, with settings of its own.
        if spec.name in always and (spec.name in ("isolation", "preferences") or spec.part != spec.name):
            raise RecipeError(
                f"{recipe.app}: feeds.{feed.name}.filter.{spec.name}: every feed has its own {spec.name}; "
                "choose another name"
            )


def _check_models(recipe: Recipe, feed: FeedRecipe) -> None:
    declared = [spec.name for spec in (*recipe.models, *recipe.pair_models)]
    for kind, specs in (("retrieve", feed.retrieve), ("features", feed.features), ("rank", (feed.rank,))):
        for spec in specs:
            model = spec.config.model if isinstance(spec.config, NamesModel) else None
            if model is not None and model not in declared:
                raise RecipeError(
                    f'{recipe.app}: feeds.{feed.name}.{kind}.{spec.name}: no model "{model}"; declare it under '
                    f"[models.{model}] or name one of: {', '.join(declared) or 'none is declared'}"
                )
