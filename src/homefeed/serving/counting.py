"""Adds rows of the log to an app's counters, by the rules that training counts by."""

from __future__ import annotations

import numpy as np

from homefeed.catalog import CatalogView, Counters, EventWeights, strengths
from homefeed.dataset.columns import log_columns, own
from homefeed.recipe import Recipe
from homefeed.store.events import LogRows


def count_rows(
    counters: Counters, rows: LogRows, catalog: CatalogView, weights: EventWeights, recipe: Recipe, now: int
) -> None:
    """Add `rows` to `counters` and move its watermark behind them. No event counts as later than `now`."""
    types, values = log_columns(rows, weights)
    users, items = np.array(rows.users, np.int32), np.array(rows.items, np.int32)
    positions = catalog.positions(items)
    full = counters.full[positions] if catalog.size else np.zeros(len(rows), np.float32)
    strength = strengths(weights, types, values, full)
    # As in training, neither undeclared types count nor what creators do to their own items.
    left_out = (types < 0) | own(rows, positions, catalog, recipe.items.creator)
    positions[left_out] = -1
    # A clock that is ahead must not make everything else look old.
    times = np.minimum(np.array(rows.times, np.int64), now)
    counters.add(users, positions, strength, times)
    for name in recipe.signals.distinct:
        reported = (types == recipe.event_types.index(name)) & ~left_out
        counters.add_distinct(name, users[reported], items[reported])
    counters.watermark = rows.seqs[-1]
