"""What is near the place of the request."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Annotated, Final

import numpy as np
from pydantic import Field, field_validator, model_validator

from homefeed.catalog import Resources
from homefeed.catalog.columns import CategoryColumn
from homefeed.catalog.place_index import PlaceIndex
from homefeed.geo import FARTHEST_KM, Kilometres, format_km
from homefeed.protocols import PartConfig
from homefeed.types import NO_POSITIONS, Positions, Query, Scores

_NO_SCORES: Final[Scores] = np.empty(0, np.float32)


class Nearby:
    """The items nearest to the place of the request, or else of the user: none where neither place is known.

    The score is 1 / (1 + distance in km), along the WGS 84 ellipsoid. They are found where they are at that
    moment, and among what filters let pass: the search goes on, however far, until there are enough. With `enough`
    it goes no farther: by a radius of `start_km`, twice that, and so on, up to the first with enough within.
    """

    class Config(PartConfig):
        field: str | None = None
        """The location field of items; none: the one that says where items are."""
        max_km: Annotated[float, Field(gt=0, le=FARTHEST_KM)] | None = None
        """Nothing farther away is proposed; none: the nearest are, wherever they are."""
        start_km: Annotated[float, Field(gt=0, le=FARTHEST_KM)] = 25.0
        """What is thought to be near: `/metrics` tell how often a radius of this has to be doubled until there are
        enough items within. Without `enough` no answer depends on it."""
        enough: Annotated[int, Field(ge=1, le=10_000)] | None = None
        """So many items are enough, or as many as the request is for where those are more: from beyond the radius
        that has them nothing is proposed. None: the nearest are proposed, wherever they are."""
        place_name: str | None = None
        """A category field of items that names where they are, such as a city; none: reasons name no place."""
        reason: str = "{distance} from you"
        """The reason; {distance} is "2 km", "less than 1 km"."""
        reason_in: str = "In {place}, {distance} from you"
        """The reason for an item that has a `place_name`: {place}."""

        @field_validator("reason")
        @classmethod
        def _has_distance(cls, words: str) -> str:
            return _checked(words, "distance")

        @field_validator("reason_in")
        @classmethod
        def _has_place(cls, words: str) -> str:
            return _checked(words, "distance", "place")

        @model_validator(mode="after")
        def _start_is_within(self) -> Nearby.Config:
            if self.max_km is not None and "start_km" in self.model_fields_set and self.start_km > self.max_km:
                raise ValueError("start_km is above max_km: nothing that far away is proposed")
            return self

    def __init__(self, config: Config, resources: Resources) -> None:
        """Raises RecipeError where items have no such location field, or no such category field."""
        self._config, self._catalog = config, resources.catalog
        self._column = resources.catalog.located(config.field)
        self._index = PlaceIndex.of(resources.catalog, config.field)
        name = config.place_name
        self._names = None if name is None else resources.catalog.column(name, CategoryColumn)
        self._searches = self._growths = 0

    def work(self) -> Mapping[str, int]:
        """Searches, how often their radius had to be doubled, and how often the index was built."""
        return {
            "searches": self._searches,
            "radius_growths": self._growths,
            "index_rebuilds": self._index.rebuilds,
        }

    def refresh(self) -> None:
        """Build the index anew where many items have moved."""
        self._index.refresh()

    def retrieve(self, query: Query, k: int) -> tuple[Positions, Scores]:
        """The k nearest eligible items."""
        if query.place is None:
            return NO_POSITIONS, _NO_SCORES
        positions, kms = self._index.nearest(query.place, query.eligible, k, self._config.max_km or math.inf)
        enough = k if self._config.enough is None else max(self._config.enough, query.n)
        growth = self._growth(kms, enough)
        self._searches += 1
        self._growths += growth
        if self._config.enough is not None and len(kms) > enough:
            within = int(np.searchsorted(kms, self._config.start_km * 2.0**growth, "right"))
            within = max(within, enough)  # whatever the rounding
            positions, kms = positions[:within], kms[:within]
        return positions, (1 / (1 + kms)).astype(np.float32)

    def reasons(self, query: Query, positions: Positions) -> Sequence[str | None]:
        """How far each is, and where; None where that is not known."""
        if query.place is None:
            return [None] * len(positions)
        kms = self._column.distances_km(query.place, positions, self._catalog.size).tolist()
        return [self._reason(position, km) for position, km in zip(positions.tolist(), kms, strict=True)]

    def _reason(self, position: int, km: float) -> str | None:
        if math.isnan(km):
            return None
        distance = "less than 1 km" if km < 1 else format_km(km)
        place = () if self._names is None else self._names.terms(position)
        words = self._config.reason_in if place else self._config.reason
        said = words.format(distance=distance, place=place[0] if place else "")
        return said[:1].upper() + said[1:]

    def _growth(self, kms: Kilometres, enough: int) -> int:
        """How often `start_km` is to be doubled until so many are within, or until nothing can be farther."""
        start = self._config.start_km
        radius = float(kms[enough - 1]) if len(kms) >= enough > 0 else self._config.max_km or FARTHEST_KM
        return math.ceil(math.log2(radius / start)) if radius > start else 0


def _checked(words: str, *names: str) -> str:
    if not words:
        raise ValueError("a reason has words")
    try:
        words.format(**dict.fromkeys(names, ""))
    except (LookupError, ValueError, AttributeError):
        told = " and ".join(f"{{{name}}}" for name in names)
        raise ValueError(f"{words!r:.80} cannot be filled in; it may hold {told}") from None
    return words
