"""What the request itself asks for: its filters, its exclusions. Part of every feed."""

from __future__ import annotations

import numpy as np

from homefeed.catalog import Resources
from homefeed.protocols import PartConfig
from homefeed.types import Mask, Query


class Request:
    """Passes items that meet every condition of the request, are not excluded by it, and are not the item that
    the feed is about. Part of every feed.
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
        mask = np.ones(self._catalog.size, np.bool_)
        for condition in query.conditions:
            mask &= self._catalog.mask(condition)
        mask[query.exclude] = False
        if query.anchor is not None:
            mask[query.anchor] = False
        return mask
