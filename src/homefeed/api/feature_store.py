"""What the feature store of a server does, for Prometheus."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import accumulate

from prometheus_client import CollectorRegistry
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily, Metric
from prometheus_client.registry import Collector

from homefeed.serving.features.store import FeatureStore, FeatureStoreStats


class FeatureStoreWork(Collector):
    """Whether the store answers, values asked for, calls by their outcome, and how long they took."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self._store: FeatureStore | None = None
        registry.register(self)

    def follow(self, store: FeatureStore) -> None:
        """Tell of this store from now on."""
        self._store = store

    def describe(self) -> list[Metric]:
        """The metrics without values: registering needs their names alone."""
        return _metrics("", FeatureStoreStats(), answers=True)

    def collect(self) -> Iterator[Metric]:
        """The metrics as they are now."""
        if self._store is not None:
            yield from _metrics(self._store.name, self._store.stats, answers=self._store.trouble is None)


def _metrics(store: str, stats: FeatureStoreStats, *, answers: bool) -> list[Metric]:
    up = GaugeMetricFamily(
        "homefeed_feature_store_up", "1 where the feature store answers, else 0.", labels=("store",)
    )
    up.add_metric((store,), answers)
    values = CounterMetricFamily(
        "homefeed_feature_store_values", "Values asked of the feature store.", labels=("store", "outcome")
    )
    for outcome, count in (("hit", stats.hits), ("miss", stats.misses), ("unusable", stats.unusable)):
        values.add_metric((store, outcome), count)
    calls = CounterMetricFamily(
        "homefeed_feature_store_calls", "Calls of the feature store.", labels=("store", "outcome")
    )
    made = (("answered", stats.answered), ("failed", stats.failed), ("passed over", stats.passed_over))
    for outcome, count in made:
        calls.add_metric((store, outcome), count)
    bounds = [*map(str, stats.BOUNDS), "+Inf"]
    buckets = list(zip(bounds, accumulate(stats.seconds), strict=True))
    seconds = HistogramMetricFamily(
        "homefeed_feature_store_seconds", "Time of the calls of the feature store.", labels=("store",)
    )
    seconds.add_metric((store,), buckets, stats.total_seconds)
    return [up, values, calls, seconds]
