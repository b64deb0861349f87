"""Where a request comes from, and how far around it is looked."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from homefeed.errors import InvalidError
from homefeed.geo import FARTHEST_KM, Place
from homefeed.recipe import Recipe
from homefeed.serving.answer import FeedRequest


def named_place(latitude: float | None, longitude: float | None) -> Place | None:
    """The place that the two parameters of a request name; None where neither is given.

    Raises:
        InvalidError: only one of them is, or one is out of range.
    """
    if latitude is None and longitude is None:
        return None
    if latitude is None or longitude is None:
        missing = "latitude" if latitude is None else "longitude"
        raise InvalidError(f"{missing}: expected both latitude and longitude, or neither")
    return Place(latitude, longitude)


def place_of(request: FeedRequest, attributes: Mapping[str, Any], recipe: Recipe) -> Place | None:
    """The place that the request names, or else the one stored with the attributes of its user.

    Raises:
        InvalidError: it names a place or a radius, and items are nowhere; or a radius around nothing, or one that
            is out of range.
    """
    if request.radius_km is not None and not 0 < request.radius_km <= FARTHEST_KM:
        raise InvalidError(
            f"radius_km: expected above 0 and at most {FARTHEST_KM:,.0f}, got {request.radius_km:g}"
        )
    named = request.place is not None or request.radius_km is not None
    if named and recipe.items.place_field is None:
        raise InvalidError(
            f"latitude, longitude and radius_km: the items of {recipe.app} have no location; leave them out"
        )
    place = recipe.users.place_of(attributes) if request.place is None else request.place
    if place is None and request.radius_km is not None:
        field = recipe.users.place_field
        stored = "" if field is None else f", or store the user's {field}"
        raise InvalidError(f"radius_km: around which place is not known; send latitude and longitude{stored}")
    return place
