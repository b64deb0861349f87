"""How long the store takes, for Prometheus."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import accumulate

from prometheus_client import CollectorRegistry
from prometheus_client.core import HistogramMetricFamily
from prometheus_client.registry import Collector

from homefeed.store.query_times import QueryTimes


class StoreQueries(Collector):
    """The histogram `homefeed_store_query_seconds`."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self._times: QueryTimes | None = None
        registry.register(self)

    def follow(self, times: QueryTimes) -> None:
        """Tell of this store from now on."""
        self._times = times

    def describe(self) -> list[HistogramMetricFamily]:
        """The histogram without values: registering needs its name alone."""
        return [self._family()]

    def collect(self) -> Iterator[HistogramMetricFamily]:
        """The histogram as it is now."""
        family = self._family()
        if self._times is not None:
            bounds = [*map(str, self._times.BOUNDS), "+Inf"]
            for kind, counts in self._times.counts.items():
                family.add_metric(
                    (kind,), list(zip(bounds, accumulate(counts), strict=True)), self._times.seconds[kind]
                )
        yield family

    @staticmethod
    def _family() -> HistogramMetricFamily:
        return HistogramMetricFamily(
            "homefeed_store_query_seconds", "Time of queries and transactions of the store.", labels=("kind",)
        )
