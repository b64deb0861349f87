"""How a text file is written."""

from __future__ import annotations

import pytest

from homefeed.propose.dialect import Written, guess_encoding, guess_written

ROWS = "id{0}name{0}at\n1{0}Caf\u00e9{0}2026-01-01\n2{0}Stra\u00dfe{0}2026-01-02\n"


@pytest.mark.parametrize("encoding", ["utf-8", "cp1252", "utf-16"])
@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|", "::"])
def test_encoding_and_delimiter_are_found(encoding: str, delimiter: str) -> None:
    assert guess_written(ROWS.format(delimiter).encode(encoding)) == Written(encoding, delimiter, 3, True)


def test_a_delimiter_within_quotes_is_none() -> None:
    assert guess_written(b'id;t\n1;"a, b, c, d"\n2;"e, f"\n').delimiter == ";"


def test_a_character_cut_off_at_the_end_is_no_other_encoding() -> None:
    assert guess_encoding("caf\u00e9".encode()[:-1]) == "utf-8"
    assert guess_encoding(b"a\x81b") == "latin-1"


def test_a_first_row_of_values_is_no_header() -> None:
    assert not guess_written(b"1::1193::5::978300760\n1::661::3::978302109\n").has_header
    assert not guess_written(b"u1,2026-01-01\nu2,2026-01-02\n").has_header
    assert guess_written(b",a,b\n0,1,2\n").has_header


def test_one_column_is_one_column() -> None:
    assert guess_written(b"user_id\nu1\nu2\n") == Written("utf-8", ",", 1, True)


def test_a_header_that_repeats_a_name_is_a_header() -> None:
    assert guess_written(b"id,title,title\n1,a,b\n2,c,d\n").has_header
