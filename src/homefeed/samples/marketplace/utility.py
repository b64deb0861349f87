"""What a listing is worth to a user at a time: the planted truth from which interactions are drawn.

Times are whole seconds since 1970-01-01 UTC.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np

from homefeed.samples import DAY, Weights
from homefeed.samples.marketplace.listings import Listings, Posters
from homefeed.samples.marketplace.people import MEAN_WEIGHTS, People
from homefeed.samples.marketplace.places import haversine_km
from homefeed.types import Codes, Times

PRICE_WIDTH: Final = 0.7
"""How far, as a logarithm, a compensation may be from the one that suits best, in standard deviations."""
NOVELTY_DAYS: Final = 7.0
"""The age in days at which novelty has fallen to 1/e."""


@dataclass(frozen=True)
class World:
    """The users, the listings and their posters, what communities like (communities, styles), and the window.

    `offsets` (cities,) is the local time less that of UTC, in seconds.
    """

    people: People
    listings: Listings
    posters: Posters
    communities: Weights
    offsets: Times
    begin: int
    end: int


def utility(world: World, user: Codes, item: Codes, moment: Times) -> Weights:
    """(n,) the true utility of listings to users at times, 0 to 1: each user's weights times the `terms`."""
    total: Weights = (world.people.weights[user] * terms(world, user, item, moment)).sum(axis=1)
    return total


def terms(world: World, user: Codes, item: Codes, moment: Times) -> Weights:
    """(n, terms) what the utility is made of, each 0 to 1, in the order of `MEAN_WEIGHTS`.

    near: exp(-distance / the user's reach). tags: the mean of the user's liking of the listing's tags. price: a
    bell around the compensation that suits the user best, in its logarithm. taste: how much the user's community
    likes the listing's hidden style. appeal, quality: the listing's and its poster's own. novelty: exp(-age / 7
    days).
    """
    people, listings = world.people, world.listings
    distance = haversine_km(people.at.take(user), listings.at.take(item))
    tags = listings.tags[item]
    liked = np.where(tags >= 0, people.liking[user[:, None], tags], np.float32(0)).sum(axis=1)
    away = np.log(listings.compensation[item] / people.ideal[user]) / PRICE_WIDTH
    columns = {
        "near": np.exp(-distance / people.reach_km[user]),
        "tags": liked / (tags >= 0).sum(axis=1),
        "price": np.exp(-0.5 * away**2),
        "taste": world.communities[people.community[user], listings.style[item]],
        "appeal": listings.appeal[item],
        "quality": world.posters.quality[listings.poster[item]],
        "novelty": np.exp(-np.maximum(moment - listings.created[item], 0) / (NOVELTY_DAYS * DAY)),
    }
    return np.column_stack([columns[name] for name in MEAN_WEIGHTS])
