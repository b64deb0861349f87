"""Parquet files by day: `day=2026-11-30/part-00000.parquet`, names that Spark, DuckDB and Polars understand."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Final

import polars as pl

from homefeed.dataset.export_files import Add
from homefeed.dataset.shown_parquet import new_parquet
from homefeed.store.private import make_private_folder

PART: Final = "part-00000.parquet"
DAY: Final = "day="
"""What the name of each day's folder begins with."""

_HELD: Final = 500_000
"""How many rows are in memory at most, beside those of one frame: a log need not be in the order of its times."""


@contextmanager
def growing_by_day(folder: Path, held: int = _HELD) -> Iterator[Add]:
    """Write a folder with a file for each day in UTC: give the function it yields the rows, some at a time.

    A day's file has its rows in the order in which they came.
    """
    with ExitStack() as files:
        days = _Days(folder, files, held)
        yield days.add
        days.write(0)


class _Days:
    """The rows of each day that are not written yet, and the files that grow."""

    def __init__(self, folder: Path, files: ExitStack, held: int) -> None:
        self._folder, self._files, self._held = folder, files, held
        self._waiting: dict[str, list[pl.DataFrame]] = {}
        self._rows: dict[str, int] = {}
        self._growing: dict[str, Add] = {}

    def add(self, rows: pl.DataFrame) -> None:
        """Take rows of any days."""
        by_day = rows.with_columns(pl.col("timestamp").dt.strftime("%Y-%m-%d").alias(DAY))
        for (day,), part in by_day.partition_by(DAY, as_dict=True, include_key=False).items():
            self._waiting.setdefault(str(day), []).append(part)
            self._rows[str(day)] = self._rows.get(str(day), 0) + part.height
        if sum(self._rows.values()) > self._held:
            self.write(self._held // 2)

    def write(self, rest: int) -> None:
        """Write the days with the most rows, until no more than `rest` are in memory."""
        left = sum(self._rows.values())
        for day in sorted(self._rows, key=lambda day: (-self._rows[day], day)):
            if left <= rest:
                return
            left -= self._rows.pop(day)
            self._file(day)(pl.concat(self._waiting.pop(day)))

    def _file(self, day: str) -> Add:
        if day not in self._growing:
            place = self._folder / f"{DAY}{day}"
            make_private_folder(place)
            self._growing[day] = self._files.enter_context(new_parquet(place / PART))
        return self._growing[day]
