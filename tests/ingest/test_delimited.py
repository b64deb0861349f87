"""CSV: what Polars reads fast and what the lenient reader makes of the rest are the same table."""

from __future__ import annotations

import csv
import gzip
import io
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from homefeed.errors import DataError
from homefeed.ingest import delimited, table
from homefeed.ingest.delimited import open_delimited, parse_block, sound_records, split_record
from homefeed.ingest.table import Table
from homefeed.ingest.tallies import total

NAMES = ["a", "b", "c"]


def read(path: Path, content: bytes) -> tuple[list[tuple[str | None, ...]], dict[str, int], list[int]]:
    path.write_bytes(content)
    return contents(open_delimited(path))


def contents(opened: Table) -> tuple[list[tuple[str | None, ...]], dict[str, int], list[int]]:
    rows: list[tuple[str | None, ...]] = []
    numbers: list[int] = []
    bad: dict[str, int] = {}
    for batch in opened.batches():
        rows += batch.frame.rows()
        numbers += batch.rows.tolist()
        for reason, tally in batch.bad.items():
            bad[reason] = bad.get(reason, 0) + tally.count
    return rows, bad, numbers


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "file.csv"


def test_byte_order_mark_crlf_and_spaces_in_the_header(path: Path) -> None:
    rows, bad, numbers = read(path, b"\xef\xbb\xbf a ,b , c\r\n1, 2 ,3\r\n\r\n4,5,6\r\n")
    assert (rows, bad, numbers) == ([("1", " 2 ", "3"), ("4", "5", "6")], {}, [1, 2])
    assert open_delimited(path).columns == ("a", "b", "c")


def test_quotes_hold_commas_newlines_and_quotes(path: Path) -> None:
    content = b'a,b\r\n"x,y","1\r\n2\n3"\r\n"say ""hi""",\n"",z\n'
    rows, bad, _ = read(path, content)
    assert [tuple(cell or None for cell in row) for row in rows] == [
        ("x,y", "1\r\n2\n3"),
        ('say "hi"', None),
        (None, "z"),
    ]
    assert bad == {}


def test_a_broken_row_costs_itself_only(path: Path) -> None:
    lines = [b"a,b", b"1,2", b"3", b"4,5,6", b'"7,8', b"9,10", b'"11"x,12', b"13,\xff", b'14" tv,15', b"16,17"]
    rows, bad, numbers = read(path, b"\n".join(lines))
    assert rows == [("1", "2"), ("9", "10"), ('14" tv', "15"), ("16", "17")]
    assert bad == {"wrong number of cells": 2, "broken quotes": 2, delimited.OTHER_ENCODING: 1}
    assert numbers == [1, 5, 8, 9]


def test_a_quote_that_never_closes_does_not_swallow_the_file(path: Path) -> None:
    rows, bad, _ = read(path, b'a,b\n1,"2\n' + b"3,4\n" * 1000)
    assert len(rows) == 1000
    assert bad == {"broken quotes": 1}


def test_a_ragged_record_over_several_lines_is_one_row(path: Path) -> None:
    rows, bad, _ = read(path, b'a,b\n1,"x\ny",3\n4,5\n')
    assert (rows, bad) == ([("4", "5")], {"wrong number of cells": 1})


def test_unnamed_columns_are_left_out(path: Path) -> None:
    rows, bad, _ = read(path, b",a,b,\n0,1,2,\n1,3,4,\n")
    assert (rows, bad) == ([("1", "2"), ("3", "4")], {})


def test_a_single_column(path: Path) -> None:
    rows, bad, _ = read(path, b'a\n1\n\n"2"\n3,4\n')
    assert (rows, bad) == ([("1",), ("2",)], {"wrong number of cells": 1})


def test_gzip_by_content_not_by_name(path: Path) -> None:
    rows, _, _ = read(path, gzip.compress(b"a,b\n1,2\n"))
    assert rows == [("1", "2")]


def test_a_gzip_file_cut_short_is_an_error_not_a_short_table(path: Path) -> None:
    packed = gzip.compress(("a,b\n" + "".join(f"{n},{n * n}\n" for n in range(1_000_000))).encode())
    path.write_bytes(packed[:-100])
    opened = open_delimited(path)
    with pytest.raises(DataError, match=r"file\.csv: the gzip file is damaged"):
        contents(opened)


def test_a_line_without_end_is_refused(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(table, "BLOCK", 1000)
    monkeypatch.setattr(table, "_LONGEST_LINE", 5000)
    path.write_bytes(b"a,b\n1,2\n" + b"x" * 10_000)
    with pytest.raises(DataError, match="row 2 is longer than"):
        contents(open_delimited(path))


@pytest.mark.parametrize("size", [1, 7, 64, 1000])
def test_blocks_of_any_size_give_the_same_rows(path: Path, monkeypatch: pytest.MonkeyPatch, size: int) -> None:
    lines = [f'{n},"text\n{n}, ""quoted""",é{n}' if n % 3 else f"{n},plain,\u4e2d{n}" for n in range(200)]
    content = ("a,b,c\r\n" + "\r\n".join(lines) + '\r\nbad\r\n"open,\r\n1,2,3').encode()
    expected = read(path, content)
    assert expected[1] == {"wrong number of cells": 1, "broken quotes": 1}
    monkeypatch.setattr(table, "BLOCK", size)
    assert contents(open_delimited(path)) == expected


def test_a_record_is_split_as_the_csv_module_does() -> None:
    for record in ("a,b", ",", '"a","b"', '"a,""b""",c', 'a"b,c', '"",""', ' "a",b'):
        assert split_record(record) == (next(csv.reader([record])), False)
    assert split_record('a,"b') == (None, True)
    assert split_record('"a"b,c') == (None, False)


CELL = st.text(alphabet='xy," \r\n\u00e9\u2028\ufeff', max_size=4)


@given(st.lists(st.lists(CELL, min_size=3, max_size=3), min_size=1, max_size=8), st.sampled_from(["\n", "\r\n"]))
def test_whatever_is_written_is_read_back(rows: list[list[str]], newline: str) -> None:
    target = io.StringIO(newline="")
    csv.writer(target, lineterminator=newline, quoting=csv.QUOTE_ALL).writerows(rows)
    parsed = parse_block(target.getvalue().encode(), NAMES, 1, last=True)
    assert [[cell or "" for cell in row] for row in parsed.frame.rows()] == rows
    assert not parsed.bad


@given(st.text(alphabet='x," \r\n\u00e9\ufeff', max_size=40), st.booleans())
def test_where_polars_reads_the_lenient_reader_agrees(text: str, last: bool) -> None:
    block = text.encode()
    parsed = parse_block(block, NAMES, 1, last)
    region = table.whole_lines(block, last)
    length, count = sound_records(region, len(NAMES))
    if count:
        lenient = delimited._leniently(region[:length], NAMES, 1, last, delimited.COMMAS)
        assert lenient.count == count
        assert lenient.bad == {}
        assert [[cell or "" for cell in row] for row in parsed.frame.rows()] == [
            [cell or "" for cell in row] for row in lenient.frame.rows()
        ]
    assert parsed.count == parsed.frame.height + total(parsed.bad)
    assert len(parsed.rows) == parsed.frame.height


@given(st.binary(max_size=200))
def test_no_bytes_are_too_strange(block: bytes) -> None:
    parsed = parse_block(block, NAMES, 1, last=True)
    assert parsed.used == len(block)
    assert parsed.count == parsed.frame.height + total(parsed.bad)
    if b'"' not in block:
        assert parsed.count == sum(line not in (b"", b"\r") for line in block.split(b"\n"))
