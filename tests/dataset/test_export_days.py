"""Files by day: every row is in the file of its day, whatever order they come in and however few are held."""

from pathlib import Path

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from homefeed.dataset.export_days import growing_by_day
from homefeed.dataset.export_manifest import ExportManifest, is_export
from homefeed.errors import DataError
from homefeed.types import DAY

START = 20_000 * DAY


def frame(days: list[int], first: int) -> pl.DataFrame:
    times = pl.Series([START + day * DAY for day in days], dtype=pl.Int64).cast(pl.Datetime("us", "UTC"))
    return pl.DataFrame({"timestamp": times, "seq": range(first, first + len(days))})


@settings(max_examples=15)
@given(st.lists(st.lists(st.integers(-2, 2), min_size=1, max_size=4), max_size=4), st.integers(0, 9))
def test_each_row_is_in_the_file_of_its_day(
    tmp_path_factory: pytest.TempPathFactory, frames: list[list[int]], held: int
) -> None:
    folder, written, first = tmp_path_factory.mktemp("days"), [], 0
    with growing_by_day(folder, held) as add:
        for days in frames:
            add(frame(days, first))
            written += [(day, first + row) for row, day in enumerate(days)]
            first += len(days)
    found = []
    for file in sorted(folder.glob("day=*/part-00000.parquet")):
        rows = pl.read_parquet(file, hive_partitioning=False)
        (day,) = set(rows["timestamp"].dt.strftime("day=%Y-%m-%d"))
        assert file.parent.name == day
        found += [
            ((time - START) // DAY, seq) for time, seq in rows.with_columns(pl.col("timestamp").cast(int)).rows()
        ]
    assert found == sorted(written)


def test_a_manifest_tells_of_files_that_are_gone(tmp_path: Path) -> None:
    with growing_by_day(tmp_path / "events") as add:
        add(frame([0, 1], 1))
    ExportManifest.of(tmp_path, "town", "2026-01-01T00:00:00Z", 2, {"events": 2}).write(tmp_path)
    assert is_export(tmp_path)
    assert (ExportManifest.read(tmp_path).first_day, ExportManifest.read(tmp_path).last_day) == (
        "2024-10-04",
        "2024-10-05",
    )
    (tmp_path / "events" / "day=2024-10-05" / "part-00000.parquet").write_bytes(b"")
    with pytest.raises(DataError, match="is missing or damaged"):
        ExportManifest.read(tmp_path)
    (tmp_path / "homefeed-export.json").write_text("[]")
    with pytest.raises(DataError, match="cannot be read"):
        ExportManifest.read(tmp_path)
