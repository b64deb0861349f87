"""Files that grow by frames of the same columns: CSV, JSON Lines or Parquet, for their owner alone."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final, Literal, TypeAlias

import orjson
import polars as pl

from homefeed.dataset.shown_parquet import new_parquet
from homefeed.store.private import make_private_file

Format: TypeAlias = Literal["csv", "jsonl", "parquet"]
Add: TypeAlias = Callable[[pl.DataFrame], None]

_ISO: Final = "%Y-%m-%dT%H:%M:%S%.6fZ"


@contextmanager
def growing(path: Path, form: Format) -> Iterator[Add]:
    """Write a file: give the function it yields the rows, some at a time. One without rows is not made."""
    if form == "parquet":
        with new_parquet(path) as add:
            yield add
        return
    make_private_file(path)
    with path.open("wb") as file:

        def add_text(rows: pl.DataFrame) -> None:
            text = rows.with_columns(pl.col(pl.Datetime).dt.strftime(_ISO))
            if form == "jsonl":
                text.write_ndjson(file)
            else:
                lists = pl.col(pl.List(pl.String)).map_elements(_cell, return_dtype=pl.String)
                text.with_columns(lists).write_csv(file, include_header=not file.tell())

        yield add_text


def _cell(tags: pl.Series) -> str:
    """Tags as one cell: between bars, or as a JSON list where a tag has a bar, or looks like a list."""
    names = tags.to_list()
    plain = all(name.strip() == name and name and "|" not in name for name in names) and names
    text = "|".join(names)
    return text if plain and not text.startswith("[") else orjson.dumps(names).decode()
