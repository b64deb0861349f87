"""Whether a column tells of what another one names."""

from __future__ import annotations

from typing import Final

import polars as pl

from homefeed.propose.kinds import Table
from homefeed.propose.words import says

_CONSISTENT: Final = 0.9


def hangs_on(table: Table, key: str, column: str) -> bool:
    """Whether the rows of one key nearly always have the same cell in a column."""
    frame = table.sample.frame.select(key, column).drop_nulls()
    counts = (
        frame.group_by(key, column).len().group_by(key).agg(pl.col("len").max().alias("most"), pl.col("len").sum())
    )
    often = counts.filter(pl.col("len") > 1)
    if not often.height or table.columns[column].distinct < 2:
        return False
    if says(column, "price"):
        return True
    # A column with hardly more than one value agrees with anything.
    usual = max(frame[column].value_counts()["count"].to_list()) / frame.height
    share = int(often["most"].sum()) / int(often["len"].sum())
    return share >= _CONSISTENT and (share - usual) >= 0.5 * (1 - usual)
