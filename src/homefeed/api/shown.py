"""What people are shown, as histograms: how far away it is, and how varied a list is."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from prometheus_client import CollectorRegistry

from homefeed.api.histograms import NotedHistogram
from homefeed.catalog import CatalogView
from homefeed.catalog.columns import CategoryColumn
from homefeed.geo import Kilometres
from homefeed.types import Positions

_KILOMETRES: Final = (1, 2, 5, 10, 20, 50, 100, 200, 500, 1_000, 2_000, 5_000, 10_000)
_VALUES: Final = (1, 2, 3, 4, 5, 7, 10, 15, 20, 30, 50)


class DistancesShown(NotedHistogram):
    """The histogram `homefeed_shown_distance_km`, of the items of every answer to a request from a known place."""

    def __init__(self, registry: CollectorRegistry) -> None:
        super().__init__(
            registry,
            "homefeed_shown_distance_km",
            "Distance of items shown from the place that their feed was asked from.",
            ("app", "feed"),
            _KILOMETRES,
        )

    def add(self, app: str, feed: str, kms: Kilometres) -> None:
        """Note how far the items of an answer (n,) are: NaN of those that are nowhere, which do not count."""
        self.note((app, feed), kms)


class ValuesShown(NotedHistogram):
    """The histogram `homefeed_shown_values`, of how many different cities or categories each list has."""

    def __init__(self, registry: CollectorRegistry) -> None:
        super().__init__(
            registry,
            "homefeed_shown_values",
            "Different values of a category field in a list shown, of the places and of the groups of items.",
            ("app", "feed", "field"),
            _VALUES,
        )

    def add(self, app: str, feed: str, catalog: CatalogView, fields: Sequence[str], positions: Positions) -> None:
        """Note how many different values of category fields the items (n,) of an answer have."""
        if fields and len(positions):
            codes = (catalog.column(field, CategoryColumn).codes(catalog.size)[positions] for field in fields)
            self.note((app, feed), [len({*each.tolist()} - {-1}) for each in codes], tuple(fields))
