"""Numbers as counts."""

from __future__ import annotations

import math

import numpy as np

from homefeed.catalog.counts import as_counts


def test_numbers_as_counts() -> None:
    assert as_counts(np.array([3, 2.9, 0.5, -1, math.nan, 1e308])).tolist() == [3, 2, 0, 0, 0, 1e15]
