"""What parts of feeds count of their own work, for Prometheus."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Final

from prometheus_client import CollectorRegistry
from prometheus_client.core import CounterMetricFamily
from prometheus_client.registry import Collector

WORK_LABELS: Final = ("app", "part", "work")


class PartWork(Collector):
    """The counter `homefeed_part_work_total`: it starts again where an app's parts are built anew."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self._work: dict[str, Mapping[tuple[str, str], int]] = {}
        registry.register(self)

    def set(self, app: str, work: Mapping[tuple[str, str], int]) -> None:
        """Take over an app's totals, by part and kind of work."""
        self._work[app] = work

    def describe(self) -> list[CounterMetricFamily]:
        """The counter without values: registering needs its name alone."""
        return [self._family()]

    def collect(self) -> Iterator[CounterMetricFamily]:
        """The totals as of the last time that they were taken over."""
        family = self._family()
        for app, work in self._work.items():
            for (part, kind), total in work.items():
                family.add_metric((app, part, kind), total)
        yield family

    def _family(self) -> CounterMetricFamily:
        return CounterMetricFamily(
            "homefeed_part_work", "What parts of feeds count of their own work.", labels=WORK_LABELS
        )
