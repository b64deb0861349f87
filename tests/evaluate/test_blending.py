"""Retrievers calibrated and weights tuned on requests whose right answers are planted."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import numpy as np
import numpy.typing as npt
import pytest
from tests.evaluate.offline_sample import evaluated, planted_world
from threadpoolctl import threadpool_limits

from homefeed.evaluate.blending import (
    TunedWeights,
    blending_feeds,
    calibrate,
    evidence_of,
    fit_blend,
    tune_weights,
)
from homefeed.evaluate.candidates import Replayed
from homefeed.evaluate.protocol import Protocol
from homefeed.rank.blend import FeedBlend
from homefeed.rank.weighted import Weighted
from homefeed.recipe import Goal, parse_recipe
from homefeed.testing.world import RECIPE
from homefeed.types import DAY

ELSEWHERE = 10_000
CANDIDATES = 40


def requests(
    count: int, odds: tuple[float, float, float], *, seed: int = 0, taste: float = 0.0, luck: bool = True
) -> Replayed:
    """Requests of which two retrievers propose the same, each in an order of its own.

    The log-odds that an item is chosen are a + b ln(score) + c ln(rank) of "steep", and `taste` x a feature.
    "flat" scores all alike and, unless there is no `luck`, in an order that says nothing.
    """
    rng = np.random.default_rng(seed)
    shape = (count, CANDIDATES)
    steep = np.argsort(np.argsort(rng.random(shape), axis=1), axis=1) + 1
    flat = np.argsort(np.argsort(rng.random(shape), axis=1), axis=1) + 1 if luck else steep
    likes = rng.random(shape) < 0.2
    scores = rng.uniform(0.5, 2, shape) / steep
    level, by_score, by_rank = odds
    log_odds = level + by_score * np.log(scores) + by_rank * np.log(steep) + taste * likes
    chosen = rng.random(shape) < 1 / (1 + np.exp(-log_odds))
    positions = np.tile(np.arange(CANDIDATES, dtype=np.int32), (count, 1))
    elsewhere = np.array([ELSEWHERE], np.int32)
    return Replayed(
        retrievers=("steep", "flat"),
        feature_names=("taste", "noise"),
        positions=positions.ravel(),
        scores=np.column_stack([scores.ravel(), np.full(scores.size, 0.7)]).astype(np.float32),
        ranks=np.column_stack([steep.ravel(), flat.ravel()]).astype(np.int32),
        features=np.column_stack([likes.ravel(), rng.random(likes.size)]).astype(np.float32),
        evidence=np.zeros((likes.size, 2), np.float32),
        served=np.zeros(likes.size, np.float32),
        chosen=chosen.ravel(),
        outcomes=chosen.reshape(-1, 1),
        starts=np.arange(count + 1) * CANDIDATES,
        targets=[row[hits] if hits.any() else elsewhere for row, hits in zip(positions, chosen, strict=True)],
        users=np.arange(count, dtype=np.int32),
        times=np.arange(count, dtype=np.int64),
        calibrated=False,
        ranked_by="weighted",
    )


def tuned(asked: Replayed, weights: Mapping[str, float], *fixed: str) -> tuple[dict[str, float], TunedWeights]:
    blend = FeedBlend(calibrate(asked), "")
    return tune_weights(asked, blend, Weighted.Config(weights=dict(weights), fixed=fixed), "ndcg@10")


def mean_of(asked: Replayed, weights: Mapping[str, float]) -> float:
    table = np.column_stack([evidence_of(asked, calibrate(asked)), asked.features])
    names = (*asked.retrievers, *asked.feature_names)
    by_name: npt.NDArray[np.float64] = np.array([weights.get(name, 0.0) for name in names])
    return float(asked.judged("ndcg@10", table @ by_name).mean())


def test_planted_log_odds_are_found() -> None:
    asked = requests(3_000, (-1.0, 0.6, -0.8))
    found = calibrate(asked)["steep"]
    share = asked.chosen.mean()
    assert found.log_score == pytest.approx(0.6, abs=0.1)
    for rank in (1, 2, 5, 20):
        told = found.intercept + found.log_rank * np.log(rank) + found.log_rank_squared * np.log(rank) ** 2
        assert told == pytest.approx(-1.0 - 0.8 * np.log(rank) - np.log(share / (1 - share)), abs=0.25), rank


def test_a_flat_list_that_says_nothing_is_no_evidence() -> None:
    asked = requests(3_000, (-1.0, 0.6, -0.8))
    steep, flat = evidence_of(asked, calibrate(asked)).T
    assert steep.max() > 1
    assert 0 <= flat.max() < 0.2


def test_who_is_never_right_says_next_to_nothing_and_keeps_its_order() -> None:
    asked = requests(200, (-1.0, 0.0, -3.0))
    gone = asked.chosen[:, None] & np.array([False, True])
    scores, ranks = np.where(gone, np.nan, asked.scores), np.where(gone, 0, asked.ranks)
    only_wrong = replace(asked, scores=scores.astype(np.float32), ranks=ranks.astype(np.int32))
    found = calibrate(only_wrong)["flat"]
    assert (found.log_score, found.log_rank_squared) == (0, 0)
    evidence = evidence_of(only_wrong, {"steep": found, "flat": found})[:, 1]
    assert evidence.max() <= 0.01
    first = only_wrong.ranks[:, 1] == 1
    assert evidence[first].min() > evidence[only_wrong.ranks[:, 1] == 2].max()


@pytest.mark.parametrize("seed", range(3))
def test_tuned_weights_are_at_least_as_good_as_every_start(seed: int) -> None:
    asked = requests(60, (-2.0, 0.5, -0.5), seed=seed, taste=1.0)
    own = {"steep": 0.3, "flat": 1.0, "taste": 0.2}
    weights, found = tuned(asked, own)
    assert found.recipe_mean == pytest.approx(mean_of(asked, own))
    for start in (own, {"steep": 1.0}, {"flat": 1.0}):
        assert mean_of(asked, weights) >= mean_of(asked, start) - 1e-6
    assert found.tuned_mean < mean_of(asked, weights), "on requests that it was not tuned on it is worth less"
    assert all(weight >= 0 for weight in weights.values())


def test_a_planted_weight_is_found() -> None:
    asked = requests(400, (-4.0, 0.0, -0.3), taste=3.0)
    weights, found = tuned(asked, {"steep": 1.0, "flat": 1.0, "taste": 0.01})
    assert found.taken
    assert weights["taste"] > weights["steep"] > weights["flat"]
    assert found.tuned_mean > found.recipe_mean + 0.1
    assert (found.metric, found.requests) == ("ndcg@10", 400)


def test_what_is_fixed_unnamed_or_below_zero_stays() -> None:
    asked = requests(100, (-3.0, 0.0, -0.5), taste=3.0)
    own = {"steep": 1.0, "flat": 0.123456, "taste": 0.01, "noise": -0.2}
    weights, _ = tuned(asked, own, "flat", "taste")
    assert {name: weights[name] for name in ("flat", "taste", "noise")} == {
        name: own[name] for name in ("flat", "taste", "noise")
    }
    unnamed, _ = tuned(asked, {"steep": 1.0})
    assert not {"taste", "noise"} & set(unnamed), "policy of the recipe: a feature that it does not weigh"
    every_fixed, found = tuned(asked, own, "steep", "flat", "taste")
    assert (every_fixed, found.taken) == (own, False)


def test_weights_are_taken_beyond_a_standard_error_only() -> None:
    taken = 0
    for seed in range(8):  # the recipe's are about the best there are: what is better is so by chance
        _, found = tuned(requests(60, (-2.0, 0.3, -0.3), seed=seed), {"steep": 1.0})
        assert found.margin >= 0
        assert found.taken == (found.tuned_mean - found.recipe_mean > found.margin + 1e-12)
        taken += found.taken
    assert taken <= 2
    # Where the two say the same in other words, no weights are better than others.
    _, found = tuned(requests(40, (-2.0, 0.0, -0.8), luck=False), {"steep": 1.0, "flat": 1.0})
    assert not found.taken


def test_the_blend_is_of_the_goals_feeds_that_blend_several() -> None:
    world = planted_world()
    assert blending_feeds(world.recipe) == ["home"]
    of_popular = replace(world.recipe, goal=Goal(feeds=("popular",)))
    assert blending_feeds(of_popular) == []
    assert fit_blend(of_popular, world.catalog, world.data).blend.feeds == {}
    assert fit_blend(world.recipe, world.catalog, world.data, feeds=["popular"]).blend.feeds == {}
    two = RECIPE["feeds"]["home"]
    both = parse_recipe({**RECIPE, "feeds": {**RECIPE["feeds"], "more": two}, "goal": {"feeds": ["more"]}}, "r")
    assert blending_feeds(both) == ["more"]


def test_the_same_data_and_seed_make_the_same_blend_on_any_number_of_cores() -> None:
    world = planted_world()
    made = [fit_blend(world.recipe, world.catalog, world.data, tune=True)]
    with threadpool_limits(1, "blas"):
        made.append(fit_blend(world.recipe, world.catalog, world.data, tune=True))
    assert made[0] == made[1]
    retrievers = {spec.name for spec in world.recipe.feeds["home"].retrieve}
    assert set(made[0].blend.feeds["home"].calibrations) == retrievers
    assert set(made[0].tuned) == {"home"}


def test_of_few_requests_there_is_no_blend() -> None:
    world = planted_world(users=6)
    assert fit_blend(world.recipe, world.catalog, world.data).blend.feeds == {}


@pytest.mark.parametrize("tune", [False, True])
def test_home_is_not_behind_its_best_retriever(tune: bool) -> None:
    world = planted_world(users=60)
    protocol = Protocol(retrain=7 * DAY, replay=False)
    [verdict] = evaluated(world, protocol=protocol, tune_blend=tune).found.verdicts
    assert verdict.behind == ()
    assert verdict.leads[verdict.best].mean > -0.01


def test_scores_that_are_no_numbers_are_no_evidence_and_stop_nothing() -> None:
    asked = requests(60, (-1.0, 1.0, -1.0))
    asked.scores[3, 0], asked.scores[7, 1] = np.nan, np.inf
    found = evidence_of(asked, calibrate(asked))
    assert found[3, 0] == found[7, 1] == 0
    assert np.isfinite(found).all()


def test_a_retriever_that_is_always_right_is_believed() -> None:
    asked = requests(60, (-1.0, 1.0, -1.0))
    right = np.zeros(len(asked.chosen), np.bool_)
    right[np.flatnonzero(asked.chosen)[:30]] = True
    asked.ranks[:, 1] = right
    sure = calibrate(asked)["flat"]
    assert sure.intercept > 3
    asked.ranks[:, 1] = 0
    assert calibrate(asked)["flat"].intercept == 0


def test_requests_of_one_user_tune_nothing() -> None:
    asked = replace(requests(40, (-1.0, 1.0, -1.0)), users=np.zeros(40, np.int32))
    _, found = tuned(asked, {"steep": 0.0, "flat": 1.0})
    assert not found.taken
    even = replace(asked, users=(np.arange(40, dtype=np.int32) % 3) * 2)
    _, found = tuned(even, {"steep": 0.0, "flat": 1.0})
    assert found.taken


def test_what_the_recipe_does_not_weigh_stays_without_a_weight() -> None:
    weights, _ = tuned(requests(60, (-1.0, 1.0, -1.0)), {"flat": 1.0})
    assert set(weights) == {"flat"}
