"""Requests with a planted taste, for what learns to rank: which feature decides is known."""

from __future__ import annotations

from typing import Final

import numpy as np

from homefeed.ranking import RankingData
from homefeed.types import Floats

FEATURE_NAMES: Final = ("item_item", "content", "popular", "bias")
"""Of the planted requests: the last is 1 for every candidate, the others are drawn from 0 to 1."""

EVENT_TYPES: Final = ("click", "hide")


def planted_requests(count: int = 60, candidates: int = 20, *, seed: int = 0) -> RankingData:
    """Requests whose users click by `item_item` alone, and hide by `content` alone.

    The log-odds of a click are 8 x item_item - 6; a hide has the probability 0.4 where content is above 0.5, and
    0.1 elsewhere. What is clicked is chosen; `popular` says nothing.
    """
    rng = np.random.default_rng(seed)
    features = rng.random((count * candidates, len(FEATURE_NAMES)), np.float32)
    features[:, -1] = 1
    likely = planted_probabilities(features)
    outcomes = rng.random(likely.shape) < likely
    return RankingData(
        feature_names=FEATURE_NAMES,
        features=features,
        starts=np.arange(count + 1) * candidates,
        event_types=EVENT_TYPES,
        outcomes=outcomes,
        chosen=outcomes[:, 0],
        weights=np.ones(len(features), np.float32),
        items=np.tile(np.arange(candidates, dtype=np.int32), count),
        calibrated=True,
        seed=seed,
    )


def planted_probabilities(features: Floats) -> Floats:
    """(n, event types) how likely each event is at planted requests."""
    click = 1 / (1 + np.exp(6 - 8 * features[:, 0]))
    hide = np.where(features[:, 1] > 0.5, 0.4, 0.1)
    return np.column_stack([click, hide]).astype(np.float32)
