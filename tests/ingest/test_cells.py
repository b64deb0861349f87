"""Cells of text to values."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from homefeed.ingest.cells import is_missing, parse_flags, parse_numbers, parse_tags, parse_times, whole_or_real

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def time_of(cell: str) -> int | None:
    return parse_times(pl.Series([cell]))[0]  # type: ignore[no-any-return]


@pytest.mark.parametrize(
    ("cell", "moment"),
    [
        ("2025-01-05", "2025-01-05T00:00:00"),
        ("2025-01-05T10:11:12", "2025-01-05T10:11:12"),
        ("2025-01-05 10:11:12Z", "2025-01-05T10:11:12"),
        ("2025-01-05T10:11:12.5", "2025-01-05T10:11:12.500000"),
        ("2025-01-05T10:11:12.1234569Z", "2025-01-05T10:11:12.123456"),
        ("2025-01-05T10:11:12+05:30", "2025-01-05T04:41:12"),
        ("2025-01-05 10:11:12-0800", "2025-01-05T18:11:12"),
        ("2025-01-05 10:11:12 +00", "2025-01-05T10:11:12"),
        ("2025-01-05T10:11", "2025-01-05T10:11:00"),
        ("2025-01-05t10:11:12z", "2025-01-05T10:11:12"),
        (" 2025-01-05 ", "2025-01-05T00:00:00"),
        ("1736071872", "2025-01-05T10:11:12"),
        ("1736071872.25", "2025-01-05T10:11:12.250000"),
        ("2199-12-31T23:59:59", "2199-12-31T23:59:59"),
        ("20250105", "2025-01-05T00:00:00"),
        ("2025", "2025-01-01T00:00:00"),
        ("631152000", "1990-01-01T00:00:00"),
    ],
)
def test_times(cell: str, moment: str) -> None:
    expected = datetime.fromisoformat(moment).replace(tzinfo=UTC)
    assert time_of(cell) == (expected - EPOCH) // timedelta(microseconds=1)


@pytest.mark.parametrize(
    "cell",
    [
        "", "0", "631151999", "soon", "2025-13-01", "2025-02-30", "2025-1-5", "25-01-05", "-1", "1735689600000",
        "1e9",
        "1969-12-31T23:59:59", "2200-01-01", "2025-01-05T25:00:00", "2025-01-05T10:11:60", "2025-01-05x10:11",
        "2025-01-05T10:11:12+99:00", "9999-12-31T23:59:59-12:00", "0001-01-01T00:00:00+12:00", "9" * 400,
        "\uff11\uff12",
    ],
)  # fmt: skip
def test_bad_times(cell: str) -> None:
    assert time_of(cell) is None


@given(
    st.lists(
        st.datetimes(
            min_value=datetime(1971, 1, 1),  # noqa: DTZ001
            max_value=datetime(2199, 1, 1),  # noqa: DTZ001
            timezones=st.sampled_from([None, *(timezone(timedelta(hours=hours)) for hours in range(-14, 15))]),
        ),
        min_size=1,
    ),
    st.sampled_from(["T", " "]),
)
def test_every_iso_time_is_read_exactly(moments: list[datetime], separator: str) -> None:
    aware = [moment if moment.tzinfo else moment.replace(tzinfo=UTC) for moment in moments]
    parsed = parse_times(pl.Series([moment.isoformat(separator) for moment in moments]))
    assert parsed.to_list() == [(moment - EPOCH) // timedelta(microseconds=1) for moment in aware]


@given(st.text())
def test_no_text_breaks_the_parsers(text: str) -> None:
    cells = pl.Series([text, None], dtype=pl.String)
    for parse in (parse_times, parse_numbers, parse_flags):
        assert len(parse(cells)) == 2
    assert is_missing(cells).tolist() == [not text.strip(), True] or text.strip() != text
    assert all(word.strip() for word in parse_tags(text, "|"))


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_numbers_are_read_exactly(number: float) -> None:
    assert parse_numbers(pl.Series([repr(number)])).to_list() == [number]


def test_numbers_and_what_is_none() -> None:
    cells = pl.Series(["1", " 2.5 ", "1e2", "-3", "1_0", "0x1", "inf", "nan", "1e999", "1,5", "", None])
    expected = [2.0, 5.0, 200.0, -6.0, *[None] * 8]
    assert parse_numbers(cells, 2).to_list() == expected
    assert [whole_or_real(number) for number in (1.0, 1.5, 1e300, None)] == [1, 1.5, 1e300, None]


def test_flags_and_tags() -> None:
    assert parse_flags(pl.Series(["true", "Yes", "0", "F", "maybe", ""])).to_list() == [
        True, True, False, False, None, None,
    ]  # fmt: skip
    assert parse_tags(" a |b||c d|", "|") == ["a", "b", "c d"]
    assert parse_tags('["a|b", 3, null, " "]', "|") == ["a|b", "3"]
    assert parse_tags("[live]|x", "|") == ["[live]", "x"]
    assert parse_tags("a,b", "") == ["a,b"]
