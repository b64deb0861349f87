"""The service as it would have been: what is known of the user, and what could not have been shown."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from homefeed.evaluate.setting import Setting, set_up
from homefeed.evaluate.split import Case
from homefeed.testing import Play, World, make_world, toy_world
from homefeed.testing.world import ITEMS, NOW, PLAYS, RECIPE
from homefeed.types import DAY


def case(world: World, user_id: str, time: int = NOW) -> Case:
    """A request of a user of the world, with all they did as history."""
    users = list(dict.fromkeys(play.user_id for play in PLAYS))
    events = world.data.interactions
    rows = np.flatnonzero((events.users == users.index(user_id)) & (events.times <= time))
    nothing = np.empty(0, np.int64)
    return Case(users.index(user_id), rows, nothing.astype(np.int32), nothing, time)


def setting(world: World, days_ago: float = 0, repeats: bool = False) -> Setting:
    cutoff = NOW - int(days_ago * DAY)
    events = world.data.interactions
    return set_up(world.recipe, world.catalog, world.data, events.take(events.times < cutoff), cutoff, repeats)


def test_a_request_is_the_users_own() -> None:
    world = toy_world()
    query = setting(world).query(world.data, case(world, "so"), 7)
    assert (query.app, query.n, query.now, query.user.user_id) == ("toy", 7, NOW, "6")
    assert world.ids(query.user.history.items) == ("s1", "s2", "s3")
    assert query.user.history.strengths.tolist() == pytest.approx([1, 0.5, 0.75])
    assert world.ids(query.exclude) == ("s1", "s2", "s3")


def test_strengths_are_measured_by_what_was_typical_by_then() -> None:
    longer = [*PLAYS, Play("late", "s2", 7200, 1)]
    world = make_world(ITEMS, longer)
    now, then = (setting(world, days).query(world.data, case(world, "so"), 5) for days in (0, 5))
    assert now.user.history.strengths.tolist() == pytest.approx([1, 0.25, 0.75])
    assert then.user.history.strengths.tolist() == pytest.approx([1, 0.5, 0.75])


def test_what_came_later_could_not_have_been_shown() -> None:
    world = toy_world()
    query = setting(world, 5).query(world.data, case(world, "da", NOW - 2 * DAY), 5)
    assert set(world.ids(query.exclude)) == {"d1", "d2", "d4", "s4"}


def test_what_comes_at_the_very_moment_of_the_request_can_be_shown() -> None:
    world = toy_world()
    created = int(world.catalog.created[world.position("s4")])
    excluded = [
        set(world.ids(setting(world, 5).query(world.data, case(world, "da", time), 5).exclude))
        for time in (created - 1, created)
    ]
    assert excluded[0] - excluded[1] == {"s4"}


def test_with_repeats_the_history_is_left_in_and_what_came_later_is_not() -> None:
    world = toy_world()
    requested = case(world, "da", NOW - 2 * DAY)
    discoveries, repeats = (setting(world, 5, again).query(world.data, requested, 5) for again in (False, True))
    assert set(world.ids(discoveries.exclude)) == {"d1", "d2", "d4", "s4"}
    assert set(world.ids(repeats.exclude)) == {"d4", "s4"}
    assert world.ids(repeats.user.history.items) == ("d1", "d2")


@pytest.mark.parametrize(("opt_out", "refuses"), [(True, True), ("no", False), (None, False)])
def test_a_user_who_opts_out_is_a_stranger(opt_out: Any, refuses: bool) -> None:
    declared = {
        **RECIPE,
        "users": {"fields": {"opt_out": "category", "region": "category"}},
        "privacy": {"opt_out": "opt_out", "kept": ["opt_out"]},
    }
    world = make_world(ITEMS, PLAYS, declared=declared)
    data = replace(world.data, users=({"opt_out": opt_out, "region": "north"},) * world.data.user_count)
    query = setting(world).query(data, case(world, "da"), 5)
    assert query.user.opted_out is query.user.is_cold is refuses
    assert len(query.user.history) == (0 if refuses else 2)
    assert ("region" in query.user.attributes) is not refuses
    assert world.ids(query.exclude) == ("d1", "d2"), "the items of the history are left out for every user"
