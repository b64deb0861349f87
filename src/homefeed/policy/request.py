"""What the request itself asks for: its filters, its exclusions. Part of every feed."""

from __future__ import annotations

from typing import Final

import numpy as np

from homefeed.catalog import Resources
from homefeed.errors import InvalidError
from homefeed.geo import FARTHEST_KM, Place
from homefeed.numerals import read_number
from homefeed.protocols import PartConfig
from homefeed.types import Condition, Mask, Query

WITHIN_KM: Final = "within_km"
"""The condition of items that are near a place: `within_km:25`, `within_km:48.85,2.35,25`."""


class Request:
    """Passes items that meet every condition of the request, are within its radius, are not excluded by it, and
    are not the item that the feed is about. Part of every feed.
    """

    class Config(PartConfig):
        """Nothing to set."""

    def __init__(self, config: Config, resources: Resources) -> None:  # noqa: ARG002
        self._catalog = resources.catalog

    def filter(self, query: Query) -> Mask:
        """(items,) what was asked for.

        Raises:
            InvalidError: a filter names no field, compares it in a way its kind does not allow, or is about a
                place and there is none.
        """
        mask = self._within(query)
        for condition in query.conditions:
            mask &= self._mask(condition, query.place)
        mask[query.exclude] = False
        if query.anchor is not None:
            mask[query.anchor] = False
        return mask

    def _mask(self, condition: Condition, place: Place | None) -> Mask:
        """(items,) that meet a condition."""
        if condition.field != WITHIN_KM or WITHIN_KM in self._catalog.fields:
            return self._catalog.mask(condition)
        places = self._catalog.places
        if places is None:
            raise InvalidError(f"filter {WITHIN_KM}: items have no location; leave it out")
        around, km = _circle(condition, place)
        return places.within_km(around, km, self._catalog.size)

    def _within(self, query: Query) -> Mask:
        """(items,) within the radius of the request, where it has one."""
        size, places = self._catalog.size, self._catalog.places
        if query.place is None or query.radius_km is None or places is None:
            return np.ones(size, np.bool_)
        return places.within_km(query.place, query.radius_km, size)


def _circle(condition: Condition, place: Place | None) -> tuple[Place, float]:
    """Around where, and how far: `within_km:25` is of the request's place, `within_km:48.85,2.35,25` of its own.

    Raises:
        InvalidError: it says neither, or the request comes from nowhere.
    """
    said = condition.value.split(",")
    km = read_number(said[-1])
    wrong = condition.operator != ":" or condition.others or len(said) not in (1, 3)
    if wrong or km is None or not 0 < km <= FARTHEST_KM:
        raise InvalidError(
            f"filter {WITHIN_KM}: expected {WITHIN_KM}:KM or {WITHIN_KM}:LATITUDE,LONGITUDE,KM, with a KM above 0 "
            f"and at most {FARTHEST_KM:,.0f}"
        )
    if len(said) > 1:
        return Place.read(",".join(said[:2])), km
    if place is None:
        raise InvalidError(
            f"filter {WITHIN_KM}: around which place is not known; send latitude and longitude, or "
            f"{WITHIN_KM}:LATITUDE,LONGITUDE,KM"
        )
    return place, km
