"""Writes the tables of a sample to files."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Literal, TypeAlias

import polars as pl

Format: TypeAlias = Literal["csv", "parquet", "jsonl"]

_SINKS = {".csv": "sink_csv", ".parquet": "sink_parquet", ".jsonl": "sink_ndjson"}


def write_tables(tables: Mapping[str, pl.LazyFrame], folder: Path) -> tuple[Path, ...]:
    """Write each table to its path below `folder`, in the format of the path's suffix; lists as tags in CSV."""
    files = tuple(folder / name for name in tables)
    for path, table in zip(files, tables.values(), strict=True):
        path.parent.mkdir(parents=True, exist_ok=True)
        getattr(_flat(table) if path.suffix == ".csv" else table, _SINKS[path.suffix])(path)
    return files


def _flat(table: pl.LazyFrame) -> pl.LazyFrame:
    lists = [name for name, dtype in table.collect_schema().items() if isinstance(dtype, pl.List)]
    return table.with_columns(pl.col(lists).cast(pl.List(pl.String)).list.join("|")) if lists else table


def ids(prefix: str, count: int, digits: int = 1) -> list[str]:
    """The prefix followed by 1, 2, ... `count`, with zeros before those of fewer `digits`."""
    return [f"{prefix}{number:0{digits}}" for number in range(1, count + 1)]


def iso(column: str) -> pl.Expr:
    """A column of seconds since 1970-01-01 UTC as text of ISO 8601."""
    return pl.from_epoch(column, time_unit="s").dt.strftime("%Y-%m-%dT%H:%M:%SZ")
