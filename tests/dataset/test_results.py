"""What happened online as rows, by hand."""

from __future__ import annotations

from typing import Any

import pytest

from homefeed.dataset.overview import Overview, read_overview
from homefeed.dataset.results import WAYS, By, Row, results_by
from homefeed.errors import InvalidError
from homefeed.store import Store
from homefeed.times import format_time
from homefeed.types import DAY

from .shown_log import START, Page, Told, at, recipe_with, write_log

pytestmark = pytest.mark.parametrize("store_url", ["sqlite"], indirect=True)


async def an_overview(store: Store) -> Overview:
    """Two days of two feeds; on the second another ranker answers one of them, and a model is newer."""
    first = [Page(0, "ab", request="r0"), Page(1, "a", user="v", request="r1", feed="best")]
    await write_log(store, "shop", first, [Told(1, "a"), Told(1441, "c", user="v", type="buy")])
    after = {"served_by": "home/learned", "models": {"signals": "v2"}}
    await write_log(store, "shop", [Page(1440, "abc", user="v", request="r2")], [], **after)
    return await read_overview(store, recipe_with(), START + DAY + DAY // 2, 7)


def numbers(rows: list[Row]) -> dict[tuple[str, ...], tuple[Any, ...]]:
    return {tuple(row.labels.values()): (row.rates.shown, row.rates.clicked, row.users) for row in rows}


async def test_rows_are_of_what_is_asked_for(store: Store) -> None:
    found = await an_overview(store)
    expected: dict[By, dict[tuple[str, ...], tuple[Any, ...]]] = {
        "feed": {("home",): (5, 1, 2), ("best",): (1, 0, 1)},
        "ranker": {
            ("home", "home/learned"): (3, 0, 1),
            ("home", "home/weighted"): (2, 1, 1),
            ("best", "best/weighted"): (1, 0, 1),
        },
        "version": {
            ("home", "signals", "v2"): (3, 0, 1),
            ("home", "signals", "v1"): (2, 1, 1),
            ("best", "signals", "v1"): (1, 0, 1),
        },
        "day": {(format_time(START),): (3, 1, 2), (format_time(START + DAY),): (3, 0, 1)},
        "users": {("all", "new"): (3, 1, 2), ("all", "returning"): (3, 0, 1)},
        "retriever": {},
    }
    assert set(expected) == set(WAYS)
    assert {way: numbers(results_by(found, way)) for way in WAYS} == expected
    assert numbers(results_by(found, "users", "home")) == {
        ("home", "new"): (2, 1, 1),
        ("home", "returning"): (3, 0, 1),
    }
    assert list(numbers(results_by(found, "day", "best"))) == [(format_time(START),)]


async def test_what_changed_is_marked(store: Store) -> None:
    found = await an_overview(store)
    assert [row.changed for row in results_by(found, "day")] == [
        (),
        ("ranker home/learned of home", "model signals v2"),
    ]
    marked = f"since {format_time(at(1440))}"
    assert [row.changed for row in results_by(found, "ranker")] == [(marked,), (), ()]
    assert [row.changed for row in results_by(found, "version")] == [(marked,), (), ()]


async def test_a_feed_that_was_not_shown_is_an_error(store: Store) -> None:
    found = await an_overview(store)
    with pytest.raises(InvalidError, match="nothing of nowhere was shown in this time; the feeds that were: home"):
        results_by(found, "day", "nowhere")
