"""How long the store takes, for Prometheus."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import accumulate

from prometheus_client import CollectorRegistry
from prometheus_client.core import GaugeMetricFamily, HistogramMetricFamily, Metric
from prometheus_client.registry import Collector

from homefeed.store import Store


class StoreQueries(Collector):
    """The histogram `homefeed_store_query_seconds`, and whether the store takes writes."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self._store: Store | None = None
        registry.register(self)

    def follow(self, store: Store) -> None:
        """Tell of this store from now on."""
        self._store = store

    def describe(self) -> list[Metric]:
        """The metrics without values: registering needs their names alone."""
        return [self._family(), self._up()]

    def collect(self) -> Iterator[Metric]:
        """The metrics as they are now."""
        family, up = self._family(), self._up()
        if self._store is not None:
            times = self._store.times
            bounds = [*map(str, times.BOUNDS), "+Inf"]
            for kind, counts in times.counts.items():
                family.add_metric((kind,), list(zip(bounds, accumulate(counts), strict=True)), times.seconds[kind])
            up.add_metric((), self._store.health.ok)
        yield family
        yield up

    @staticmethod
    def _up() -> GaugeMetricFamily:
        return GaugeMetricFamily("homefeed_store_up", "1 where the store takes writes, else 0.")

    @staticmethod
    def _family() -> HistogramMetricFamily:
        return HistogramMetricFamily(
            "homefeed_store_query_seconds", "Time of queries and transactions of the store.", labels=("kind",)
        )
