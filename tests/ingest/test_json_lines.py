"""JSON Lines."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from homefeed.errors import DataError
from homefeed.ingest.json_lines import open_json_lines, parse_block
from homefeed.ingest.tallies import total


def test_whatever_is_not_text_becomes_text() -> None:
    lines = (
        b'{"a": 7, "b": 1.5, "c": true, " d ": ["x", 1], "e": {"k": null}, "f": null, "g": "007"}\n\n{"h": "x"}'
    )
    parsed = parse_block(lines, 1, last=True)
    assert parsed.frame.to_dicts() == [
        {"a": "7", "b": "1.5", "c": "true", "d": '["x",1]', "e": '{"k":null}', "f": None, "g": "007", "h": None},
        {"a": None, "b": None, "c": None, "d": None, "e": None, "f": None, "g": None, "h": "x"},
    ]
    assert parsed.rows.tolist() == [1, 2]


def test_bad_lines_are_counted() -> None:
    parsed = parse_block(b'{"a": 1}\n{"a": \nnull\n[1]\n{"a": "\xff"}\n{"a": NaN}\n{"a": 2}', 1, last=True)
    assert {reason: tally.count for reason, tally in parsed.bad.items()} == {
        "not valid JSON": 2,
        "not a JSON object": 2,
        "not valid UTF-8": 1,
    }
    assert parsed.frame["a"].to_list() == ["1", "2"]
    assert parsed.rows.tolist() == [1, 7]


def test_objects_without_keys_are_rows() -> None:
    parsed = parse_block(b'{}\n{" ": 1}\n', 1, last=True)
    assert parsed.frame.height == parsed.count == 2


def test_columns_are_those_of_the_beginning(tmp_path: Path) -> None:
    path = tmp_path / "file.jsonl"
    path.write_bytes(b'\xef\xbb\xbf{"a": 1}\n{"b": 2}\n')
    opened = open_json_lines(path)
    assert opened.columns == ("a", "b")
    assert [batch.frame.height for batch in opened.batches()] == [2]
    path.write_bytes(b"nothing\n")
    assert open_json_lines(path).columns is None
    path.write_bytes(b"")
    with pytest.raises(DataError, match="is empty"):
        open_json_lines(path)


@given(st.binary(max_size=200))
def test_every_line_is_accounted_for(block: bytes) -> None:
    parsed = parse_block(block, 1, last=True)
    assert parsed.count == parsed.frame.height + total(parsed.bad)
    assert parsed.count == sum(bool(line) and not line.isspace() for line in block.split(b"\n"))
