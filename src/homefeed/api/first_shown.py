"""How soon new items are shown for the first time."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

import numpy as np
from prometheus_client import CollectorRegistry
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector

from homefeed.api.histograms import NotedHistogram
from homefeed.catalog import CatalogView
from homefeed.catalog.growable import Growable
from homefeed.types import NO_TIME, SECOND, Positions

_SECONDS: Final = (1, 5, 15, 60, 300, 900, 3_600, 10_800, 43_200, 86_400)


class FirstShown(Collector):
    """The gauge `homefeed_new_items`, of items that were created since the server started: how many were `shown`
    by it, and how many are `waiting`; and the histogram `homefeed_first_shown_seconds`, how old each was then.
    """

    def __init__(self, registry: CollectorRegistry) -> None:
        self._ages = NotedHistogram(
            registry,
            "homefeed_first_shown_seconds",
            "Age of items, created since the server started, when it showed them for the first time.",
            ("app",),
            _SECONDS,
        )
        self._since: dict[str, int] = {}
        self._shown: dict[str, Growable[np.bool_]] = {}
        self._catalogs: dict[str, CatalogView] = {}
        registry.register(self)

    def begin(self, app: str, catalog: CatalogView, now: int) -> None:
        """Count the items of an app that are created from now on."""
        self._catalogs[app], self._since[app] = catalog, now
        self._shown[app] = Growable(np.bool_, False)

    def add(self, app: str, catalog: CatalogView, positions: Positions, now: int) -> None:
        """Note the items of an answer."""
        if app not in self._shown:
            return
        shown = self._shown[app].first(catalog.size)
        first = positions[~shown[positions]]
        if not len(first):
            return
        shown[first] = True
        created = catalog.created[first]
        ages = (now - created[created >= self._since[app]]) / SECOND
        if len(ages):
            self._ages.note((app,), np.maximum(ages, 0.0))

    def describe(self) -> list[GaugeMetricFamily]:
        """The gauge without values: registering needs its name alone."""
        return [self._family()]

    def collect(self) -> Iterator[GaugeMetricFamily]:
        """The items as of now."""
        family = self._family()
        for app, catalog in self._catalogs.items():
            size = catalog.size
            created, shown = catalog.created[:size], self._shown[app].first(size)
            new = (created != NO_TIME) & (created >= self._since[app])
            family.add_metric((app, "shown"), int(np.count_nonzero(new & shown)))
            family.add_metric((app, "waiting"), int(np.count_nonzero(new & ~shown & catalog.available[:size])))
        yield family

    def _family(self) -> GaugeMetricFamily:
        about = "Items created since the server started, by whether it has shown them."
        return GaugeMetricFamily("homefeed_new_items", about, labels=("app", "state"))
