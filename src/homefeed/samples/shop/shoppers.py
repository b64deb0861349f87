"""The shoppers of the sample: which shelves, price levels and brands each likes, and when they come.

Shoppers like a few related shelves; some have been away for a month or more.
Times are whole seconds since 1970-01-01 UTC.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np

from homefeed.samples import DAY, Rhythm, Rng, Weights
from homefeed.samples.shop.complements import pairs
from homefeed.samples.shop.sellers import BRANDS
from homefeed.samples.shop.stock import KIND_SHELF, SHELF_MAIN
from homefeed.samples.shop.wares import MAINS, SHELVES
from homefeed.types import Codes, Floats, Times

STALE_DAYS: Final = 30
"""A user without an event for this long before the end is stale."""

ROLES: Final = ("active", "stale", "single", "silent")
"""Shoppers who are active, who have stayed away, with one event only, and with none."""

_SHARES: Final = {"stale": 0.12, "single": 0.05, "silent": 0.03}
_LATE_SHARE: Final = 0.2  # of the shoppers: those who first come within the window
_LOYAL_SHARE: Final = 0.6  # of the shoppers of a main category: those who have a favourite brand
_MAX_SHELVES: Final = 5
_OTHER_AUDIENCE: Final = 0.1  # how much women like products for men, and the other way round

WORKDAY: Final = (7, 4, 2, 1, 1, 2, 5, 10, 14, 17, 20, 22, 27, 25, 21, 20, 21, 23, 27, 34, 42, 45, 36, 18)
WEEKEND: Final = (12, 7, 4, 2, 2, 2, 4, 8, 16, 26, 34, 37, 37, 36, 37, 38, 38, 37, 38, 42, 46, 44, 34, 20)
"""How busy each hour of a day is, on workdays (Monday to Friday) and on weekends."""


@dataclass(frozen=True)
class Shoppers:
    """The users as columns, `first` and `last` the bounds of their visits.

    `taste` is (users, shelves): rows sum to one. `level` is how dear each likes things, in standard deviations of
    a kind's prices; `brand` (users, main categories) the place of the favourite in the brands, -1: none.
    """

    taste: Floats
    level: Floats
    brand: Codes
    role: Codes
    first: Times
    last: Times
    activity: Weights


def plan_shoppers(count: int, rhythm: Rhythm, rng: Rng) -> Shoppers:
    """Shoppers of every role, in random order; most are active."""
    role = _cast(count, rhythm, rng)
    span = rhythm.end - rhythm.begin
    first = np.full(count, rhythm.begin)
    late = rng.random(count) < _LATE_SHARE
    first[late] += (rng.random(late.sum()) * 0.9 * span).astype(np.int64)
    last = np.full(count, rhythm.end)
    stale = role == ROLES.index("stale")
    quiet = (STALE_DAYS + 1) * DAY + (rng.random(stale.sum()) * 0.6 * (span - (STALE_DAYS + 2) * DAY)).astype(
        np.int64
    )
    first[stale], last[stale] = rhythm.begin, rhythm.end - quiet
    activity = np.clip(rng.lognormal(0.0, 0.9, count), 0.05, 15.0)
    activity[role >= ROLES.index("single")] = 0.0
    loyal = rng.random((count, len(MAINS))) < _LOYAL_SHARE
    brand = (rng.random(loyal.shape) * [len(BRANDS[main]) for main in MAINS]).astype(np.int32)
    return Shoppers(
        taste=_plan_taste(count, rng),
        level=(0.9 * rng.normal(size=count)).astype(np.float32),
        brand=np.where(loyal, brand, np.int32(-1)),
        role=role,
        first=first,
        last=last,
        activity=activity,
    )


def _cast(count: int, rhythm: Rhythm, rng: Rng) -> Codes:
    shares = dict(_SHARES)
    if rhythm.end - rhythm.begin < 2 * STALE_DAYS * DAY:
        shares["stale"] = 0.0  # too short for anyone to have stayed away
    roles = [0] * count
    for name, share in shares.items():
        roles += [ROLES.index(name)] * round(share * count)
    return np.array(roles[len(roles) - count :], np.int32)[rng.permutation(count)]


def _plan_taste(count: int, rng: Rng) -> Floats:
    """Two to five shelves each: a first one, and mostly related ones."""
    shares = rng.dirichlet(np.full(len(SHELVES), 3.0))
    near = _nearness()
    lure = np.log(shares) + np.log(_audience(count, rng)) + rng.gumbel(size=(count, len(SHELVES)))
    favourite = lure.argmax(axis=1)
    lure += np.log(near)[favourite]
    best = np.argsort(-lure, axis=1)[:, :_MAX_SHELVES]
    weight = 0.15 + rng.gamma(1.2, size=best.shape)
    shelves = (
        np.searchsorted(np.cumsum((0.25, 0.35, 0.25, 0.15)), rng.random(count) * (1 - 1e-9), side="right") + 2
    )
    weight[np.arange(_MAX_SHELVES) >= shelves[:, None]] = 0.0
    taste = np.zeros((count, len(SHELVES)), np.float32)
    taste[np.arange(count)[:, None], best] = weight / weight.sum(axis=1, keepdims=True)
    return taste


def _nearness() -> Weights:
    """How much a shopper who likes one shelf likes another: of its main category, or of its complements."""
    near: Weights = 0.04 + 0.5 * (SHELF_MAIN[:, None] == SHELF_MAIN)
    for (one, other), strength in pairs().items():
        near[KIND_SHELF[one], KIND_SHELF[other]] += 0.3 * strength
    near[np.diag_indices(len(near))] = near.max() * 5
    return near


def _audience(count: int, rng: Rng) -> Weights:
    """How well each shelf suits a shopper: men's and women's shelves suit one half of them each."""
    is_man = rng.random((count, 1)) < 0.5
    of = np.array([shelf.audience for shelf in SHELVES])
    meant = np.where(of == "Men's", is_man, np.where(of == "Women's", ~is_man, True))
    return np.where(meant, 1.0, _OTHER_AUDIENCE)
