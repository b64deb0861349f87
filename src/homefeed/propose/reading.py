"""The files of a folder, and the head of each: what a proposal is made of."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import polars as pl

from homefeed.errors import DataError, NotInstalledError
from homefeed.ingest.archives import only_member
from homefeed.ingest.readers import open_table
from homefeed.ingest.spreadsheet import sheet_names
from homefeed.ingest.table import Table, open_bytes
from homefeed.propose.dialect import guess_written
from homefeed.recipe import Source

HEAD_BYTES: Final = 1 << 18
MAX_ROWS: Final = 100_000
_OF_TEXT: Final = (".csv", ".tsv", ".txt", ".dat", ".data", ".tab")
_OF_OBJECTS: Final = (".jsonl", ".ndjson")
_PACKED: Final = (".gz", ".zip")


@dataclass(frozen=True, slots=True)
class Sample:
    """The head of a file, all cells as text. `source` says how it is opened, `rows` about how many it has.

    `sheet` is one of several of an Excel file; `complete` whether the head is all of it.
    """

    path: Path
    source: Source
    frame: pl.DataFrame
    rows: int
    complete: bool

    @property
    def name(self) -> str:
        """What people call it: the name of the file, and of its sheet."""
        return self.path.name if self.source.sheet is None else f"{self.path.name} [{self.source.sheet}]"

    @property
    def stem(self) -> str:
        """The name without endings, or that of the sheet."""
        return self.source.sheet or self.path.name.split(".")[0]


def read_samples(place: Path) -> tuple[list[Sample], list[tuple[str, str]]]:
    """The heads of the tables of a folder, or of a file by itself; and the files that are none, each with why.

    Raises:
        DataError: there is no such place.
    """
    if not place.exists():
        raise DataError(f"{place}: no such folder")
    paths = sorted(place.iterdir()) if place.is_dir() else [place]
    samples: list[Sample] = []
    others: list[tuple[str, str]] = []
    for path in paths:
        if path.is_dir() or path.name.startswith("."):
            continue
        try:
            found = [_sampled(path, source) for source in _sources(path)]
        except (DataError, NotInstalledError) as error:
            others.append((path.name, str(error).removeprefix(f"{path}: ")))
            continue
        if not found:
            others.append((path.name, "no table of a known format"))
        samples += [sample for sample in found if sample.frame.height and len(sample.frame.columns)]
        others += [(sample.name, "without rows") for sample in found if not sample.frame.height]
    return samples, others


def distinct_cells(sample: Sample, column: str, most: int = 1_000) -> list[str]:
    """The different cells of a column of the whole file, most frequent in its head first, at most so many."""
    counts = sample.frame[column].drop_nulls().value_counts(sort=True)
    seen = dict.fromkeys(counts[column].to_list()[:most])
    if not sample.complete:
        with closing(open_table(sample.path, sample.source).batches()) as batches:
            for batch in batches:
                seen |= dict.fromkeys(batch.frame[column].drop_nulls().unique(maintain_order=True).to_list())
                if len(seen) > most:
                    break
    return list(seen)[:most]


def _sources(path: Path) -> Sequence[Source]:
    """How the tables of a file are opened; none where it is of no known format."""
    name = path.name.lower()
    if name.endswith(".xlsx"):
        sheets = sheet_names(path)
        return [Source(sheet=sheet if len(sheets) > 1 else None) for sheet in sheets]
    if name.endswith(".zip"):
        name = Path(only_member(path)).name.lower()
    for packed in _PACKED:
        name = name.removesuffix(packed)
    if name.endswith((".parquet", *_OF_OBJECTS)):
        return [Source()]
    return _written(path, name) if name.endswith(_OF_TEXT) else []


def _written(path: Path, name: str) -> Sequence[Source]:
    """How a text file is read; a .txt of one column is prose, not a table."""
    with open_bytes(path) as (read, _):
        beginning = read(HEAD_BYTES)
    written = guess_written(beginning)
    usual = "\t" if name.endswith(".tsv") else "," if name.endswith(".csv") else None
    if usual is None and written.columns == 1:
        return []
    source = Source(
        delimiter=None if written.delimiter == usual or written.columns == 1 else written.delimiter,
        encoding=written.encoding,
        header=() if written.has_header else tuple(f"column_{n}" for n in range(1, written.columns + 1)),
    )
    return [source]


def _sampled(path: Path, source: Source) -> Sample:
    table = open_table(path, source)
    with closing(table.batches()) as batches:
        first = next(batches, None)
        if first is None:
            return Sample(path, source, pl.DataFrame(), 0, True)
        complete = next(batches, None) is None
    frame = first.frame.head(MAX_ROWS)
    complete = complete and frame.height == first.frame.height
    return Sample(path, source, frame, _rows(table, first.done, first.frame.height, complete), complete)


def _rows(table: Table, done: int, height: int, complete: bool) -> int:
    """About how many rows a file has, by how far its first ones reach."""
    return height if complete else round(height * max(table.total / max(done, 1), 1.0))
