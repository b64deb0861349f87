"""What a feed's parts said of their candidates at earlier requests, and what the users then chose."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from types import MappingProxyType
from typing import Any, Final, Self

import numpy as np
import numpy.typing as npt
from threadpoolctl import ThreadpoolController

from homefeed.catalog import CatalogView
from homefeed.evaluate.lists import best_of, measured
from homefeed.evaluate.metrics import PerUser
from homefeed.evaluate.protocol import Protocol
from homefeed.evaluate.rolling import Progress, RollingService
from homefeed.evaluate.split import Case, assert_no_leak
from homefeed.funnel import Feed, rank
from homefeed.protocols import Model
from homefeed.rank.blend import Blend
from homefeed.recipe import Recipe
from homefeed.retrieve.merging import merged
from homefeed.scope import RequestScope
from homefeed.types import NO_HISTORY, Codes, Floats, Interactions, Mask, Positions, Query, Times, TrainingData

_CUTOFF: Final = 0.9
_DEPTH: Final = 20
_MAX_ROWS: Final = 1_000_000
"""The maximum number of candidates that are kept of a feed."""


@dataclass(frozen=True, slots=True, eq=False)
class Replayed:
    """The candidates of a feed at all requests: columns (rows,), request by request.

    `scores` and `ranks` are (rows, retrievers), as `merged` gives them; `features` (rows, features) are those of
    the extractors alone; `evidence` (rows, retrievers) is what the feed made of the scores, and `served` (rows,)
    what its ranker gave. `chosen` marks what the user then chose, and `outcomes` (rows, event types) all that they
    did to it within the time in which choices count. Request i has the rows from `starts[i]` to
    `starts[i + 1]`; it was made at `times[i]`, and its user, `users[i]`, chose the items `targets[i]`.
    `calibrated` tells whether evidence is that, and `ranked_by` which part ranked.
    """

    retrievers: tuple[str, ...]
    feature_names: tuple[str, ...]
    positions: Positions
    scores: Floats
    ranks: Codes
    features: Floats
    evidence: Floats
    served: Floats
    chosen: Mask
    outcomes: Mask
    starts: npt.NDArray[np.int64]
    targets: Sequence[Positions]
    users: Codes
    times: Times
    calibrated: bool
    ranked_by: str

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
            evidence=self.evidence[rows],
            served=self.served[rows],
            chosen=self.chosen[rows],
            outcomes=self.outcomes[rows],
            starts=np.cumsum([0, *lengths[some]]),
            targets=[self.targets[request] for request in some.tolist()],
            users=self.users[some],
            times=self.times[some],
        )

    def judged(self, metric: str, scores: npt.NDArray[Any]) -> PerUser:
        """(requests,) the measure, such as "ndcg@10", of the lists that scores (rows,) make."""
        return measured(metric, self.lists(scores, int(metric.split("@")[1])), self.targets)

    def lists(self, scores: npt.NDArray[Any], depth: int) -> list[Positions]:
        """Of each request the items that scores (rows,) put first, so many of them."""
        return best_of(self.positions, self.starts, scores, depth)


def replay_feeds(
    recipe: Recipe,
    catalog: CatalogView,
    data: TrainingData,
    feeds: Sequence[str],
    *,
    max_requests: int,
    progress: Progress,
    blend: Blend | None = None,
    rankers: Mapping[str, Model] = MappingProxyType({}),
) -> dict[str, Replayed]:
    """Train on the earlier nine tenths of the events, and replay requests of the latest tenth as the clock runs.

    Feeds are blended by the `blend`, and ranked by learned `rankers`, where there are any. A feed that stands in
    for others at cold starts is asked as if it knew nothing of what its users did.
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
    service = RollingService(recipe, catalog, data, due, False, feeds, training, blend, rankers)
    standing_in = {feed.settings.cold_start for feed in recipe.feeds.values()}
    later = _Later(events, len(recipe.event_types), protocol.horizon)
    kept: dict[str, list[_Request]] = {name: [] for name in feeds}
    rows, blas = dict.fromkeys(feeds, 0), ThreadpoolController()
    for done, case in enumerate(cases, 1):
        setting = service.at(case.time)
        with blas.limit(limits=1, user_api="blas"):  # as the server does
            query = setting.query(data, case, _DEPTH)
            for name in feeds:
                asked = _asked(setting.feeds[name], query, name in standing_in)
                if asked is not None and rows[name] * len(cases) <= _MAX_ROWS * done:
                    request = _request(setting.feeds[name], asked, case, later, name in standing_in)
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
    evidence: Floats
    served: Floats
    outcomes: Mask
    targets: Positions
    user: int
    time: int


def _request(feed: Feed, query: Query, case: Case, later: _Later, stands_in: bool) -> _Request | None:
    """The request's candidates; None where another feed answers it, as for a user without recent history."""
    cold_start = None if stands_in else feed.cold_start
    ranked = rank(replace(feed, cold_start=cold_start, rerankers={}), query)
    if ranked.feed.name != feed.name:
        return None
    names = tuple(feed.retrievers)
    positions, scores, ranks = merged(names, ranked.proposals, len(ranked.query.eligible))
    rising = np.argsort(ranked.candidates.positions)
    features = np.nan_to_num(ranked.candidates.features[rising, len(names) :], posinf=0.0, neginf=0.0)
    evidence = ranked.candidates.features[rising, : len(names)]
    served = ranked.candidates.scores[rising]
    outcomes = later.outcomes(case, positions)
    return _Request(
        positions, scores, ranks, features, evidence, served, outcomes, case.targets, case.user, case.time
    )


class _Later:
    """What users did after a request, within the horizon."""

    def __init__(self, events: Interactions, type_count: int, horizon: int) -> None:
        self._events, self._types, self._horizon = events, type_count, horizon
        self._rows = np.argsort(events.users, kind="stable")  # of each user in the order of time
        self._starts = np.searchsorted(events.users[self._rows], np.arange(events.users.max(initial=-1) + 2))

    def outcomes(self, case: Case, positions: Positions) -> Mask:
        """(n, event types) what the user of a case then did to items, whose positions rise."""
        rows = self._rows[self._starts[case.user] : self._starts[case.user + 1]]
        times = self._events.times[rows]
        first = int(np.searchsorted(times, case.time))
        last = int(np.searchsorted(times, case.time + self._horizon, "right"))
        items, types = self._events.items[rows[first:last]], self._events.types[rows[first:last]]
        places = np.searchsorted(positions, items)
        there = (places < len(positions)) & (types >= 0)
        there[there] = positions[places[there]] == items[there]
        outcomes = np.zeros((len(positions), self._types), np.bool_)
        outcomes[places[there], types[there]] = True
        return outcomes


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
        evidence=np.concatenate([each.evidence for each in requests]),
        served=np.concatenate([each.served for each in requests]),
        chosen=np.concatenate([np.isin(each.positions, each.targets) for each in requests]),
        outcomes=np.concatenate([each.outcomes for each in requests]),
        starts=np.cumsum([0, *(len(each.positions) for each in requests)]),
        targets=[each.targets for each in requests],
        users=np.array([each.user for each in requests], np.int32),
        times=np.array([each.time for each in requests], np.int64),
        calibrated=feed.calibration is not None,
        ranked_by=feed.ranked_by,
    )
