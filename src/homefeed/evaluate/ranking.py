"""Makes a feed's learned ranker from earlier requests, shown or replayed, and judges it on the latest of them."""

from __future__ import annotations

from dataclasses import replace
from typing import Final, NamedTuple

import numpy as np

from homefeed.blas import one_thread
from homefeed.catalog import CatalogView
from homefeed.engine import fit_ranking_model, ranking_trainer
from homefeed.errors import HomefeedError
from homefeed.evaluate.bootstrap import paired_differences
from homefeed.evaluate.candidates import Replayed, replay_feeds
from homefeed.evaluate.lists import RankedLists
from homefeed.evaluate.ranking_verdict import Verdict
from homefeed.evaluate.rolling import Progress
from homefeed.protocols import Model, RankingModel
from homefeed.rank.blend import Blend
from homefeed.ranking import RankingData
from homefeed.recipe import PartSpec, Recipe
from homefeed.types import Floats, Scores, TrainingData

MAX_REQUESTS: Final = 2_000
"""How many requests of history a ranker is made from and judged by at most."""
LEARNING_SHARE: Final = 0.75
MIN_JUDGED: Final = 50
_LEAST_COVERAGE: Final = 0.9
_DEPTH: Final = 10
_RESAMPLES: Final = 2_000


class Judged(NamedTuple):
    """A ranker and how it did; without either where there was nothing to make it from, or to judge it by."""

    model: RankingModel | None
    verdict: Verdict | None
    why: str

    @property
    def taken(self) -> bool:
        """Whether it is to serve."""
        return self.verdict is not None and self.verdict.taken


class _Parts(NamedTuple):
    """The requests to learn from, and those to judge by; whether what serves has learned from any of these."""

    learning: RankedLists
    judging: RankedLists
    seen: bool


def fit_ranker(
    recipe: Recipe,
    catalog: CatalogView,
    data: TrainingData,
    feed: str,
    *,
    blend: Blend | None = None,
    serving: Model | None = None,
    learned_until: int | None = None,
    progress: Progress = lambda _stage, _done, _total: None,
) -> Judged:
    """Train a feed's learned ranker on the earlier of its requests in history, and judge it on the later ones.

    The feed is blended by the `blend`; `serving` is its learned ranker as published before, None where the feed's
    own ranks, and `learned_until` the time of the last request that this one learned from. All of their models are
    of the events before all of the requests.

    Raises:
        NotFoundError: the feed declares no learned ranker.
    """
    spec = recipe.learned_ranker(feed)
    if (why := unable(spec)) is not None:
        return Judged(None, None, why)
    rankers = {} if serving is None else {spec.name: serving}
    requests = replay_feeds(
        recipe,
        catalog,
        data,
        [feed],
        max_requests=MAX_REQUESTS,
        progress=progress,
        blend=blend,
        rankers=rankers,
    ).get(feed)
    if requests is None:
        return Judged(None, None, "not taken, there are no requests to learn from yet")
    return fit_to_lists(recipe, spec, lists_of(requests, recipe.event_types, data.seed), learned_until)


def unable(spec: PartSpec) -> str | None:
    """Why a learned ranker cannot be trained here at all; None where it can."""
    try:
        ranking_trainer(spec)
    except HomefeedError as error:
        return f"not taken: {error}"
    return None


def fit_to_lists(recipe: Recipe, spec: PartSpec, lists: RankedLists, learned_until: int | None = None) -> Judged:
    """Train a learned ranker on the earlier of some lists, and judge it on the later ones.

    `learned_until` is the time of the last request that the one which serves learned from, if one does: it is
    judged by later ones, where there are enough.
    """
    learning, judging, seen = _divided(lists, learned_until)
    if len(judging) < MIN_JUDGED:
        return too_few(len(judging))
    try:
        with one_thread():
            model = fit_ranking_model(spec, learning.data)
    except HomefeedError as error:
        return Judged(None, None, f"not taken: {error}")
    verdict = judge_ranker(judging, model, recipe.goal.metric, lists.data.seed)
    pages, until = int(learning.pages.sum()), int(learning.times[-1])
    verdict = replace(verdict, learned_from=pages, learned_until=until, seen_before=seen)
    return Judged(model, verdict, verdict.sentence)


def too_few(count: int) -> Judged:
    """What is said where so many requests are too few to judge by."""
    return Judged(None, None, f"not taken, {count} requests are too few to judge it by; {MIN_JUDGED} would do")


def judge_ranker(lists: RankedLists, model: RankingModel, metric: str, seed: int) -> Verdict:
    """The model beside what served the requests."""
    scores = model.scores(lists.data.features)
    learned, served = lists.judged(metric, scores), lists.judged(metric, lists.served)
    rng = np.random.default_rng(seed)
    lead = paired_differences({metric: learned}, {metric: served}, rng, _RESAMPLES, users=lists.users)[metric]
    shown, shown_before = _coverage(lists, scores), _coverage(lists, lists.served)
    return Verdict(
        metric=metric,
        requests=len(lists),
        serving=lists.ranked_by,
        serving_mean=float(served.mean()),
        learned_mean=float(learned.mean()),
        lead=lead,
        serving_coverage=shown_before,
        coverage=shown,
        taken=lead.low > 0 and shown >= _LEAST_COVERAGE * shown_before,
        source=lists.source,
    )


def lists_of(requests: Replayed, event_types: tuple[str, ...], seed: int) -> RankedLists:
    """Replayed requests as a ranker learns from them."""
    count = len(requests)
    return RankedLists(
        source="history",
        data=ranking_data(requests, event_types, seed),
        users=requests.users,
        times=requests.times,
        targets=requests.targets,
        pages=np.ones(count, np.int32),
        comparable=np.ones(count, np.bool_),
        items=requests.positions,
        served=requests.served,
        ranked_by=requests.ranked_by,
    )


def ranking_data(requests: Replayed, event_types: tuple[str, ...], seed: int) -> RankingData:
    """Replayed requests as a ranker learns from them."""
    return RankingData(
        feature_names=(*requests.retrievers, *requests.feature_names),
        features=features_of(requests),
        starts=requests.starts,
        event_types=event_types,
        outcomes=requests.outcomes,
        chosen=requests.chosen,
        weights=np.ones(len(requests.chosen), np.float32),
        items=requests.positions,
        calibrated=requests.calibrated,
        seed=seed,
    )


def features_of(requests: Replayed) -> Floats:
    """(rows, features) as the feed served them."""
    return np.column_stack([requests.evidence, requests.features]).astype(np.float32)


def _divided(lists: RankedLists, learned_until: int | None) -> _Parts:
    """The latest quarter of the requests judges, without those that what serves has learned from.

    Where too few are left, all of the quarter do.
    """
    every = np.arange(len(lists))
    fresh, seen = fresh_from(lists, round(len(lists) * LEARNING_SHARE), learned_until)
    judging = every[fresh:][lists.comparable[fresh:]]
    return _Parts(lists.take(every[:fresh]), lists.take(judging), seen)


def fresh_from(lists: RankedLists, first: int, learned_until: int | None) -> tuple[int, bool]:
    """From which list on, at the earliest the `first`, they judge; whether what serves has learned from any.

    Those that it has learned from are left out, unless too few would be left.
    """
    if learned_until is None:
        return first, False
    fresh = max(first, int(np.searchsorted(lists.times, learned_until, "right")))
    if np.count_nonzero(lists.comparable[fresh:]) < MIN_JUDGED:
        return first, fresh > first
    return fresh, False


def _coverage(lists: RankedLists, scores: Scores) -> int:
    """How many different items the first ten of all lists hold."""
    shown = lists.best(scores, _DEPTH)
    return len(np.unique(np.concatenate(shown))) if shown else 0
