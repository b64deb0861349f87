"""What is planted: tastes, items with a quality that nobody sees, and how much each place is looked at."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from homefeed.types import DAY, Codes, Item, Positions, Times

WEEK: Final = 7 * DAY

Doubles = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class SimulatedWorld:
    """How large a world is, and how its users behave.

    There are `items` at first, `new_items` come every week, and each of the users makes `requests` a week for
    pages of `page` items. Before the first page each has met `met` items by chance and has chosen what they wanted
    of them. A click needs a place that is looked at and an item that is wanted. Place k, from 0, is looked at with
    the probability 1 / (1 + k)^`eta`. The log-odds that an item is wanted are `base` + `taste` x u.v + `quality` x
    q: u and v are of length 1 in so many `dimensions`, those of items around the centre of one of the
    `categories`, and q is normal. `start` is the first moment, in microseconds.
    """

    users: int = 200
    items: int = 600
    new_items: int = 40
    categories: int = 8
    dimensions: int = 6
    requests: int = 4
    page: int = 6
    met: int = 10
    eta: float = 1.0
    base: float = -3.5
    taste: float = 4.0
    quality: float = 1.0
    start: int = 1_767_571_200_000_000

    @property
    def examination(self) -> Doubles:
        """(page,) how likely each place is looked at."""
        return np.asarray((1.0 + np.arange(self.page)) ** -self.eta)


@dataclass(frozen=True, slots=True, eq=False)
class Truth:
    """What nobody is told: `wanted` (users, items), how likely each user wants each item they look at.

    `items` are what the catalogue is told of each, in the order of their positions; `created` (items,) when they
    come. `moments` (weeks, requests) and `askers` (weeks, requests) are who asks when, in the order of time.
    """

    world: SimulatedWorld
    wanted: Doubles
    items: tuple[Item, ...]
    created: Times
    moments: Times
    askers: Codes

    def best(self, user: int, eligible: Positions) -> Doubles:
        """(page,) or fewer: how likely a user wants the items they want most of those, best first."""
        wanted = self.wanted[user, eligible]
        return -np.sort(-wanted)[: self.world.page]


def make_truth(world: SimulatedWorld, weeks: int, seed: int) -> Truth:
    """The truth of so many weeks; the same of the same seed."""
    rng = np.random.default_rng([seed, 0])
    count = world.items + world.new_items * weeks
    centres = _directions(rng, world.categories, world.dimensions)
    categories = rng.integers(world.categories, size=count)
    vectors = _unit(centres[categories] + 0.5 * _directions(rng, count, world.dimensions))
    favourite = centres[rng.integers(world.categories, size=world.users)]
    tastes = _unit(favourite + 0.7 * _directions(rng, world.users, world.dimensions))
    quality = rng.normal(size=count)
    log_odds = world.base + world.taste * tastes @ vectors.T + world.quality * quality
    created = _created(world, weeks, rng)
    items = tuple(
        _item(number, int(categories[number]), float(quality[number]), int(created[number]), rng)
        for number in range(count)
    )
    moments = np.sort(rng.integers(WEEK, size=(weeks, world.users * world.requests)), axis=1)
    moments += world.start + WEEK * np.arange(weeks)[:, None]
    everyone = np.repeat(np.arange(world.users, dtype=np.int32), world.requests)
    askers = np.stack([rng.permutation(everyone) for _ in range(weeks)]) if weeks else everyone[None][:0]
    return Truth(world, 1 / (1 + np.exp(-log_odds)), items, created, moments, askers)


def _created(world: SimulatedWorld, weeks: int, rng: np.random.Generator) -> Times:
    """The first in the 60 days before the start, the others evenly over the weeks."""
    old = world.start - rng.integers(1, 60 * DAY, size=world.items)
    new = world.start + rng.integers(0, max(weeks, 1) * WEEK, size=world.new_items * weeks)
    return np.concatenate([np.sort(old), np.sort(new)]).astype(np.int64)


def _item(number: int, category: int, quality: float, created: int, rng: np.random.Generator) -> Item:
    """Its title tells its category; its rating, from 1 to 5, tells its quality with an error as large as that."""
    rating = float(np.clip(3 + 0.7 * (quality + rng.normal()), 1, 5))
    attributes: dict[str, Any] = {
        "title": f"Item {number} of category {category}",
        "category": f"c{category}",
        "rating": rating,
    }
    return Item(f"i{number}", number, attributes, created)


def _directions(rng: np.random.Generator, count: int, dimensions: int) -> Doubles:
    return _unit(rng.normal(size=(count, dimensions)))


def _unit(vectors: Doubles) -> Doubles:
    found: Doubles = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
    return found
