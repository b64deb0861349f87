"""How far away what people are shown is, as a histogram: noted in passing, summed up some answers at a time."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from typing import Final

import numpy as np
import numpy.typing as npt
from prometheus_client import CollectorRegistry
from prometheus_client.core import HistogramMetricFamily
from prometheus_client.registry import Collector

from homefeed.geo import Kilometres

_BOUNDS: Final = (1, 2, 5, 10, 20, 50, 100, 200, 500, 1_000, 2_000, 5_000, 10_000)
SHOWN_LABELS: Final = ("app", "feed")
_MAX_PENDING: Final = 64


class DistancesShown(Collector):
    """The histogram `homefeed_shown_distance_km`, of the items of every answer to a request from a known place."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self._pending: list[tuple[str, str, Kilometres]] = []
        self._counts: dict[tuple[str, str], npt.NDArray[np.int64]] = {}
        self._sums: defaultdict[tuple[str, str], float] = defaultdict(float)
        registry.register(self)

    def add(self, app: str, feed: str, kms: Kilometres) -> None:
        """Note how far the items of an answer (n,) are: NaN of those that are nowhere, which do not count."""
        self._pending.append((app, feed, kms))
        if len(self._pending) >= _MAX_PENDING:
            self._sum_up()

    def describe(self) -> list[HistogramMetricFamily]:
        """The histogram without values: registering needs its name alone."""
        return [self._family()]

    def collect(self) -> Iterator[HistogramMetricFamily]:
        """The histogram of all answers so far."""
        self._sum_up()
        family, bounds = self._family(), [*map(str, _BOUNDS), "+Inf"]
        for labels, counts in self._counts.items():
            buckets = list(zip(bounds, np.cumsum(counts).tolist(), strict=True))
            family.add_metric(labels, buckets, self._sums[labels])
        yield family

    def _sum_up(self) -> None:
        pending, self._pending = self._pending, []
        shown: defaultdict[tuple[str, str], list[Kilometres]] = defaultdict(list)
        for app, feed, kms in pending:
            shown[app, feed].append(kms)
        for labels, parts in shown.items():
            kms = np.concatenate(parts)
            kms = kms[~np.isnan(kms)]
            counts = np.bincount(np.searchsorted(_BOUNDS, kms), minlength=len(_BOUNDS) + 1)
            self._counts[labels] = self._counts[labels] + counts if labels in self._counts else counts
            self._sums[labels] += float(kms.sum())

    def _family(self) -> HistogramMetricFamily:
        return HistogramMetricFamily(
            "homefeed_shown_distance_km",
            "Distance of items shown from the place that their feed was asked from.",
            labels=SHOWN_LABELS,
        )
