"""Parquet files: every column becomes text, as it would be in a CSV file."""

from __future__ import annotations

from collections.abc import Generator
from pathlib import Path
from typing import Final

import numpy as np
import polars as pl

from homefeed.errors import DataError
from homefeed.ingest.delimited import NOT_UTF_8
from homefeed.ingest.printing import printable
from homefeed.ingest.table import Batch, Table, head
from homefeed.ingest.tallies import NO_TALLIES, tally_rows
from homefeed.types import Mask

_ROWS: Final = 200_000
_MOST: Final = 2.0**63


def open_parquet(path: Path) -> Table:
    """A Parquet file.

    Raises:
        DataError: it cannot be read or is not Parquet.
    """
    head(path, 16)
    return _opened(path, [path])


def open_parquet_days(folder: Path) -> Table:
    """The Parquet files of a folder by day, `day=2026-11-30/part-00000.parquet`, as one table.

    Raises:
        DataError: there is none, one cannot be read, or they have different columns.
    """
    if not (paths := days_in(folder)):
        raise DataError(f"{folder}: expected a file, or a folder with files such as day=2026-11-30/part-0.parquet")
    return _opened(folder, paths)


def days_in(folder: Path) -> list[Path]:
    """The Parquet files of a folder by day, the earliest first."""
    return sorted(folder.glob("day=*/*.parquet"))


def _opened(path: Path, paths: list[Path]) -> Table:
    try:
        schema = pl.read_parquet_schema(paths[0])
        total = int(_scan(paths).select(pl.len()).collect().item())
    except pl.exceptions.PolarsError as error:
        raise DataError(f"{path}: not a readable Parquet file: {_first_line(error)}") from None
    names = [name.strip() for name in schema]
    for name in names:
        if names.count(name) > 1:
            raise DataError(f'{path}: column "{printable(name)}" is there twice')
    return Table(path, tuple(name for name in names if name), total, lambda: _batches(path, paths, schema))


def _scan(paths: list[Path]) -> pl.LazyFrame:
    return pl.scan_parquet(paths, glob=False, hive_partitioning=False)


def _batches(path: Path, paths: list[Path], schema: dict[str, pl.DataType]) -> Generator[Batch]:
    columns = [as_text(name, dtype).alias(name.strip()) for name, dtype in schema.items() if name.strip()]
    done = 0
    try:
        for part in _scan(paths).collect_batches(chunk_size=_ROWS, maintain_order=True):
            rows = np.arange(done + 1, done + 1 + part.height)
            done += part.height
            readable, garbled = _decoded(part)
            frame = readable.select(columns)
            if garbled.any():
                bad = {NOT_UTF_8: tally_rows(frame, rows, garbled)}
                yield Batch(frame.filter(~garbled), rows[~garbled], bad, done)
            elif frame.height:
                yield Batch(frame, rows, NO_TALLIES, done)
    except pl.exceptions.PolarsError as error:
        raise DataError(f"{path}: damaged after row {done}: {_first_line(error)}") from None


def _decoded(part: pl.DataFrame) -> tuple[pl.DataFrame, Mask]:
    """Text stored as bytes, decoded; and the rows where decoding fails."""
    garbled = np.zeros(part.height, dtype=np.bool_)
    for name, dtype in part.schema.items():
        if dtype == pl.Binary:
            texts = [None if cell is None else cell.decode("utf-8", "replace") for cell in part[name]]
            sound = [text is None or text.encode() == cell for text, cell in zip(texts, part[name], strict=True)]
            part = part.with_columns(pl.Series(name, texts, dtype=pl.String))
            garbled |= ~np.array(sound, dtype=np.bool_)
    return part, garbled


def as_text(name: str, dtype: pl.DataType) -> pl.Expr:
    """A column as the text that a CSV file would have in its place."""
    column = pl.col(name)
    if isinstance(dtype, pl.Datetime):
        zoned = column if dtype.time_zone is None else column.dt.convert_time_zone("UTC")
        return zoned.dt.cast_time_unit("us").cast(pl.String)
    if isinstance(dtype, pl.Array):
        column, dtype = column.arr.to_list(), pl.List(dtype.inner)
    if isinstance(dtype, pl.List):
        # A frame turns structs into JSON, not lists: the list is wrapped and unwrapped again.
        wrapped = pl.struct(column.alias("v")).struct.json_encode().str.slice(5)
        return pl.when(column.is_not_null()).then(wrapped.str.head(-1))
    if isinstance(dtype, pl.Struct):
        return pl.when(column.is_not_null()).then(column.struct.json_encode())
    if dtype.is_float():
        is_whole = (column == column.floor()) & (column.abs() < _MOST)
        digits = pl.when(is_whole).then(column.cast(pl.Int64, strict=False)).cast(pl.String)
        return digits.fill_null(column.cast(pl.String))
    if dtype.is_decimal():
        return column.cast(pl.String).str.replace(r"\.0+$", "")
    return column.cast(pl.String, strict=False)


def _first_line(error: Exception) -> str:
    return printable(str(error).partition("\n")[0])
