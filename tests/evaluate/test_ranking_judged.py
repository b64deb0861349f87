"""Learned rankers beside what serves: judged by hand, and in a world where the learned one must win."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from math import log2
from typing import Any

import numpy as np
import orjson
import pytest
from tests.evaluate.offline_sample import evaluated, planted_world

from homefeed.errors import HomefeedError, NotFoundError
from homefeed.evaluate import ranking
from homefeed.evaluate.bootstrap import Interval
from homefeed.evaluate.candidates import Replayed, replay_feeds
from homefeed.evaluate.protocol import Protocol
from homefeed.evaluate.ranking import (
    Judged,
    features_of,
    fit_ranker,
    judge_ranker,
    lists_of,
    ranking_data,
)
from homefeed.evaluate.ranking_verdict import Verdict
from homefeed.protocols import RankingModel
from homefeed.rank.click_model.model import ClickModelModel
from homefeed.rank.schema import Schema
from homefeed.recipe import Recipe, parse_recipe
from homefeed.testing import World, make_world
from homefeed.testing.world import RECIPE
from homefeed.types import DAY

SECOND_PLACE = 1 / log2(3)
WIDE = 30
BY_LEARNED = ClickModelModel(
    Schema(("popular", "learned", "bias"), calibrated=False), np.array([0, 1, 0], np.float32)
)
"""It ranks by the feature that holds what it is to say."""


def asked(served: list[list[int]], learned: list[list[int]], users: list[int] | None = None) -> Replayed:
    """Requests that choose item 0; of each ranker what it puts first, the rest follows by number."""
    count = len(served)
    features = np.zeros((count * WIDE, 2), np.float32)
    features[:, 0], features[:, 1] = _scores(learned), 1
    positions = np.tile(np.arange(WIDE, dtype=np.int32), count)
    chosen = positions == 0
    return Replayed(
        retrievers=("popular",),
        feature_names=("learned", "bias"),
        positions=positions,
        scores=np.ones((len(positions), 1), np.float32),
        ranks=np.ones((len(positions), 1), np.int32),
        features=features,
        evidence=np.full((len(positions), 1), 0.5, np.float32),
        served=_scores(served),
        chosen=chosen,
        outcomes=chosen[:, None],
        starts=np.arange(count + 1) * WIDE,
        targets=[np.array([0], np.int32)] * count,
        users=np.array(users or range(count), np.int32),
        times=np.arange(count, dtype=np.int64),
        calibrated=True,
        ranked_by="weighted",
    )


def _scores(lists: list[list[int]]) -> np.ndarray[Any, np.dtype[np.float32]]:
    scores = np.zeros((len(lists), WIDE), np.float32)
    for row, best in zip(scores, lists, strict=True):
        row[best] = np.arange(len(best), 0, -1) + 1
    return scores.ravel()


def first_ten(first: int, *, of: int) -> list[list[int]]:
    """Lists of ten, 0 at place `first`, that show so many items in all."""
    rest = list(range(1, of))
    lists = []
    for start in range(0, len(rest), 9):
        nine = (rest[start:] + rest)[:9]
        lists.append([*nine[:first], 0, *nine[first:]])
    return lists * 6


def judged(requests: Replayed) -> Verdict:
    return judge_ranker(lists_of(requests, ("play",), 0), BY_LEARNED, "ndcg@10", 0)


def test_what_is_ahead_at_every_request_is_taken_by_hand() -> None:
    verdict = judged(asked([[5, 0]] * 4, [[0, 5]] * 4))
    assert (verdict.metric, verdict.requests, verdict.serving) == ("ndcg@10", 4, "weighted")
    assert verdict.serving_mean == pytest.approx(SECOND_PLACE)
    assert verdict.learned_mean == 1
    assert verdict.lead == pytest.approx([1 - SECOND_PLACE] * 3)
    assert (verdict.serving_coverage, verdict.coverage, verdict.taken) == (10, 10, True)
    assert verdict.sentence == (
        "taken: ndcg@10 1.0000 beside 0.6309 of weighted on the latest 4 requests, +0.3691 [+0.3691, +0.3691]; "
        "learned from history"
    )


@pytest.mark.parametrize(
    ("served", "learned"),
    [
        ([[0]] * 6, [[0]] * 6),  # the same
        ([[0]] * 6, [[5, 0]] * 6),  # behind
        ([[5, 0]] * 3 + [[0]] * 3, [[0]] * 3 + [[5, 0]] * 3),  # one way and the other
        ([[5, 0]] + [[0]] * 5, [[0]] * 6),  # ahead for one of six: a resample of the others has a lead of 0
    ],
)
def test_an_interval_that_touches_zero_is_not_taken(served: list[list[int]], learned: list[list[int]]) -> None:
    verdict = judged(asked(served, learned))
    assert verdict.lead.low <= 0
    assert not verdict.taken
    assert verdict.sentence.startswith("not taken, it is not ahead beyond doubt: ndcg@10 ")


def test_many_requests_of_one_user_are_one_voice() -> None:
    served, learned = [[5, 0]] * 20 + [[0]] * 5, [[0]] * 25
    assert judged(asked(served, learned)).taken
    assert not judged(asked(served, learned, users=[0] * 20 + [1, 2, 3, 4, 5])).taken


@pytest.mark.parametrize(
    ("before", "now", "taken"), [(20, 20, True), (20, 18, True), (20, 17, False), (10, 30, True), (30, 26, False)]
)
def test_it_must_show_nine_tenths_of_the_items(before: int, now: int, taken: bool) -> None:
    served, learned = first_ten(3, of=before), first_ten(0, of=now)
    count = max(len(served), len(learned))
    verdict = judged(asked((served * count)[:count], (learned * count)[:count]))
    assert (verdict.serving_coverage, verdict.coverage, verdict.taken) == (before, now, taken)
    assert verdict.lead.low > 0
    if not taken:
        assert verdict.sentence.startswith(f"not taken, it shows {now} items instead of {before}: ndcg@10 1.0000")


def test_a_verdict_can_be_written_down() -> None:
    told = orjson.loads(orjson.dumps(judged(asked([[5, 0]] * 4, [[0]] * 4)).to_json()))
    assert (told["metric"], told["requests"], told["taken"], len(told["lead"])) == ("ndcg@10", 4, True, 3)
    assert told["why"].startswith("taken: ")


def test_the_same_requests_and_seed_have_the_same_verdict() -> None:
    requests = asked([[5, 0]] * 9 + [[0]] * 3, [[0]] * 10 + [[5, 0]] * 2)
    assert judged(requests) == judged(requests)


def test_a_ranker_learns_from_what_was_served() -> None:
    requests = asked([[5, 0]] * 2, [[0]] * 2)
    data = ranking_data(requests, ("play",), seed=3)
    assert (data.feature_names, data.event_types) == (("popular", "learned", "bias"), ("play",))
    assert (data.calibrated, data.seed, len(data)) == (True, 3, 2)
    np.testing.assert_array_equal(data.features, features_of(requests))
    assert data.features[0].tolist() == [0.5, 2, 1]
    assert data.features.dtype == np.float32
    assert (data.chosen.sum(), data.outcomes.sum(), data.weights.sum()) == (2, 2, 2 * WIDE)


def learning(learned: Mapping[str, Any], **home: Any) -> Recipe:
    """The toy recipe, whose home ranks by popularity alone, with a learned ranker."""
    feed = {
        "retrieve": {"item_item": {}, "content": {}, "popular": {}},
        "rank": {"weighted": {"weights": {"popular": 1.0}}},
        "learned": learned,
    }
    return parse_recipe({**RECIPE, "feeds": {**RECIPE["feeds"], "home": feed | home}}, "a test")


@pytest.fixture(scope="module")
def world() -> World:
    return planted_world(users=60)


@pytest.fixture(autouse=True)
def _few_are_enough(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ranking, "MIN_JUDGED", 10)


def fitted(world: World, recipe: Recipe, serving: RankingModel | None = None) -> Judged:
    return fit_ranker(recipe, world.catalog, world.data, "home", serving=serving)


@pytest.mark.parametrize(
    "learned",
    [
        {"click_model": {}},
        {"lambdamart": {"trees": 40, "min_weight": 0.1}},
        {"value": {"values": {"play": 1.0}, "trees": 40}},
    ],
    ids=["click_model", "lambdamart", "value"],
)
def test_what_knows_the_users_tastes_is_ahead_of_popularity(world: World, learned: dict[str, Any]) -> None:
    found = fitted(world, learning(learned))
    assert found.model is not None
    assert found.verdict is not None
    assert found.taken, found.why
    assert found.model.feature_names == ("item_item", "content", "popular", "bias", "own")
    assert (found.verdict.serving, found.why) == ("weighted", found.verdict.sentence)
    assert found.verdict.learned_mean > 1.2 * found.verdict.serving_mean


def test_it_must_be_ahead_of_the_learned_one_that_serves(world: World) -> None:
    recipe = learning({"click_model": {}})
    first = fitted(world, recipe)
    again = fitted(world, recipe, first.model)
    assert again.verdict is not None
    assert (again.verdict.serving, again.verdict.lead) == ("click_model", Interval(0, 0, 0))
    assert not again.taken


def test_one_that_no_longer_fits_is_not_what_serves(world: World) -> None:
    recipe = learning({"click_model": {}})
    other = ClickModelModel(Schema(("popular", "bias"), calibrated=False), np.ones(2, np.float32))
    verdict = fitted(world, recipe, other).verdict
    assert verdict is not None
    assert verdict.serving == "weighted"


def test_of_few_requests_it_says_how_many_would_do(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ranking, "MIN_JUDGED", 1_000)
    model, verdict, why = fitted(world, learning({"click_model": {}}))
    assert (model, verdict) == (None, None)
    count = int(why.split()[2])
    assert 10 < count < 1_000
    assert why == f"not taken, {count} requests are too few to judge it by; 1000 would do"


def test_of_nothing_there_is_none() -> None:
    nothing = make_world((), ())
    found = fitted(nothing, learning({"click_model": {}}))
    assert found == Judged(None, None, "not taken, there are no requests to learn from yet")
    assert not found.taken


def test_one_that_cannot_learn_says_why(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    def nothing(*_: Any) -> Any:
        raise HomefeedError("nothing to learn")

    monkeypatch.setattr(ranking, "fit_ranking_model", nothing)
    assert fitted(world, learning({"click_model": {}})) == Judged(None, None, "not taken: nothing to learn")


def test_requests_that_what_serves_has_learned_from_do_not_judge_its_successor(world: World) -> None:
    recipe = learning({"click_model": {}})
    first = fitted(world, recipe)
    assert first.verdict is not None
    until, count = first.verdict.learned_until, first.verdict.requests
    assert until is not None
    (times, lists) = replayed_times(world, recipe), first.verdict
    assert count == len(times) - round(0.75 * len(times))
    assert until == times[round(0.75 * len(times)) - 1]
    later = until_fitted(world, recipe, int(times[-15]))
    assert (later.requests, later.seen_before) == (int(np.sum(times > times[-15])), False)
    assert later.learned_until == times[times <= times[-15]][-1], "and those in between are learned from"
    none_left = until_fitted(world, recipe, int(times[-5]))
    assert (none_left.requests, none_left.seen_before, none_left.learned_until) == (count, True, until)
    assert none_left.sentence.endswith("; what serves had learned from some of these requests")
    assert lists.sentence.endswith("; learned from history")


def replayed_times(world: World, recipe: Recipe) -> np.ndarray[Any, np.dtype[np.int64]]:
    asked_for = (recipe, world.catalog, world.data, ["home"])
    found = replay_feeds(*asked_for, max_requests=ranking.MAX_REQUESTS, progress=lambda *_: None)
    return found["home"].times


def until_fitted(world: World, recipe: Recipe, learned_until: int) -> Verdict:
    verdict = fit_ranker(recipe, world.catalog, world.data, "home", learned_until=learned_until).verdict
    assert verdict is not None
    return verdict


def test_an_evaluation_says_whether_it_ranked(world: World) -> None:
    recipe = learning({"click_model": {}})
    found = evaluated(replace(world, recipe=recipe), protocol=Protocol(retrain=7 * DAY, replay=False))
    assert set(found.rankers) == {"home"}
    assert found.rankers["home"].startswith("taken: ndcg@10 ")


def test_a_feed_without_one_has_none_to_fit(world: World) -> None:
    recipe = learning({"click_model": {}})
    with pytest.raises(NotFoundError, match=r'^feed "popular" of toy declares no learned ranker; .*: home$'):
        fit_ranker(recipe, world.catalog, world.data, "popular")
    without = replace(recipe, feeds={"popular": recipe.feeds["popular"]})
    with pytest.raises(NotFoundError, match=r"those that do: none$"):
        fit_ranker(without, world.catalog, world.data, "popular")
