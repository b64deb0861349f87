"""What was shown as rankers learn from it: by hand, page by page."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from tests.dataset.shown_log import Page, Told, at, impression, recipe_with, write_log

from homefeed.dataset import ranking_rows
from homefeed.dataset.ranking_rows import (
    NOT_KNOWN,
    NOT_LOOKED_AT,
    OTHER_CALIBRATION,
    OTHER_FEATURES,
    OTHER_FEED,
    SHOWN_AGAIN,
    TOO_MANY,
    WITH_FEATURES,
    WITHOUT_FEATURES,
    FeedColumns,
    RankingRows,
    read_ranking_rows,
)
from homefeed.recipe import Recipe
from homefeed.store import Store
from homefeed.store.impressions import IMPORTED, write_impressions

PLACE = FeedColumns(("place",), calibrated=False)
RECIPE = recipe_with()


async def read(store: Store, columns: FeedColumns | None = PLACE, recipe: Recipe = RECIPE) -> RankingRows:
    return await read_ranking_rows(store, recipe, "home", columns, seed=3)


async def show(store: Store, page: Page, **settings: Any) -> None:
    """One more page of a log that is there."""
    users, items = {"u": 1}, {name: number for number, name in enumerate("abcdef", 1)}
    await write_impressions(store, "shop", [impression(page, users, items, **settings)])


def names(rows: RankingRows) -> str:
    """The items in the order of the rows, lists apart."""
    letters = [chr(ord("a") + item - 1) for item in rows.items.tolist()]
    return " ".join("".join(letters[a:b]) for a, b in zip(rows.data.starts, rows.data.starts[1:], strict=False))


async def test_pages_of_a_request_are_one_list_as_far_as_it_was_looked_at(store: Store) -> None:
    pages = [Page(0, "dbc"), Page(1, "aef", start=3), Page(2, "ab", request="other", user=None)]
    events = [Told(3, "b", request="r"), Told(4, "e", request="r", type="buy"), Told(4, "e", request="r")]
    await write_log(store, "shop", pages, events)
    rows = await read(store)
    # f, at place 5, is below the last event; the page of nobody known is looked at, and nothing followed it.
    assert names(rows) == "abcde ab"
    assert rows.places.tolist() == [3, 1, 2, 0, 4, 0, 1]
    assert (rows.data.feature_names, rows.data.event_types) == (("place",), ("click", "buy", "search"))
    assert rows.data.features[:, 0].tolist() == rows.places.tolist(), "the feature of a row is of its item"
    assert rows.data.outcomes.astype(int).tolist() == [
        [0] * 3,
        [1, 0, 0],
        *[[0] * 3] * 2,
        [1, 1, 0],
        *[[0] * 3] * 2,
    ]
    assert rows.data.chosen.tolist() == [False, True, False, False, True, False, False]
    assert (rows.times.tolist(), rows.pages.tolist(), rows.users.tolist()) == ([at(0), at(2)], [2, 1], [1, -1])
    assert (list(rows.served_by), rows.with_choice.tolist()) == (["home/weighted"] * 2, [True, False])
    np.testing.assert_allclose(rows.served[:5], [1, 0.75, 0.5, 1, 0.75])
    assert set(rows.propensities.tolist()) == {0.25}
    assert (rows.data.seed, rows.data.calibrated, rows.data.weights.tolist()) == (3, False, [1] * 7)
    assert rows.data.features.dtype == rows.data.weights.dtype == np.float32
    assert rows.read.sentence == "3 of 3 pages shown can be learned from"
    second = rows.take(np.array([1]))
    assert (names(second), second.times.tolist(), second.places.tolist()) == ("ab", [at(2)], [0, 1])


async def test_a_request_that_begins_anew_is_another_list_and_an_item_counts_once_in_one(store: Store) -> None:
    pages = [Page(0, "abc"), Page(1, "cd", start=3), Page(2, "abc")]
    await write_log(store, "shop", pages, [Told(1.5, "d", request="r")])
    rows = await read(store)
    assert names(rows) == "abcd abc"
    assert rows.places.tolist() == [0, 1, 2, 4, 0, 1, 2]


async def test_what_followed_the_second_showing_of_an_item_in_a_list_is_not_lost(store: Store) -> None:
    await write_log(store, "shop", [Page(0, "ab"), Page(2, "b", start=2)], [Told(3, "b")])
    rows = await read(store)
    assert (names(rows), rows.places.tolist(), rows.data.chosen.tolist()) == ("ab", [0, 1], [False, True])


@pytest.mark.parametrize(
    ("why", "columns", "settings"),
    [
        (SHOWN_AGAIN, PLACE, {"reused": True}),
        (OTHER_FEED, PLACE, {"served_by": "best/weighted"}),
        (NOT_KNOWN, PLACE, {"served_by": ""}),
        (OTHER_FEATURES, FeedColumns(("place", "new"), calibrated=False), {}),
        (WITHOUT_FEATURES, PLACE, {"feature_names": (), "features": np.zeros((2, 0)), "served_by": IMPORTED}),
        (WITH_FEATURES, None, {}),
        (OTHER_CALIBRATION, PLACE, {"models": {"blend": "v1"}}),
        (OTHER_CALIBRATION, FeedColumns(("place",), calibrated=True, blend="v2"), {}),
        (NOT_LOOKED_AT, PLACE, {"request_id": "r", "start": 9, "time": at(6)}),
    ],
)
async def test_pages_that_cannot_be_learned_from_are_counted(
    store: Store, why: str, columns: FeedColumns | None, settings: dict[str, Any]
) -> None:
    await write_log(store, "shop", [Page(0, "abc")], [], **({} if why == NOT_LOOKED_AT else settings))
    if why != NOT_LOOKED_AT:
        await show(store, Page(5, "ab", request="again"), **settings)
        assert dict((await read(store, columns)).read.left_out) == {why: 2}
        return
    await show(store, Page(5, "ab"), **settings)
    rows = await read(store, columns)
    assert (names(rows), dict(rows.read.left_out)) == ("abc", {why: 1})
    assert rows.read.sentence == f"1 of 2 pages shown can be learned from; left out: 1 {why}"


@pytest.mark.parametrize(
    ("columns", "models"),
    [
        (FeedColumns(("place",), calibrated=True, blend="v2"), {"blend": "v1"}),
        (FeedColumns(("place",), calibrated=True, blend="v2"), {"blend": "v2"}),
        (FeedColumns(("place",), calibrated=False, blend="v2"), {"blend": "v2"}),
        (FeedColumns(("place",), calibrated=False, blend="v2"), {}),
    ],
)
async def test_evidence_is_learned_from_whatever_blend_made_it(
    store: Store, columns: FeedColumns, models: dict[str, str]
) -> None:
    await write_log(store, "shop", [Page(0, "abc")], [], models=models)
    assert names(await read(store, columns)) == "abc"


async def test_columns_are_in_the_order_of_the_feed_and_what_is_no_number_is_0(store: Store) -> None:
    features = np.array([[1, 2, 3], [4, np.nan, np.inf]], np.float32)
    await write_log(store, "shop", [Page(0, "ba")], [], feature_names=("x", "y", "z"), features=features)
    rows = await read(store, FeedColumns(("z", "y"), calibrated=False))
    assert (names(rows), rows.data.features.tolist()) == ("ab", [[0, 0], [3, 2]])


async def test_pages_of_other_feeds_are_not_looked_at(store: Store) -> None:
    await write_log(store, "shop", [Page(0, "abc"), Page(1, "ab", feed="best", request="s")], [])
    await show(store, Page(2, "cd", feed="best", request="t"), served_by="home/weighted")
    await show(store, Page(3, "ef", feed="best", request="v"), served_by="best/weighted")
    rows = await read(store)
    assert (names(rows), rows.read.pages) == ("abc cd", 2)


async def test_imported_pages_are_read_without_features(store: Store) -> None:
    nothing = {"feature_names": (), "features": np.zeros((2, 0), np.float32), "served_by": IMPORTED}
    await write_log(store, "shop", [Page(0, "ba")], [Told(1, "a")], **nothing)
    rows = await read(store, None)
    assert (names(rows), rows.data.chosen.tolist(), rows.data.features.shape) == ("ab", [True, False], (2, 0))


async def test_only_the_latest_items_are_read(store: Store) -> None:
    pages = [Page(minute, "abc", request=str(minute)) for minute in range(5)]
    await write_log(store, "shop", pages, [Told(2.5, "c", request="2"), Told(4.5, "a", request="4")])
    rows = await read(store, recipe=recipe_with(max_learned_items=8))
    assert (rows.times.tolist(), rows.read.pages) == ([at(3), at(4)], 2)
    assert rows.data.chosen.tolist() == [False, False, False, True]
    nothing = await read(store, recipe=recipe_with(max_learned_items=2))
    assert (len(nothing), nothing.data.features.shape, nothing.read.pages) == (0, (0, 1), 0)


async def test_a_request_id_for_everything_is_no_list(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ranking_rows, "MOST_PAGES", 2)
    pages = [Page(n, "abcdef"[n], start=n) for n in range(3)] + [Page(9, "ab", request="s")]
    await write_log(store, "shop", pages, [Told(5, "c", request="r")])
    rows = await read(store)
    assert (names(rows), rows.read.taken, dict(rows.read.left_out)) == ("ab", 1, {TOO_MANY: 3})


async def test_of_nothing_there_are_no_rows(store: Store) -> None:
    rows = await read(store)
    assert (len(rows), len(rows.items), rows.with_choice.tolist()) == (0, 0, [])
    assert rows.read.sentence == "0 of 0 pages shown can be learned from"


async def test_features_stay_with_their_items_however_pages_interleave(store: Store) -> None:
    """Many lists whose second pages come in another order than the first ones."""
    rng = np.random.default_rng(0)
    lists = [rng.permutation(list("abcdefghij")) for _ in range(40)]
    pages = [Page(n, "".join(items[:5]), request=f"r{n}") for n, items in enumerate(lists)]
    later = [Page(100 - n, "".join(items[5:]), request=f"r{n}", start=5) for n, items in enumerate(lists)]
    last = [Told(200, items[-1], request=f"r{n}") for n, items in enumerate(lists)]
    await write_log(store, "shop", [*pages, *later], last)
    rows = await read(store)
    assert names(rows) == " ".join(["abcdefghij"] * 40)
    expected = np.concatenate([np.argsort(items) for items in lists])
    np.testing.assert_array_equal(rows.places, expected)
    np.testing.assert_array_equal(rows.data.features[:, 0], expected)
