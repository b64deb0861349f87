"""How much is shown and who answers, for Prometheus: what click-through rates and coverage are shares of."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from prometheus_client import CollectorRegistry
from prometheus_client.core import CounterMetricFamily
from prometheus_client.registry import Collector

from homefeed.recipe import Recipe
from homefeed.types import Slate

_YES, _NO, _ANY = "yes", "no", "any"
_LABELS: Final = ("app", "feed", "personalised")


class PagesShown(Collector):
    """The counters `homefeed_pages_shown_total` and `homefeed_items_shown_total`."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self._pages: dict[tuple[str, str, str], int] = {}
        self._items: dict[tuple[str, str], int] = {}
        registry.register(self)

    def add(self, recipe: Recipe, slate: Slate) -> None:
        """Note a page that was chosen for this request."""
        feed = slate.feed
        if recipe.feeds[feed].settings.cold_start is None:
            personalised = _ANY
        else:
            personalised = _YES if slate.made_by == feed else _NO
        page, items = (recipe.app, feed, personalised), (recipe.app, feed)
        self._pages[page] = self._pages.get(page, 0) + 1
        self._items[items] = self._items.get(items, 0) + len(slate)

    def describe(self) -> list[CounterMetricFamily]:
        """The counters without values: registering needs their names alone."""
        return list(self._families())

    def collect(self) -> Iterator[CounterMetricFamily]:
        """The counters as they are now."""
        pages, items = self._families()
        for page, count in self._pages.items():
            pages.add_metric(page, count)
        for feed, count in self._items.items():
            items.add_metric(feed, count)
        yield from (pages, items)

    @staticmethod
    def _families() -> tuple[CounterMetricFamily, CounterMetricFamily]:
        about = "Pages shown, by whether the feed itself chose them or the one that answers new users instead."
        return (
            CounterMetricFamily("homefeed_pages_shown", about, labels=_LABELS),
            CounterMetricFamily("homefeed_items_shown", "Items on pages shown.", labels=_LABELS[:2]),
        )
