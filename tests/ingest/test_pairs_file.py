"""Click samples from files: the same from every format, and no row is lost without being counted."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import polars as pl
import pytest

from homefeed.errors import DataError
from homefeed.ingest import pairs
from homefeed.ingest.pairs import read_pairs

TABLE = pl.DataFrame(
    {
        "user_id": ["u1", "u2", "u3"],
        "km": [1.5, None, 1e-7],
        "same": [True, False, None],
        "hours": [3, 4, 5],
        "clicked": [1, 0, 1],
    }
)
NAMES = ("hours", "km", "same")


@pytest.mark.parametrize("ending", ["parquet", "csv", "jsonl", "tsv"])
def test_every_format_says_the_same(tmp_path: Path, ending: str) -> None:
    file = tmp_path / f"samples.{ending}"
    if ending == "parquet":
        TABLE.write_parquet(file)
    elif ending == "jsonl":
        TABLE.write_ndjson(file)
    else:
        TABLE.write_csv(file, separator="\t" if ending == "tsv" else ",")
    found = read_pairs(file, NAMES, "clicked")
    assert found.names == NAMES
    np.testing.assert_array_equal(found.values, [[3, 1.5, 1], [4, np.nan, 0], [5, 1e-7, np.nan]])
    assert found.chosen.tolist() == [True, False, True]
    assert found.left_out == {}


def test_rows_that_cannot_be_used_are_left_out_and_counted(tmp_path: Path) -> None:
    file = tmp_path / "samples.csv"
    rows = ["1,1", " 2 ,0", "far,1", "inf,0", "nan,0", "3,", "4,2", "5,yes", "6,TRUE", "7,1.0", "8,0,9"]
    file.write_text("\n".join(["km,clicked", *rows]))
    found = read_pairs(file, ("km",), "clicked")
    assert found.values[:, 0].tolist() == [1, 2, 6, 7]
    assert found.chosen.tolist() == [True, False, True, True]
    assert found.left_out["km: expected a number"] == 3
    assert found.left_out["clicked: expected 0 or 1"] == 3
    assert sum(found.left_out.values()) == 7


def test_lines_may_lack_what_is_not_known(tmp_path: Path) -> None:
    file = tmp_path / "samples.jsonl"
    file.write_text('{"km": 1, "hours": 2, "clicked": 1}\n{"hours": 3, "clicked": false}\n[]\n')
    found = read_pairs(file, ("km", "hours"), "clicked")
    np.testing.assert_array_equal(found.values, [[1, 2], [np.nan, 3]])
    assert found.left_out == {"not a JSON object": 1}


def test_a_file_without_a_column_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "samples.csv"
    file.write_text("km,hours\n1,2\n")
    with pytest.raises(DataError, match=r"samples\.csv: no column same, clicked; the columns are: km, hours$"):
        read_pairs(file, NAMES, "clicked")


def test_a_file_of_too_many_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pairs, "MOST_ROWS", 2)
    TABLE.write_csv(tmp_path / "samples.csv")
    with pytest.raises(DataError, match="more than 2 samples; make a file of fewer"):
        read_pairs(tmp_path / "samples.csv", NAMES, "clicked")
