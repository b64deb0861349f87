"""Requests as rankers learn from them: their candidates, and what users then did."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Final

import numpy as np
import numpy.typing as npt

from homefeed.types import Floats, Mask

_LEARNING_SHARE: Final = 0.8


@dataclass(frozen=True, slots=True, eq=False)
class RankingData:
    """The candidates of earlier requests, and what their users then did: all that a ranker may learn from.

    Columns (rows,), request by request: request i has the rows `starts[i]` to `starts[i + 1]`, and requests are in
    the order of time. `features` (rows, feature_names) are as at serving, `calibrated` says whether those of
    retrievers are evidence. `outcomes` (rows, event_types) are 1 where the user did that to the item, and `chosen`
    (rows,) marks what serves the goal. `weights` (rows,) say how much each counts: a click 1 / examination of the
    place where it was made, where that is known (`rank.examination.weights_of`), all else 1. Rankers that compare
    candidates go by the weights of those that were chosen.
    """

    feature_names: tuple[str, ...]
    features: Floats
    starts: npt.NDArray[np.int64]
    event_types: tuple[str, ...]
    outcomes: Mask
    chosen: Mask
    weights: Floats
    calibrated: bool = False
    seed: int = 0

    def __len__(self) -> int:
        return len(self.starts) - 1


def divided(data: RankingData, share: float = _LEARNING_SHARE) -> tuple[RankingData, RankingData]:
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
    request, rng = _request_of(data), np.random.default_rng(data.seed)
    hits = np.bincount(request, data.chosen, minlength=len(data)) > 0
    order = np.lexsort((rng.random(len(request)), data.chosen, request))
    place = np.empty(len(order), np.intp)
    place[order] = np.arange(len(order)) - data.starts[request[order]]
    return _rows(data, hits[request] & (data.chosen | (place < negatives)))


def _request_of(data: RankingData) -> npt.NDArray[np.intp]:
    return np.repeat(np.arange(len(data)), np.diff(data.starts))


def _rows(data: RankingData, rows: Mask) -> RankingData:
    lengths = np.bincount(_request_of(data)[rows], minlength=len(data))
    return replace(
        data,
        features=data.features[rows],
        starts=np.cumsum([0, *lengths[lengths > 0]]),
        outcomes=data.outcomes[rows],
        chosen=data.chosen[rows],
        weights=data.weights[rows],
    )
