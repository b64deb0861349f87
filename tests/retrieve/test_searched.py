"""Searched: sums by hand, searches made again, which one is named, how far back."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from homefeed.protocols import Retriever
from homefeed.retrieve.searched import Searched
from homefeed.scope import RequestScope
from homefeed.testing import RetrieverContract, World, make_world, toy_item, toy_world
from homefeed.testing.requests import NEW_ITEM
from homefeed.testing.world import NOW
from homefeed.types import DAY, NO_SEARCHES, Query, Searches


def searched(world: World, **config: object) -> Searched:
    return Searched(Searched.Config.model_validate({"fields": {"title": 1.0}, **config}), world.resources)


def after(query: Query, *searches: tuple[str, float]) -> Query:
    """The query of somebody who searched for these so many days before now, in that order."""
    texts = tuple(text for text, _ in searches)
    times = np.array([NOW - int(days * DAY) for _, days in searches], np.int64)
    return replace(query, user=replace(query.user, searches=Searches(texts, times)), scope=RequestScope())


def scores(world: World, *searches: tuple[str, float], **config: object) -> dict[str, float]:
    positions, found = searched(world, **config).retrieve(after(world.query("u"), *searches), 99)
    return dict(zip(world.ids(positions), found.tolist(), strict=True))


class TestSearched(RetrieverContract):
    def make(self, world: World) -> Retriever:
        return searched(world)

    def requests(self, world: World) -> dict[str, Query]:
        asked = {
            name: after(query, ("harbour", 9), ("star refuge", 8), ("Harbour", 0.5), ("orbit", 0.25))
            for name, query in super().requests(world).items()
        }
        return asked | {
            "never searched": world.query("da"),
            "one search": after(world.query("da"), ("star", 0)),
            "searches for nothing": after(world.query("da"), ("zzyzx", 3), ("?!", 2), ("", 1), (" ", 0)),
            "any text": after(world.query("da"), ("x" * 9_000, 2), ("\x00 😀 हिन्दी", 1), ("{star}", 0)),
            "a search to come": after(world.query("da"), ("star", 1), ("harbour", -9_000)),
            "years ago": after(world.query("da"), ("star", 90_000), ("harbour", 0)),
            "a thousand": after(world.query("da"), *((f"star {n}", 1_000 - n) for n in range(1_000))),
        }


def test_who_never_searched_gets_nothing() -> None:
    world = toy_world()
    assert scores(world) == {}
    query = world.query("u")
    assert query.user.searches is NO_SEARCHES
    assert searched(world).reasons(query, world.positions("d1")) == [None]


def test_a_search_counts_half_for_every_half_life_before_the_latest() -> None:
    world = toy_world()
    # All titles are as long, so that the two of a word match as well.
    whole = {"s1": 1.0, "s3": 1.0, "d1": 0.5, "d4": 0.5, "s2": 0.125, "s4": 0.125}
    found = scores(world, ("orbital", 31), ("harbour", 17), ("star", 10))
    assert found == pytest.approx(whole)
    assert list(found) == ["s1", "s3", "d1", "d4", "s2", "s4"]
    assert scores(world, ("harbour", 12), ("star", 10), half_life_days=1)["d1"] == pytest.approx(0.25)
    assert scores(world, ("star", 10_000)) == pytest.approx({"s1": 1.0, "s3": 1.0})


def test_a_search_with_a_time_to_come_does_not_age_the_others() -> None:
    found = scores(toy_world(), ("harbour", 7), ("star", -700))
    assert found == pytest.approx({"s1": 1.0, "s3": 1.0, "d1": 0.5, "d4": 0.5})


def test_what_several_searches_find_is_summed() -> None:
    world = toy_world()
    alone = scores(world, ("star harvest", 0), min_match=0.3)
    assert alone["s1"] == 1.0
    assert 0 < alone["s3"] < 1
    both = scores(world, ("star harvest", 7), ("star", 0), min_match=0.3)
    assert both == pytest.approx({"s1": 1.5, "s3": 1 + 0.5 * alone["s3"]})


def test_a_search_made_again_counts_once_as_the_later_one() -> None:
    world = toy_world()
    once = scores(world, ("harbour", 7), ("star", 0))
    assert scores(world, ("harbour", 70), ("star", 9), ("harbour", 7), ("STAR", 0.5), (" Star ", 0)) == once


def test_only_the_latest_searches_count() -> None:
    world = toy_world()
    three = [("orbital", 2.0), ("harbour", 1.0), ("star", 0.0)]
    assert set(scores(world, *three, max_searches=2)) == {"s1", "s3", "d1", "d4"}
    repeated = [("harbour", 1.0), *(("star", 0.5),) * 5]
    assert set(scores(world, *repeated, max_searches=2)) == {"s1", "s3", "d1", "d4"}, "distinct ones"


def test_only_the_best_matches_of_each_count() -> None:
    world = toy_world()
    assert set(scores(world, ("harbour nights", 1), ("star refuge", 0), max_matches=1)) == {"d4", "s3"}


def test_reasons_name_the_search_that_added_most() -> None:
    titles = ("red shoe", "red hat", "cap")
    world = make_world([toy_item(n, f"i{n}", 1, title=title) for n, title in enumerate(titles)], ())
    retriever = searched(world, min_match=0.3)
    query = after(world.query("u"), ("Red  Shoe", 7), ("hats", 3.5), ("RED", 0))
    # The shoe: 1/2 of the first, 1 of the last. The hat: less of the first, 0.71, and 1.
    assert retriever.reasons(query, world.positions("i0", "i1", "i2")) == [
        'Because you searched for "RED"',
        'Because you searched for "RED"',
        None,
    ]
    query = after(world.query("u"), ("red", 7), ("Hats", 3.5), ("Red  Shoe", 0))
    assert retriever.reasons(query, world.positions("i1", "i0")) == [
        'Because you searched for "Hats"',
        'Because you searched for "Red  Shoe"',
    ]


def test_braces_in_a_search_are_letters() -> None:
    world = toy_world()
    query = after(world.query("u"), ("{query} star {0.__class__}", 0))
    (reason,) = searched(world, min_match=0.0).reasons(query, world.positions("s1"))
    assert reason == 'Because you searched for "{query} star {0.__class__}"'


def test_a_feed_about_an_item_is_about_no_search() -> None:
    world = toy_world()
    query = after(world.query("u", anchor="d2"), ("star", 0))
    assert len(searched(world).retrieve(query, 9)[0]) == 0


def test_only_searches_since_a_time_count_where_a_feed_asks_for_those() -> None:
    world = toy_world()
    query = after(world.query("u"), ("star", 31), ("harbour", 30))
    recent = replace(query, user=query.user.since(NOW - 30 * DAY), scope=RequestScope())
    assert set(world.ids(searched(world).retrieve(recent, 9)[0])) == {"d1", "d4"}
    assert not recent.user.is_cold
    none = replace(query, user=query.user.since(NOW - 29 * DAY), scope=RequestScope())
    assert len(searched(world).retrieve(none, 9)[0]) == 0
    assert none.user.is_cold
    assert query.user.since(NOW - 31 * DAY) is query.user


def test_new_items_are_found_once_refreshed() -> None:
    world = toy_world()
    retriever = searched(world)
    retriever.retrieve(after(world.query("u"), ("harbour", 0)), 9)
    world.catalog.apply([NEW_ITEM])
    assert set(world.ids(retriever.retrieve(after(world.query("u"), ("harbour", 0)), 9)[0])) == {"d1", "d4"}
    retriever.refresh()
    assert set(world.ids(retriever.retrieve(after(world.query("u"), ("harbour", 0)), 9)[0])) == {"d1", "d4", "new"}


def test_what_is_not_eligible_is_not_found() -> None:
    world = toy_world()
    query = after(world.query("u", exclude=("s1",)), ("star", 0), ("secrets", 0))
    assert world.ids(searched(world).retrieve(query, 9)[0]) == ("s3",)


def test_a_price_in_a_search_is_no_word() -> None:
    world = toy_world()
    assert scores(world, ("harbour under 500", 0)) == scores(world, ("harbour", 0)) != {}
