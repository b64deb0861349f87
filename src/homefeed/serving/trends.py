"""What trends by the hour, in memory: the store's view, and on top of it what happened since, as it happens."""

from __future__ import annotations

import numpy as np

from homefeed.catalog import CatalogView, Counters, EventWeights
from homefeed.environment import Clock
from homefeed.recipe import Recipe
from homefeed.serving.counting import count_hours
from homefeed.store import Store
from homefeed.store.events import rows_after
from homefeed.store.trending import Trending, read_trending, trending_refreshed_at
from homefeed.types import NO_TIME

_PAGE = 20_000


class Trends:
    """Keeps the counters' hours in step with the view: it is read again once it was refreshed."""

    def __init__(
        self, recipe: Recipe, store: Store, catalog: CatalogView, weights: EventWeights, clock: Clock
    ) -> None:
        self._recipe, self._store, self._catalog = recipe, store, catalog
        self._weights, self._clock = weights, clock
        self._refreshed_at = NO_TIME

    async def is_new(self) -> bool:
        """Whether the view was refreshed since it was last read here."""
        if not self._recipe.keeps_trending:
            return False
        refreshed_at = await trending_refreshed_at(self._store, self._recipe.app)
        return refreshed_at is not None and refreshed_at != self._refreshed_at

    async def restore(self, counters: Counters) -> None:
        """Have the hours of counters be those of the view and of what was counted since.

        The counters must have counted all that the view has.
        """
        if not self._recipe.keeps_trending:
            return
        view = await read_trending(self._store, self._recipe.app)
        if view.refreshed_at is None:
            return
        self._restore(counters, view)
        seq, app = view.watermark, self._recipe.app
        while seq < counters.watermark:
            with_ids = self._recipe.items.creator is not None
            rows = await rows_after(self._store, app, seq, _PAGE, counters.watermark, user_ids=with_ids)
            if not len(rows):
                break
            count_hours(counters, rows, self._catalog, self._weights, self._recipe, self._clock())
            seq = rows.seqs[-1]
        self._refreshed_at = view.refreshed_at

    def _restore(self, counters: Counters, view: Trending) -> None:
        positions = self._catalog.positions(view.items)
        here = positions >= 0
        counters.hourly.restore(positions[here], view.hours[here], view.scores[here].astype(np.float64))
        counters.version += 1
