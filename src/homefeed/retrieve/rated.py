"""What people rate well, and what is worth its price: rating, number of ratings and discount."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Annotated, Self

import numpy as np
import numpy.typing as npt
from pydantic import Field, FiniteFloat, model_validator

from homefeed.catalog import Resources
from homefeed.catalog.columns import NumberColumn
from homefeed.catalog.counts import as_counts
from homefeed.catalog.refreshed import Refreshed
from homefeed.protocols import PartConfig
from homefeed.retrieve.ranking import PrecomputedRanking, best_first
from homefeed.types import Mask, Positions, Query, Scores

Weight = Annotated[FiniteFloat, Field(ge=0)]
Doubles = npt.NDArray[np.float64]


class Rated:
    """Every eligible item, by its rating, drawn to the mean of all while ratings are few, how many ratings there
    are, and its discount.

    The score is rating_weight x rating + count_weight x count + discount_weight x discount. The rating, from 0 at
    `min_rating` to 1 at `max_rating`, is shrunken: z x the item's own + (1 - z) x the catalogue's, with z = n / (n
    + prior_count) for n ratings, so that one rating of 5 does not beat a thousand of 4.5. That is the credibility
    formula of Bühlmann, "Experience rating and credibility" (ASTIN Bulletin 1967). The catalogue's is the mean of
    the ratings of its available items, weighted by z. An item without ratings has the catalogue's.

    The count is ln(1 + n) / ln(1 + the most of the catalogue). Where the recipe keeps groups apart, "the
    catalogue's" means those of the item's own group. The discount is the part of the price that is
    saved, 0 to 1, and without one 0. Equals stand newest first.
    """

    class Config(PartConfig):
        rating: str = "rating"
        """The number field of items that holds their mean rating."""
        count: str = "reviews"
        """The number field of items that holds how many ratings there are. A count below 1 is none."""
        discount: str | None = None
        """The number field of items that holds the discount, from 0 to 1; others are none. None: prices do not
        count."""
        max_rating: FiniteFloat = 5.0
        """The best rating there can be. A higher one is none."""
        min_rating: FiniteFloat = 1.0
        """The worst rating there can be. A lower one is none."""
        prior_count: Annotated[FiniteFloat, Field(gt=0)] = 50.0
        """How many imaginary ratings of the mean of all are added, so that one rating of 5 does not win."""
        rating_weight: Weight = 3.0
        """The weight of the rating, scaled to 0 to 1."""
        count_weight: Weight = 1.0
        """The weight of ln(1 + ratings) / ln(1 + the most ratings)."""
        discount_weight: Weight = 1.0
        """The weight of the discount."""
        max_discount: Annotated[float, Field(ge=0, le=1)] = 0.9
        """A larger discount is not believed and counts as this one."""
        reason: str = "{discount:.0%} off, rated {rating:.1f} by {people}"
        """The reason for a rated item with a discount. {discount} is in whole percents, rounded down, {rating} the
        mean rating, {count} the number of ratings, {people} the same in words: "1 person", "1,500 people"."""
        reason_undiscounted: str = "Rated {rating:.1f} by {people}"
        """The reason for a rated item without a discount."""
        reason_unrated: str = "Not rated yet"
        """The reason for an item without ratings and discount."""
        reason_unrated_discount: str = "{discount:.0%} off"
        """The reason for an item with a discount, but without ratings."""

        @model_validator(mode="after")
        def _tells_items_apart(self) -> Self:
            if self.max_rating <= self.min_rating:
                raise ValueError(
                    f"max_rating: expected more than min_rating, {self.min_rating:g}, got {self.max_rating:g}"
                )
            discount = self.discount_weight if self.discount is not None else 0.0
            if self.rating_weight + self.count_weight + discount <= 0:
                raise ValueError("at least one of the weights has to be above 0")
            return self

    def __init__(self, config: Config, resources: Resources) -> None:
        """Raises RecipeError where a field is no number field of items."""
        self._config = config
        self._catalog, self._partitions = resources.catalog, resources.partitions
        self._rating = resources.catalog.column(config.rating, NumberColumn)
        self._count = resources.catalog.column(config.count, NumberColumn)
        named = config.discount
        self._discount = None if named is None else resources.catalog.column(named, NumberColumn)
        self._ranking = Refreshed(self._rank, lambda: self._catalog.generation)

    def refresh(self) -> None:
        """Sort anew where the catalogue changed."""
        self._ranking.refresh()

    def retrieve(self, query: Query, k: int) -> tuple[Positions, Scores]:
        """The k best eligible items."""
        return self._ranking.latest().first(query.eligible, k)

    def reasons(self, query: Query, positions: Positions) -> Sequence[str | None]:  # noqa: ARG002
        """The item's own rating and discount; None where it has a rating or a count that cannot be used."""
        ratings, counts, known, declared = self._rated(positions)
        percents = np.floor(self._discounts(positions) * 100 + 1e-9)
        columns = (ratings, counts, known, declared, percents)
        return [self._format(*row) for row in zip(*(column.tolist() for column in columns), strict=True)]

    def _rank(self) -> PrecomputedRanking:
        config, every = self._config, np.arange(self._catalog.size, dtype=np.int32)
        ratings, counts, known, _ = self._rated(every)
        credibility = counts / (counts + config.prior_count)
        sold = known & self._catalog.available[every]
        mean, largest = self._scales(ratings, counts, credibility, sold)
        shrunken = mean + credibility * (np.where(known, ratings, mean) - mean)
        scores = config.rating_weight * (shrunken - config.min_rating) / (config.max_rating - config.min_rating)
        scores += config.count_weight * np.log1p(counts) / largest
        scores += config.discount_weight * np.minimum(self._discounts(every), config.max_discount)
        scores += 1e-6  # a score must be above 0 even for the worst
        return PrecomputedRanking(best_first(scores), scores.astype(np.float32))

    def _scales(
        self, ratings: Doubles, counts: Doubles, credibility: Doubles, sold: Mask
    ) -> tuple[Doubles, Doubles]:
        """(items,) of the items sold in each item's partition the mean rating, and ln(1 + the most ratings)."""
        codes = self._partitions.codes(len(ratings))
        middle = (self._config.min_rating + self._config.max_rating) / 2
        # The last entry is of those without a partition.
        means, largest = np.full(codes.max(initial=-1) + 2, middle), np.ones(codes.max(initial=-1) + 2)
        order = np.flatnonzero(sold)
        order = order[np.argsort(codes[order], kind="stable")]
        for own in np.split(order, np.flatnonzero(np.diff(codes[order])) + 1) if len(order) else ():
            weight = credibility[own].sum()
            largest[codes[own[0]]] = math.log1p(counts[own].max()) or 1.0
            if weight > 0:
                means[codes[own[0]]] = float(credibility[own] @ ratings[own] / weight)
        return means[codes], largest[codes]

    def _rated(self, positions: Positions) -> tuple[Doubles, Doubles, Mask, Mask]:
        """(n,) ratings and counts, 0 where there are none; whether there are; whether either field has a value."""
        size = self._catalog.size
        ratings = self._rating.numbers(size)[positions]
        counts = as_counts(self._count.numbers(size)[positions])
        known: Mask = (ratings >= self._config.min_rating) & (ratings <= self._config.max_rating) & (counts >= 1)
        declared: Mask = (ratings > 0) | (counts >= 1)
        return np.where(known, ratings, 0.0), np.where(known, counts, 0.0), known, declared

    def _discounts(self, positions: Positions) -> Doubles:
        """(n,) from 0 to 1; 0 where there is none."""
        if self._discount is None:
            return np.zeros(len(positions))
        discounts = self._discount.numbers(self._catalog.size)[positions]
        return np.where((discounts >= 0) & (discounts <= 1), discounts, 0.0)

    def _format(self, rating: float, count: float, known: bool, declared: bool, percent: float) -> str | None:
        config = self._config
        if known:
            template = config.reason if percent else config.reason_undiscounted
        elif percent:
            template = config.reason_unrated_discount
        elif declared:
            return None
        else:
            template = config.reason_unrated
        people = "1 person" if count == 1 else f"{int(count):,} people"
        return template.format(discount=percent / 100, rating=rating, count=int(count), people=people)
