"""Histograms that cost a request next to nothing: noted in passing, summed up some requests at a time."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from typing import Final, TypeAlias

import numpy as np
import numpy.typing as npt
from prometheus_client import CollectorRegistry
from prometheus_client.core import HistogramMetricFamily
from prometheus_client.registry import Collector

_MAX_PENDING: Final = 64

Labels: TypeAlias = tuple[str, ...]
_Key: TypeAlias = tuple[Labels, Labels]
_Values: TypeAlias = Sequence[float] | npt.NDArray[np.float64] | npt.NDArray[np.float32]


class NotedHistogram(Collector):
    """A histogram `name` with `labels`, its buckets up to and including each of the `bounds`."""

    def __init__(
        self, registry: CollectorRegistry, name: str, about: str, labels: Labels, bounds: Sequence[float]
    ) -> None:
        self.labels = labels
        self._name, self._about, self._bounds = name, about, bounds
        self._pending: list[tuple[_Key, _Values]] = []
        self._counts: dict[_Key, npt.NDArray[np.int64]] = {}
        self._sums: dict[_Key, npt.NDArray[np.float64]] = {}
        registry.register(self)

    def note(self, labels: Labels, values: _Values, names: Labels = ()) -> None:
        """Note values (n,) of one request: all with the same labels, or each with its own of `names` (n,) as the
        last of them. NaN does not count.
        """
        self._pending.append(((labels, names), values))
        if len(self._pending) >= _MAX_PENDING:
            self._sum_up()

    def describe(self) -> list[HistogramMetricFamily]:
        """The histogram without values: registering needs its name alone."""
        return [self._family()]

    def collect(self) -> Iterator[HistogramMetricFamily]:
        """The histogram of all requests so far."""
        self._sum_up()
        counts: dict[Labels, npt.NDArray[np.int64]] = {}
        sums: defaultdict[Labels, float] = defaultdict(float)
        for (shared, names), each in self._counts.items():
            own: Sequence[Labels] = [(name,) for name in names] or [()]
            for last, count, total in zip(own, each, self._sums[shared, names].tolist(), strict=True):
                labels = (*shared, *last)
                counts[labels] = counts[labels] + count if labels in counts else count
                sums[labels] += total
        family, bounds = self._family(), [*map(str, self._bounds), "+Inf"]
        for labels, count in counts.items():
            family.add_metric(labels, list(zip(bounds, np.cumsum(count).tolist(), strict=True)), sums[labels])
        yield family

    def _sum_up(self) -> None:
        """Count what is pending: what has the same labels at once."""
        pending, self._pending = self._pending, []
        noted: defaultdict[_Key, list[_Values]] = defaultdict(list)
        for key, values in pending:
            noted[key].append(values)
        for key, parts in noted.items():
            named = bool(key[1])
            matrix = np.array(parts, np.float64) if named else np.concatenate(parts).astype(np.float64)[:, None]
            counts, sums = self._counted(matrix)
            self._counts[key] = self._counts[key] + counts if key in self._counts else counts
            self._sums[key] = self._sums[key] + sums if key in self._sums else sums

    def _counted(self, matrix: npt.NDArray[np.float64]) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.float64]]:
        """(columns, buckets) how many values of each column of (n, columns) are in each bucket, and their sums."""
        columns, buckets = matrix.shape[1], len(self._bounds) + 1
        cells = np.searchsorted(self._bounds, matrix) + np.arange(columns) * buckets
        counts = np.bincount(cells[~np.isnan(matrix)], minlength=columns * buckets)
        return counts.reshape(columns, buckets), np.nansum(matrix, axis=0)

    def _family(self) -> HistogramMetricFamily:
        return HistogramMetricFamily(self._name, self._about, labels=self.labels)
