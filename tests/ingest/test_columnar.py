"""Parquet files."""

from __future__ import annotations

import math
from datetime import UTC, date, datetime, timedelta, timezone
from pathlib import Path

import polars as pl
import pytest

from homefeed.errors import DataError
from homefeed.ingest.cells import parse_tags
from homefeed.ingest.columnar import open_parquet


def test_every_type_becomes_the_text_of_a_csv_file(tmp_path: Path) -> None:
    path = tmp_path / "file.parquet"
    east = timezone(timedelta(hours=2))
    frame = pl.DataFrame(
        {
            " id ": [1, None],
            "real": [1.5, None],
            "flag": [True, None],
            "day": [date(2025, 1, 2), None],
            "naive": [datetime(2025, 1, 2, 3, 4, 5, 6), None],  # noqa: DTZ001
            "zoned": pl.Series([datetime(2025, 1, 2, 3, tzinfo=east).astimezone(UTC), None]),
            "words": [["x", 'y"z'], None],
            "pair": pl.Series([[1, 2], None], dtype=pl.Array(pl.Int64, 2)),
            "place": [{"lat": 1.5}, None],
            "kind": pl.Series(["a", None], dtype=pl.Categorical),
            "raw": [b"text", None],
            "nothing": [None, None],
        }
    )
    frame.write_parquet(path)
    opened = open_parquet(path)
    assert (opened.columns or ())[0] == "id"
    assert opened.total == 2
    (batch,) = opened.batches()
    assert set(batch.frame.dtypes) == {pl.String}
    assert batch.frame.rows()[0] == (
        "1",
        "1.5",
        "true",
        "2025-01-02",
        "2025-01-02 03:04:05.000006",
        "2025-01-02 01:00:00.000000+00:00",
        '["x","y\\"z"]',
        "[1,2]",
        '{"lat":1.5}',
        "a",
        "text",
        None,
    )
    assert set(batch.frame.rows()[1]) == {None}


def test_whole_numbers_have_no_fraction(tmp_path: Path) -> None:
    path = tmp_path / "file.parquet"
    reals = [2.0, -0.0, 2.5, 1e15, 2.0**62, 1e300, math.inf, math.nan, None]
    pl.DataFrame({"real": reals, "list": [[2.0, 2.5]] * 9}).write_parquet(path)
    (batch,) = open_parquet(path).batches()
    texts = ["2", "0", "2.5", "1000000000000000", str(2**62), "1e+300", "inf", "NaN", None]
    assert batch.frame["real"].to_list() == texts
    assert parse_tags(batch.frame["list"][0], "|") == ["2", "2.5"]


def test_bytes_that_are_no_text_are_counted(tmp_path: Path) -> None:
    path = tmp_path / "file.parquet"
    pl.DataFrame({"a": [b"x", b"\xff", b"y"]}).write_parquet(path)
    (batch,) = open_parquet(path).batches()
    assert batch.frame["a"].to_list() == ["x", "y"]
    assert batch.rows.tolist() == [1, 3]
    assert batch.bad["not valid UTF-8"].count == 1


def test_batches_are_numbered_through(tmp_path: Path) -> None:
    path = tmp_path / "file.parquet"
    pl.DataFrame({"a": range(450_000)}).write_parquet(path, row_group_size=60_000)
    batches = list(open_parquet(path).batches())
    assert len(batches) > 1
    numbers = [int(number) for batch in batches for number in batch.rows]
    assert numbers == list(range(1, 450_001))
    assert [int(cell) for batch in batches for cell in batch.frame["a"]] == list(range(450_000))


def test_what_is_not_parquet_is_named(tmp_path: Path) -> None:
    path = tmp_path / "file.parquet"
    path.write_bytes(b"")
    with pytest.raises(DataError, match=r"file\.parquet: the file is empty"):
        open_parquet(path)
    path.write_bytes(b"PAR1 no, not really")
    with pytest.raises(DataError, match=r"file\.parquet: not a readable Parquet file"):
        open_parquet(path)
