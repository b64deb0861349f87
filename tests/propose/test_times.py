"""How times are written."""

from __future__ import annotations

import polars as pl
import pytest

from homefeed.propose.times import Reading, guess_reading


@pytest.mark.parametrize(
    ("cells", "reading"),
    [
        (["2026-01-05", "2026-01-06T10:00:00Z"], Reading()),
        (["1767650000", "1767650001"], Reading()),
        (["1767650000000", "1767650000001"], Reading(unit="ms")),
        (["1767650000000000"], Reading(unit="us")),
        (["1767650000000000000"], Reading(unit="ns")),
        (["46027.84", "46028"], Reading(unit="days")),
        (["31.12.2025 18:30", "1.1.2026 09:05"], Reading(format="%d.%m.%Y %H:%M")),
        (["10/19/2018", "5/21/2019"], Reading(format="%m/%d/%Y")),
        (["13/11/2019", "1/2/2020"], Reading(format="%d/%m/%Y")),
        (["1/2/2020", "3/4/2020"], Reading(format="%m/%d/%Y", ambiguous=True)),
        (["11/13/2019 8:36:57 AM"], Reading(format="%m/%d/%Y %I:%M:%S %p")),
        (["12/31/10 8:26"], Reading(format="%m/%d/%y %H:%M")),
    ],
)
def test_times_are_known_by_their_cells(cells: list[str], reading: Reading) -> None:
    assert guess_reading("when_at", pl.Series(cells)) == reading


@pytest.mark.parametrize("name", ["at", "opened", "event_ms", "online_since", "session_start"])
@pytest.mark.parametrize(
    ("factor", "reading"),
    [(1, Reading()), (10**3, Reading(unit="ms")), (10**6, Reading(unit="us")), (10**9, Reading(unit="ns"))],
)
def test_numbers_of_any_name_are_times_by_their_size(name: str, factor: int, reading: Reading) -> None:
    cells = pl.Series([str((1_700_000_000 + 86_417 * n) * factor) for n in range(50)])
    assert guess_reading(name, cells) == reading
    assert guess_reading("Kundennummer", cells) is None
    again = guess_reading(name, pl.concat([cells[:5]] * 10))
    assert again == (reading if name in {"at", "event_ms"} else None), "numbers that come again are ids"
    daily = guess_reading(name, pl.concat([cells[:10]] * 5))
    assert (daily is None) == (factor == 1 and name not in {"at", "event_ms"}), "in ms times come again"


@pytest.mark.parametrize(
    ("name", "cells"),
    [
        ("price", ["46027.84"]),
        ("customer", ["1767650000"]),
        ("year_added_at", ["1999", "2004"]),
        ("title", ["Paris 2024", "Rome 1960"]),
        ("created_at", ["soon"]),
        ("created_at", []),
    ],
)
def test_what_is_no_time(name: str, cells: list[str]) -> None:
    assert guess_reading(name, pl.Series(cells, dtype=pl.String)) is None
