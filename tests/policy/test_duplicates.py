"""Duplicates: which of equal items is kept, and what equal is."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.policy.in_order import candidates

from homefeed.errors import RecipeError
from homefeed.policy.duplicates import Duplicates
from homefeed.protocols import Filter, FilterExplainer, Reranker
from homefeed.scope import RequestScope
from homefeed.testing import FilterContract, Play, RerankerContract, World, make_world, toy_item, toy_world
from homefeed.testing.reranker import check_reranked
from homefeed.types import NO_HISTORY, Dropped

SHOWN = "the same as an item shown before, excluded or asked about"


def duplicates(world: World, *fields: str) -> Duplicates:
    return Duplicates(Duplicates.Config(fields=fields or ("title", "content_type")), world.resources)


def saying(*titles: str | None) -> World:
    """A world of items i0, i1, ... of those titles."""
    items = [toy_item(n, f"i{n}", 1, title=title) for n, title in enumerate(titles)]
    return make_world(items, ())


def left(world: World, *positions: int, anchor: str | None = None, exclude: tuple[str, ...] = ()) -> list[int]:
    given = candidates(*positions)
    query = world.query(anchor=anchor, exclude=exclude)
    answer = duplicates(world).rerank(query, given)
    check_reranked("duplicates", given, answer)
    assert all(dropped.by == "duplicates" for dropped in answer.dropped)
    kept: list[int] = answer.positions.tolist()
    return kept


class TestDuplicates(RerankerContract):
    def make(self, world: World) -> Reranker:
        return duplicates(world, "genre")  # d1, d3 and d4 say the same; x1 says nothing


class TestDuplicatesFilter(FilterContract):
    def make(self, world: World) -> Filter:
        return duplicates(world, "genre")


class TestDuplicatesKept(RerankerContract):
    def make(self, world: World) -> Reranker:
        return Duplicates(Duplicates.Config(fields=("genre",), drop=False), world.resources)


class TestDuplicatesByNumber(RerankerContract):
    def make(self, world: World) -> Reranker:
        return duplicates(world, "year", "content_type")


WORLD = saying(
    "Red shoe", "Hat", "red SHOE ", "Red  \t shoe", "Red shoes", None, "", "hat", "Rote Straße", "rote STRASSE"
)


def test_the_best_ranked_of_equals_is_kept() -> None:
    assert left(WORLD, 2, 1, 0, 3, 7) == [2, 1]
    assert left(WORLD, 7, 0, 3, 1, 2) == [7, 0]
    assert left(WORLD, 8, 9) == [8]


def test_what_differs_in_a_letter_is_another_thing() -> None:
    assert left(WORLD, 0, 4) == [0, 4]


def test_items_that_say_nothing_are_duplicates_of_none() -> None:
    assert left(WORLD, 5, 6, 0) == [5, 6, 0]
    assert left(WORLD, 6, 0, anchor="i5") == [6, 0]


def test_none_is_kept_of_those_that_equal_the_anchor() -> None:
    assert left(WORLD, 2, 1, 3, anchor="i0") == [1]
    assert left(WORLD, 2, 3, anchor="i0") == []


def test_none_is_kept_of_those_that_equal_what_was_shown_before() -> None:
    assert left(WORLD, 2, 1, 3, 4, exclude=("i0",)) == [1, 4]
    assert left(WORLD, 4, 8, exclude=("i0", "i7")) == [4, 8]


def test_all_fields_must_be_equal() -> None:
    items = [
        toy_item(0, "a", 1, title="Shoe", content_type="movie", genre=["A", "B"]),
        toy_item(1, "b", 1, title="Shoe", content_type="series", genre=["A", "B"]),
        toy_item(2, "c", 1, title="shoe", content_type="MOVIE", genre=["A"]),
        toy_item(3, "d", 1, content_type="movie"),
        toy_item(4, "e", 1, title="movie"),
    ]
    world = make_world(items, ())
    assert left(world, 0, 1, 2, 3, 4) == [0, 1, 3, 4]
    given = candidates(0, 1, 2, 3, 4)
    assert duplicates(world, "genre").rerank(world.query(), given).positions.tolist() == [0, 2, 3, 4]


def test_what_is_equal_changes_with_the_items() -> None:
    world = saying("Red shoe", "Red shoe", "Hat")
    part, given = duplicates(world), candidates(0, 1, 2)
    assert part.rerank(world.query(), given).positions.tolist() == [0, 2]
    world.catalog.apply([toy_item(1, "i1", 1, title="Hat"), toy_item(3, "i3", 1, title="Red shoe")])
    assert part.rerank(world.query(), candidates(0, 1, 2, 3)).positions.tolist() == [0, 1]
    world.catalog.apply([toy_item(1, "i1", 1, title="Blue shoe")])
    part.refresh()
    assert part.rerank(world.query(), candidates(0, 1, 2, 3)).positions.tolist() == [0, 1, 2]


def test_nothing_changes_where_nothing_is_said_twice() -> None:
    given = candidates(4, 1, 0)
    assert duplicates(WORLD).rerank(WORLD.query(), given) is given


def test_what_was_dropped_before_stays_dropped() -> None:
    given = replace(candidates(0, 2), dropped=(Dropped("caps", np.array([1], np.int32), "too many"),))
    answer = duplicates(WORLD).rerank(WORLD.query(), given)
    assert [(dropped.by, dropped.positions.tolist()) for dropped in answer.dropped] == [
        ("caps", [1]),
        ("duplicates", [2]),
    ]


def test_it_says_which_other_is_shown_instead() -> None:
    answer = duplicates(WORLD).rerank(WORLD.query(exclude=("i1",)), candidates(2, 7, 0))
    told = {position: dropped.reason(position) for dropped in answer.dropped for position in dropped.positions}
    assert told == {7: SHOWN, 0: 'the same as "red SHOE ", which ranks higher'}


def test_parts_of_the_same_fields_share_what_is_known() -> None:
    world = saying("Red shoe", "red shoe")
    assert duplicates(world)._groups is duplicates(world)._groups
    assert duplicates(world)._groups is not duplicates(world, "title")._groups


def test_fields_must_be_declared() -> None:
    with pytest.raises(RecipeError, match='"colour" is not declared; expected some of title'):
        duplicates(toy_world(), "title", "colour")
    with pytest.raises(ValueError, match="fields"):
        Duplicates.Config(fields=())


def test_the_form_of_unicode_makes_no_other_thing() -> None:
    assert left(saying("Caf\u00e9", "Cafe\u0301", "Cafe"), 0, 1, 2) == [0, 2]


def met(world: World, *items: str) -> set[str]:
    """What the filter stops for a user who met the items."""
    items_alike = [toy_item(n, f"i{n}", 1) for n in range(world.catalog.size)]
    told = make_world(items_alike, [Play("u", item, 1, 9) for item in items])
    query = world.query("u", history=told.histories.get("u", NO_HISTORY))
    part = duplicates(world)
    mask = part.filter(query)
    assert part.concerns(query) is not bool(mask.all())
    return set(world.ids(np.flatnonzero(~mask).astype(np.int32)))


def test_another_file_of_what_the_user_met_is_not_for_them() -> None:
    """As where "Because you watched The Salt Road" recommended The Salt Road."""
    assert met(WORLD, "i0") == {"i2", "i3"}
    assert met(WORLD, "i0", "i2") == {"i3"}
    assert met(WORLD, "i8", "i1") == {"i9", "i7"}
    assert met(WORLD, "i4", "i5", "i6") == set()
    assert met(WORLD) == set()


def test_it_follows_the_catalogue() -> None:
    world = saying("Red shoe", "Hat", "Red shoe")
    part, query = duplicates(world), world.query("u", history=replace(NO_HISTORY, **_met(0)))
    assert world.ids(np.flatnonzero(~part.filter(query)).astype(np.int32)) == ("i2",)
    assert isinstance(part, FilterExplainer)
    assert part.why(query, 2) == 'the same as "Red shoe", which the user met as another item'
    world.catalog.apply([toy_item(2, "i2", 1, title="Boot"), toy_item(1, "i1", 1, title="red shoe")])
    again = replace(query, scope=RequestScope())
    assert world.ids(np.flatnonzero(~part.filter(again)).astype(np.int32)) == ("i1",)
    world.catalog.apply([toy_item(1, "i1", 1, title="Hat")])
    assert part.filter(replace(query, scope=RequestScope())).all()


def test_where_none_is_dropped_duplicates_come_last() -> None:
    part = Duplicates(Duplicates.Config(fields=("title",), drop=False), WORLD.resources)
    assert part.rerank(WORLD.query(), candidates(2, 0, 1, 3, 7)).positions.tolist() == [2, 1, 0, 3, 7]


@given(st.lists(st.tuples(st.integers(0, 5), st.sampled_from("abc")), max_size=30))
def test_groups_are_those_of_the_titles_now(changes: list[tuple[int, str]]) -> None:
    world = saying(*"abcabc")
    titles, part = dict(enumerate("abcabc")), duplicates(world)
    for position, title in changes:
        world.catalog.apply([toy_item(position, f"i{position}", 1, title=title)])
        titles[position] = title
        query = world.query("u", history=replace(NO_HISTORY, **_met(0)))
        stopped = set(np.flatnonzero(~part.filter(query)).tolist())
        assert stopped == {other for other in titles if other and titles[other] == titles[0]}


def _met(position: int) -> dict[str, Any]:
    one = np.ones(1, np.float32)
    items, types, times = np.array([position], np.int32), np.zeros(1, np.int32), np.zeros(1, np.int64)
    return {"items": items, "types": types, "values": one, "strengths": one, "times": times}
