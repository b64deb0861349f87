"""Overload: requests that would wait too long for their turn are refused before they cost anything."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Final

from prometheus_client import CollectorRegistry
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector
from starlette.types import Scope

from homefeed.serving import LiveApp
from homefeed.serving.fair_lock import FairLock

_READS: Final = ("GET", "HEAD")
_ALWAYS: Final = ("/healthz", "/readyz", "/metrics", "/dashboard")


class Door:
    """Refuses reads while the feeds' turns are full: to read and route one costs more than to refuse it.

    Events and other writes pass: they take no turn. So do health, metrics and the dashboard's pages. A read by
    POST is refused where it would take its turn.
    """

    def __init__(self, turns: FairLock) -> None:
        self._turns = turns

    def refuses(self, scope: Scope) -> bool:
        """Whether the request is to be answered by 503; it is counted."""
        turns = self._turns
        if not turns.is_full or scope["method"] not in _READS or scope["path"].startswith(_ALWAYS):
            return False
        turns.refused += 1
        return True


class Queues(Collector):
    """What waits in a server, and what was refused because too much did."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self._turns: FairLock | None = None
        self._apps: tuple[LiveApp, ...] = ()
        registry.register(self)

    def follow(self, turns: FairLock, apps: Iterable[LiveApp]) -> None:
        """Tell of these from now on."""
        self._turns, self._apps = turns, tuple(apps)

    def describe(self) -> list[Metric]:
        """The metrics without values: registering needs their names alone."""
        return list(_families().values())

    def collect(self) -> Iterator[Metric]:
        """The metrics as they are now."""
        made, turns = _families(), self._turns
        if turns is not None:
            made["length"].add_metric(("turns",), turns.length)
            made["wait"].add_metric((), turns.expected_wait)
            made["refused"].add_metric((), turns.refused)
        waiting: dict[str, Callable[[LiveApp], int]] = {
            "events": lambda app: app.waiting_events,
            "impressions": lambda app: app.impressions.waiting,
        }
        for queue, count in waiting.items():
            if self._apps:
                made["length"].add_metric((queue,), sum(map(count, self._apps)))
        yield from made.values()


def _families() -> dict[str, GaugeMetricFamily | CounterMetricFamily]:
    return {
        "length": GaugeMetricFamily(
            "homefeed_queue_length",
            "Requests that compute or wait for their turn, and events and impressions that wait to be written.",
            labels=("queue",),
        ),
        "wait": GaugeMetricFamily(
            "homefeed_turn_wait_seconds", "How long a request that comes now waits for its turn."
        ),
        "refused": CounterMetricFamily(
            "homefeed_requests_refused", "Requests answered by 503 because they would have waited too long."
        ),
    }
