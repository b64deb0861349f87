"""How long the stages of requests took, as a histogram: noted in passing, summed up some requests at a time."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping
from typing import Final, TypeAlias

import numpy as np
import numpy.typing as npt
from prometheus_client import CollectorRegistry
from prometheus_client.core import HistogramMetricFamily
from prometheus_client.registry import Collector

_BOUNDS: Final = (0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.1)
STAGE_LABELS: Final = ("app", "feed", "stage")
_MAX_PENDING: Final = 64

_Key: TypeAlias = tuple[str, str, tuple[str, ...]]


class StageSeconds(Collector):
    """The histogram `homefeed_stage_seconds`. A stage's time is its own, without that of what it called."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self._pending: list[tuple[str, str, Mapping[str, float]]] = []
        self._counts: dict[_Key, npt.NDArray[np.int64]] = {}
        self._sums: dict[_Key, npt.NDArray[np.float64]] = {}
        registry.register(self)

    def add(self, app: str, feed: str, seconds: Mapping[str, float]) -> None:
        """Note how long each stage of a request took."""
        self._pending.append((app, feed, seconds))
        if len(self._pending) >= _MAX_PENDING:
            self._sum_up()

    def describe(self) -> list[HistogramMetricFamily]:
        """The histogram without values: registering needs its name alone."""
        return [self._family()]

    def collect(self) -> Iterator[HistogramMetricFamily]:
        """The histogram of all requests so far."""
        self._sum_up()
        counts: dict[tuple[str, str, str], npt.NDArray[np.int64]] = {}
        sums: defaultdict[tuple[str, str, str], float] = defaultdict(float)
        for key, each in self._counts.items():
            app, feed, stages = key
            for stage, count, total in zip(stages, each, self._sums[key].tolist(), strict=True):
                labels = app, feed, stage
                counts[labels] = counts[labels] + count if labels in counts else count
                sums[labels] += total
        family = self._family()
        bounds = [*map(str, _BOUNDS), "+Inf"]
        for labels, count in counts.items():
            family.add_metric(labels, list(zip(bounds, np.cumsum(count).tolist(), strict=True)), sums[labels])
        yield family

    def _sum_up(self) -> None:
        """Count what is pending: those of one feed that have the same stages at once."""
        pending, self._pending = self._pending, []
        rows: defaultdict[_Key, list[list[float]]] = defaultdict(list)
        for app, feed, seconds in pending:
            rows[app, feed, tuple(seconds)].append(list(seconds.values()))
        for key, values in rows.items():
            matrix = np.array(values, np.float64)
            stages, buckets = matrix.shape[1], len(_BOUNDS) + 1
            cells = np.searchsorted(_BOUNDS, matrix) + np.arange(stages) * buckets
            counts = np.bincount(cells.ravel(), minlength=stages * buckets).reshape(stages, buckets)
            self._counts[key] = self._counts[key] + counts if key in self._counts else counts
            self._sums[key] = self._sums[key] + matrix.sum(axis=0) if key in self._sums else matrix.sum(axis=0)

    def _family(self) -> HistogramMetricFamily:
        return HistogramMetricFamily(
            "homefeed_stage_seconds",
            "Time of the stages and parts of a feed, each without the others.",
            labels=STAGE_LABELS,
        )
