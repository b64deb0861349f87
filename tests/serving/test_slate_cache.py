"""The cache of slates: what it keeps, for whom, and for how long."""

from __future__ import annotations

import numpy as np
import pytest

from homefeed.engine import build_feeds
from homefeed.funnel import Ranked, rank
from homefeed.serving.slates import SlateCache
from homefeed.testing import toy_world


@pytest.fixture(scope="module")
def ranked() -> Ranked:
    world = toy_world()
    return rank(build_feeds(world.recipe, world.resources)["home"], world.query("da"))


def test_the_longest_unused_slate_makes_room(ranked: Ranked) -> None:
    cache = SlateCache(2)
    first, second = cache.keep("a", 1, ranked), cache.keep("b", 1, ranked)
    assert first != second
    assert cache.find(first, "a", 1) is not None
    third = cache.keep("c", 1, ranked)
    assert cache.find(second, "b", 1) is None
    assert cache.find(first, "a", 1) is not None
    assert cache.find(third, "c", 1) is not None
    assert cache.find(third + 1, "c", 1) is None
    assert cache.find(0, "c", 1) is None


def test_it_is_found_for_the_same_request_in_the_same_state_only(ranked: Ranked) -> None:
    cache = SlateCache(2)
    slate = cache.keep("a", 1, ranked)
    assert cache.find(slate, "b", 2) is None
    assert cache.find(slate, "a", 1) is not None, "a stranger's question ends nothing"
    assert cache.find(slate, "a", 2) is None
    assert cache.find(slate, "a", 1) is None, "what does not hold any more is not kept"


def test_a_kept_slate_holds_nothing_as_long_as_the_catalogue(ranked: Ranked) -> None:
    cache = SlateCache(2)
    kept = cache.find(cache.keep("a", 1, ranked), "a", 1)
    assert kept is not None
    assert (kept.proposals, kept.passed, kept.stages) == ({}, {}, {})
    assert len(kept.query.eligible) == len(kept.query.explainable) == 0
    assert np.array_equal(kept.candidates.positions, ranked.candidates.positions)


def test_another_process_does_not_take_a_cursor_for_its_own(ranked: Ranked) -> None:
    one, other = SlateCache(2, 1_000), SlateCache(2, 2_000)
    slate = one.keep("a", 1, ranked)
    other.keep("a", 1, ranked)
    assert one.find(slate, "a", 1) is not None
    assert other.find(slate, "a", 1) is None
