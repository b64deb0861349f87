"""Activity: what the user did and when, the same for every candidate."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest
from tests.rank.features.feature_sample import columns_of, history_of

from homefeed.protocols import FeatureExtractor
from homefeed.rank.features.activity import Activity
from homefeed.testing import World, toy_world
from homefeed.testing.features import FeatureContract
from homefeed.testing.world import NOW
from homefeed.types import DAY, History, Query, Searches

WORLD = toy_world()


def activity(world: World) -> Activity:
    return Activity(Activity.Config(), world.resources)


def told(query: Query) -> list[float]:
    """The four numbers, the same for all."""
    columns = columns_of(activity(WORLD), WORLD, query)
    assert list(columns) == ["user_events", "user_events_day", "user_idle", "user_cold"]
    assert all(len(set(column)) == 1 for column in columns.values())
    return [column[0] for column in columns.values()]


class TestActivity(FeatureContract):
    def make(self, world: World) -> FeatureExtractor:
        return activity(world)


def test_events_those_of_the_last_day_and_how_long_ago_the_latest_was() -> None:
    history = history_of((0, 1.0, 40), (1, -1.0, 1.5), (1, 0.0, 0.75), (2, 1.0, 0.5))
    assert told(WORLD.query("u", history=history)) == pytest.approx([math.log(5), math.log(3), 1 / 3, 0])
    later = WORLD.query("u", history=history, now=NOW + 2 * DAY)
    assert told(later) == pytest.approx([math.log(5), 0, 2.5 / 3.5, 0])


def test_without_a_history_it_is_as_after_endless_time() -> None:
    assert told(WORLD.query()) == told(WORLD.query("cold")) == [0, 0, 1, 1]
    searched = WORLD.query("cold")
    user = replace(searched.user, searches=Searches(("tea",), np.array([NOW])))
    assert told(replace(searched, user=user)) == [0, 0, 1, 0]


def test_what_a_user_who_opted_out_does_not_want_to_see_is_no_activity() -> None:
    query = WORLD.query("u", history=history_of((0, -1.0, 0)))
    assert told(replace(query, user=replace(query.user, opted_out=True))) == [0, 0, 1, 1]


def test_an_event_to_come_counts_as_of_now() -> None:
    assert told(WORLD.query("u", history=history_of((0, 1.0, -9)))) == pytest.approx(
        [math.log(2), math.log(2), 0, 0]
    )


@pytest.mark.parametrize("time", [np.iinfo(np.int64).min, np.iinfo(np.int64).max])
def test_the_ends_of_time_make_numbers(time: int) -> None:
    history = history_of((0, 1.0, 0))
    odd = History(history.items, history.types, history.values, history.strengths, np.array([time]))
    found = told(WORLD.query("u", history=odd))
    assert found[2] == pytest.approx(1.0 if time < 0 else 0.0)
