"""The metrics of the marketplace's benchmark by hand, and that its rivals differ in one thing each."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest

from benchmarks.ranking.marketplace_feeds import RIVALS, SIGNALS, WITHOUT, variants, with_variants
from benchmarks.ranking.marketplace_truth import Asked, Truth, as_markdown, chosen, could_be_shown, ndcg
from homefeed.apps import find_recipe
from homefeed.samples import DAY
from homefeed.samples.marketplace.generate import DEFAULTS, plan_world

TRUTH = Truth(
    worth=np.array([[0.9, 0.5, 0.1, 0.7, 0.3]]),
    able=np.array([[True, True, True, True, False]]),
    km=np.array([[1.0, 2.0, 80.0, 3.0, 4.0]]),
    unseen=np.array([True, False, True, True, True]),
)


def test_ndcg_is_the_discounted_gain_over_that_of_the_best_order() -> None:
    gains, best = np.array([0.5, 1.0]), np.array([1.0, 0.5, 0.2])
    dcg, ideal = 0.5 + 1 / math.log2(3), 1 + 0.5 / math.log2(3)
    assert ndcg(gains, best, 2) == pytest.approx(dcg / ideal)
    assert ndcg(gains, best, 3) == pytest.approx(dcg / (ideal + 0.2 / 2))
    assert ndcg(best, best, 10) == pytest.approx(1)
    assert ndcg(np.array([]), best, 10) == 0
    assert ndcg(np.array([]), np.array([]), 10) == 0


def test_an_order_is_judged_by_what_could_be_shown() -> None:
    found = TRUTH.judged(0, np.array([3, 0]))
    assert found["utility@10"] == pytest.approx(0.8)
    discounts = 1 / np.log2([2, 3, 4, 5])
    expected = (0.7 + 0.9 / math.log2(3)) / float(np.array([0.9, 0.7, 0.5, 0.1]) @ discounts)
    assert found["ndcg@10"] == found["ndcg@20"] == pytest.approx(expected)


def test_new_listings_are_judged_by_the_first_of_them() -> None:
    found = TRUTH.judged_new(0, np.array([1, 3, 0, 2, 4]))
    assert found == pytest.approx({"share of new@20": 4 / 20, "utility of first new": (0.7 + 0.9 + 0.1) / 3})
    assert math.isnan(TRUTH.judged_new(0, np.array([1, 3, 0]))["utility of first new"])
    assert math.isnan(TRUTH.by_lot(0)), "two near ones that could be shown are too few"
    assert replace(TRUTH, km=np.zeros((1, 5))).by_lot(0) == pytest.approx((0.9 + 0.1 + 0.7) / 3)


def test_what_could_be_shown_is_open_and_within_the_limits() -> None:
    world = plan_world(replace(DEFAULTS, users=60, items=80))
    limits, listings = world.people.preferences, world.listings
    km = np.random.default_rng(1).uniform(0, 30, (60, 80))
    able = could_be_shown(world, km)
    for user, item in np.ndindex(60, 80):
        far = km[user, item] > limits.max_distance_km[user]
        pay = listings.compensation[item]
        unsuited = pay < limits.min_pay[user] or pay > limits.max_pay[user]
        blocked = limits.blocked_tag[user] >= 0 and limits.blocked_tag[user] in listings.tags[item]
        gone = listings.status[item] != 0 or listings.expires[item] <= world.end
        assert able[user, item] == (not (far or unsuited or blocked or gone))
    assert 0.05 < able.mean() < 0.9


def test_what_was_met_and_users_who_want_nothing_personal_are_left_out() -> None:
    world = plan_world(replace(DEFAULTS, users=60, items=80))
    met = np.zeros((60, 80), np.bool_)
    met[:, ::2] = True
    truth = Truth.of(world, met)
    assert not truth.able[:, ::2].any()
    assert truth.able[:, 1::2].any()
    created = world.listings.created[world.listings.unseen]
    assert (created > world.end - DAY).all()
    assert chosen(world.people, replace(truth, able=truth.able & (truth.able.cumsum(axis=1) < 20))) == []
    everything = replace(truth, able=np.ones((60, 80), np.bool_))
    assert chosen(world.people, everything) == np.flatnonzero(world.people.preferences.personal).tolist()


def test_differences_are_of_users_where_both_systems_have_a_value() -> None:
    asked = Asked({})
    for own, other in ((0.5, 0.25), (0.75, math.nan), (0.25, 0.5)):
        asked.add({"all": {"ndcg@10": own}, "newest": {"ndcg@10": other}})
    told = asked.told(("ndcg@10", "utility@10"), np.random.default_rng(0))
    assert told["users"] == 3
    assert told["systems"]["all"]["ndcg@10"]["mean"] == pytest.approx(0.5)
    assert told["systems"]["newest"]["ndcg@10"]["mean"] == pytest.approx(0.375)
    assert told["all is ahead by"]["newest"]["ndcg@10"]["mean"] == pytest.approx(0)
    assert told["all is ahead by"].keys() == {"newest"}
    assert "| newest |  | 0.375 [0.250, 0.500] |" in as_markdown({"users": told})


def test_each_variant_of_the_feed_differs_in_one_thing() -> None:
    feed = find_recipe("marketplace").feeds["feed"]
    made = variants(feed)
    assert list(made) == ["all", *(WITHOUT + signal for signal in SIGNALS), *RIVALS]
    weights = {name: vars(each.rank.config)["weights"] for name, each in made.items()}
    assert weights["all"] == vars(feed.rank.config)["weights"]
    assert weights["all"].keys() == set(SIGNALS.values())
    for signal, feature in SIGNALS.items():
        assert weights["all"].items() - weights[WITHOUT + signal].items() == {(feature, weights["all"][feature])}
    assert all(len(weights[rival]) == 1 for rival in RIVALS)
    names = [spec.name for spec in feed.filter]
    assert all([spec.name for spec in each.filter] == names for each in made.values())


def test_every_variant_is_a_feed_of_the_recipe() -> None:
    recipe, names = with_variants(find_recipe("marketplace"))
    assert names.keys() == {"feed", "new_user"}
    assert {feed for of_base in names.values() for feed in of_base.values()} < recipe.feeds.keys()
    assert all(recipe.feeds[feed].name == feed for feed in names["new_user"].values())
    assert WITHOUT + "collaborative" not in names["new_user"]
