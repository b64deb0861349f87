"""Finding and opening files."""

from __future__ import annotations

from pathlib import Path

import pytest

from homefeed.errors import DataError
from homefeed.ingest import Files, find_files
from homefeed.ingest.readers import open_table


def test_finds_files_of_every_format(tmp_path: Path) -> None:
    for name in ("users.parquet", "items.jsonl.gz", "events.csv.gz", "notes.csv"):
        (tmp_path / name).touch()
    expected = Files(tmp_path / "users.parquet", tmp_path / "items.jsonl.gz", tmp_path / "events.csv.gz")
    assert find_files(tmp_path) == expected


def test_a_part_may_be_missing_but_not_all(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="expected files named users, items or events"):
        find_files(tmp_path)
    (tmp_path / "events.csv").touch()
    assert find_files(tmp_path) == Files(events=tmp_path / "events.csv")


def test_two_formats_of_one_are_refused(tmp_path: Path) -> None:
    (tmp_path / "items.csv").touch()
    (tmp_path / "items.parquet").touch()
    with pytest.raises(DataError, match=r"items is there twice, as items\.csv and items\.parquet"):
        find_files(tmp_path)


def test_a_folder_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="nowhere: no such folder"):
        find_files(tmp_path / "nowhere")


def test_the_ending_may_be_in_capitals(tmp_path: Path) -> None:
    path = tmp_path / "EVENTS.CSV"
    path.write_text("a,b\n1,2\n")
    assert open_table(path).columns == ("a", "b")
