"""How well the maker of an item is rated, as far as that can be believed."""

from __future__ import annotations

from typing import Annotated

import numpy as np
from pydantic import Field

from homefeed.catalog import Resources
from homefeed.catalog.columns import NumberColumn
from homefeed.catalog.refreshed import Refreshed
from homefeed.kernels import F32, F64, kernel, reads, writes
from homefeed.protocols import PartConfig
from homefeed.rank.kernels import Doubles
from homefeed.types import Candidates, Floats, Query


class CreatorQuality:
    """How well the maker of the item is rated, from 0 to 1: (n x rating + prior_count x mean) / (n + prior_count),
    over `max_rating`, where n is how many deals they completed and mean the mean rating of the catalogue. It is a
    Bayesian mean: one five-star deal says little, two hundred of them much.

    Who has no rating has the mean.
    """

    class Config(PartConfig):
        rating: str
        """The number field of items that holds the rating of who made them."""
        count: str
        """The number field of items that holds how many deals they completed, or how many rated them."""
        max_rating: Annotated[float, Field(gt=0, allow_inf_nan=False)] = 5.0
        """The best rating: more is no more."""
        prior_count: Annotated[float, Field(gt=0, allow_inf_nan=False)] = 10.0
        """From so many deals on a rating counts more than the mean does."""

    names = ("creator_quality",)

    def __init__(self, config: Config, resources: Resources) -> None:
        """Raises RecipeError where items have no such number fields."""
        self._config, self._catalog = config, resources.catalog
        self._ratings = resources.catalog.column(config.rating, NumberColumn)
        self._counts = resources.catalog.column(config.count, NumberColumn)
        self._mean = Refreshed(self._find_mean, lambda: self._catalog.generation)

    def refresh(self) -> None:
        """Find the mean rating anew where the catalogue changed."""
        self._mean.refresh()

    def extract(self, query: Query, candidates: Candidates) -> Floats:  # noqa: ARG002
        """(n, 1) from 0 to 1."""
        size, positions, config = self._catalog.size, candidates.positions, self._config
        ratings, counts = self._ratings.numbers(size)[positions], self._counts.numbers(size)[positions]
        return _shrunk(ratings, counts, self._mean.latest(), config.prior_count, config.max_rating)

    def _find_mean(self) -> float:
        """The mean rating of what is available; the middle of the scale where nothing is rated."""
        size = self._catalog.size
        ratings = np.clip(self._ratings.numbers(size), 0, self._config.max_rating)
        known = ratings[self._catalog.available[:size] & ~np.isnan(ratings)]
        return float(known.mean()) if len(known) else self._config.max_rating / 2


@kernel(writes(F32, 2), reads(F64), reads(F64), F64, F64, F64)
def _shrunk(ratings: Doubles, counts: Doubles, mean: float, prior: float, most: float) -> Floats:
    """(n, 1) the Bayesian mean of each over the most; NaN is what is not known."""
    found = np.empty((len(ratings), 1), np.float32)
    for row in range(len(ratings)):
        rating, count = min(max(ratings[row], 0.0), most), max(counts[row], 0.0)
        if np.isnan(ratings[row]) or np.isnan(counts[row]):
            rating, count = mean, 0.0
        found[row, 0] = (count * rating + prior * mean) / (count + prior) / most
    return found
