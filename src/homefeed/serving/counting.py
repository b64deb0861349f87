"""Adds rows of the log to an app's counters, by the rules that training counts by."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from homefeed.catalog import CatalogView, Counters, EventWeights, strengths
from homefeed.dataset.columns import log_columns, own
from homefeed.recipe import Recipe
from homefeed.store.events import LogRows
from homefeed.types import Codes, Floats, Mask, Positions, Times


@dataclass(frozen=True, slots=True)
class _Told:
    """Events of the log (n,) as they count. `positions` are -1 of items that are not here, and of what is
    `left_out`: as in training, neither undeclared types count nor what creators do to their own items.
    """

    types: Codes
    values: Floats
    positions: Positions
    times: Times
    left_out: Mask


def count_rows(
    counters: Counters, rows: LogRows, catalog: CatalogView, weights: EventWeights, recipe: Recipe, now: int
) -> None:
    """Add `rows` to `counters` and move its watermark behind them. No event counts as later than `now`."""
    told = _told(rows, catalog, weights, recipe, now)
    users, items = np.array(rows.users, np.int32), np.array(rows.items, np.int32)
    full = counters.full[told.positions] if catalog.size else np.zeros(len(rows), np.float32)
    strength = strengths(weights, told.types, told.values, full)
    counters.add(users, told.positions, strength, told.times, weights.weight[told.types])
    for name in recipe.signals.distinct:
        reported = (told.types == recipe.event_types.index(name)) & ~told.left_out
        counters.add_distinct(name, users[reported], items[reported])
    counters.watermark = rows.seqs[-1]


def count_hours(
    counters: Counters, rows: LogRows, catalog: CatalogView, weights: EventWeights, recipe: Recipe, now: int
) -> None:
    """Add `rows` that `counters` have counted to its hours alone, as `count_rows` does."""
    told = _told(rows, catalog, weights, recipe, now)
    here = told.positions >= 0
    counters.hourly.add(told.positions[here], weights.weight[told.types[here]], told.times[here])


def _told(rows: LogRows, catalog: CatalogView, weights: EventWeights, recipe: Recipe, now: int) -> _Told:
    types, values = log_columns(rows, weights)
    positions = catalog.positions(np.array(rows.items, np.int32))
    left_out = (types < 0) | own(rows, positions, catalog, recipe.items.creator)
    positions[left_out] = -1
    # A clock that is ahead must not make everything else look old.
    return _Told(types, values, positions, np.minimum(np.array(rows.times, np.int64), now), left_out)
