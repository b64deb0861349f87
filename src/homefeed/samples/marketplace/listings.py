"""The listings of the sample and who posted them. Times are whole seconds since 1970-01-01 UTC."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np

from homefeed.samples import DAY, HOUR, Rng, Rows, Weights, choose
from homefeed.samples.marketplace.places import Neighbourhoods, Spots, draw_spots
from homefeed.samples.marketplace.tags import FAMILY, SHARES, TYPICAL
from homefeed.types import Codes, Mask, Times

STATUSES: Final = ("open", "filled", "withdrawn")
STYLES: Final = 8
"""Hidden styles: no column tells them, who likes what does."""
MAX_TAGS: Final = 3

_MORE_TAGS: Final = (0.55, 0.3)  # probability of a second tag, and of a third where there is a second
_SAME_FAMILY: Final = 0.7  # of the further tags
_PAY_SPREAD: Final = 0.35  # of the logarithm of the compensation, around that of the tag
_EARLIER_DAYS: Final = 30  # before the window: when the first listings came
_LAST_DAY_SHARE: Final = 0.06  # of the listings: those of the last 24 hours
_UNSEEN_SHARE: Final = 0.5  # of those: nobody has come across them yet
_LIFE_DAYS: Final = (10, 60)
_CLOSED_SHARES: Final = (0.12, 0.04)  # filled, withdrawn before they expired
_PER_POSTER: Final = 4  # listings, on average
_RATING_NOISE: Final = 0.25  # of a single rating, as a share of the scale


@dataclass(frozen=True)
class Posters:
    """Posters (posters,): true quality 0 to 1, jobs completed, and the mean rating of these, NaN where none."""

    quality: Weights
    completed: Times
    rating: Weights


@dataclass(frozen=True)
class Listings:
    """Listings (listings,) as columns.

    `tags` (listings, at most `MAX_TAGS`) are numbers of tags, -1: none; the first is the main one. `status` is as
    of the end of the window; `closes` is when a listing is no longer to be had: filled, withdrawn or expired.
    `style` and `appeal` (0 to 1, to everybody) are hidden. Nobody has come across those that are `unseen`.
    """

    at: Spots
    tags: Codes
    compensation: Weights
    poster: Codes
    created: Times
    expires: Times
    closes: Times
    status: Codes
    style: Codes
    appeal: Weights
    unseen: Mask

    def alive(self, item: Codes, moment: Times, lasting: int = 0) -> Mask:
        """Which of the listings are to be had from the times on, for at least so many seconds."""
        alive: Mask = (self.created[item] <= moment) & (moment + lasting < self.closes[item])
        return alive


def plan_posters(listings: int, rng: Rng) -> Posters:
    """Posters for so many listings; every tenth has completed nothing."""
    count = max(1, listings // _PER_POSTER)
    quality = rng.beta(1.6, 1.1, count)
    completed = np.floor(6 * rng.pareto(0.9, count)).clip(0, 2_000).astype(np.int64)
    completed[rng.random(count) < 0.1] = 0
    noise = rng.normal(0.0, _RATING_NOISE, count) / np.sqrt(np.maximum(completed, 1))
    rating = (1 + 4 * (quality + noise).clip(0.0, 1.0)).round(2)
    return Posters(quality, completed, np.where(completed > 0, rating, np.nan))


def plan_listings(
    where: Neighbourhoods, count: int, window: tuple[int, int], rng: Rng
) -> tuple[Listings, Posters]:
    """Listings of all neighbourhoods; the first is open all the time."""
    posters = plan_posters(count, rng)
    created, unseen = _plan_arrival(count, window, rng)
    expires = created + rng.integers(_LIFE_DAYS[0] * DAY, _LIFE_DAYS[1] * DAY, count)
    expires[0] = window[1] + 7 * DAY
    closes, status = _plan_closing(created, expires, unseen, window[1], rng)
    tags = _plan_tags(count, rng)
    pay = TYPICAL[tags[:, 0]] * rng.lognormal(0.0, _PAY_SPREAD, count)
    listings = Listings(
        at=draw_spots(where, count, rng),
        tags=tags,
        compensation=pay.round(2),
        poster=choose(0.3 + rng.pareto(1.5, len(posters.quality)), count, rng),
        created=created,
        expires=expires,
        closes=closes,
        status=status,
        style=rng.integers(0, STYLES, count, dtype=np.int32),
        appeal=rng.beta(0.8, 1.2, count),
        unseen=unseen,
    )
    return listings, posters


def _plan_arrival(count: int, window: tuple[int, int], rng: Rng) -> tuple[Times, Mask]:
    begin, end = window
    first = begin - _EARLIER_DAYS * DAY
    created = first + (rng.random(count) * (end - DAY - first)).astype(np.int64)
    is_late = rng.random(count) < _LAST_DAY_SHARE
    created[is_late] = end - 1 - rng.integers(0, 24 * HOUR - 1, is_late.sum())
    unseen = is_late & (rng.random(count) < _UNSEEN_SHARE)
    created[0], unseen[0] = first, False
    return created, unseen


def _plan_closing(created: Times, expires: Times, unseen: Mask, end: int, rng: Rng) -> tuple[Times, Codes]:
    """When each is no longer to be had, and its status at the end."""
    roll = rng.random(len(created))
    fate = (roll < sum(_CLOSED_SHARES)).astype(np.int32) + (roll < _CLOSED_SHARES[1])
    fate[0] = 0
    early = created + (rng.random(len(created)) * (expires - created)).astype(np.int64)
    closes = np.where((fate > 0) & ~unseen, early, expires)
    status: Codes = np.where((closes < expires) & (closes <= end), fate, 0).astype(np.int32)
    return closes, status


def _plan_tags(count: int, rng: Rng) -> Codes:
    """One to three tags each, mostly of one family."""
    tags = np.full((count, MAX_TAGS), -1, np.int32)
    tags[:, 0] = choose(SHARES, count, rng)
    same = np.where(FAMILY[:, None] == FAMILY, SHARES, 0.0)
    np.fill_diagonal(same, 0.0)
    rows: Rows = np.arange(count)
    for place, share in enumerate(_MORE_TAGS, 1):
        rows = rows[rng.random(len(rows)) < share]
        reach = np.cumsum(same[tags[rows, 0]], axis=1)
        related = (rng.random((len(rows), 1)) * reach[:, -1:] >= reach).sum(axis=1)
        anything = choose(SHARES, len(rows), rng)
        drawn = np.where(rng.random(len(rows)) < _SAME_FAMILY, related, anything).astype(np.int32)
        twice = (tags[rows] == drawn[:, None]).any(axis=1)
        tags[rows, place] = np.where(twice, np.int32(-1), drawn)
        rows = rows[~twice]
    return tags
