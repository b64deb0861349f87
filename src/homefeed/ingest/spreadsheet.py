"""Sheets of Excel files: read whole, for a sheet has at most 1,048,576 rows."""

from __future__ import annotations

import re
from collections.abc import Generator
from pathlib import Path
from typing import Any, Final

import numpy as np
import polars as pl

from homefeed.errors import DataError, NotInstalledError
from homefeed.extras import Extra
from homefeed.ingest.columnar import as_text
from homefeed.ingest.printing import listed, printable
from homefeed.ingest.table import Batch, Table
from homefeed.ingest.tallies import NO_TALLIES

_ROWS: Final = 200_000
_RENAMED: Final = re.compile(r".+_\d+", re.DOTALL)
_EXCEL: Final = Extra("excel", "fastexcel")


def open_excel(path: Path, sheet: str | None = None) -> Table:
    """A sheet of an Excel file, by default the first; its first row names the columns.

    Raises:
        DataError: it cannot be read, has no such sheet, is empty, or names a column twice.
    """
    names = sheet_names(path)
    name = names[0] if sheet is None else sheet
    if name not in names:
        raise DataError(f'{path}: no sheet "{printable(name)}"; its sheets are: {listed(names)}')
    frame = _frame(path, name)
    columns = _names(path, name, frame)
    if not columns:
        raise DataError(f'{path}: the sheet "{printable(name)}" is empty; expected a table')
    for column in columns:
        if columns.count(column) > 1:
            raise DataError(f'{path}: column "{printable(column)}" is there twice')
    texts = frame.select(as_text(each, dtype).alias(each.strip()) for each, dtype in frame.schema.items())
    return Table(path, tuple(columns), texts.height, lambda: _batches(texts))


def sheet_names(path: Path) -> list[str]:
    """The names of the sheets of an Excel file, in their order.

    Raises:
        DataError: it cannot be read.
        NotInstalledError: the library that reads such files is not there.
    """
    return list(_workbook(path).sheet_names)


def _workbook(path: Path) -> Any:
    try:
        import fastexcel
    except ImportError:
        raise NotInstalledError(f"{path}: to read Excel files, {_EXCEL.install}; or save it as CSV") from None
    if not path.is_file():
        raise DataError(f"{path}: no such file")
    try:
        return fastexcel.read_excel(path)
    except fastexcel.FastExcelError as error:
        raise DataError(
            f"{path}: not a readable Excel file: {printable(str(error).partition(chr(10))[0])}"
        ) from None


def _frame(path: Path, sheet: str) -> pl.DataFrame:
    try:
        # The type of a column is that of all its cells: ids that are numbers but for the last stay as they are.
        return pl.read_excel(path, sheet_name=sheet, infer_schema_length=None)
    except pl.exceptions.NoDataError:
        raise DataError(f'{path}: the sheet "{printable(sheet)}" is empty; expected a table') from None


def _names(path: Path, sheet: str, frame: pl.DataFrame) -> list[str]:
    """The names of the columns as the sheet has them: of a repeated one Polars makes another."""
    names = [column.strip() for column in frame.columns]
    if not any(_RENAMED.fullmatch(name) for name in names):
        return names
    first = pl.read_excel(
        path, sheet_name=sheet, has_header=False, read_options={"n_rows": 1}, infer_schema_length=None
    )
    told = [str(cell or "").strip() for cell in first.row(0)] if first.height else []
    return [cell or name for cell, name in zip(told, names, strict=True)] if len(told) == len(names) else names


def _batches(frame: pl.DataFrame) -> Generator[Batch]:
    for start in range(0, frame.height, _ROWS):
        part = frame[start : start + _ROWS]
        yield Batch(part, np.arange(start + 1, start + 1 + part.height), NO_TALLIES, start + part.height)
