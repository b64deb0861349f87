"""Pages of another service, asked again of the feed: with what was known at their moments, and no more."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from tests.evaluate.offline_sample import planted_world

from homefeed.dataset.ranking_rows import OTHER_FEED, PagesRead, RankingRows
from homefeed.evaluate.impressions import NOT_THERE, TOO_EARLY, replay_impressions
from homefeed.ranking import RankingData
from homefeed.recipe import parse_recipe
from homefeed.store.impressions import IMPORTED
from homefeed.testing import World
from homefeed.testing.world import RECIPE
from homefeed.types import DAY, Numbers, Times, TrainingData

HOUR, MINUTE = DAY // 24, DAY // 1_440


@pytest.fixture(scope="module")
def world() -> World:
    """With permanent numbers of users that are not their rows."""
    world = planted_world(users=60)
    numbers = np.arange(world.data.user_count, dtype=np.int32) + 100
    return replace(world, data=replace(world.data, user_numbers=numbers))


def pages(world: World, users: list[int], times: list[int], items: Numbers | None = None) -> RankingRows:
    """Pages of five items, the same for all: the last by number was chosen."""
    shown = world.catalog.numbers[:5] if items is None else items
    count, size = len(users), len(shown)
    chosen = np.tile(np.arange(size) == size - 1, count)
    rows = count * size
    data = RankingData(
        feature_names=(),
        features=np.empty((rows, 0), np.float32),
        starts=np.arange(count + 1) * size,
        event_types=world.recipe.event_types,
        outcomes=chosen[:, None],
        chosen=chosen,
        weights=np.ones(rows, np.float32),
        items=np.tile(shown, count),
    )
    return RankingRows(
        data=data,
        users=np.array(users, np.int32),
        times=np.array(times, np.int64),
        pages=np.ones(count, np.int32),
        served_by=[IMPORTED] * count,
        items=np.tile(shown, count),
        places=np.tile(np.arange(size, dtype=np.int32), count),
        propensities=np.ones(rows, np.float32),
        served=np.zeros(rows, np.float32),
        read=PagesRead(count, count, {}),
    )


def replayed(world: World, shown: RankingRows, data: TrainingData | None = None) -> RankingRows:
    return replay_impressions(world.recipe, world.catalog, world.data if data is None else data, "home", shown)


def known(world: World, at: int) -> int:
    """A user, by number, who did something before."""
    events = world.data.interactions
    return 100 + int(events.users[np.flatnonzero(events.times < at)[0]])


def middle(world: World) -> int:
    return int(np.median(world.data.interactions.times)) + 1


def test_every_item_shown_has_the_features_of_the_feed_and_a_score(world: World) -> None:
    at = middle(world)
    found = replayed(world, pages(world, [known(world, at)] * 2, [at, at + HOUR]))
    assert found.data.feature_names == ("item_item", "content", "trending", "fresh", "popular")
    assert found.data.features.shape == (10, 5)
    assert (found.data.features != 0).any(axis=0).sum() >= 2
    assert (len(found), found.data.starts.tolist()) == (2, [0, 5, 10])
    assert list(found.served_by) == ["home/weighted"] * 2
    np.testing.assert_allclose(found.served, found.data.features @ [1, 0.2, 0, 0, 0.1], rtol=1e-5)
    assert found.data.chosen.tolist() == [False] * 4 + [True] + [False] * 4 + [True]


def test_nothing_that_came_at_the_moment_or_later_says_anything(world: World) -> None:
    """The same features come of the events strictly before, whatever is added after."""
    at, events = middle(world), world.data.interactions
    before = replace(world.data, interactions=events.take(events.times < at))
    shown = pages(world, [known(world, at)], [at])
    np.testing.assert_array_equal(
        replayed(world, shown).data.features, replayed(world, shown, before).data.features
    )
    later = pages(world, [known(world, at)] * 2, [at, int(events.times[-1]) + 1])
    features = replayed(world, later).data.features
    assert not np.array_equal(features[:5], features[5:]), "what came in between does"


def test_exposures_are_what_the_lists_before_showed(world: World) -> None:
    """Of the one list, counted when the second comes, an hour later, and not when it came itself."""
    features = {**RECIPE["feeds"]["home"], "features": {"click_rate": {}}}
    recipe = parse_recipe({**RECIPE, "feeds": {**RECIPE["feeds"], "home": features}}, "a test")
    at = middle(world)
    shown = pages(world, [known(world, at)] * 3, [at, at + MINUTE, at + HOUR])
    found = replay_impressions(recipe, world.catalog, world.data, "home", shown)
    known_of = found.data.features[:, found.data.feature_names.index("shown")].reshape(3, 5)
    assert not known_of[:2].any()
    np.testing.assert_allclose(known_of[2], 0.1 / 1.1, rtol=0.01)


def test_lists_that_another_feed_would_have_answered_are_left_out(world: World) -> None:
    at = middle(world)
    found = replayed(world, pages(world, [known(world, at), 7, -1], [at] * 3))
    assert (len(found), found.users.tolist()) == (1, [known(world, at)])
    assert found.read == PagesRead(3, 1, {OTHER_FEED: 2})


def test_items_that_are_gone_are_left_out(world: World) -> None:
    at, gone = middle(world), np.int32(9_999)
    numbers = np.append(world.catalog.numbers[:2], gone).astype(np.int32)
    found = replayed(world, pages(world, [known(world, at)], [at], numbers))
    assert (found.items.tolist(), found.places.tolist()) == (numbers[:2].tolist(), [0, 1])
    nothing = replayed(world, pages(world, [known(world, at)], [at], np.array([gone])))
    assert (len(nothing), nothing.read.left_out) == (0, {NOT_THERE: 1})


def test_what_was_shown_before_there_was_any_event_is_left_out(world: World) -> None:
    first = int(world.data.interactions.times[0])
    at = middle(world)
    found = replayed(world, pages(world, [known(world, at)] * 2, [first, at]))
    assert (found.times.tolist(), found.read.left_out) == ([at], {TOO_EARLY: 1})
    nothing = replayed(world, pages(world, [known(world, at)], [first - 1]))
    assert (len(nothing), nothing.data.features.shape, nothing.read.left_out) == (0, (0, 0), {TOO_EARLY: 1})


def test_models_are_those_of_the_trainings_that_were_due(world: World) -> None:
    at, last = middle(world), int(world.data.interactions.times[-1]) + 1
    shown = pages(world, [known(world, at)], [last])
    features = []
    for due in ([at], [at, last]):
        dues: Times = np.array(due, np.int64)
        asked = (world.recipe, world.catalog, world.data, "home", shown)
        features.append(replay_impressions(*asked, due=dues).data.features[:, 0])
    assert not np.array_equal(features[0], features[1])


def test_lists_that_are_given_are_all_that_there_is(world: World) -> None:
    """Without that an item stands among all that the feed proposes."""
    features = {**RECIPE["feeds"]["home"], "features": {"ranks": {"of": ["popular"]}}}
    recipe = parse_recipe({**RECIPE, "feeds": {**RECIPE["feeds"], "home": features}}, "a test")
    at = middle(world)
    asked = (recipe, world.catalog, world.data, "home", pages(world, [known(world, at)], [at]))
    proposed, given = (replay_impressions(*asked, given=each).data for each in (False, True))
    column = given.feature_names.index("candidate_count")
    np.testing.assert_allclose(given.features[:, column], np.log(6) / 10, rtol=1e-6)
    assert (proposed.features[:, column] > np.log(6) / 10).all()
    popular, place = (given.features[:, given.feature_names.index(name)] for name in ("popular", "popular_place"))
    assert popular.max() == 1, "beside the best of the list"
    assert place.max() <= 0.9
    assert place.argmax() == popular.argmax()
