"""How much an item is like what the user liked: in its tags, its place, its price and how popular it is."""

from __future__ import annotations

import math
from typing import Annotated, Final

import numpy as np
from pydantic import Field

from homefeed.catalog import Resources
from homefeed.catalog.columns import NumberColumn, TagsColumn
from homefeed.geo import EQUATOR_RADIUS_KM, UnitVectors
from homefeed.kernels import F64, I32, kernel, reads, writes
from homefeed.protocols import PartConfig
from homefeed.rank.kernels import Doubles, tag_cosine, tag_profile
from homefeed.taste import weighted_seeds
from homefeed.types import Candidates, Floats, Positions, Query

_NOTHING: Final = 1e-9


class ContentTaste:
    """How much the item is like what the user liked, from 0 to 1: the mean of four likenesses by their weights.

    The user's taste is made of the items that their latest events speak for, each weighing as in `tag_overlap`,
    at the moment of the request. `tags`: the cosine of the item's tags and the weights of the user's, where
    dislikes take off; 0 where it is below 0. `place`: e^(-km / place_km), km from the middle of what they liked.
    `price` and `popularity`: e^(-|x - mean| / (deviation + slack)) with the mean and the standard deviation of
    what they liked, x being the logarithm of the price or ln(1 + events). A likeness that cannot be told of the
    user is left out of the mean; of the item it is 0. A user without a history has 0 for every item.
    """

    class Config(PartConfig):
        tags: str = "tags"
        """A tags field of items."""
        price: str = "price"
        """The number field of items that holds their price."""
        place: str | None = None
        """The location field of items; none: the one that says where items are."""
        tags_weight: Annotated[float, Field(ge=0, allow_inf_nan=False)] = 0.4
        """What the likeness of tags weighs."""
        place_weight: Annotated[float, Field(ge=0, allow_inf_nan=False)] = 0.2
        """What that of places weighs."""
        price_weight: Annotated[float, Field(ge=0, allow_inf_nan=False)] = 0.2
        """What that of prices weighs."""
        popularity_weight: Annotated[float, Field(ge=0, allow_inf_nan=False)] = 0.2
        """What that of popularity weighs."""
        place_km: Annotated[float, Field(gt=0, allow_inf_nan=False)] = 10.0
        """At this distance from the middle of what the user liked the likeness of the place is 0.37."""
        price_slack: Annotated[float, Field(gt=0, allow_inf_nan=False)] = 0.35
        """What is added to the deviation of the logarithms of prices: 0.35 is 1.4 times the price."""
        popularity_slack: Annotated[float, Field(gt=0, allow_inf_nan=False)] = 1.0
        """Likewise of those of events."""
        max_events: Annotated[int, Field(ge=1, le=1_000)] = 50
        """How many of the user's latest events count."""
        half_life_days: Annotated[float, Field(gt=0)] = 30.0
        """An event's weight halves for every so many days between it and the user's latest event."""

    names = ("content_taste",)

    def __init__(self, config: Config, resources: Resources) -> None:
        """Raises RecipeError where items have no such tags, number or location field."""
        self._config, self._catalog, self._counters = config, resources.catalog, resources.counters
        self._tags = resources.catalog.column(config.tags, TagsColumn)
        self._price = resources.catalog.column(config.price, NumberColumn)
        self._place = resources.catalog.located(config.place)

    def extract(self, query: Query, candidates: Candidates) -> Floats:
        """(n, 1) from 0 to 1."""
        config, positions = self._config, candidates.positions
        items, weights = weighted_seeds(query, config.max_events, config.half_life_days)
        if not (weights > 0).any():
            return np.zeros((len(candidates), 1), np.float32)
        liked, by = items[weights > 0], weights[weights > 0].astype(np.float64)
        told = (
            (self._tags_alike(items, weights, positions), config.tags_weight),
            (self._places_alike(liked, by, positions), config.place_weight),
            (self._prices_alike(liked, by, positions), config.price_weight),
            (self._popularity_alike(liked, by, positions), config.popularity_weight),
        )
        total = sum(weight for found, weight in told if found is not None)
        mean = np.zeros(len(positions))
        for found, weight in told:
            if found is not None:
                mean += found * (weight / max(total, _NOTHING))
        return mean.astype(np.float32)[:, None]

    def _tags_alike(self, items: Positions, weights: Floats, positions: Positions) -> Doubles | None:
        """(n,) the cosine of tags; None where nothing that the user liked has any."""
        tags = self._tags.codes(self._catalog.size)
        profile = tag_profile(tags.codes, tags.places, items, weights, self._tags.distinct)
        length = float(np.linalg.norm(profile))
        if length < _NOTHING:
            return None
        cosines: Doubles = tag_cosine(profile / length, tags.codes, tags.places, positions)
        return np.maximum(cosines, 0)

    def _places_alike(self, liked: Positions, weights: Doubles, positions: Positions) -> Doubles | None:
        """(n,) by the distance from the middle of the places liked; None where they have none."""
        vectors = self._place.vectors(self._catalog.size)
        of_liked = vectors[liked]
        known = ~np.isnan(of_liked[:, 0])
        middle = weights[known] @ of_liked[known]
        length = float(np.linalg.norm(middle))
        if length < _NOTHING:
            return None
        return _near(vectors, positions, middle / length, self._config.place_km)

    def _prices_alike(self, liked: Positions, weights: Doubles, positions: Positions) -> Doubles | None:
        """(n,) by the logarithm of the price; None where nothing liked has one above 0."""
        prices = self._price.numbers(self._catalog.size)
        return _alike(prices[liked], prices[positions], weights, self._config.price_slack, 0.0)

    def _popularity_alike(self, liked: Positions, weights: Doubles, positions: Positions) -> Doubles | None:
        """(n,) by how many users chose the item."""
        events = self._counters.events
        return _alike(events[liked], events[positions], weights, self._config.popularity_slack, 1.0)


def _alike(liked: Doubles, found: Doubles, weights: Doubles, slack: float, plus: float) -> Doubles | None:
    """(n,) how near the logarithms of numbers are to their weighted mean of those liked (m,); None without any.

    What is added to each is `plus`; what has no logarithm then is not known.
    """
    alike: Doubles = _by_logarithms(liked, found, weights, slack, plus)
    return alike if len(alike) or not len(found) else None


@kernel(writes(F64), reads(F64), reads(F64), reads(F64), F64, F64)
def _by_logarithms(liked: Doubles, found: Doubles, weights: Doubles, slack: float, plus: float) -> Doubles:
    """The same as `_alike`, empty where nothing liked is known."""
    total = mean = spread = 0.0
    for row in range(len(liked)):
        if 0 < liked[row] + plus < np.inf:
            total += weights[row]
            mean += weights[row] * math.log(liked[row] + plus)
    if total <= 0:
        return np.empty(0, np.float64)
    mean /= total
    for row in range(len(liked)):
        if 0 < liked[row] + plus < np.inf:
            spread += weights[row] * (math.log(liked[row] + plus) - mean) ** 2
    scale = math.sqrt(spread / total) + slack
    alike = np.zeros(len(found), np.float64)
    for row in range(len(found)):
        if 0 < found[row] + plus < np.inf:
            alike[row] = math.exp(-abs(math.log(found[row] + plus) - mean) / scale)
    return alike


@kernel(writes(F64), reads(F64, 2), reads(I32), reads(F64), F64)
def _near(vectors: UnitVectors, positions: Positions, middle: Doubles, place_km: float) -> Doubles:
    """(n,) e^(-km / place_km) by the distance from a direction; 0 where there is no place."""
    found = np.zeros(len(positions), np.float64)
    for row in range(len(positions)):
        position, cosine = positions[row], 0.0
        for axis in range(3):
            cosine += middle[axis] * vectors[position, axis]
        if not math.isnan(cosine):
            found[row] = math.exp(-EQUATOR_RADIUS_KM * math.acos(min(max(cosine, -1.0), 1.0)) / place_km)
    return found
