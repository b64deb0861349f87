"""How long the stages of requests took, as a histogram."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from prometheus_client import CollectorRegistry

from homefeed.api.histograms import NotedHistogram

_BOUNDS: Final = (0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.1)


class StageSeconds(NotedHistogram):
    """The histogram `homefeed_stage_seconds`. A stage's time is its own, without that of what it called."""

    def __init__(self, registry: CollectorRegistry) -> None:
        super().__init__(
            registry,
            "homefeed_stage_seconds",
            "Time of the stages and parts of a feed, each without the others.",
            ("app", "feed", "stage"),
            _BOUNDS,
        )

    def add(self, app: str, feed: str, seconds: Mapping[str, float]) -> None:
        """Note how long each stage of a request took."""
        self.note((app, feed), list(seconds.values()), tuple(seconds))
