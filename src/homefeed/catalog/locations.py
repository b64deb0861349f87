"""Where items are, as a column."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, Final

import numpy as np

from homefeed.catalog.growable import Growable
from homefeed.errors import InvalidError
from homefeed.geo import Degrees, Kilometres, Place, UnitVectors, distances_between, unit_vectors, within_km
from homefeed.types import Condition, Mask, Positions

_NUMBERS: Final = (float, int)


def check_location(field: str, value: Any) -> dict[str, float] | None:
    """A location as it is stored, `{"latitude": 48.85, "longitude": 2.35}`; None for none.

    Raises:
        InvalidError: it is no location, or half of one.
    """
    if value is None or value == "":
        return None
    try:
        return Place.read(value).to_json()
    except InvalidError as error:
        raise InvalidError(f"{field}: {error}") from None


class LocationColumn:
    """A point on the Earth. Kept as an object of latitude and longitude."""

    def __init__(self) -> None:
        self._latitudes = Growable(np.float64, math.nan)
        self._longitudes = Growable(np.float64, math.nan)
        self._vectors = Growable(np.float64, math.nan, (3,))

    def check(self, field: str, value: Any) -> Any:
        """Accepts objects of latitude and longitude, lists of the two, and one text with a comma between them."""
        return check_location(field, value)

    def latitudes(self, size: int) -> Degrees:
        """(size,) in degrees; NaN where an item has no location."""
        return self._latitudes.first(size)

    def longitudes(self, size: int) -> Degrees:
        """(size,) likewise."""
        return self._longitudes.first(size)

    def vectors(self, size: int) -> UnitVectors:
        """(size, 3) unit vectors of the locations, see `homefeed.geo`; NaN where an item has none."""
        return self._vectors.first(size)

    def within_km(self, place: Place, km: float, size: int) -> Mask:
        """(size,) which items are not farther than `km` from a place; those without a location are not."""
        return within_km(place, km, self.vectors(size))

    def distances_km(self, place: Place, positions: Positions, size: int) -> Kilometres:
        """(n,) how far items, all of the first `size`, are from a place; NaN of those without a location."""
        return distances_between(place, self.vectors(size)[positions])

    def set_many(self, positions: Positions, values: Sequence[Any]) -> None:
        """Write locations."""
        north, east = np.array([_coordinates(value) for value in values], np.float64).reshape(-1, 2).T
        self._latitudes.set_many(positions, north)
        self._longitudes.set_many(positions, east)
        self._vectors.set_many(positions, unit_vectors(north, east))

    def set(self, position: int, value: Any) -> None:
        """Write one location."""
        self.set_many(np.array([position], np.int32), [value])

    def place(self, position: int) -> Place | None:
        """Where one item is."""
        if position >= len(self._latitudes) or math.isnan(self._latitudes.view[position]):
            return None
        return Place(float(self._latitudes.view[position]), float(self._longitudes.view[position]))

    def terms(self, position: int) -> tuple[str, ...]:
        """The location as text."""
        place = self.place(position)
        return () if place is None else (str(place),)

    def all_terms(self, size: int) -> list[tuple[str, ...]]:
        """The same of the first `size` items."""
        return [self.terms(position) for position in range(size)]

    def mask(self, condition: Condition, size: int) -> Mask:  # noqa: ARG002
        """No condition compares locations: how far an item may be is a matter of its own.

        Raises:
            InvalidError: always.
        """
        raise InvalidError(
            f"filter {condition.field}{condition.operator}{condition.value:.80}: {condition.field} is a location "
            "field; for what is near a place, send latitude, longitude and radius_km"
        )


def _coordinates(value: Any) -> tuple[float, float]:
    # As it is stored, it need not be read at length: a start takes over every item.
    if type(value) is dict and len(value) == 2:
        north: Any = value.get("latitude")
        east: Any = value.get("longitude")
        if type(north) in _NUMBERS and type(east) in _NUMBERS and -90 <= north <= 90 and -180 <= east <= 180:
            return north, east
    try:
        place = None if value is None or value == "" else Place.read(value)
    except InvalidError:
        place = None
    return (math.nan, math.nan) if place is None else (place.latitude, place.longitude)
