"""Requests as rankers learn from them: their candidates, and what users then did."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, ClassVar, Final, Self

import numpy as np
import numpy.typing as npt

from homefeed.types import Floats, Mask, Positions, Scores

LEARNING_SHARE: Final = 0.8


@dataclass(frozen=True, slots=True, eq=False)
class RankingData:
    """The candidates of earlier requests, and what their users then did: all that a ranker may learn from.

    Columns (rows,), request by request: request i has the rows `starts[i]` to `starts[i + 1]`, and requests are in
    the order of time. `features` (rows, feature_names) are as at serving, `calibrated` says whether those of
    retrievers are evidence. `outcomes` (rows, event_types) are 1 where the user did that to the item, and `chosen`
    (rows,) marks what serves the goal. `weights` (rows,) say how much each counts: a click 1 / examination of the
    place where it was made, where that is known (`rank.examination.weights_of`), all else 1. Rankers that compare
    candidates go by the weights of those that were chosen. `items` (rows,) tell which item each is.
    """

    feature_names: tuple[str, ...]
    features: Floats
    starts: npt.NDArray[np.int64]
    event_types: tuple[str, ...]
    outcomes: Mask
    chosen: Mask
    weights: Floats
    items: Positions
    calibrated: bool = False
    seed: int = 0

    def __len__(self) -> int:
        return len(self.starts) - 1


@dataclass(frozen=True, slots=True, eq=False)
class RequestLists:
    """Base of requests with more than is learned from: the columns named have a value by request, or by row."""

    BY_REQUEST: ClassVar[tuple[str, ...]] = ()
    BY_ROW: ClassVar[tuple[str, ...]] = ()

    data: RankingData

    def __len__(self) -> int:
        return len(self.data)

    def take(self, requests: npt.NDArray[np.intp]) -> Self:
        """Only these requests, in rising order."""
        some = np.zeros(len(self), np.bool_)
        some[requests] = True
        rows, numbers = together(np.repeat(some, np.diff(self.data.starts))), np.flatnonzero(some).tolist()
        columns: dict[str, Any] = {"data": taken(self.data, requests)}
        for name in self.BY_REQUEST:
            values = getattr(self, name)
            columns[name] = values[some] if isinstance(values, np.ndarray) else [values[one] for one in numbers]
        return replace(self, **columns | {name: getattr(self, name)[rows] for name in self.BY_ROW})


def divided(data: RankingData, share: float = LEARNING_SHARE) -> tuple[RankingData, RankingData]:
    """The earlier requests, so large a share of them, and the later ones."""
    first = round(len(data) * share)
    every = np.arange(len(data))
    return taken(data, every[:first]), taken(data, every[first:])


def taken(data: RankingData, requests: npt.NDArray[np.intp]) -> RankingData:
    """Only these requests, in their order."""
    chosen = np.zeros(len(data), np.bool_)
    chosen[requests] = True
    return _rows(data, chosen[_request_of(data)])


def sampled(data: RankingData, negatives: int) -> RankingData:
    """The requests in which something was chosen, with all of that and at most so many of the others."""
    request, rng, hits = _request_of(data), np.random.default_rng(data.seed), chosen_in(data)
    order = np.lexsort((rng.random(len(request)), data.chosen, request))
    place = np.empty(len(order), np.intp)
    place[order] = np.arange(len(order)) - data.starts[request[order]]
    return _rows(data, hits[request] & (data.chosen | (place < negatives)))


def chosen_in(data: RankingData) -> Mask:
    """(requests,) whether anything was chosen."""
    return np.bincount(_request_of(data)[data.chosen], minlength=len(data)) > 0


def ndcg(data: RankingData, scores: Scores, depth: int) -> float:
    """The mean NDCG of the requests in which something was chosen, in the order of scores (rows,).

    What was chosen counts 1: Jarvelin & Kekalainen, "Cumulated Gain-Based Evaluation of IR Techniques" (2002).
    """
    request, order = _request_of(data), _order(data, scores)
    place = np.arange(len(order)) - data.starts[request]
    gains = (data.chosen[order] & (place < depth)) / np.log2(place + 2)
    chosen = np.bincount(request, data.chosen, minlength=len(data)).astype(np.intp)
    ideal = np.append(0, np.cumsum(1 / np.log2(np.arange(depth) + 2)))[np.minimum(chosen, depth)]
    hits = chosen > 0
    found = np.bincount(request, gains, minlength=len(data))[hits] / ideal[hits]
    return float(found.mean()) if len(found) else 0.0


def coverage(data: RankingData, scores: Scores, depth: int) -> int:
    """How many different items the first places of all lists hold, in the order of scores (rows,)."""
    request, order = _request_of(data), _order(data, scores)
    return len(np.unique(data.items[order][np.arange(len(order)) - data.starts[request] < depth]))


def _order(data: RankingData, scores: Scores) -> npt.NDArray[np.intp]:
    """(rows,) the rows request by request, of each the highest scores first."""
    return np.lexsort((-scores, _request_of(data)))


def _request_of(data: RankingData) -> npt.NDArray[np.intp]:
    return np.repeat(np.arange(len(data)), np.diff(data.starts))


def together(rows: Mask) -> Mask | slice:
    """What chooses the rows: a slice where they lie together, for of millions there is no room for two copies."""
    first, count = int(rows.argmax()) if len(rows) else 0, int(np.count_nonzero(rows))
    return slice(first, first + count) if rows[first : first + count].all() else rows


def _rows(data: RankingData, chosen: Mask) -> RankingData:
    rows = together(chosen)
    lengths = np.bincount(_request_of(data)[rows], minlength=len(data))
    return replace(
        data,
        features=data.features[rows],
        starts=np.cumsum([0, *lengths[lengths > 0]]),
        outcomes=data.outcomes[rows],
        chosen=data.chosen[rows],
        weights=data.weights[rows],
        items=data.items[rows],
    )
