"""Files of an app's own shape: a function of the app makes a table of items ready to be mapped."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeAlias

import polars as pl

from homefeed.types import Mask

Finding: TypeAlias = tuple[str, Mask]
"""What is the matter, and with which rows (n,)."""


@dataclass(frozen=True, slots=True)
class Prepared:
    """Items that are ready to be mapped: the n rows of the file, in its order, every cell text.

    Of the findings in `rejected` a row has the first. `ignored` are the columns that nothing was made from.
    """

    frame: pl.DataFrame
    rejected: tuple[Finding, ...] = ()
    warnings: tuple[Finding, ...] = ()
    ignored: tuple[str, ...] = ()


PrepareItems: TypeAlias = Callable[[pl.DataFrame], Prepared]
"""Told some rows of a file, and before them none at all: that tells the columns there will be."""
