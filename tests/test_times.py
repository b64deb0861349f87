"""Times: every way to write a moment is the same number, and what is none is told in words."""

from __future__ import annotations

import math
import time
from datetime import UTC, datetime, timedelta, timezone

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from homefeed.errors import InvalidError
from homefeed.ingest.cells import parse_times
from homefeed.times import format_duration, format_time, parse_duration, parse_time, read_time
from homefeed.types import DAY, SECOND

NOON = 1_768_478_400 * SECOND
"""2026-01-15 12:00 UTC."""

BEFORE_2100 = 130 * 365 * DAY


@pytest.mark.parametrize(
    "value",
    [
        1_768_478_400,
        1_768_478_400.0,
        "1768478400",
        " 1768478400 ",
        "2026-01-15T12:00:00Z",
        "2026-01-15 12:00:00",
        " 2026-01-15T12:00 ",
        "2026-01-15T12:00:00.000",
        "2026-01-15T13:30:00+01:30",
        "2026-01-15T04:00:00-08:00",
        "20260115T120000Z",
        "2026-W03-4T12:00",
        "202601151200",
        "20260115120000",
        20_260_115_120_000,
        "2026-01-15t12:00:00z",
        "2026-01-15 12:00:00 +00",
    ],
)
def test_one_moment_in_many_words(value: str | float) -> None:
    assert parse_time("t", value) == NOON


@pytest.mark.parametrize(
    ("value", "moment"),
    [
        ("1970-01-01", 0),
        ("1970", 0),
        (631_152_000, 631_152_000 * SECOND),
        (631_152_000.5, 631_152_000_500_000),
        ("2026-01-15T12:00:00.000001Z", NOON + 1),
        ("2026-01-15", NOON - DAY // 2),
        ("19991231", 946_598_400 * SECOND),
        (19_991_231, 946_598_400 * SECOND),
        ("2026", 1_767_225_600 * SECOND),
        (2026.0, 1_767_225_600 * SECOND),
        (7_258_118_399, 7_258_118_399 * SECOND),
        ("2199-12-31T23:59:59Z", 7_258_118_399 * SECOND),
    ],
)
def test_to_the_microsecond(value: str | float, moment: int) -> None:
    assert parse_time("t", value) == moment


@pytest.mark.parametrize(
    "value",
    ["", " ", "soon", "now", "2026-13-01", "2026-02-30", "12:00", "1.5.2026", "nan", "1e9x"],
)
def test_what_is_no_time_is_reported_with_the_name_of_the_field(value: str) -> None:
    with pytest.raises(
        InvalidError,
        match=r"^created_at: expected an ISO 8601 time from 1970 to 2199, or Unix seconds from 1990 on, got ",
    ):
        parse_time("created_at", value)


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf, 10**400])
def test_nor_is_a_number_that_is_none(value: float) -> None:
    with pytest.raises(
        InvalidError, match=r"^t: expected an ISO 8601 time from 1970 to 2199, or Unix seconds from 1990 on, got "
    ):
        parse_time("t", value)


@pytest.mark.parametrize(
    "value",
    [
        -1,
        "-1",
        0,
        86_400,
        631_151_999,
        "1969",
        "1969-12-31T23:59:59Z",
        "2200-01-01",
        "9999-12-31",
        99_999_999,
        1e300,
    ],
)
def test_times_out_of_all_sense_are_refused(value: str | float) -> None:
    with pytest.raises(
        InvalidError, match=r"^t: expected an ISO 8601 time from 1970 to 2199, or Unix seconds from 1990 on, got "
    ):
        parse_time("t", value)


@pytest.mark.parametrize(
    ("value", "unit"),
    [
        (1_767_571_200_000, "milliseconds"),
        ("1767571200000000", "microseconds"),
        ("1767571200000000000", "nanoseconds"),
        ("46027.84", "a spreadsheet's days"),
    ],
)
def test_a_number_of_another_unit_is_refused_with_what_it_looks_like(value: str | int, unit: str) -> None:
    with pytest.raises(InvalidError, match=f"; it looks like {unit}$"):
        parse_time("t", value)


@given(
    st.one_of(
        st.text("0123456789-:.TZW +/", max_size=20),
        st.from_regex(r"[0-9]{1,15}(\.[0-9]{1,4})?", fullmatch=True),
        st.datetimes().map(str),
        st.datetimes().map(lambda moment: moment.strftime("%Y%m%dT%H%M%S")),
    )
)
def test_a_text_means_the_same_in_files_and_over_http(text: str) -> None:
    (in_a_file,) = parse_times(pl.Series([text]))
    assert read_time(text) == in_a_file


def test_what_has_no_offset_is_in_utc_wherever_the_server_is(monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as patched:
        patched.setenv("TZ", "America/New_York")
        time.tzset()
        try:
            assert parse_time("t", "2026-01-15T12:00:00") == NOON
            assert format_time(NOON) == "2026-01-15T12:00:00Z"
        finally:
            patched.undo()
            time.tzset()


def test_a_long_value_is_not_shown_in_full() -> None:
    with pytest.raises(InvalidError) as refused:
        parse_time("t", "x" * 10_000)
    assert len(str(refused.value)) < 200


def test_times_are_written_in_utc() -> None:
    assert format_time(0) == "1970-01-01T00:00:00Z"
    assert format_time(NOON) == "2026-01-15T12:00:00Z"
    assert format_time(NOON + 250_000) == "2026-01-15T12:00:00.250000Z"
    assert format_time(NOON + 1) == "2026-01-15T12:00:00.000001Z"


@given(st.integers(0, BEFORE_2100))
def test_what_is_written_is_read_as_the_same_moment(moment: int) -> None:
    assert parse_time("t", format_time(moment)) == moment


@given(
    st.datetimes(datetime(1970, 1, 2), datetime(2099, 12, 30)),  # noqa: DTZ001 -- given a zone below
    st.integers(-23 * 60, 23 * 60),
)
def test_every_offset_is_taken_into_account(moment: datetime, minutes: int) -> None:
    there = moment.replace(tzinfo=timezone(timedelta(minutes=minutes)))
    expected = (there - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(microseconds=1)
    assert parse_time("t", there.isoformat()) == expected


@pytest.mark.parametrize(
    ("text", "seconds", "shown"),
    [
        ("90s", 90, "90s"),
        ("10m", 600, "10m"),
        ("1.5h", 5_400, "90m"),
        ("24h", 86_400, "1d"),
        (" 2d ", 172_800, "2d"),
        ("0.1s", 0.1, "0.1s"),
    ],
)
def test_durations_are_read_and_shown_in_the_largest_unit_that_fits(text: str, seconds: float, shown: str) -> None:
    assert parse_duration(text) == seconds * SECOND
    assert format_duration(parse_duration(text)) == shown


@given(st.integers(1, 10 * 365 * DAY))
def test_a_duration_that_is_shown_is_read_as_it_was(duration: int) -> None:
    assert parse_duration(format_duration(duration)) == duration


@pytest.mark.parametrize("text", ["", "10", "m", "-1m", "0s", "1w", "1h30m", "1e3s", "\u0661s"])
def test_what_is_no_duration_is_an_error(text: str) -> None:
    with pytest.raises(InvalidError, match=r"expected a duration such as 90s, 10m or 1\.5h, got "):
        parse_duration(text)
