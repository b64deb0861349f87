"""Makes a feed's learned ranker from requests replayed as the clock runs, and judges it on the latest of them."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any, Final, NamedTuple

import numpy as np
from threadpoolctl import threadpool_limits

from homefeed.catalog import CatalogView
from homefeed.engine import fit_ranking_model
from homefeed.errors import HomefeedError
from homefeed.evaluate.bootstrap import Interval, paired_differences
from homefeed.evaluate.candidates import Replayed, replay_feeds
from homefeed.evaluate.rolling import Progress
from homefeed.protocols import Model, RankingModel
from homefeed.rank.blend import Blend
from homefeed.ranking import RankingData
from homefeed.recipe import Recipe
from homefeed.types import Floats, Scores, TrainingData

MAX_REQUESTS: Final = 2_000
"""How many requests a ranker is made from and judged by at most."""
_LEARNING_SHARE: Final = 0.75
_MIN_JUDGED: Final = 50
_LEAST_COVERAGE: Final = 0.9
_DEPTH: Final = 10
_RESAMPLES: Final = 2_000


@dataclass(frozen=True, slots=True)
class Verdict:
    """How a new ranker did beside the one that serves, on requests that it had not seen, the latest of all.

    `lead` is the paired difference of the goal's `metric`, with its interval over users; coverage counts the
    different items in the first ten of all lists. It is `taken` where all of the interval is above 0 and it shows
    at least nine tenths as many items as the one that serves.
    """

    metric: str
    requests: int
    serving: str
    serving_mean: float
    learned_mean: float
    lead: Interval
    serving_coverage: int
    coverage: int
    taken: bool

    @property
    def finding(self) -> str:
        """The same in a few words."""
        if self.taken:
            return "taken"
        if self.lead.low > 0:
            return f"not taken, it shows {self.coverage:,} items instead of {self.serving_coverage:,}"
        return "not taken, it is not ahead beyond doubt"

    @property
    def sentence(self) -> str:
        """The same with the figures."""
        beside = f"{self.metric} {self.learned_mean:.4f} beside {self.serving_mean:.4f} of {self.serving}"
        lead = f"{self.lead.mean:+.4f} [{self.lead.low:+.4f}, {self.lead.high:+.4f}]"
        return f"{self.finding}: {beside} on the latest {self.requests:,} requests, {lead}"

    def to_json(self) -> dict[str, Any]:
        """The same for a file."""
        return asdict(self) | {"lead": list(self.lead), "finding": self.finding, "why": self.sentence}


class Judged(NamedTuple):
    """A ranker and how it did; without either where there was nothing to make it from, or to judge it by."""

    model: RankingModel | None
    verdict: Verdict | None
    why: str

    @property
    def taken(self) -> bool:
        """Whether it is to serve."""
        return self.verdict is not None and self.verdict.taken


def fit_ranker(
    recipe: Recipe,
    catalog: CatalogView,
    data: TrainingData,
    feed: str,
    *,
    blend: Blend | None = None,
    serving: Model | None = None,
    progress: Progress = lambda _stage, _done, _total: None,
) -> Judged:
    """Train the learned ranker of a feed on the earlier of its requests, and judge it on the later ones.

    The feed is blended by the `blend`; `serving` is its learned ranker as published before, None where the feed's
    own ranks. All of their models are of the events before all of the requests.

    Raises:
        NotFoundError: the feed declares no learned ranker.
    """
    spec = recipe.learned_ranker(feed)
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
    every = np.arange(len(requests))
    first = round(len(every) * _LEARNING_SHARE)
    learning, judging = requests.take(every[:first]), requests.take(every[first:])
    if len(judging) < _MIN_JUDGED:
        return Judged(
            None,
            None,
            f"not taken, {len(judging)} requests are too few to judge it by; {_MIN_JUDGED} would do",
        )
    try:
        with threadpool_limits(1, "blas"):
            model = fit_ranking_model(spec, ranking_data(learning, recipe.event_types, data.seed))
    except HomefeedError as error:
        return Judged(None, None, f"not taken: {error}")
    verdict = judge_ranker(judging, model, recipe.goal.metric, data.seed)
    return Judged(model, verdict, verdict.sentence)


def judge_ranker(requests: Replayed, model: RankingModel, metric: str, seed: int) -> Verdict:
    """The model beside what served the requests."""
    scores = model.scores(features_of(requests))
    learned, served = requests.judged(metric, scores), requests.judged(metric, requests.served)
    rng = np.random.default_rng(seed)
    lead = paired_differences({metric: learned}, {metric: served}, rng, _RESAMPLES, users=requests.users)[metric]
    shown, shown_before = _coverage(requests, scores), _coverage(requests, requests.served)
    taken = lead.low > 0 and shown >= _LEAST_COVERAGE * shown_before
    means = float(served.mean()), float(learned.mean())
    return Verdict(metric, len(requests), requests.ranked_by, *means, lead, shown_before, shown, taken)


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
        calibrated=requests.calibrated,
        seed=seed,
    )


def features_of(requests: Replayed) -> Floats:
    """(rows, features) as the feed served them."""
    return np.column_stack([requests.evidence, requests.features]).astype(np.float32)


def _coverage(requests: Replayed, scores: Scores) -> int:
    """How many different items the first ten of all lists hold."""
    shown = requests.lists(scores, _DEPTH)
    return len(np.unique(np.concatenate(shown))) if shown else 0
