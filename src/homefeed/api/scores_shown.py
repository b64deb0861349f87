"""The scores of what people are shown, for Prometheus: how they are spread, and their mean."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from typing import Any, Final

import numpy as np
from prometheus_client import CollectorRegistry
from prometheus_client.core import CounterMetricFamily, HistogramMetricFamily

from homefeed.api.histograms import Labels, NotedHistogram
from homefeed.dataset.measures import SCORE_BOUNDS
from homefeed.types import Floats

_LABELS: Final = ("app", "feed")


class ScoresShown(NotedHistogram):
    """The histogram `homefeed_shown_score` and the counter `homefeed_shown_score_magnitude_total`.

    A histogram of what can be below 0 has no sum, for that could fall. So the sums of the scores above and below 0
    are counted apart: positive less negative, divided by the items shown, is their mean.
    """

    def __init__(self, registry: CollectorRegistry) -> None:
        self._magnitudes: defaultdict[Labels, float] = defaultdict(float)
        super().__init__(registry, "homefeed_shown_score", "Scores of items shown.", _LABELS, SCORE_BOUNDS)

    def add(self, app: str, feed: str, scores: Floats) -> None:
        """Note the scores (n,) of the items of an answer."""
        self.note((app, feed), scores)

    def describe(self) -> list[Any]:
        """The metrics without values: registering needs their names alone."""
        return [*super().describe(), self._counter()]

    def collect(self) -> Iterator[HistogramMetricFamily | CounterMetricFamily]:  # type: ignore[override]
        """The metrics of all requests so far."""
        yield from super().collect()
        counter = self._counter()
        for labels, magnitude in self._magnitudes.items():
            counter.add_metric(labels, magnitude)
        yield counter

    def _sum_up(self) -> None:
        parts: defaultdict[Labels, list[Any]] = defaultdict(list)
        for (labels, _), scores in self._pending:
            parts[labels].append(scores)
        for labels, several in parts.items():
            scores = np.concatenate(several).astype(np.float64)
            self._magnitudes[*labels, "positive"] += float(np.nansum(scores.clip(min=0)))
            self._magnitudes[*labels, "negative"] -= float(np.nansum(scores.clip(max=0)))
        super()._sum_up()

    @staticmethod
    def _counter() -> CounterMetricFamily:
        about = "Sums of the scores of items shown that are above and below 0, each without its sign."
        return CounterMetricFamily("homefeed_shown_score_magnitude", about, labels=(*_LABELS, "sign"))
