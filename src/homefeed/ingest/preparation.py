"""Files in an app's own format: a function of the app converts them to items that can be mapped."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeAlias

import polars as pl

from homefeed.types import Mask

Finding: TypeAlias = tuple[str, Mask]
"""A problem, and the rows that have it (n,)."""


@dataclass(frozen=True, slots=True)
class Prepared:
    """Items that can be mapped: the n rows of the file, in its order, all cells as text.

    A row has the first of the findings in `rejected`. `ignored` has the columns that were not used.
    """

    frame: pl.DataFrame
    rejected: tuple[Finding, ...] = ()
    warnings: tuple[Finding, ...] = ()
    ignored: tuple[str, ...] = ()


PrepareItems: TypeAlias = Callable[[pl.DataFrame], Prepared]
"""Called with the rows of a batch, and first with no rows, to find the resulting columns."""
