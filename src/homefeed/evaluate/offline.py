"""Offline evaluation: retrievers, rankers and whole feeds against popularity, on the later events of users."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from types import MappingProxyType
from typing import Any, Final, TypeAlias

import numpy as np
from threadpoolctl import ThreadpoolController

from homefeed.catalog import CatalogView
from homefeed.errors import HomefeedError
from homefeed.evaluate.blending import fit_blend
from homefeed.evaluate.bootstrap import by_user
from homefeed.evaluate.evaluation import Evaluation, Failure, FiguresByUser, Found, UsedData
from homefeed.evaluate.histories import by_history
from homefeed.evaluate.judging import (
    MAIN,
    PER_USER,
    TESTED,
    Lists,
    Values,
    figures_of,
    item_vectors,
    judge_lists,
    popularity_of,
    recall_curves,
    values_of,
)
from homefeed.evaluate.leak_replay import LeakReplay, leaking_fields
from homefeed.evaluate.metrics import PerUser
from homefeed.evaluate.protocol import Protocol
from homefeed.evaluate.ranking import Judged, fit_ranker
from homefeed.evaluate.rolling import Service, service_of
from homefeed.evaluate.served import ServedPages
from homefeed.evaluate.setting import Setting
from homefeed.evaluate.split import Case, Kind, Split, assert_no_leak
from homefeed.evaluate.systems import DEPTH, System, build_systems, run_systems
from homefeed.evaluate.table import compare
from homefeed.evaluate.verdict import verdicts
from homefeed.rank.blend import Blend, RetrieverNumbers
from homefeed.recipe import Recipe
from homefeed.types import Codes, Interactions, Numbers, Positions, TrainingData

Progress: TypeAlias = Callable[[str, int, int], None]

_MIN_EVENTS: Final = 10
_NO_CASES: Final[Mapping[Kind, str]] = {
    "rolling": "after the cutoff no user chose anything new by an event of the goal",
    "time": "no user has events on both sides of the cutoff",
    "user": "no held-out user has a new item",
    "last": "no user has more than one item",
    "basket": "no user with events before the cutoff has a basket after it",
}


def evaluate_app(
    recipe: Recipe,
    catalog: CatalogView,
    data: TrainingData,
    *,
    feeds: Sequence[str] = ("home",),
    baseline: str = "popular",
    protocol: Protocol | None = None,
    tune_blend: bool = False,
    settings: Mapping[str, RetrieverNumbers] = MappingProxyType({}),
    progress: Progress | None = None,
) -> Evaluation:
    """Train on the past, request every test user's feeds, and compare them with the user's next items.

    All items are ranked; those in a user's history are left out for every system, unless the protocol has
    `repeats`. The blend of the feeds is made from the events before the cutoff; with `tune_blend` it is weighed
    anew, too, and `settings` are numbers of retrievers that were tuned, by feed. Learned rankers are trained
    before the cutoff, too, and rank where they would have been published. `progress` is called with (stage, done,
    total).

    Raises:
        HomefeedError: too few events to split; a feed does not exist, or is about an item.
    """
    protocol = protocol or Protocol()
    report = progress or (lambda _stage, _done, _total: None)
    systems = build_systems(recipe, feeds, baseline)
    data = replace(data, interactions=protocol.judged_by(data.interactions))
    split = _divided(recipe, data.interactions, protocol)
    cases = protocol.drawn(split)
    if not cases:
        raise HomefeedError(f"{recipe.app}: {_NO_CASES[split.kind]}; nothing can be evaluated")
    due, asked = protocol.trainings(recipe, split), list(dict.fromkeys(system.feed for system in systems))
    past = replace(data, interactions=split.train, now=split.cutoff)
    how: dict[str, Any] = {"feeds": _blending(recipe, asked), "tune": tune_blend, "settings": settings}
    blended = fit_blend(recipe, catalog, past, progress=report, **how)
    judged = _judged_rankers(recipe, catalog, past, asked, blended.blend, report)
    rankers = {
        recipe.learned_ranker(feed).name: each.model for feed, each in judged.items() if each.model and each.taken
    }
    service = service_of(recipe, catalog, data, split, due, asked, report, blended.blend, rankers)
    pages = ServedPages(asked)
    lists, failures = _answers(service, data, systems, cases, pages, report)
    leaks = leaking_fields(catalog, split, data.interactions)
    replayed = 0
    if protocol.replay:
        by = blended.blend, rankers
        again = LeakReplay(recipe, catalog, data, split, due, systems, cases, protocol.seed, report, *by)
        leaks, replayed = leaks + again.leaks(lists), len(again.chosen)
    report("figures", 0, 1)
    setting = service.at(max(case.time for case in cases))
    found = _found(setting, data, split, systems, cases, lists, protocol.seed)
    report("figures", 1, 1)
    return Evaluation(
        app=recipe.app,
        feeds=tuple(dict.fromkeys(feeds)),
        protocol=protocol,
        used=_used_data(split, data.interactions, cases, catalog, len(due) if split.kind == "rolling" else 1),
        systems=systems,
        leaks=leaks,
        replayed=replayed,
        failures=failures,
        found=found,
        tuning=blended.facts(),
        served=pages.checks(),
        rankers={feed: each.why for feed, each in judged.items()},
    )


def _judged_rankers(
    recipe: Recipe, catalog: CatalogView, past: TrainingData, feeds: Sequence[str], blend: Blend, report: Progress
) -> dict[str, Judged]:
    """The learned rankers as they would have been trained before the cutoff, and whether they would serve."""
    learned = [feed for feed in feeds if feed in recipe.rankers]
    return {feed: fit_ranker(recipe, catalog, past, feed, blend=blend, progress=report) for feed in learned}


def _blending(recipe: Recipe, feeds: Sequence[str]) -> list[str]:
    """The feeds, and those that stand in for them."""
    standing_in = [recipe.feeds[name].settings.cold_start for name in feeds]
    return list(dict.fromkeys([*feeds, *(name for name in standing_in if name is not None)]))


def _divided(recipe: Recipe, interactions: Interactions, protocol: Protocol) -> Split:
    if len(interactions) < _MIN_EVENTS:
        raise HomefeedError(f"{recipe.app} has {len(interactions)} events to evaluate on; import more first")
    split = protocol.divide(interactions, np.array(recipe.goal_types, np.int32))
    assert_no_leak(split, interactions)
    if not len(split.train):
        raise HomefeedError(f"{recipe.app}: no event is earlier than the cutoff; nothing can be learned")
    return split


def _answers(
    service: Service,
    data: TrainingData,
    systems: Sequence[System],
    cases: Sequence[Case],
    pages: ServedPages,
    report: Progress,
) -> tuple[dict[str, list[Positions]], tuple[Failure, ...]]:
    """Every system's list for every case, and the parts that failed; `pages` are asked as they are served."""
    lists: dict[str, list[Positions]] = {system.name: [] for system in systems}
    failures: dict[str, Failure] = {}
    blas = ThreadpoolController()
    for done, case in enumerate(cases, 1):
        setting = service.at(case.time)
        with blas.limit(limits=1, user_api="blas"):  # as the server does
            answers = run_systems(setting.feeds, setting.week, systems, setting.query(data, case, DEPTH))
            pages.ask(setting, data, case)
            for name, positions in answers.lists.items():
                lists[name].append(positions)
            for part, error in answers.failed.items():
                before = failures.get(part, Failure(part, 0, error))
                failures[part] = replace(before, requests=before.requests + 1)
            report("requests", done, len(cases))
    return lists, tuple(failures.values())


def _found(
    setting: Setting,
    data: TrainingData,
    split: Split,
    systems: Sequence[System],
    cases: Sequence[Case],
    lists: Lists,
    seed: int,
) -> Found:
    """The figures of the lists."""
    baseline, catalog = systems[0].name, setting.catalog
    rng = np.random.default_rng(seed)
    judged = judge_lists(lists, [case.targets for case in cases])
    values = values_of(lists, judged, popularity_of(split.train, catalog.size), item_vectors(setting, data))
    figures = figures_of(lists, catalog.available)
    lengths = np.array([len(case.history) for case in cases])
    users = np.array([case.user for case in cases], np.int32)
    first = PER_USER[0]
    return Found(
        comparison=compare(values, baseline, rng, figures, tested=TESTED, main=MAIN, users=users),
        curves=recall_curves(judged),
        histories=by_history(lengths, values, PER_USER, rng, users),
        differences={
            system.name: _by_user(values[system.name][first] - values[baseline][first], users)
            for system in systems
            if system.role == "feed"
        },
        by_user=_figures_by_user(values, users, data.user_numbers),
        verdicts=verdicts(setting.recipe.goal.metric, systems, values, users, seed, setting.recipe.feeds),
    )


def _figures_by_user(values: Values, users: Codes, numbers: Numbers) -> FiguresByUser:
    rows, requests = np.unique(users, return_counts=True)
    return FiguresByUser(
        numbers=tuple((numbers[rows] if len(numbers) else rows).tolist()),
        requests=tuple(requests.tolist()),
        systems={
            system: {measure: _by_user(of_requests, users) for measure, of_requests in row.items()}
            for system, row in values.items()
        },
    )


def _by_user(values: PerUser, users: Codes) -> tuple[float, ...]:
    """The mean of each user."""
    sums, requests = by_user(values[:, None], users)
    return tuple((sums[:, 0] / requests).tolist())


def _used_data(
    split: Split, events: Interactions, cases: Sequence[Case], catalog: CatalogView, trainings: int
) -> UsedData:
    requests = [case.time for case in cases]
    return UsedData(
        events=len(events),
        first_event=int(events.times.min()),
        last_event=int(events.times.max()),
        train_events=len(split.train),
        cutoff=split.cutoff,
        trainings=trainings,
        requests=len(cases),
        test_users=len({case.user for case in cases}),
        first_request=min(requests),
        last_request=max(requests),
        items=catalog.size,
        targets=sum(len(case.targets) for case in cases),
        repeated_targets=sum(int(np.isin(case.targets, events.items[case.history]).sum()) for case in cases),
        left_out=split.left_out,
    )
