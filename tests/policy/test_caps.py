"""Caps: the rule holds in every window, pages and all, and nobody waits longer than the rule asks."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from homefeed.errors import RecipeError
from homefeed.policy.caps import Caps
from homefeed.policy.kernels import capped_rows
from homefeed.protocols import Reranker
from homefeed.testing import World, make_world, toy_world
from homefeed.testing.reranker import RerankerContract, check_reranked
from homefeed.types import Candidates, Condition, Item


def world_of(creators: str) -> World:
    """A world of items i0, i1, ... of those creators; "." is none."""
    kinds = [{} if creator == "." else {"content_type": creator} for creator in creators]
    return make_world([Item(f"i{n}", n, kind, None) for n, kind in enumerate(kinds)], ())


def caps(world: World, **config: Any) -> Caps:
    return Caps(Caps.Config.model_validate({"field": "content_type"} | config), world.resources)


def reranked(creators: str, before: str = "", **config: Any) -> tuple[str, list[int], list[str]]:
    """The creators in the new order, the rows in that order, and why others were dropped."""
    world = world_of(creators + before)
    given = ranked(len(creators))
    ids = tuple(f"i{n}" for n in range(len(creators), len(creators + before)))
    answer = caps(world, **config).rerank(world.query("u", exclude=ids, recently_shown=ids), given)
    check_reranked("caps", given, answer)
    rows = answer.positions.tolist()
    return "".join(creators[row] for row in rows), rows, [str(dropped.why) for dropped in answer.dropped]


def ranked(count: int) -> Candidates:
    """As many candidates, best first."""
    return Candidates(
        positions=np.arange(count, dtype=np.int32),
        retrievers=("popular",),
        retriever_scores=np.ones((count, 1), np.float32),
        feature_names=(),
        features=np.empty((count, 0), np.float32),
        scores=np.linspace(1, 0, count, dtype=np.float32),
    )


class TestCaps(RerankerContract):
    def make(self, world: World) -> Reranker:
        return caps(world, max_items=1, window=3)


@pytest.mark.parametrize(
    ("creators", "expected", "config"),
    [
        ("", "", {}),
        ("abcde", "abcde", {}),
        ("aabbcc", "aabbcc", {"max_items": 2, "window": 3}),
        ("aaabc", "aabac", {"max_items": 2, "window": 3}),
        ("aabbcc", "abcabc", {"max_items": 1, "window": 3}),
        ("aabbc", "ababc", {"max_items": 1, "window": 2}),
        ("aaa....", "a.a.a..", {"max_items": 1, "window": 2}),
        ("..aa..", "..a.a.", {"max_items": 1, "window": 2}),
        ("aAb", "abA", {"max_items": 1, "window": 2}),
        ("aaaa", "aaaa", {"max_items": 1, "window": 1}),
        ("aaaa", "aaaa", {"max_items": 4, "window": 4}),
    ],
)
def test_small_cases(creators: str, expected: str, config: dict[str, Any]) -> None:
    assert reranked(creators, **config)[0] == expected


def test_those_passed_over_come_in_the_order_of_their_rank() -> None:
    assert reranked("aaabbbcd", max_items=1, window=3)[1] == [0, 3, 6, 1, 4, 7, 2, 5]
    assert reranked("bbaacc", max_items=1, window=2)[1] == [0, 2, 1, 3, 4]


def test_what_never_fits_is_dropped() -> None:
    creators, rows, why = reranked("aabaaa", max_items=1, window=3)
    assert (creators, rows) == ("ab", [0, 2])
    assert why == ["1 of one content_type in 3 places, and nothing else to place between"]


def test_who_asks_for_one_value_gets_all_of_it() -> None:
    world = world_of("aabaaa")
    rule = caps(world, max_items=1, window=3)

    def order(*conditions: Condition) -> list[int]:
        given = ranked(6)
        answer = rule.rerank(world.query("u", conditions=conditions), given)
        check_reranked("caps", given, answer)
        rows: list[int] = answer.positions.tolist()
        return rows

    assert order(Condition("content_type", ":", "a")) == [0, 2, 1, 3, 4, 5]
    assert order(Condition("content_type", "!=", "c")) == [0, 2], "all but some is no wish for more of one"
    assert order(Condition("year", ">", "2000")) == [0, 2], "a condition on something else changes nothing"


def test_earlier_pages_count() -> None:
    assert reranked("abc", before="xya", max_items=1, window=3)[0] == "bca"
    assert reranked("abc", before="xya", max_items=1, window=4)[0] == "bc"
    assert reranked("abc", before="axy", max_items=1, window=3)[0] == "abc"
    assert reranked("aab", before="axa", max_items=2, window=3)[0] == "aba"
    assert reranked("aab", before="xaa", max_items=2, window=3)[0] == "baa"
    assert reranked("abc", before="aaaaaa", max_items=1, window=1)[0] == "abc"


def test_an_order_that_keeps_the_rule_is_left_alone() -> None:
    world = world_of("abab")
    given = ranked(4)
    assert caps(world).rerank(world.query(), given) is given


def test_the_field_is_a_category_and_the_window_within_a_cursors_memory() -> None:
    for field in ("genre", "creator_id"):
        with pytest.raises(RecipeError, match=field):
            caps(toy_world(), field=field)
    for wrong in ({"max_items": 0}, {"window": 0}, {"window": 51}):
        with pytest.raises(ValidationError):
            Caps.Config.model_validate(wrong)


CODES = st.lists(st.integers(-1, 4), max_size=30)


def capped_order(codes: Sequence[int], before: Sequence[int], max_items: int, window: int) -> list[int]:
    order: list[int] = capped_rows(
        np.array(codes, np.int32), np.array(before, np.int32), max_items, window
    ).tolist()
    return order


def greedy(codes: list[int], before: list[int], max_items: int, window: int) -> list[int]:
    """Place by place the first row left that keeps the rule."""
    placed, left, order = list(before), list(range(len(codes))), []
    while left:
        recent = placed[max(0, len(placed) - window + 1) :]
        fits = [row for row in left if codes[row] < 0 or recent.count(codes[row]) < max_items]
        if not fits:
            break
        order.append(fits[0])
        placed.append(codes[fits[0]])
        left.remove(fits[0])
    return order


@given(CODES, CODES, st.integers(1, 4), st.integers(1, 8))
def test_each_place_goes_to_the_best_that_keeps_the_rule(
    codes: list[int], before: list[int], max_items: int, window: int
) -> None:
    assert capped_order(codes, before, max_items, window) == greedy(codes, before, max_items, window)


@given(CODES, CODES, st.integers(1, 4), st.integers(1, 8))
def test_the_rule_holds_in_every_window_that_ends_on_the_page(
    codes: list[int], before: list[int], max_items: int, window: int
) -> None:
    order = capped_order(codes, before, max_items, window)
    feed = before + [codes[row] for row in order]
    for end in range(len(before) + 1, len(feed) + 1):
        code = feed[end - 1]
        assert code < 0 or feed[max(0, end - window) : end].count(code) <= max_items


@given(
    st.lists(st.integers(0, 5), min_size=1, max_size=40), st.integers(1, 3), st.integers(2, 6), st.integers(1, 9)
)
def test_pages_of_any_length_make_the_feed_of_one(codes: list[int], max_items: int, window: int, n: int) -> None:
    whole = capped_order(codes, [], max_items, window)
    left, shown = list(range(len(codes))), list[int]()
    while page := capped_order([codes[row] for row in left], [codes[row] for row in shown], max_items, window)[:n]:
        shown += [left[row] for row in page]
        left = [row for row in left if row not in shown]
    assert shown == whole


def test_five_hundred_take_no_time() -> None:
    codes = np.random.default_rng(1).integers(0, 60, 500).tolist()
    assert capped_order(codes, [], 2, 10) == greedy(codes, [], 2, 10)
    assert capped_order([7] * 500, [], 2, 10) == [0, 1]
