"""Where users are kept apart, nothing of a request tells of what is elsewhere: not its items, not its reasons."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from homefeed.engine import build_feeds
from homefeed.errors import NotFoundError
from homefeed.funnel import Feed, page, rank, recommend
from homefeed.testing import Play, World, make_world, toy_item
from homefeed.testing.requests import toy_history
from homefeed.testing.world import RECIPE
from homefeed.tracing import explain
from homefeed.types import Item, Positions, Query, Scores

GROUPS = ("movie", "series", "radio")
WEIGHTS = {"item_item": 1.0, "content": 0.5, "popular": 0.1, "tag_overlap": 0.5}
PARTS: dict[str, Any] = {
    "retrieve": {"item_item": {}, "content": {}, "popular": {}},
    "features": {"tag_overlap": {"field": "genre"}},
    "rank": {"weighted": {"weights": WEIGHTS}},
}
DECLARED: dict[str, Any] = {
    **RECIPE,
    "users": {"fields": {"group": "category"}},
    "isolation": {"item": "content_type", "user": "group"},
    "feeds": {
        "home": PARTS | {"cold_start": "popular"},
        "popular": {"retrieve": {"popular": {}}, "rank": {"weighted": {"weights": {"popular": 1.0}}}},
        "similar": PARTS | {"anchored": True},
    },
}


def items(count: int = 30) -> list[Item]:
    """Each group has an item of every title and genre: words alone keep nobody apart."""
    return [
        toy_item(
            n,
            f"{GROUPS[n % 3]}{n // 3}",
            50,
            title=f"Title {n // 3}",
            content_type=GROUPS[n % 3],
            genre=[f"g{n // 6}"],
        )
        for n in range(count)
    ]


def everybody_plays_everything() -> list[Play]:
    """So that every item is a neighbour of every other, of whatever group."""
    return [Play(f"u{user}", item.item_id, 3_600, 40 - user) for user in range(6) for item in items()]


WORLD = make_world(items(), everybody_plays_everything(), declared=DECLARED)
FEEDS = build_feeds(WORLD.recipe, WORLD.resources)


def group_of(position: int) -> str:
    return WORLD.catalog.terms_at("content_type", position)[0]


def asked(group: str | None, liked: Sequence[str], **more: Any) -> Query:
    history = toy_history(WORLD, dict.fromkeys(liked, 1.0))
    return WORLD.query("u", history=history, attributes={} if group is None else {"group": group}, **more)


item_ids = st.sampled_from([item.item_id for item in items()])


@given(
    feed=st.sampled_from(["home", "popular", "similar"]),
    group=st.sampled_from([*GROUPS, "SERIES", "else", None]),
    liked=st.lists(item_ids, max_size=6),
    excluded=st.lists(item_ids, max_size=6),
    before=st.lists(item_ids, max_size=3),
    n=st.integers(1, 12),
)
def test_nothing_elsewhere_is_shown_or_changes_anything(
    feed: str, group: str | None, liked: list[str], excluded: list[str], before: list[str], n: int
) -> None:
    own = group if group in GROUPS else ""
    anchor = f"{own}0" if feed == "similar" and own in GROUPS else None
    if FEEDS[feed].settings.anchored and anchor is None:
        return
    query = asked(group, liked, n=n, exclude=tuple(excluded), recently_shown=tuple(before), anchor=anchor)
    slate = recommend(FEEDS[feed], query)
    assert all(group_of(position) == own for position in slate.positions.tolist())
    history = query.user.history
    mine = np.array([group_of(position) == own for position in history.items.tolist()], np.bool_)
    kept = [item for item in excluded if item.startswith(own) and own]
    earlier = [item for item in before if item.startswith(own) and own]
    bare = asked(group, liked, n=n, exclude=tuple(kept), recently_shown=tuple(earlier), anchor=anchor)
    alone = recommend(FEEDS[feed], replace(bare, user=replace(bare.user, history=history.take(mine))))
    assert slate.positions.tolist() == alone.positions.tolist()
    assert slate.scores.tolist() == alone.scores.tolist()
    assert (slate.reasons, slate.cold_start) == (alone.reasons, alone.cold_start)
    assert slate.features.tolist() == alone.features.tolist()


class Spy:
    """A retriever that sees what it is asked."""

    def __init__(self) -> None:
        self.queries: list[Query] = []

    def retrieve(self, query: Query, k: int) -> tuple[Positions, Scores]:
        self.queries.append(query)
        found = np.flatnonzero(query.eligible)[:k].astype(np.int32)
        return found, np.ones(len(found), np.float32)


def spied(world: World) -> tuple[Spy, Feed]:
    spy = Spy()
    return spy, replace(build_feeds(world.recipe, world.resources)["popular"], retrievers={"popular": (spy, 50)})


def test_no_part_gets_to_know_of_it() -> None:
    spy, feed = spied(WORLD)
    liked = ("movie1", "series1", "movie2", "radio2")
    query = asked("movie", liked, exclude=("movie3", "radio3"), recently_shown=("series4", "movie4", "movie5"))
    recommend(feed, query)
    [seen] = spy.queries
    assert WORLD.ids(seen.user.history.items) == ("movie1", "movie2")
    assert len(seen.user.history.times) == len(seen.user.history.strengths) == 2
    assert WORLD.ids(seen.exclude) == ("movie3",)
    assert WORLD.ids(seen.recently_shown) == ("movie4", "movie5")
    assert {group_of(position) for position in np.flatnonzero(seen.eligible).tolist()} == {"movie"}
    assert len(query.user.history) == 4, "the query that was handed in is as it was"


def test_of_ones_own_alone_nothing_is_copied() -> None:
    spy, feed = spied(WORLD)
    query = asked("movie", ["movie1"], exclude=("movie3",), recently_shown=("movie4",))
    recommend(feed, query)
    assert spy.queries[0].user.history is query.user.history
    assert spy.queries[0].exclude is query.exclude


def test_without_isolation_all_is_seen() -> None:
    declared = {name: value for name, value in DECLARED.items() if name != "isolation"}
    spy, feed = spied(make_world(items(), (), declared=declared))
    recommend(feed, asked("movie", ["movie1", "series1"], exclude=("radio3",)))
    assert len(spy.queries[0].user.history) == 2
    assert len(spy.queries[0].exclude) == 1


@pytest.mark.parametrize("group", ["movie", "else", None])
def test_a_feed_about_an_item_of_elsewhere_is_about_nothing(group: str | None) -> None:
    feed = FEEDS["similar"]
    query = asked(group, [], anchor="series1")
    for ask in (recommend, rank):
        with pytest.raises(NotFoundError, match=r"^item_id: no such item in toy$"):
            ask(feed, query)
    with pytest.raises(NotFoundError):
        explain(feed, query, WORLD.position("movie1"))


def test_nor_is_the_next_page_of_who_moved_meanwhile() -> None:
    feed = FEEDS["similar"]
    ranked = rank(feed, asked("series", [], anchor="series1"))
    assert len(page(ranked, asked("series", [], anchor="series1")))
    with pytest.raises(NotFoundError):
        page(ranked, asked("movie", [], anchor="series1"))


def test_a_page_of_who_moved_meanwhile_shows_nothing_of_before() -> None:
    ranked = rank(FEEDS["home"], asked("series", ["series1"]))
    shown = page(ranked, asked("movie", ["series1"]))
    assert len(shown) == 0
    assert shown.filtered_late == ("isolation",)
    assert shown.reasons == ()


@pytest.mark.parametrize("group", ["movie", None])
def test_explaining_an_item_of_elsewhere_tells_that_and_nothing_else(group: str | None) -> None:
    query = asked(group, ["movie1"], exclude=("series1",))
    trace = explain(FEEDS["home"], query, WORLD.position("series1"))
    why = "not of the user's group" if group else "the user has no group"
    assert trace.verdict == f"Not shown: stopped by isolation ({why})"
    assert [(filter_.name, filter_.passed, filter_.why) for filter_ in trace.filters] == [
        ("isolation", False, why)
    ]
    assert (trace.place, trace.score, trace.propensity, trace.reason, trace.features) == (
        None,
        None,
        None,
        None,
        (),
    )
    assert all(found.score is None for found in trace.retrievers)
    assert trace.dropped_by is None
    own = explain(FEEDS["home"], asked("movie", ["movie1"], exclude=("movie3",)), WORLD.position("movie3"))
    assert [filter_.name for filter_ in own.filters] == ["isolation", "availability", "request", "blocked", "seen"]
    assert own.verdict == "Not shown: stopped by request"
