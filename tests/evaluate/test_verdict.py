"""Whether a feed is worth its parts, and how that is said."""

from __future__ import annotations

import json
from collections.abc import Mapping

import numpy as np
import pytest

from homefeed.apps import find_recipe
from homefeed.evaluate.bootstrap import Interval, paired_differences
from homefeed.evaluate.systems import System, build_systems
from homefeed.evaluate.verdict import Verdict, verdicts

AHEAD, LEVEL, BEHIND = Interval(0.02, 0.01, 0.03), Interval(0.002, -0.01, 0.014), Interval(-0.02, -0.031, -0.009)


def verdict(leads: Mapping[str, Interval]) -> Verdict:
    return Verdict("home", "ndcg@10", leads)


def test_ahead_of_every_part() -> None:
    found = verdict({"popular": Interval(0.1, 0.05, 0.15), "item_item": AHEAD})
    assert (found.behind, found.level, found.best) == ((), (), "item_item")
    assert found.sentence("shop") == (
        "home is ahead of every part of it at ndcg@10: by +0.0200 [+0.0100, +0.0300] ahead of the best, item_item."
    )


def test_level_with_some() -> None:
    leads = {"popular": AHEAD, "popular, 7 days": Interval(0.01, -0.001, 0.02), "als": LEVEL, "fresh": AHEAD}
    found = verdict(leads)
    assert (found.behind, found.level, found.best) == ((), ("popular, 7 days", "als"), "als")
    assert found.sentence("shop") == (
        'home is behind no part of it at ndcg@10: level with "popular, 7 days" and als, '
        "the nearest als, by +0.0020 [-0.0100, +0.0140]."
    )


def test_the_smallest_lead_may_be_beyond_chance_where_a_larger_one_is_not() -> None:
    found = verdict({"als": Interval(0.01, 0.005, 0.015), "fresh": Interval(0.02, -0.01, 0.05)})
    assert found.best == "als"
    assert found.sentence("shop") == (
        "home is behind no part of it at ndcg@10: level with fresh, by +0.0200 [-0.0100, +0.0500]."
    )


def test_a_feed_that_is_its_only_part_is_level_with_it() -> None:
    assert verdict({"popular": Interval(0, 0, 0)}).sentence("shop") == (
        "home is behind no part of it at ndcg@10: level with popular, by +0.0000 [+0.0000, +0.0000]."
    )


def test_behind_one_and_behind_several_the_farthest_first() -> None:
    one = verdict({"popular": AHEAD, "fresh": BEHIND, "als": LEVEL})
    assert one.behind == ("fresh",)
    assert one.sentence("shop/recipe.toml") == (
        "fresh alone beats home at ndcg@10, beyond doubt: by 0.0200 [0.0090, 0.0310]. "
        "homefeed train shop/recipe.toml --tune 10m looks for better weights; or serve that instead."
    )
    several = verdict({"fresh": BEHIND, "popular, 7 days": Interval(-0.1, -0.2, -0.05), "als": BEHIND})
    assert several.behind == ("popular, 7 days", "fresh", "als")
    assert several.sentence("shop") == (
        '"popular, 7 days" alone beats home at ndcg@10, beyond doubt: by 0.1000 [0.0500, 0.2000], as fresh and '
        "als do. homefeed train shop --tune 10m looks for better weights; or give more to the retriever trending, "
        "which is nearest to that."
    ), "no feed can be of the last seven days"


def test_ahead_by_what_may_be_chance_names_the_setting() -> None:
    key = "feeds.home.rank.weighted.weights.als"
    found = Verdict("home", "ndcg@10", {"fresh": LEVEL, "als": Interval(-0.004, -0.012, 0.002)}, {"als": key})
    assert found.sentence("shop") == (
        "als alone was ahead of home at ndcg@10, which may be chance: by 0.0040 [-0.0020, 0.0120]. Later events, "
        "or more --requests, tell. homefeed train shop --tune 10m looks for better weights; or raise "
        f"{key} in the recipe."
    )


def test_without_parts_there_is_nothing_to_say() -> None:
    assert verdict({}).sentence("shop") == "home has no part to compare it with."


def test_as_json() -> None:
    assert json.loads(json.dumps(verdict({"fresh": BEHIND, "als": AHEAD}).to_json())) == {
        "feed": "home",
        "metric": "ndcg@10",
        "behind": ["fresh"],
        "level": [],
        "leads": {
            "fresh": {"mean": -0.02, "low": -0.031, "high": -0.009},
            "als": {"mean": 0.02, "low": 0.01, "high": 0.03},
        },
    }


SYSTEMS = [
    System("popular", "baseline", "popular"),
    System("popular, 7 days", "week", "popular"),
    System("item_item", "retriever", "one", "item_item", ("one", "two")),
    System("fresh", "retriever", "one", "fresh", ("one",)),
    System("one: merged", "merged", "one"),
    System("one: ranked", "ranked", "one"),
    System("one", "feed", "one"),
    System("als", "retriever", "two", "als", ("two",)),
    System("two", "feed", "two"),
]
MEANS = {
    "popular": 0.1,
    "popular, 7 days": 0.2,
    "item_item": 0.3,
    "fresh": 0.5,
    "als": 0.1,
    "one": 0.4,
    "two": 0.6,
}


def test_each_feed_is_judged_by_its_own_parts_and_by_what_anybody_could_serve() -> None:
    values = {
        system.name: {"ndcg@10": np.full(6, MEANS.get(system.name, 0.9)), "mrr@10": np.zeros(6)}
        for system in SYSTEMS
    }
    users = np.array([0, 0, 1, 1, 2, 3], np.int32)
    one, two = verdicts("ndcg@10", SYSTEMS, values, users, seed=0)
    assert (one.feed, two.feed) == ("one", "two")
    assert {name: lead.mean for name, lead in one.leads.items()} == pytest.approx(
        {"popular": 0.3, "popular, 7 days": 0.2, "item_item": 0.1, "fresh": -0.1}
    )
    assert {name: lead.mean for name, lead in two.leads.items()} == pytest.approx(
        {"popular": 0.5, "popular, 7 days": 0.4, "item_item": 0.3, "als": 0.5}
    ), "item_item is a part of both, fresh of the other only"
    assert (one.behind, two.behind) == (("fresh",), ())
    [at_mrr, _] = verdicts("mrr@10", SYSTEMS, values, users, seed=0)
    assert (at_mrr.metric, at_mrr.behind) == ("mrr@10", ())


def test_each_part_has_the_setting_that_says_what_it_counts() -> None:
    recipe = find_recipe("streaming")
    systems = build_systems(recipe, ["home"], "popular")
    values = {system.name: {"ndcg@10": np.zeros(2)} for system in systems}
    users = np.array([0, 1], np.int32)
    [found] = verdicts("ndcg@10", systems, values, users, seed=0, feeds=recipe.feeds)
    assert found.settings["item_item"] == "feeds.home.rank.weighted.weights.item_item"
    assert set(found.settings) <= set(found.leads)


def test_leads_are_paired_differences_with_the_requests_of_a_user_together() -> None:
    rng = np.random.default_rng(2)
    users = np.repeat(np.arange(20, dtype=np.int32), 5)
    values = {system.name: {"ndcg@10": rng.random(100)} for system in SYSTEMS}
    one, _ = verdicts("ndcg@10", SYSTEMS, values, users, seed=7)
    again, _ = verdicts("ndcg@10", SYSTEMS, values, users, seed=7)
    assert one == again
    expected = paired_differences(values["one"], values["fresh"], np.random.default_rng(7), users=users)
    assert one.leads["fresh"] == expected["ndcg@10"]
