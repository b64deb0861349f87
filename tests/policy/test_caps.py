"""Caps: the rule holds in every window, pages and all, and nobody waits longer than the rule asks."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from homefeed.errors import RecipeError
from homefeed.policy.caps import Caps, capped_order
from homefeed.protocols import Arranger
from homefeed.testing import World, make_world, toy_world
from homefeed.testing.arranger import ArrangerContract, check_arranged
from homefeed.types import Candidates, Item


def world_of(creators: str) -> World:
    """A world of items i0, i1, ... of those creators; "." is none."""
    kinds = [{} if creator == "." else {"content_type": creator} for creator in creators]
    return make_world([Item(f"i{n}", n, kind, None) for n, kind in enumerate(kinds)], ())


def caps(world: World, **config: Any) -> Caps:
    return Caps(Caps.Config.model_validate({"field": "content_type"} | config), world.resources)


def arranged(creators: str, before: str = "", **config: Any) -> tuple[str, list[int], list[str]]:
    """The creators in the new order, the rows in that order, and why others were dropped."""
    world = world_of(creators + before)
    given = ranked(len(creators))
    ids = tuple(f"i{n}" for n in range(len(creators), len(creators + before)))
    answer = caps(world, **config).arrange(world.query("u", exclude=ids, before=ids), given)
    check_arranged("caps", given, answer)
    rows = answer.positions.tolist()
    return "".join(creators[row] for row in rows), rows, [dropped.why for dropped in answer.dropped]


def ranked(count: int) -> Candidates:
    """As many candidates, best first."""
    return Candidates(
        positions=np.arange(count, dtype=np.int32),
        retrievers=("popular",),
        retrieved=np.ones((count, 1), np.float32),
        feature_names=(),
        features=np.empty((count, 0), np.float32),
        scores=np.linspace(1, 0, count, dtype=np.float32),
    )


class TestCaps(ArrangerContract):
    def make(self, world: World) -> Arranger:
        return caps(world, most=1, window=3)


@pytest.mark.parametrize(
    ("creators", "expected", "config"),
    [
        ("", "", {}),
        ("abcde", "abcde", {}),
        ("aabbcc", "aabbcc", {"most": 2, "window": 3}),
        ("aaabc", "aabac", {"most": 2, "window": 3}),
        ("aabbcc", "abcabc", {"most": 1, "window": 3}),
        ("aabbc", "ababc", {"most": 1, "window": 2}),
        ("aaa....", "a.a.a..", {"most": 1, "window": 2}),
        ("..aa..", "..a.a.", {"most": 1, "window": 2}),
        ("aAb", "abA", {"most": 1, "window": 2}),
        ("aaaa", "aaaa", {"most": 1, "window": 1}),
        ("aaaa", "aaaa", {"most": 4, "window": 4}),
    ],
)
def test_small_cases(creators: str, expected: str, config: dict[str, Any]) -> None:
    assert arranged(creators, **config)[0] == expected


def test_those_passed_over_come_in_the_order_of_their_rank() -> None:
    assert arranged("aaabbbcd", most=1, window=3)[1] == [0, 3, 6, 1, 4, 7, 2, 5]
    assert arranged("bbaacc", most=1, window=2)[1] == [0, 2, 1, 3, 4]


def test_what_never_fits_is_dropped() -> None:
    creators, rows, why = arranged("aabaaa", most=1, window=3)
    assert (creators, rows) == ("ab", [0, 2])
    assert why == ["1 of one content_type in 3 places, and nothing else to place between"]


def test_earlier_pages_count() -> None:
    assert arranged("abc", before="xya", most=1, window=3)[0] == "bca"
    assert arranged("abc", before="xya", most=1, window=4)[0] == "bc"
    assert arranged("abc", before="axy", most=1, window=3)[0] == "abc"
    assert arranged("aab", before="axa", most=2, window=3)[0] == "aba"
    assert arranged("aab", before="xaa", most=2, window=3)[0] == "baa"
    assert arranged("abc", before="aaaaaa", most=1, window=1)[0] == "abc"


def test_an_order_that_keeps_the_rule_is_left_alone() -> None:
    world = world_of("abab")
    given = ranked(4)
    assert caps(world).arrange(world.query(), given) is given


def test_the_field_is_a_category_and_the_window_within_a_cursors_memory() -> None:
    for field in ("genre", "creator_id"):
        with pytest.raises(RecipeError, match=field):
            caps(toy_world(), field=field)
    for wrong in ({"most": 0}, {"window": 0}, {"window": 51}):
        with pytest.raises(ValidationError):
            Caps.Config.model_validate(wrong)


CODES = st.lists(st.integers(-1, 4), max_size=30)


def greedy(codes: list[int], before: list[int], most: int, window: int) -> list[int]:
    """Place by place the first row left that keeps the rule."""
    placed, left, order = list(before), list(range(len(codes))), []
    while left:
        recent = placed[max(0, len(placed) - window + 1) :]
        fits = [row for row in left if codes[row] < 0 or recent.count(codes[row]) < most]
        if not fits:
            break
        order.append(fits[0])
        placed.append(codes[fits[0]])
        left.remove(fits[0])
    return order


@given(CODES, CODES, st.integers(1, 4), st.integers(1, 8))
def test_each_place_goes_to_the_best_that_keeps_the_rule(
    codes: list[int], before: list[int], most: int, window: int
) -> None:
    assert capped_order(codes, before, most, window) == greedy(codes, before, most, window)


@given(CODES, CODES, st.integers(1, 4), st.integers(1, 8))
def test_the_rule_holds_in_every_window_that_ends_on_the_page(
    codes: list[int], before: list[int], most: int, window: int
) -> None:
    order = capped_order(codes, before, most, window)
    feed = before + [codes[row] for row in order]
    for end in range(len(before) + 1, len(feed) + 1):
        code = feed[end - 1]
        assert code < 0 or feed[max(0, end - window) : end].count(code) <= most


@given(
    st.lists(st.integers(0, 5), min_size=1, max_size=40), st.integers(1, 3), st.integers(2, 6), st.integers(1, 9)
)
def test_pages_of_any_length_make_the_feed_of_one(codes: list[int], most: int, window: int, n: int) -> None:
    whole = capped_order(codes, [], most, window)
    left, shown = list(range(len(codes))), list[int]()
    while page := capped_order([codes[row] for row in left], [codes[row] for row in shown], most, window)[:n]:
        shown += [left[row] for row in page]
        left = [row for row in left if row not in shown]
    assert shown == whole


def test_five_hundred_take_no_time() -> None:
    codes = np.random.default_rng(1).integers(0, 60, 500).tolist()
    assert capped_order(codes, [], 2, 10) == greedy(codes, [], 2, 10)
    assert capped_order([7] * 500, [], 2, 10) == [0, 1]
