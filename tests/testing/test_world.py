"""The toy world is what it says."""

from __future__ import annotations

import numpy as np
import pytest

from homefeed.testing import empty_world, make_world, toy_world
from homefeed.testing.world import ITEMS, NOW, PLAYS, USERS
from homefeed.types import Condition


def test_two_worlds_are_alike_and_apart() -> None:
    one, other = toy_world(), toy_world()
    for name in ("users", "items", "strengths", "times"):
        np.testing.assert_array_equal(getattr(one.data.interactions, name), getattr(other.data.interactions, name))
    one.catalog.apply([])
    one.counters.events[0] = 99
    assert other.counters.events[0] == 5


def test_histories_are_the_plays_oldest_first() -> None:
    world = toy_world()
    for user_id in USERS[:-1]:
        own = sorted((play for play in PLAYS if play.user_id == user_id), key=lambda play: -play.days_ago)
        history = world.histories[user_id]
        assert world.ids(history.items) == tuple(play.item_id for play in own)
        assert history.values.tolist() == [play.seconds for play in own]
        assert (np.diff(history.times) > 0).all()
    assert "cold" not in world.histories
    assert world.query("cold").user.is_cold


def test_strengths_are_shares_of_the_longest_play() -> None:
    history = toy_world().histories["so"]
    assert history.strengths.tolist() == [1, 0.5, 0.75]


def test_numbers_are_not_positions() -> None:
    world = toy_world()
    assert not set(world.catalog.numbers.tolist()) & set(range(7))
    assert world.data.numbers.tolist() == [item.number for item in ITEMS]


def test_requests_come_with_their_eligible_mask() -> None:
    world = toy_world()
    query = world.query("da", anchor="d1", exclude=("d2",), conditions=(Condition("genre", ":", "Drama"),), n=3)
    assert world.ids(np.flatnonzero(query.eligible).astype(np.int32)) == ("d3", "d4")
    assert (query.n, query.now, query.anchor) == (3, NOW, 0)


def test_unknown_items_are_an_error() -> None:
    with pytest.raises(KeyError, match="nothing"):
        toy_world().position("nothing")


def test_worlds_of_other_items_and_plays() -> None:
    assert empty_world().catalog.size == 0
    world = make_world(ITEMS[3:4], [play for play in PLAYS if play.item_id == "s1"])
    assert world.counters.events.tolist() == [4]
