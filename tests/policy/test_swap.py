"""Neighbours change places as often as their propensities say: by hand, and counted over thousands of requests."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError
from tests.policy.in_order import candidates

from homefeed.policy.caps import Caps
from homefeed.policy.swap import Swap
from homefeed.protocols import Reranker
from homefeed.testing import World, make_world, toy_item, toy_world
from homefeed.testing.reranker import RerankerContract
from homefeed.testing.world import NOW
from homefeed.types import Candidates

WORLD = toy_world()


def swap(world: World = WORLD, **config: Any) -> Swap:
    return Swap(Swap.Config.model_validate(config), world.resources)


def swapped(part: Swap, given: Candidates, moment: int = 0, user: str | None = "u") -> dict[int, float]:
    """The items in their new order, and their propensities."""
    found = part.rerank(WORLD.query(user, now=NOW + moment), given)
    assert found.propensities is not None
    assert found.propensities.dtype == np.float32
    return dict(zip(found.positions.tolist(), found.propensities.tolist(), strict=True))


def orders(part: Swap, given: Candidates, count: int = 200) -> set[tuple[int, ...]]:
    return {tuple(swapped(part, given, moment)) for moment in range(count)}


class TestSwap(RerankerContract):
    explores = True

    def make(self, world: World) -> Reranker:
        return swap(world, share=0.5, places=4)


def test_the_only_pair_changes_with_the_whole_share() -> None:
    found = [swapped(swap(share=0.25), candidates(7, 8), moment) for moment in range(100)]
    kept = [each for each in found if list(each) == [7, 8]]
    moved = [each for each in found if list(each) == [8, 7]]
    assert len(kept) + len(moved) == 100
    assert 10 < len(moved) < 40
    assert all(each == {7: 0.75, 8: 0.75} for each in kept)
    assert all(each == {8: 0.25, 7: 0.25} for each in moved)


def test_of_several_pairs_each_has_its_part_of_the_share() -> None:
    # Pairs (0, 1), (1, 2) and (2, 3): one in ten each. Those in the middle are in two; the fifth place is in none.
    part, given = swap(share=0.3, places=4), candidates(0, 1, 2, 3, 4)
    found = {tuple(each): each for each in (swapped(part, given, moment) for moment in range(200))}
    assert set(found) == {(0, 1, 2, 3, 4), (1, 0, 2, 3, 4), (0, 2, 1, 3, 4), (0, 1, 3, 2, 4)}
    assert list(found[0, 1, 2, 3, 4].values()) == pytest.approx([0.9, 0.8, 0.8, 0.9, 1])
    assert list(found[1, 0, 2, 3, 4].values()) == pytest.approx([0.1, 0.1, 0.8, 0.9, 1])
    assert list(found[0, 2, 1, 3, 4].values()) == pytest.approx([0.9, 0.1, 0.1, 0.9, 1])


def test_what_chance_did_before_is_multiplied() -> None:
    given = replace(candidates(0, 1, 2), propensities=np.array([0.5, 1, 0.25], np.float32))
    found = {tuple(each): each for each in (swapped(swap(share=0.2), given, moment) for moment in range(200))}
    assert found[0, 1, 2] == pytest.approx({0: 0.45, 1: 0.8, 2: 0.225})
    assert found[0, 2, 1] == pytest.approx({0: 0.45, 2: 0.025, 1: 0.1})


def test_promoted_items_stay() -> None:
    given = replace(candidates(0, 1, 2, 3), promoted_by=np.array([-1, 0, -1, -1], np.int32))
    part = swap(share=0.5)
    assert orders(part, given) == {(0, 1, 2, 3), (0, 1, 3, 2)}
    assert list(swapped(part, given).values()) == [1, 1, 0.5, 0.5]


@pytest.mark.parametrize("items", [(), (5,)])
def test_without_a_pair_chance_has_no_part(items: tuple[int, ...]) -> None:
    assert swapped(swap(share=1), candidates(*items)) == dict.fromkeys(items, 1.0)


def test_nothing_changes_with_a_share_of_nothing_and_always_with_all() -> None:
    given = candidates(0, 1, 2)
    assert orders(swap(share=0), given) == {(0, 1, 2)}
    assert orders(swap(share=1), given) == {(1, 0, 2), (0, 2, 1)}


def test_later_pages_are_left_alone() -> None:
    query = WORLD.query("u", recently_shown=("d1",), exclude=("d1",))
    found = swap(share=1).rerank(query, candidates(1, 2, 3))
    assert found.positions.tolist() == [1, 2, 3]
    assert found.propensities is not None
    assert found.propensities.tolist() == [1, 1, 1]


def test_feeds_users_moments_and_seeds_draw_for_themselves() -> None:
    given, query = candidates(*range(10)), WORLD.query("u")
    base = [swap(share=1).rerank(replace(query, now=NOW + at), given).positions.tolist() for at in range(50)]
    for part, changes in (
        (swap(share=1, seed=1), {}),
        (swap(share=1), {"feed": "other"}),
        (swap(share=1), {"user": WORLD.query("v").user}),
    ):
        others = [
            part.rerank(replace(query, now=NOW + at, **changes), given).positions.tolist() for at in range(50)
        ]
        equal = sum(one == other for one, other in zip(base, others, strict=True))
        assert equal < 20, "one in nine by chance"


GENRES = "aabacb"
"""The creator of each item of `capped_world`; item 6 has none."""


def capped_world() -> World:
    items = [toy_item(n, f"i{n}", 50, content_type=letter) for n, letter in enumerate(GENRES)]
    return make_world([*items, toy_item(len(GENRES), "i6", 50)], ())


def test_pairs_that_would_break_a_cap_stay() -> None:
    # One of each in two places: i0 i2 i1 i4 i5 reads a b a c b.
    caps = [{"field": "content_type", "max_items": 1, "window": 2}]
    part, given = swap(capped_world(), share=1, caps=caps), candidates(0, 2, 1, 4, 5)
    # a b and b a: bac.. has a a; a c b a has none; c b: a b a b c.
    assert orders(part, given) == {(0, 2, 4, 1, 5), (0, 2, 1, 5, 4)}
    found = {tuple(each): each for each in (swapped(part, given, moment) for moment in range(50))}
    assert list(found[0, 2, 4, 1, 5].values()) == [1, 1, 0.5, 0.5, 0.5]


@given(st.permutations(range(7)), st.integers(1, 3), st.integers(1, 5), st.integers(0, 50))
def test_a_list_that_keeps_a_cap_keeps_it(order: list[int], max_items: int, window: int, moment: int) -> None:
    rules = {"field": "content_type", "max_items": max_items, "window": window}
    caps = Caps(Caps.Config.model_validate(rules), CAPPED.resources)
    given = caps.rerank(CAPPED.query("u"), candidates(*order))
    found = swap(CAPPED, share=1, caps=[rules]).rerank(CAPPED.query("u", now=NOW + moment), given)
    again = caps.rerank(CAPPED.query("u"), found)
    assert again.positions.tolist() == found.positions.tolist()
    assert sorted(found.positions.tolist()) == sorted(given.positions.tolist())


CAPPED = capped_world()


def test_propensities_are_how_often_items_stand_where() -> None:
    given = replace(candidates(*range(8)), promoted_by=np.array([-1, -1, -1, 0, -1, -1, -1, -1], np.int32))
    part, requests = swap(share=0.4, places=7), 8_000
    stood: Counter[tuple[int, int]] = Counter()
    told: dict[tuple[int, int], float] = {}
    for request in range(requests):
        found = swapped(part, given, request // 100, f"u{request % 100}")
        at = list(enumerate(found))
        stood.update(at)
        told |= dict(zip(at, found.values(), strict=True))
    # Of each item all places together make up 1, and each is as frequent as told, within five deviations.
    for item in range(8):
        assert sum(each for (_, other), each in told.items() if other == item) == pytest.approx(1, abs=1e-6)
    for key, propensity in told.items():
        spread = (propensity * (1 - propensity) / requests) ** 0.5
        assert stood[key] / requests == pytest.approx(propensity, abs=5 * spread + 1e-6), key
    assert len(told) == 8 + 2 * 4, "(0, 1), (1, 2), (4, 5) and (5, 6) change"


@pytest.mark.parametrize("wrong", [{"share": -0.1}, {"share": 1.1}, {"places": 1}, {"caps": [{"window": 0}]}])
def test_settings_that_make_no_sense_are_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValidationError, match=next(iter(wrong))):
        Swap.Config.model_validate(wrong)
