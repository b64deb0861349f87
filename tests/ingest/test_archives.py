"""Zip files, alone and as folders."""

from __future__ import annotations

import zipfile
from pathlib import Path

import pytest

from homefeed.errors import DataError
from homefeed.ingest import archives, find_files, unpacked
from homefeed.ingest.readers import open_table


def zipped(path: Path, **files: str) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            archive.writestr(name.replace("__", ".").replace("_in_", "/"), content)
    return path


@pytest.mark.parametrize(
    ("name", "member", "content"),
    [
        ("items.zip", "dump_in_items__csv", "a,b\n1,2\n"),
        ("items.csv.zip", "whatever__csv", "a,b\n1,2\n"),
        ("items.jsonl.zip", "items__jsonl", '{"a": 1, "b": 2}\n'),
        ("items.tsv.zip", "items__tsv", "a\tb\n1\t2\n"),
    ],
)
def test_the_one_file_of_a_zip_file_is_read(tmp_path: Path, name: str, member: str, content: str) -> None:
    zipped(tmp_path / name, **{member: content, "__MACOSX_in___items__csv": "junk"})
    assert find_files(tmp_path).items == tmp_path / name
    assert [batch.frame.rows() for batch in open_table(tmp_path / name).batches()] == [[("1", "2")]]


def test_several_files_are_a_folder_while_they_are_needed(tmp_path: Path) -> None:
    path = zipped(tmp_path / "dump.zip", x_in_items__csv="item_id\ni1\n", y_in_events__csv="user_id\nu1\n")
    with pytest.raises(DataError, match="holds 2 files, not one"):
        open_table(path)
    with unpacked(path) as folder:
        files = find_files(folder)
        assert files.items is not None
        assert files.items.read_text() == "item_id\ni1\n"
        assert files.events == folder / "events.csv"
    assert not folder.exists()
    with unpacked(tmp_path) as folder:
        assert folder == tmp_path


def test_what_cannot_be_unpacked_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    twice = zipped(tmp_path / "twice.zip", a_in_items__csv="x", b_in_items__csv="y")
    with pytest.raises(DataError, match=r"two files named items\.csv"), unpacked(twice):
        pass
    picture = zipped(tmp_path / "items.zip", photo__png="x")
    with pytest.raises(DataError, match=r"holds photo\.png"):
        open_table(picture)
    (tmp_path / "bad.zip").write_bytes(b"PK\x03\x04nothing")
    with pytest.raises(DataError, match="damaged"):
        open_table(tmp_path / "bad.zip")
    monkeypatch.setattr(archives, "MAX_BYTES", 1)
    with (
        pytest.raises(DataError, match="at most 1,000 files"),
        unpacked(zipped(tmp_path / "big.zip", a__csv="a,b")),
    ):
        pass
