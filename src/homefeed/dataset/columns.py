"""Rows of the log as the codes and values that algorithms compute with."""

from __future__ import annotations

import math

import numpy as np

from homefeed.catalog import CatalogView, EventWeights
from homefeed.catalog.columns import CategoryColumn
from homefeed.store.events import LogRows
from homefeed.types import Codes, Floats, Mask, Positions

_LARGEST = 1e30
"""Beyond it values all count the same: computing with them stays within 32 bits."""


def log_columns(rows: LogRows, weights: EventWeights) -> tuple[Codes, Floats]:
    """Types as codes, and values with NaN for none."""
    values = [math.nan if value is None else value for value in rows.values]
    return weights.codes(rows.types), np.clip(np.array(values, np.float64), -_LARGEST, _LARGEST).astype(np.float32)


def own(rows: LogRows, positions: Positions, catalog: CatalogView, creator: str | None) -> Mask:
    """(n,) what creators do to their own items, by the field `creator` of items: it says nothing of others' taste.

    `positions` (n,) are those of the items, -1 of those that are not here.
    """
    mask, here = np.zeros(len(rows), np.bool_), np.flatnonzero(positions >= 0)
    if creator is not None and len(here):
        users = [rows.user_ids[row] for row in here.tolist()]
        mask[here] = catalog.column(creator, CategoryColumn).equal(positions[here], users, catalog.size)
    return mask
