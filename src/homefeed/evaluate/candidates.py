"""What a feed's parts said of their candidates at earlier requests, and what the users then chose."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any, Final, Self

import numpy as np
import numpy.typing as npt
from threadpoolctl import ThreadpoolController

from homefeed.catalog import CatalogView
from homefeed.evaluate.metrics import MEASURES, PerUser, judge
from homefeed.evaluate.protocol import Protocol
from homefeed.evaluate.rolling import Progress, RollingService
from homefeed.evaluate.split import Case, assert_no_leak
from homefeed.funnel import Feed, rank
from homefeed.recipe import Recipe
from homefeed.retrieve.merging import merged
from homefeed.scope import RequestScope
from homefeed.types import NO_HISTORY, Codes, Floats, Mask, Positions, Query, TrainingData

_CUTOFF: Final = 0.9
_DEPTH: Final = 20
_MAX_ROWS: Final = 1_000_000
"""The maximum number of candidates that are kept of a feed."""


@dataclass(frozen=True, slots=True, eq=False)
class Replayed:
    """The candidates of a feed at all requests: columns (rows,), request by request.

    `scores` and `ranks` are (rows, retrievers), as `merged` gives them; `features` (rows, features) are those of
    the extractors alone; `chosen` marks what the user then chose. Request i has the rows from `starts[i]` to
    `starts[i + 1]`, and its user, `users[i]`, chose the items `targets[i]`.
    """

    retrievers: tuple[str, ...]
    feature_names: tuple[str, ...]
    positions: Positions
    scores: Floats
    ranks: Codes
    features: Floats
    chosen: Mask
    starts: npt.NDArray[np.int64]
    targets: Sequence[Positions]
    users: Codes

    def __len__(self) -> int:
        return len(self.targets)

    @property
    def requests(self) -> npt.NDArray[np.int64]:
        """(rows,) the request of each."""
        return np.repeat(np.arange(len(self)), np.diff(self.starts))

    def take(self, some: npt.NDArray[np.int64]) -> Self:
        """Only those of the requests."""
        lengths = np.diff(self.starts)
        rows = np.isin(self.requests, some)
        return replace(
            self,
            positions=self.positions[rows],
            scores=self.scores[rows],
            ranks=self.ranks[rows],
            features=self.features[rows],
            chosen=self.chosen[rows],
            starts=np.cumsum([0, *lengths[some]]),
            targets=[self.targets[request] for request in some.tolist()],
            users=self.users[some],
        )

    def judged(self, metric: str, scores: npt.NDArray[Any]) -> PerUser:
        """(requests,) the measure, such as "ndcg@10", of the lists that scores (rows,) make."""
        name, depth = metric.split("@")
        lists = []
        for start, stop in zip(self.starts[:-1].tolist(), self.starts[1:].tolist(), strict=True):
            best = np.argsort(-scores[start:stop], kind="stable")[: int(depth)]
            lists.append(self.positions[start:stop][best])
        return MEASURES[name](judge(lists, self.targets), int(depth))


def replay_feeds(
    recipe: Recipe,
    catalog: CatalogView,
    data: TrainingData,
    feeds: Sequence[str],
    *,
    max_requests: int,
    progress: Progress,
) -> dict[str, Replayed]:
    """Train on the earlier nine tenths of the events, and replay requests of the latest tenth as the clock runs.

    A feed that stands in for others at cold starts is asked as if it knew nothing of what its users did.
    """
    events = data.interactions
    protocol = Protocol(
        cutoff_share=_CUTOFF, max_requests=max_requests, latest=True, retrain="never", seed=data.seed
    )
    if not len(events):
        return {}
    split = protocol.divide(events, np.array(recipe.goal_types, np.int32))
    assert_no_leak(split, events)
    cases = protocol.drawn(split)
    if not cases or not len(split.train):
        return {}
    due = protocol.trainings(recipe, split)
    training = partial(_report_training, progress)
    service = RollingService(recipe, catalog, data, due, repeats=False, feeds=feeds, progress=training)
    standing_in = {feed.settings.cold_start for feed in recipe.feeds.values()}
    kept: dict[str, list[_Request]] = {name: [] for name in feeds}
    rows, blas = dict.fromkeys(feeds, 0), ThreadpoolController()
    for done, case in enumerate(cases, 1):
        setting = service.at(case.time)
        with blas.limit(limits=1, user_api="blas"):  # as the server does
            query = setting.query(data, case, _DEPTH)
            for name in feeds:
                asked = _asked(setting.feeds[name], query, name in standing_in)
                if asked is not None and rows[name] * len(cases) <= _MAX_ROWS * done:
                    request = _request(setting.feeds[name], asked, case, name in standing_in)
                    kept[name] += [] if request is None else [request]
                    rows[name] += 0 if request is None else len(request.positions)
        progress("calibrating", done, len(cases))
    return {name: _joined(service.at(cases[-1].time).feeds[name], some) for name, some in kept.items() if some}


def _report_training(progress: Progress, _stage: str, done: int, total: int) -> None:
    progress("training to calibrate", done, total)


def _asked(feed: Feed, query: Query, stands_in: bool) -> Query | None:
    """The request as the feed would get it, None where another feed stands in for it."""
    query = replace(query, feed=feed.name)
    if stands_in:
        # In a scope of its own: that of the query may hold what was proposed for the user's history.
        return replace(query, user=replace(query.user, history=NO_HISTORY), scope=RequestScope())
    return None if feed.cold_start is not None and query.user.is_cold else query


@dataclass(frozen=True, slots=True, eq=False)
class _Request:
    positions: Positions
    scores: Floats
    ranks: Codes
    features: Floats
    targets: Positions
    user: int


def _request(feed: Feed, query: Query, case: Case, stands_in: bool) -> _Request | None:
    """The request's candidates; None where another feed answers it, as for a user without recent history."""
    cold_start = None if stands_in else feed.cold_start
    ranked = rank(replace(feed, cold_start=cold_start, rerankers={}), query)
    if ranked.feed.name != feed.name:
        return None
    names = tuple(feed.retrievers)
    positions, scores, ranks = merged(names, ranked.proposals, len(ranked.query.eligible))
    rising = np.argsort(ranked.candidates.positions)
    features = np.nan_to_num(ranked.candidates.features[rising, len(names) :], posinf=0.0, neginf=0.0)
    return _Request(positions, scores, ranks, features, case.targets, case.user)


def _joined(feed: Feed, requests: Sequence[_Request]) -> Replayed:
    names = tuple(feed.retrievers)
    positions = np.concatenate([each.positions for each in requests])
    return Replayed(
        retrievers=names,
        feature_names=feed.feature_names[len(names) :],
        positions=positions,
        scores=np.concatenate([each.scores for each in requests]),
        ranks=np.concatenate([each.ranks for each in requests]),
        features=np.concatenate([each.features for each in requests]),
        chosen=np.concatenate([np.isin(each.positions, each.targets) for each in requests]),
        starts=np.cumsum([0, *(len(each.positions) for each in requests)]),
        targets=[each.targets for each in requests],
        users=np.array([each.user for each in requests], np.int32),
    )
