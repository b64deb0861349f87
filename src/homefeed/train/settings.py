"""Tunes the numbers of retrievers, such as half-lives: only what they propose changes, no model is fitted anew."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any, Final

from homefeed.catalog import CatalogView
from homefeed.engine import resources_of
from homefeed.engine.blending import with_values
from homefeed.evaluate.blending import blending_feeds
from homefeed.evaluate.metrics import PerUser
from homefeed.evaluate.rolling import Progress
from homefeed.protocols import NamesModel, PartConfig
from homefeed.rank.blend import RetrieverNumbers
from homefeed.recipe import PartSpec, Recipe, find_part
from homefeed.train.search import Budget, Searched, Values, search
from homefeed.train.validation import MIN_USERS, Validation, alone, rounded, validation_of
from homefeed.types import TrainingData

_FOR_RETRIEVERS: Final = 0.2
"""The share of the seconds of a tuning for the numbers of retrievers; the rest is for those of models."""


@dataclass(frozen=True, slots=True)
class TunedSettings:
    """The numbers for a retriever of a feed: those that differ from the recipe, and how they were found."""

    feed: str
    retriever: str
    changed: Mapping[str, float]
    facts: Mapping[str, Any]


def tune_settings(
    recipe: Recipe, catalog: CatalogView, data: TrainingData, budget: Budget, progress: Progress
) -> tuple[TunedSettings, ...]:
    """Choose the numbers of each retriever of the goal's feeds whose `Config` has a `SPACE`.

    They share the seconds. The requests are those that models are tuned by. The models, those of the recipe, are
    fitted once to the events before; each trial asks the retriever alone, under the feed's filters. Feeds that
    stand in for others are answered without a history, which is what these numbers are about, so they are left
    out. With too few users to judge by nothing is chosen.
    """
    served = _served(recipe)
    validation = validation_of(recipe, data) if served else None
    if validation is None or validation.user_count < MIN_USERS:
        return ()
    configs = [spec.config for specs in served.values() for spec in specs]
    names = {config.model for config in configs if isinstance(config, NamesModel)}
    feeds = {name: alone(recipe.feeds[name], specs) for name, specs in served.items()}
    models = tuple(spec for spec in recipe.models if spec.name in names)
    small = replace(recipe, feeds=feeds, models=models)
    share = replace(budget, seconds=budget.seconds / sum(map(len, served.values())))
    tuner = _Tuner(small, catalog, validation, share, data.seed, progress)
    return tuple(tuner.tuned(feed, spec) for feed, specs in served.items() for spec in specs)


def divided(budget: Budget) -> tuple[Budget, Budget]:
    """The budgets for models and for retrievers."""
    seconds = budget.seconds * _FOR_RETRIEVERS
    return replace(budget, seconds=budget.seconds - seconds), replace(budget, seconds=seconds)


def settings_facts(tuned: Iterable[TunedSettings]) -> dict[str, Any]:
    """How they were found, as the manifest of a blend has it: by feed and retriever under `settings`."""
    facts: dict[str, Any] = {}
    for one in tuned:
        own = facts.setdefault(one.feed, {"settings": {}})
        own["settings"][one.retriever] = {**one.facts, "served": dict(one.changed)}
    return facts


def settings_of(
    tuned: Sequence[TunedSettings], before: Mapping[str, RetrieverNumbers]
) -> dict[str, RetrieverNumbers]:
    """By feed, what was tuned: where nothing was taken, what was tuned before."""
    found: dict[str, dict[str, Mapping[str, float]]] = {name: dict(own) for name, own in before.items()}
    for one in tuned:
        if one.changed:
            found.setdefault(one.feed, {})[one.retriever] = one.changed
    return {name: own for name, own in found.items() if own}


def _served(recipe: Recipe) -> dict[str, list[PartSpec]]:
    """By feed, the retrievers whose numbers can be tuned."""
    standing_in = {feed.settings.cold_start for feed in recipe.feeds.values()}
    found = {
        name: [spec for spec in recipe.feeds[name].retrieve if spec.config.SPACE]
        for name in blending_feeds(recipe)
        if name not in standing_in
    }
    return {name: specs for name, specs in found.items() if specs}


class _Tuner:
    """The app as of the validation part's cutoff, and trials of its retrievers."""

    def __init__(
        self,
        recipe: Recipe,
        catalog: CatalogView,
        validation: Validation,
        budget: Budget,
        seed: int,
        progress: Progress,
    ) -> None:
        self._recipe, self._validation, self._budget, self._seed = recipe, validation, budget, seed
        self._progress = progress
        progress("training to tune retrievers", 0, 1)
        self._setting = validation.set_up(recipe, catalog)
        self._resources = resources_of(recipe, catalog, self._setting.counters, self._setting.models)
        progress("training to tune retrievers", 1, 1)

    def tuned(self, feed: str, spec: PartSpec) -> TunedSettings:
        config, part = spec.config, find_part("retrieve", spec.part)
        start = _start(self._recipe, config)

        def judged(values: Values) -> PerUser:
            chosen = _differing(rounded(config.SPACE, values), start)
            retriever = part(with_values(spec.config, chosen), self._resources)
            served = replace(self._setting.feeds[feed], retrievers={spec.name: (retriever, spec.k)})
            return self._validation.judged(self._setting, served, spec.name)

        stage, seconds = f"tuning {feed}.{spec.name}", max(int(self._budget.seconds), 1)
        self._progress(stage, 0, seconds)
        found = search(
            config.SPACE,
            start,
            judged,
            self._budget,
            self._seed,
            lambda used, _: self._progress(stage, int(used), seconds),
        )
        self._progress(stage, seconds, seconds)
        changed = _differing(rounded(config.SPACE, found.best), start) if found.taken else {}
        return TunedSettings(feed, spec.name, changed, self._facts(found, changed))

    def _facts(self, found: Searched, changed: Mapping[str, float]) -> dict[str, Any]:
        return {
            "metric": self._validation.metric,
            "validation_users": self._validation.user_count,
            "changed": dict(changed),
            **{name: value for name, value in asdict(found).items() if name != "best"},
        }


def _start(recipe: Recipe, config: PartConfig) -> dict[str, float]:
    """The numbers as they are: where the retriever has none, its model's of the same name, else 0."""
    own = config.model_dump()
    name = config.model if isinstance(config, NamesModel) else None
    of_model = next((spec.config.model_dump() for spec in recipe.models if spec.name == name), {})
    found = {name: own[name] if own[name] is not None else of_model.get(name) for name in config.SPACE}
    return {name: float(value or 0.0) for name, value in found.items()}


def _differing(values: Mapping[str, float], start: Mapping[str, float]) -> dict[str, float]:
    return {name: value for name, value in values.items() if value != start[name]}
