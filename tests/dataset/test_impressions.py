"""The impressions as a data set: every event is put down to one showing at most, and to the right one."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from homefeed.dataset.followed import Tally
from homefeed.recipe import Recipe
from homefeed.store import Store, impressions, shown
from homefeed.store.impressions import prune_impressions
from homefeed.store.items import delete_item, patch_item
from homefeed.store.users import erase_user

from .shown_log import Page, Told, at, joined, recipe_with, rows_of, write_log

RECIPE = recipe_with()

either_store = pytest.mark.parametrize("store_url", ["sqlite"], indirect=True)
"""For what is the same on every database: a database of one's own takes PostgreSQL a second."""


async def clicks(
    store: Store, pages: list[Page], events: list[Told], recipe: Recipe = RECIPE, **period: float
) -> tuple[dict[str, int], Tally]:
    """How often each shown item was clicked, as "request:item", and where the events went."""
    await write_log(store, "shop", pages, events)
    followed, parts = await joined(store, recipe, **period)
    return {f"{row[0]}:{row[3]}": row[4] for row in rows_of(parts) if row[4]}, followed.tally


async def test_a_row_holds_what_was_shown_and_what_followed(store: Store) -> None:
    pages = [Page(0, "abc", request="r1"), Page(1, "ca", user="v", request="r2", feed="best", start=5)]
    events = [Told(2, "b"), Told(3, "b"), Told(4, "b", type="buy"), Told(5, "a", user="v"), Told(5, "a", user="v")]
    await write_log(store, "shop", pages, events, variant="arm")
    followed, parts = await joined(store, RECIPE)
    assert rows_of(parts) == [
        ("r1", "home", 0, "a", 0, 0, None, True),
        ("r1", "home", 1, "b", 2, 1, 120.0, True),
        ("r1", "home", 2, "c", 0, 0, None, False),
        ("r2", "best", 5, "c", 0, 0, None, True),
        ("r2", "best", 6, "a", 2, 0, 240.0, True),
    ]
    assert (followed.pages, followed.tally) == (2, Tally(0, 5, 0))
    (part,) = parts
    assert (part.event_types, part.feature_names) == (("click", "buy"), ("place",))
    assert (part.served_by, part.variants) == (["home/weighted", "best/weighted"], ["arm", "arm"])
    assert part.models == [{"signals": "v1"}] * 2
    assert part.times.tolist() == [at(0), at(1)]
    assert part.users.tolist() == [1, 2]
    assert part.reused.tolist() == [False, False]
    assert part.pages.tolist() == [0, 0, 0, 1, 1]
    assert part.scores.tolist() == [1.0, 0.75, 0.5, 1.0, 0.5]
    assert part.propensities.tolist() == [0.25] * 5
    assert part.features.tolist() == [[0.0], [1.0], [2.0], [5.0], [6.0]]
    assert part.seconds[1].tolist() == [120.0, 240.0]


class TestAttribution:
    """Which showing an event is put down to."""

    @either_store
    async def test_the_latest_showing_before_it_without_a_request(self, store: Store) -> None:
        pages = [Page(0, "ab", request="r1"), Page(5, "ba", request="r2"), Page(9, "a", request="r3")]
        found, tally = await clicks(store, pages, [Told(5, "a"), Told(8, "b"), Told(4.9, "b"), Told(3, "a", "v")])
        assert found == {"r2:a": 1, "r2:b": 1, "r1:b": 1}
        assert tally == Tally(0, 3, 1)

    @either_store
    async def test_not_beyond_the_window(self, store: Store) -> None:
        found, tally = await clicks(
            store, [Page(0, "ab")], [Told(30, "a"), Told(30.01, "b")], recipe_with(window="30m")
        )
        assert found == {"r:a": 1}
        assert tally == Tally(0, 1, 1)

    @either_store
    async def test_the_request_that_it_names_however_late(self, store: Store) -> None:
        pages = [Page(0, "ab", request="r1"), Page(5, "ab", request="r2")]
        late = 60 * 24 * 30
        found, tally = await clicks(store, pages, [Told(6, "a", request="r1"), Told(late, "b", request="r1")])
        assert found == {"r1:a": 1, "r1:b": 1}
        assert tally == Tally(2, 0, 0)

    @either_store
    async def test_the_request_that_it_names_though_the_clock_of_the_client_is_behind(self, store: Store) -> None:
        await write_log(store, "shop", [Page(5, "ab")], [Told(4, "a", request="r")])
        _, parts = await joined(store, RECIPE)
        assert [row[4:7] for row in rows_of(parts)] == [(1, 0, 0.0), (0, 0, None)]

    @either_store
    async def test_none_where_the_request_showed_something_else_or_to_somebody_else(self, store: Store) -> None:
        pages = [Page(0, "ab", request="r1"), Page(1, "c", request="r2"), Page(1, "a", user="v", request="r3")]
        events = [Told(2, "a", request="r2"), Told(2, "a", request="r3")]
        assert await clicks(store, pages, events) == ({}, Tally(0, 0, 2))

    @either_store
    async def test_by_time_where_nothing_is_known_of_the_request(self, store: Store) -> None:
        pages = [Page(0, "ab", request="r1")]
        assert await clicks(store, pages, [Told(2, "a", request="lost")]) == ({"r1:a": 1}, Tally(0, 1, 0))

    @either_store
    async def test_by_time_where_the_request_names_too_many_pages(
        self, store: Store, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(shown, "MOST_PAGES", 2)
        pages = [Page(0, "a", request="mine"), *(Page(n, "ab", request="app") for n in range(1, 4))]
        found, tally = await clicks(store, pages, [Told(2.5, "a", request="app"), Told(1, "a", request="mine")])
        assert found == {"app:a": 1, "mine:a": 1}
        assert tally == Tally(1, 1, 0)

    @either_store
    async def test_to_a_page_of_nobody_known_only_by_request(self, store: Store) -> None:
        pages = [Page(0, "ab", user=None, request="r1")]
        found, tally = await clicks(store, pages, [Told(1, "a"), Told(1, "b", request="r1")])
        assert found == {"r1:b": 1}
        assert tally == Tally(1, 0, 1)

    @either_store
    async def test_of_one_moment_the_first_place(self, store: Store) -> None:
        pages = [Page(0, "ba", request="r1", feed="best"), Page(0, "abc", request="r1")]
        await write_log(store, "shop", pages, [Told(1, "a"), Told(1, "b", request="r1")])
        _, parts = await joined(store, RECIPE)
        assert [row[1:5] for row in rows_of(parts) if row[4]] == [("best", 0, "b", 1), ("home", 0, "a", 1)]

    @either_store
    async def test_to_the_page_for_which_a_slate_was_chosen_that_was_given_again(self, store: Store) -> None:
        pages = [
            Page(0, "abc", request="r1"),
            Page(1, "b", request="other", feed="best"),
            Page(2, "abc", request="r2", reused=True),
            Page(100, "c", request="r3", reused=True),
        ]
        events = [Told(3, "a"), Told(3, "b", request="r2"), Told(101, "c")]
        found, tally = await clicks(store, pages, events)
        assert found == {"r1:a": 1, "r1:b": 1, "r3:c": 1}
        assert tally == Tally(1, 2, 0)

    @either_store
    async def test_searches_and_events_that_the_recipe_does_not_know_count_for_nothing(self, store: Store) -> None:
        assert await clicks(store, [Page(0, "a")], [Told(1, "a", type="stare")]) == ({}, Tally(0, 0, 0))

    @either_store
    async def test_erased_users_leave_neither_pages_nor_events(self, store: Store) -> None:
        pages = [Page(0, "ab", request="r1"), Page(1, "ab", user="v", request="r2")]
        await write_log(store, "shop", pages, [Told(2, "a"), Told(2, "b", user="v")])
        await erase_user(store, "shop", "u")
        followed, parts = await joined(store, RECIPE)
        assert [row[:5] for row in rows_of(parts)] == [("r2", "home", 0, "a", 0), ("r2", "home", 1, "b", 1)]
        assert followed.tally == Tally(0, 1, 0)

    @either_store
    async def test_items_that_are_hidden_or_deleted_since_were_shown_all_the_same(self, store: Store) -> None:
        await write_log(store, "shop", [Page(0, "ab")], [Told(1, "a"), Told(1, "b")])
        await patch_item(store, "shop", "a", {}, hidden=True)
        await delete_item(store, "shop", "b")
        assert [row[3:5] for row in rows_of((await joined(store, RECIPE))[1])] == [("a", 1), ("b", 1)]

    @either_store
    async def test_what_named_a_pruned_page_is_put_down_by_time_to_one_that_is_left(self, store: Store) -> None:
        pages = [Page(0, "a", request="r1"), Page(5, "a", request="r2")]
        await write_log(store, "shop", pages, [Told(1, "a", request="r1"), Told(6, "a", request="r1")])
        await prune_impressions(store, "shop", at(3))
        followed, parts = await joined(store, RECIPE)
        assert [row[:5] for row in rows_of(parts)] == [("r2", "home", 0, "a", 1)]
        assert followed.tally == Tally(0, 1, 0)


class TestPeriod:
    """What is shown in a period, with what followed, whenever that was."""

    @either_store
    async def test_what_followed_after_its_end_counts_and_what_was_shown_again_then_does_not(
        self, store: Store
    ) -> None:
        pages = [Page(0, "ab", request="r0"), Page(10, "ab", request="r1"), Page(21, "b", request="r2")]
        events = [Told(9, "a"), Told(12, "a"), Told(22, "a"), Told(22, "b"), Told(80, "a", request="r1")]
        found, tally = await clicks(store, pages, events, recipe_with(window="30m"), since=10, until=20)
        assert found == {"r1:a": 3}
        assert tally == Tally(0, 1, 0)

    @either_store
    async def test_an_event_in_it_may_follow_what_was_shown_before(self, store: Store) -> None:
        pages = [Page(0, "a", request="r0"), Page(10, "b", request="r1")]
        found, tally = await clicks(store, pages, [Told(11, "a")], since=10, until=20)
        assert (found, tally) == ({}, Tally(0, 1, 0))

    @either_store
    async def test_nothing_shown_is_no_rows(self, store: Store) -> None:
        assert await clicks(store, [], [Told(1, "a")]) == ({}, Tally(0, 0, 0))

    async def test_pages_come_in_groups_and_none_twice(
        self, store: Store, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(shown, "_PAGE", 2)
        pages = [Page(n // 2, "ab", request=f"r{n}") for n in range(7)]
        await write_log(store, "shop", pages, [Told(9, "a"), Told(0.5, "b", request="r3")])
        groups = [
            [page.request_id for page in group]
            async for group in impressions.stream_impressions(store, "shop", at(0), at(9), page=3)
        ]
        assert groups == [["r0", "r1", "r2"], ["r3", "r4", "r5"], ["r6"]]
        followed, parts = await joined(store, RECIPE)
        assert [row[0] for row in rows_of(parts) if row[4]] == ["r3", "r6"]
        assert followed.pages == 7


class TestExamined:
    """Which places the user is taken to have looked at."""

    PAGES = (
        Page(0, "abcd", request="r1"),
        Page(2, "efgh", request="r1", start=4),
        Page(1, "ijkl", request="r1", start=8),
        Page(3, "ab", request="r2", start=4),
        Page(4, "cd", request="r3"),
        Page(5, "ef", request="r3", start=2),
    )

    async def examined(self, store: Store, *events: Told, **settings: Any) -> dict[str, str]:
        await write_log(store, "shop", self.PAGES, events)
        found: dict[str, str] = {}
        for row in rows_of((await joined(store, recipe_with(**settings)))[1]):
            found[row[0]] = found.get(row[0], "") + (row[3] if row[7] else "")
        return found

    @either_store
    async def test_down_to_the_last_event_over_all_pages_of_a_request(self, store: Store) -> None:
        found = await self.examined(store, Told(6, "f", request="r1"), Told(6, "b", request="r1"))
        assert found["r1"] == "abcdef"

    @either_store
    async def test_without_an_event_the_first_page_of_the_request(self, store: Store) -> None:
        assert await self.examined(store) == {"r1": "abcd", "r2": "ab", "r3": "cd"}

    @either_store
    async def test_and_so_many_places_more(self, store: Store) -> None:
        found = await self.examined(store, Told(6, "b", request="r1"), margin=4)
        assert found == {"r1": "abcdef", "r2": "ab", "r3": "cd"}

    @either_store
    async def test_all_where_the_recipe_says_so(self, store: Store) -> None:
        found = await self.examined(store, Told(6, "b", request="r1"), examined="all")
        assert found == {"r1": "abcdijklefgh", "r2": "ab", "r3": "cdef"}

    @either_store
    async def test_each_user_of_a_request_id_that_several_use(self, store: Store) -> None:
        pages = [Page(0, "abc", request="app"), Page(1, "abc", user="v", request="app")]
        await write_log(store, "shop", pages, [Told(2, "a", request="app"), Told(2, "c", user="v", request="app")])
        examined = [row[7] for row in rows_of((await joined(store, RECIPE))[1])]
        assert examined == [True, False, False, True, True, True]


@either_store
async def test_pages_of_different_features_share_one_table(store: Store) -> None:
    await write_log(store, "shop", [Page(0, "ab", request="r1")], [])
    other = {"feature_names": ("age", "place"), "features": np.array([[7, 8], [9, 10]], np.float32)}
    await write_log(store, "shop", [Page(1, "ab", request="r2")], [], **other)
    bare = {"feature_names": (), "features": np.empty((1, 0), np.float32)}
    await write_log(store, "shop", [replace(Page(2, "a"), request="r3")], [], **bare)
    ((part,), names) = (await joined(store, RECIPE))[1], ("place", "age")
    assert part.feature_names == names
    expected = [[0, np.nan], [1, np.nan], [8, 7], [10, 9], [np.nan, np.nan]]
    np.testing.assert_array_equal(part.features, np.array(expected, np.float32))
