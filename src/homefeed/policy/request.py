"""What the request itself asks for: its filters, its exclusions. Part of every feed."""

from __future__ import annotations

import numpy as np

from homefeed.catalog import Resources
from homefeed.protocols import PartConfig
from homefeed.types import Mask, Query


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
            InvalidError: a filter names no field, or compares it in a way its kind does not allow.
        """
        mask = self._within(query)
        for condition in query.conditions:
            mask &= self._catalog.mask(condition)
        mask[query.exclude] = False
        if query.anchor is not None:
            mask[query.anchor] = False
        return mask

    def _within(self, query: Query) -> Mask:
        """(items,) within the radius of the request, where it has one."""
        size, places = self._catalog.size, self._catalog.places
        if query.place is None or query.radius_km is None or places is None:
            return np.ones(size, np.bool_)
        return places.within_km(query.place, query.radius_km, size)
