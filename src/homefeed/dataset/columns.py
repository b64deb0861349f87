"""Rows of the log as the codes and values that algorithms compute with."""

from __future__ import annotations

import math

import numpy as np

from homefeed.catalog import EventWeights
from homefeed.store.events import LogRows
from homefeed.types import Codes, Floats

_LARGEST = 1e30
"""Beyond it values all count the same: computing with them stays within 32 bits."""


def log_columns(rows: LogRows, weights: EventWeights) -> tuple[Codes, Floats]:
    """Types as codes, and values with NaN for none."""
    values = [math.nan if value is None else value for value in rows.values]
    return weights.codes(rows.types), np.clip(np.array(values, np.float64), -_LARGEST, _LARGEST).astype(np.float32)
