"""What is too far away."""

from __future__ import annotations

from typing import Annotated

import numpy as np
from pydantic import Field

from homefeed.catalog import Resources
from homefeed.geo import FARTHEST_KM, distance_km, format_km
from homefeed.numerals import read_number
from homefeed.protocols import PartConfig
from homefeed.types import Mask, Query


class WithinKm:
    """Filters out items that are too far from the place of the request, or else of the user. Where neither place
    is known, all items pass.
    """

    class Config(PartConfig):
        km: Annotated[float, Field(gt=0, le=FARTHEST_KM)]
        """Items farther away are filtered out."""
        user_field: str | None = None
        """The attribute of users that holds their own maximum in km, which then counts instead, such as
        `max_distance_km`; `km` counts for those who have none above 0. None: for all."""
        lenient: bool = False
        """Whether `km` holds only where something is that near; users' own maximum always does."""
        keep_unknown: bool = False
        """Whether items without a location pass."""
        field: str | None = None
        """The location field of items; none: the one that says where items are."""

    def __init__(self, config: Config, resources: Resources) -> None:
        """Raises RecipeError where items have no such location field."""
        self._config, self._catalog = config, resources.catalog
        self._column = resources.catalog.located(config.field)

    def filter(self, query: Query) -> Mask:
        """(items,) near enough."""
        size, km = self._catalog.size, self._km(query)
        if query.place is None or (km >= FARTHEST_KM and self._config.keep_unknown):
            return np.ones(size, np.bool_)
        mask = self._column.within_km(query.place, km, size)
        if self._config.lenient and self._own(query) is None and not (mask & self._catalog.available[:size]).any():
            return np.ones(size, np.bool_)
        return mask | np.isnan(self._column.latitudes(size)) if self._config.keep_unknown else mask

    def concerns(self, query: Query) -> bool:
        """Whether it is known where the request comes from."""
        return query.place is not None

    def why(self, query: Query, position: int) -> str:
        """How far it is, and how far it may be."""
        there, here, km = self._column.place(position), query.place, self._km(query)
        if there is None or here is None:
            return "where it is is not known"
        away = distance_km(here, there)
        far, most = format_km(away), format_km(km)
        return f"{far if far != most else f'{away:,.3f} km'} away, farther than {most}"

    def _km(self, query: Query) -> float:
        """How far an item may be."""
        own = self._own(query)
        return self._config.km if own is None else own

    def _own(self, query: Query) -> float | None:
        """The user's own maximum; None of one who has none above 0."""
        field = self._config.user_field
        own = None if field is None else read_number(query.user.attributes.get(field))
        return None if own is None or own <= 0 else min(own, FARTHEST_KM)
