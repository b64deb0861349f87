"""Offline evaluation: each retriever alone and the whole feed against popularity, on later events."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from homefeed.catalog import CatalogView, Counters, strengths
from homefeed.engine import build_feeds, event_weights, fit_model, fit_signals, prepare, resources_of
from homefeed.errors import HomefeedError, InvalidError, NotFoundError
from homefeed.evaluate.metrics import coverage, judge, per_user
from homefeed.evaluate.split import Case, Split, assert_no_leak, by_time
from homefeed.evaluate.table import Comparison, compare
from homefeed.funnel import Feed, recommend
from homefeed.recipe import Recipe
from homefeed.types import DAY, History, Interactions, Positions, Query, TrainingData, UserState

Progress = Callable[[str, int, int], None]
System = Callable[[Query], Positions]

DEPTH = 20
METRICS = ("recall@20", "ndcg@10")


@dataclass(frozen=True, slots=True)
class Protocol:
    """How an evaluation is made; see `by_time` for the two shares.

    `validation` judges on the events before the test's cutoff, to tune by without touching the test. At most
    `most_users` test users, drawn by `seed`, are asked about.
    """

    cutoff_share: float = 0.8
    revealed_share: float = 0.5
    most_users: int = 2_000
    seed: int = 0
    validation: bool = False


@dataclass(frozen=True, slots=True)
class Evaluation:
    """What was compared, and on what."""

    app: str
    feed: str
    protocol: Protocol
    comparison: Comparison
    train_events: int
    test_users: int
    items: int
    left_out: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class _Setting:
    """The service as it would have been at the cutoff."""

    recipe: Recipe
    feed: Feed
    popular: Feed
    catalog: CatalogView
    interactions: Interactions
    users: Sequence[Mapping[str, Any]]


def evaluate_app(
    recipe: Recipe,
    catalog: CatalogView,
    data: TrainingData,
    *,
    feed: str = "home",
    baseline: str = "popular",
    protocol: Protocol | None = None,
    progress: Progress | None = None,
) -> Evaluation:
    """Train on the events before a cutoff, ask for every test user's feed, judge by what they came to next.

    All items are ranked; those in a user's history are left out for every system alike. `progress` is called
    with (stage, done, total).

    Raises:
        HomefeedError: too few events to split; a feed of that name does not exist, or is about an item.
    """
    protocol = protocol or Protocol()
    report = progress or (lambda _stage, _done, _total: None)
    for name in (feed, baseline):
        if name not in recipe.feeds:
            raise NotFoundError(f'no feed "{name}" in {recipe.app}; there are: {", ".join(recipe.feeds)}')
        if recipe.feeds[name].anchored:
            raise InvalidError(f"the feed {name} is about an item; only feeds for a user can be evaluated")
    interactions = _judged_by(data.interactions, protocol)
    if len(interactions) < 10:
        raise HomefeedError(f"{recipe.app} has {len(interactions)} events to evaluate on; import more first")
    split = by_time(interactions, protocol.cutoff_share, protocol.revealed_share)
    assert_no_leak(split, interactions)
    if not len(split.train):
        raise HomefeedError(f"{recipe.app}: no event is earlier than the cutoff; nothing can be learned")
    report("training", 0, 1)
    setting = _at_cutoff(recipe, catalog, replace(data, interactions=interactions), split, feed, baseline)
    report("training", 1, 1)
    cases = _drawn(split, protocol)
    if not cases:
        raise HomefeedError(f"{recipe.app}: no user has events on both sides of the cutoff; nothing can be judged")
    systems = _systems(setting)
    ranked: dict[str, list[Positions]] = {name: [] for name in systems}
    for done, case in enumerate(cases, 1):
        query = _query(setting, case)
        for name, system in systems.items():
            ranked[name].append(system(query))
        report("asking", done, len(cases))
    targets = [case.targets for case in cases]
    judged = {name: per_user(judge(lists, targets), (10, DEPTH)) for name, lists in ranked.items()}
    comparison = compare(
        {name: {metric: values[metric] for metric in METRICS} for name, values in judged.items()},
        baseline,
        np.random.default_rng(protocol.seed),
        overall={
            name: {f"coverage@{DEPTH}": coverage(lists, catalog.available, DEPTH)}
            for name, lists in ranked.items()
        },
    )
    return Evaluation(
        recipe.app, feed, protocol, comparison, len(split.train), len(cases), catalog.size, split.left_out
    )


def _judged_by(interactions: Interactions, protocol: Protocol) -> Interactions:
    if not protocol.validation or not len(interactions):
        return interactions
    return by_time(interactions, protocol.cutoff_share, protocol.revealed_share).train


def _at_cutoff(
    recipe: Recipe, catalog: CatalogView, data: TrainingData, split: Split, feed: str, baseline: str
) -> _Setting:
    """Fit on the past only: typical full values, too, are those of the events before the cutoff."""
    past = replace(data, interactions=split.train, now=split.cutoff)
    prepared = prepare(recipe, past)
    models = {spec.name: fit_model(spec, prepared.data) for spec in recipe.models}
    signals = fit_signals(recipe, prepared, watermark=0)
    half_life = recipe.signals.trending_half_life_days * DAY
    counters = Counters.from_model(signals, catalog, half_life, recipe.signals.full_group)
    feeds = build_feeds(recipe, resources_of(recipe, catalog, counters, models))
    events = data.interactions
    weighed = strengths(event_weights(recipe), events.types, events.values, prepared.full[events.items])
    weighed_events = replace(events, strengths=weighed)
    return _Setting(recipe, feeds[feed], feeds[baseline], catalog, weighed_events, data.users)


def _drawn(split: Split, protocol: Protocol) -> list[Case]:
    chosen = np.arange(len(split.cases))
    if len(chosen) > protocol.most_users:
        rng = np.random.default_rng(protocol.seed)
        chosen = np.sort(rng.choice(chosen, protocol.most_users, replace=False))
    return [split.cases[case] for case in chosen.tolist()]


def _systems(setting: _Setting) -> dict[str, System]:
    """The baseline, each retriever of the feed alone, and the feed itself."""
    systems: dict[str, System] = {setting.popular.name: lambda query: recommend(setting.popular, query).positions}
    for name in setting.feed.retrievers:
        if name != setting.popular.name:
            systems[name] = _alone(setting.feed, name)
    systems[setting.feed.name] = lambda query: recommend(setting.feed, query).positions
    return systems


def _alone(feed: Feed, name: str) -> System:
    retriever, _ = feed.retrievers[name]

    def ask(query: Query) -> Positions:
        eligible = np.logical_and.reduce([screen.screen(query) for screen in feed.screens.values()])
        return retriever.retrieve(replace(query, eligible=eligible), DEPTH)[0]

    return ask


def _query(setting: _Setting, case: Case) -> Query:
    history: History = case.seen(setting.interactions)
    attributes = setting.users[case.user] if setting.users else {}
    # What came into being later could not have been shown.
    to_come = np.flatnonzero(setting.catalog.created > case.time)
    return Query(
        app=setting.recipe.app,
        feed=setting.feed.name,
        user=UserState(str(case.user), history, attributes),
        now=case.time,
        n=DEPTH,
        exclude=np.union1d(history.items, to_come).astype(np.int32),
    )
