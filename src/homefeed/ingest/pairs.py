"""A file of pairs of users and items, with their features and whether the user chose the item."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Final

import numpy as np
import polars as pl

from homefeed.errors import DataError
from homefeed.ingest.readers import open_table
from homefeed.ingest.table import Batch
from homefeed.ingest.tallies import RowChecks
from homefeed.labelled import LabelledPairs
from homefeed.types import Mask

MOST_ROWS: Final = 5_000_000
"""So many rows are read at most: with 14 features they take 560 MB."""

_BOOLEANS: Final = {"true": "1", "false": "0"}


def read_pairs(path: Path, names: Sequence[str], label: str) -> LabelledPairs:
    """Read .parquet, .csv, .tsv or .jsonl: columns of numbers, true or false, by name; others are passed over.

    A number that is empty is not known. Rows with something else in its place, or without a label of 0 or 1, are
    left out and counted.

    Raises:
        DataError: the file cannot be read, lacks a column, or is longer than `MOST_ROWS`.
    """
    table = open_table(path)
    missing = [name for name in (*names, label) if name not in (table.columns or ())]
    if missing:
        found = ", ".join(table.columns or ()) or "none"
        raise DataError(f"{path}: no column {', '.join(missing)}; the columns are: {found}")
    values, chosen = [np.empty((0, len(names)))], [np.empty(0, np.bool_)]
    left_out: Counter[str] = Counter()
    for batch in table.batches():
        numbers, checks = _numbers(batch, names, label)
        values.append(numbers[checks.good, :-1])
        chosen.append(numbers[checks.good, -1] == 1)
        for bad in (batch.bad, checks.rejected()):
            left_out.update({reason: tally.count for reason, tally in bad.items()})
        if sum(map(len, chosen)) > MOST_ROWS:
            raise DataError(f"{path}: more than {MOST_ROWS:,} samples; make a file of fewer of them")
    return LabelledPairs(tuple(names), np.concatenate(values), np.concatenate(chosen), dict(left_out))


def _numbers(batch: Batch, names: Sequence[str], label: str) -> tuple[np.ndarray, RowChecks]:
    """(rows, names + 1) the cells of a batch as numbers, NaN where one is empty; and which rows are in order."""
    checks = RowChecks(batch.frame, batch.rows)
    numbers = np.empty((batch.frame.height, len(names) + 1))
    for column, name in enumerate((*names, label)):
        cells = _cells(batch.frame, name)
        numbers[:, column] = cells.cast(pl.Float64, strict=False).fill_null(np.nan).to_numpy()
        finite: Mask = np.isfinite(numbers[:, column])
        if name != label:
            checks.reject(~finite & cells.is_not_null().to_numpy(), f"{name}: expected a number")
    checks.reject(~np.isin(numbers[:, -1], (0, 1)), f"{label}: expected 0 or 1")
    return numbers, checks


def _cells(frame: pl.DataFrame, name: str) -> pl.Series:
    """A column of a batch, null where a cell is empty; a batch of JSON lines may lack it."""
    if name not in frame.columns:
        return pl.Series(name, [None] * frame.height, pl.String)
    stripped = frame[name].str.strip_chars()
    return stripped.str.to_lowercase().replace({"": None}).replace(_BOOLEANS)
