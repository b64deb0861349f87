"""Requests replayed: what every retriever proposed, and what was chosen, by hand."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from tests.evaluate.offline_sample import planted_world

from homefeed.evaluate import candidates
from homefeed.evaluate.candidates import Replayed, replay_feeds
from homefeed.evaluate.protocol import Protocol
from homefeed.evaluate.split import Case
from homefeed.recipe import parse_recipe
from homefeed.testing import World, make_world
from homefeed.testing.world import NOW, RECIPE
from homefeed.types import DAY, Interactions


def silent(_stage: str, _done: int, _total: int) -> None:
    pass


def home_of(world: World, max_requests: int) -> Replayed:
    asked = (world.recipe, world.catalog, world.data)
    return replay_feeds(*asked, ["home"], max_requests=max_requests, progress=silent)["home"]


def by_hand() -> Replayed:
    return Replayed(
        retrievers=("one",),
        feature_names=("age",),
        positions=np.array([0, 3, 5, 2, 3], np.int32),
        scores=np.array([[1], [2], [np.nan], [4], [3]], np.float32),
        ranks=np.array([[2], [1], [0], [1], [2]], np.int32),
        features=np.zeros((5, 1), np.float32),
        evidence=np.array([[0.1], [0.2], [0], [0.4], [0.3]], np.float32),
        served=np.array([1, 2, 3, 4, 5], np.float32),
        chosen=np.array([True, False, False, False, True]),
        outcomes=np.array([[True], [True], [False], [False], [True]]),
        starts=np.array([0, 3, 5]),
        targets=[np.array([0], np.int32), np.array([3, 9], np.int32)],
        users=np.array([7, 4], np.int32),
        times=np.array([NOW, NOW]),
        calibrated=True,
        ranked_by="weighted",
    )


def case_of(user: int) -> Case:
    nothing = np.empty(0, np.int32)
    return Case(user, nothing.astype(np.int64), nothing, nothing.astype(np.int64), NOW)


def events_of(users: list[int], items: list[int], types: list[int], times: list[int]) -> Interactions:
    nothing = np.zeros(len(users), np.float32)
    who, what, how = (np.array(column, np.int32) for column in (users, items, types))
    return Interactions(who, what, how, nothing, nothing, np.array(times, np.int64))


def test_scores_make_lists_that_are_judged() -> None:
    asked = by_hand()
    assert len(asked) == 2
    assert asked.requests.tolist() == [0, 0, 0, 1, 1]
    best_first = np.array([3.0, 2, 1, 2, 3])
    assert asked.judged("ndcg@10", best_first).tolist() == pytest.approx([1, 1 / (1 + 1 / np.log2(3))])
    assert asked.judged("recall@1", best_first).tolist() == [1, 0.5]
    assert asked.judged("recall@1", -best_first).tolist() == [0, 0]
    level = np.zeros(5)
    assert asked.judged("mrr@10", level).tolist() == [1, 0.5], "of equals the lower position is first"


def test_some_of_the_requests_are_as_they_were() -> None:
    last = by_hand().take(np.array([1]))
    assert (len(last), last.starts.tolist(), last.targets[0].tolist()) == (1, [0, 2], [3, 9])
    assert (last.positions.tolist(), last.ranks[:, 0].tolist(), last.chosen.tolist()) == ([2, 3], [1, 2], [0, 1])
    assert (last.scores[:, 0].tolist(), last.features.shape) == ([4, 3], (2, 1))
    assert (last.evidence[:, 0].tolist(), last.served.tolist()) == (pytest.approx([0.4, 0.3]), [4, 5])
    assert last.outcomes.tolist() == [[False], [True]]


def test_lists_are_the_best_of_each_request() -> None:
    asked = by_hand()
    assert [best.tolist() for best in asked.lists(asked.served, 2)] == [[5, 3], [3, 2]]
    assert [best.tolist() for best in asked.lists(-asked.served, 1)] == [[0], [2]]


def test_what_the_feed_served_is_kept() -> None:
    world = planted_world()
    home = home_of(world, 50)
    assert (home.calibrated, home.ranked_by) == (False, "weighted")
    weights = world.recipe.feeds["home"].rank.config.model_dump()["weights"]
    by_name = np.array([weights.get(name, 0.0) for name in home.retrievers], np.float32)
    np.testing.assert_allclose(home.served, home.evidence @ by_name, atol=1e-5)
    assert (home.evidence[home.ranks == 0] == 0).all(), "of what it did not propose"
    assert home.evidence.max() == 1, "shares of the best, for nothing is calibrated"


def test_outcomes_are_all_that_users_did_within_the_horizon() -> None:
    world = planted_world()
    home = home_of(world, 50)
    assert home.outcomes.shape == (len(home.positions), len(world.recipe.event_types))
    assert not (home.chosen & ~home.outcomes[:, 0]).any(), "to choose one is to play it"


@pytest.mark.parametrize(
    ("after", "happened"), [(-1, False), (0, True), (DAY, True), (DAY + 1, False), (2 * DAY, False)]
)
def test_an_outcome_is_from_the_request_to_the_end_of_the_horizon(after: int, happened: bool) -> None:
    """Both included, as choices are."""
    events = events_of([0, 1, 1], [5, 5, 2], [0, 1, 1], [NOW, NOW + after, NOW + 3 * DAY])
    case = case_of(1)
    found = candidates._Later(events, 3, DAY).outcomes(case, np.array([1, 2, 5, 9], np.int32))
    expected = np.zeros((4, 3), np.bool_)
    expected[2, 1] = happened
    np.testing.assert_array_equal(found, expected)


def test_what_users_did_to_other_items_or_by_no_type_is_no_outcome() -> None:
    later = candidates._Later(events_of([0] * 3, [4, 9, 2], [0, 0, -1], [NOW] * 3), 1, DAY)
    case = case_of(0)
    assert not later.outcomes(case, np.array([1, 2, 5], np.int32)).any()
    assert later.outcomes(case, np.array([1, 4], np.int32)).tolist() == [[False], [True]]
    assert later.outcomes(case, np.empty(0, np.int32)).shape == (0, 1)


def test_requests_are_of_the_latest_tenth_and_say_what_was_chosen() -> None:
    world = planted_world()
    asked = home_of(world, 50)
    assert asked.retrievers == tuple(spec.name for spec in world.recipe.feeds["home"].retrieve)
    assert asked.feature_names == ()
    split = Protocol(cutoff_share=0.9, retrain="never").divide(world.data.interactions)
    assert 20 < len(asked) <= min(50, len(split.cases))
    assert len(asked.positions) == len(asked.scores) == len(asked.ranks) == len(asked.chosen) == asked.starts[-1]
    for start, stop, targets in zip(asked.starts[:-1], asked.starts[1:], asked.targets, strict=True):
        own = asked.positions[start:stop]
        assert (np.diff(own) > 0).all()
        np.testing.assert_array_equal(asked.chosen[start:stop], np.isin(own, targets))
        for column in range(len(asked.retrievers)):
            scores, ranks = asked.scores[start:stop, column], asked.ranks[start:stop, column]
            np.testing.assert_array_equal(np.isnan(scores), ranks == 0)
            order = np.argsort(ranks[ranks > 0])
            assert ranks[ranks > 0][order].tolist() == list(range(1, len(order) + 1))
            assert (np.diff(scores[ranks > 0][order]) <= 0).all()
    assert 0 < asked.chosen.mean() < 0.5


def test_a_feed_that_stands_in_is_asked_without_a_history_and_the_other_by_those_who_have_one() -> None:
    welcome = {"retrieve": {"popular": {}, "item_item": {}}, "rank": {"weighted": {"weights": {"popular": 1.0}}}}
    home = {**RECIPE["feeds"]["home"], "cold_start": "welcome"}
    declared = {**RECIPE, "feeds": {**RECIPE["feeds"], "welcome": welcome, "home": home}}
    planted = planted_world()
    recipe = parse_recipe(declared, "r")
    found = replay_feeds(
        recipe, planted.catalog, planted.data, ["home", "welcome"], max_requests=40, progress=silent
    )
    assert (found["welcome"].ranks[:, 1] == 0).all(), "without a history no item has neighbours in it"
    assert (found["home"].ranks[:, found["home"].retrievers.index("item_item")] > 0).any()
    assert len(found["home"]) <= len(found["welcome"])


def test_of_many_candidates_only_so_many_are_kept_all_over_the_time(monkeypatch: pytest.MonkeyPatch) -> None:
    world = planted_world()
    every = home_of(world, 60)
    monkeypatch.setattr(candidates, "_MAX_ROWS", len(every.positions) // 2)
    half = home_of(world, 60)
    assert 0.4 < len(half) / len(every) < 0.65
    latest = [targets.tolist() for targets in every.targets[-4:]]
    assert any(targets.tolist() in latest for targets in half.targets[-2:])


def test_nothing_comes_of_nothing() -> None:
    nothing = make_world((), ())
    asked = (nothing.recipe, nothing.catalog, nothing.data)
    assert replay_feeds(*asked, ["home"], max_requests=10, progress=silent) == {}
    world = planted_world()
    one = replace(world.data, interactions=world.data.interactions.take(slice(0, 1)))
    assert replay_feeds(world.recipe, world.catalog, one, ["home"], max_requests=10, progress=silent) == {}


def test_who_did_nothing_lately_asks_nothing_of_a_feed_of_the_last_days() -> None:
    planted = planted_world()
    spoken = {**RECIPE["feeds"]["home"], "cold_start": "popular"}

    def requests(**home: float) -> int:
        declared = {**RECIPE, "feeds": {**RECIPE["feeds"], "home": {**spoken, **home}}}
        asked = (parse_recipe(declared, "r"), planted.catalog, planted.data, ["home"])
        found = replay_feeds(*asked, max_requests=40, progress=silent)
        return len(found["home"]) if found else 0

    assert requests() == requests(history_days=365) > 20
    assert 0 < requests(history_days=3) < requests()
    assert requests(history_days=1e-6) == 0, "the feed for cold starts answers all of these"
