"""The users of the sample: where they are, what they truly care about, and what they say of it.

Times are whole seconds since 1970-01-01 UTC.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np

from homefeed.samples import DAY, HOUR, Rng, Weights
from homefeed.samples.marketplace.listings import STYLES
from homefeed.samples.marketplace.places import Spots
from homefeed.types import Codes, Floats, Mask, Times

MEAN_WEIGHTS: Final = {
    "near": 0.20,
    "tags": 0.18,
    "price": 0.10,
    "taste": 0.18,
    "appeal": 0.18,
    "quality": 0.10,
    "novelty": 0.06,
}
"""What users care about, on average; each user's own weights sum to 1. See `utility` for the terms.

Chosen so that each of the seven signals of the app tells something of them.
"""

COMMUNITIES: Final = 5
_CONCENTRATION: Final = 25.0  # of the weights around their means: the higher, the more alike users are
_REACH_KM: Final = 4.0  # the median distance at which nearness has fallen to 1/e
_REACH_SPREAD: Final = 0.5
_IDEAL_SPREAD: Final = 0.6  # of the logarithm of the compensation that suits best
_MAX_LIKED: Final = 6
_NEW_SHARE: Final = 0.05  # of the users: those who have done nothing yet
_NEW_DAYS: Final = 2
_LATE_SHARE: Final = 0.3  # of the others: those who joined within the window
_TOLD: Final = 0.85  # how often users tell a tag that they like
_TOLD_IN_ERROR: Final = 0.15  # how often they tell another one, too
_LIMITS_DISTANCE: Final = 0.5  # of the users: those who set a preference
_LIMITS_PAY: Final = 0.2
_PREFERS_TAG: Final = 0.1
_BLOCKS_TAG: Final = 0.05
_IMPERSONAL_SHARE: Final = 0.02
_PAY_FACTOR: Final = 3.0  # how far beyond the compensation that suits best the limits are


@dataclass(frozen=True)
class Preferences:
    """What users have set (users,): NaN, or -1 of a tag, where they have set nothing."""

    max_distance_km: Weights
    min_pay: Weights
    max_pay: Weights
    preferred_tag: Codes
    blocked_tag: Codes
    personal: Mask


@dataclass(frozen=True)
class People:
    """The users as columns.

    `weights` (users, terms) is in the order of `MEAN_WEIGHTS`, `liking` (users, tags) 0 to 1, the tag liked best
    is 1; `told` (users, tags) what they say they like. `ideal` is the compensation that suits best. Nobody with an
    `activity` of 0 has done anything.
    """

    at: Spots
    joined: Times
    weights: Weights
    reach_km: Weights
    liking: Floats
    told: Mask
    ideal: Weights
    community: Codes
    activity: Weights
    preferences: Preferences


def plan_communities(rng: Rng) -> Weights:
    """(communities, styles) how much each community of taste likes each hidden style: some much, some somewhat."""
    likes = np.array([1.0] * 2 + [0.5] * 2 + [0.0] * (STYLES - 4))
    return np.stack([rng.permutation(likes) for _ in range(COMMUNITIES)])


def plan_people(at: Spots, shares: Weights, typical: float, window: tuple[int, int], rng: Rng) -> People:
    """Users at the spots; `shares` (tags,) is how many like each tag, `typical` the median of what suits best."""
    count = len(at.city)
    begin, end = window
    is_new = rng.random(count) < _NEW_SHARE
    is_new[0] = False
    joined = begin - rng.integers(1, 300 * DAY, count)
    late = rng.random(count) < _LATE_SHARE
    joined[late] = begin + (rng.random(late.sum()) * 0.9 * (end - begin)).astype(np.int64)
    joined[is_new] = end - 1 - rng.integers(0, _NEW_DAYS * 24 * HOUR - 1, is_new.sum())
    activity = np.minimum(0.25 * (1 + rng.pareto(1.5, count)), 12.0)
    liking = _plan_liking(count, shares, rng)
    reach = (_REACH_KM * rng.lognormal(0.0, _REACH_SPREAD, count)).clip(0.5, 30.0)
    ideal = typical * rng.lognormal(0.0, _IDEAL_SPREAD, count)
    return People(
        at=at,
        joined=joined,
        weights=rng.dirichlet(_CONCENTRATION * np.array(list(MEAN_WEIGHTS.values())), count),
        reach_km=reach,
        liking=liking,
        told=_tell(liking, rng),
        ideal=ideal,
        community=rng.integers(0, COMMUNITIES, count, dtype=np.int32),
        activity=np.where(is_new, 0.0, activity),
        preferences=_plan_preferences(reach, ideal, liking, rng),
    )


def _plan_liking(count: int, shares: Weights, rng: Rng) -> Floats:
    """Two to six tags each."""
    most = min(_MAX_LIKED, len(shares))
    lure = np.log(shares) + rng.gumbel(size=(count, len(shares)))
    best = np.argsort(-lure, axis=1)[:, :most]
    weight = (0.25 + rng.gamma(1.5, size=best.shape)).astype(np.float32)
    weight[np.arange(most) >= rng.integers(2, _MAX_LIKED + 1, count)[:, None]] = 0.0
    liking = np.zeros((count, len(shares)), np.float32)
    liking[np.arange(count)[:, None], best] = weight / weight.max(axis=1, keepdims=True)
    return liking


def _tell(liking: Floats, rng: Rng) -> Mask:
    """The tags that each says they like, with a few errors; at least the one liked best."""
    told: Mask = (liking > 0) & (rng.random(liking.shape) < _TOLD)
    rows = np.flatnonzero(rng.random(len(told)) < _TOLD_IN_ERROR)
    told[rows, rng.integers(0, liking.shape[1], len(rows))] = True
    told[np.arange(len(told)), liking.argmax(axis=1)] |= ~told.any(axis=1)
    return told


def _plan_preferences(reach: Weights, ideal: Weights, liking: Floats, rng: Rng) -> Preferences:
    """What some users have set: as far as they truly go, about what truly suits, a tag that they do not like."""
    count = len(reach)
    limits = rng.random((3, count)) < np.array([[_LIMITS_DISTANCE], [_LIMITS_PAY], [_LIMITS_PAY]])
    anything = rng.integers(0, liking.shape[1], count, dtype=np.int32)
    prefers = rng.random(count) < _PREFERS_TAG
    blocks = (rng.random(count) < _BLOCKS_TAG) & (liking[np.arange(count), anything] == 0)
    return Preferences(
        # The contract's nearness has fallen to 1/e at a third of it.
        max_distance_km=np.where(limits[0], np.ceil(3 * reach), np.nan),
        min_pay=np.where(limits[1], (ideal / _PAY_FACTOR).round(0), np.nan),
        max_pay=np.where(limits[2], (ideal * _PAY_FACTOR).round(0), np.nan),
        preferred_tag=np.where(prefers, liking.argmax(axis=1), -1).astype(np.int32),
        blocked_tag=np.where(blocks, anything, np.int32(-1)),
        personal=rng.random(count) >= _IMPERSONAL_SHARE,
    )
