"""A simulated world does what is planted: what is wanted is clicked where it is looked at; learning pays."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import numpy as np
import pytest

from homefeed.errors import NotFoundError
from homefeed.evaluate.bootstrap import paired_differences
from homefeed.rank.examination import Examination
from homefeed.recipe import Recipe, parse_recipe
from homefeed.testing.simulation import Shown, SimulatedWorld, Week, learned_from, make_truth, simulate

WORLD = SimulatedWorld(users=60, items=300, new_items=20)
WEEKS = 3


def recipe(retrievers: tuple[str, ...], learned: str | None = None) -> Recipe:
    features = {"affinity": {"field": "category"}, "quality": {"field": "rating", "unknown": 3.0, "good": 5.0}}
    home = {
        "retrieve": {name: {} for name in retrievers},
        "filter": {"seen": False},
        "features": features,
        "rank": {"weighted": {"weights": dict.fromkeys(retrievers, 1.0)}},
        "learned": {} if learned is None else {learned: {}},
        "rerank": {"swap": {"share": 1.0, "places": 6}},
    }
    declared = {
        "app": "simulated",
        "items": {"fields": {"title": "text", "category": "category", "rating": "number"}},
        "events": {"view": {"weight": 0.0}, "click": {}},
        "models": {"item_item": {}, "content": {"fields": {"category": 1.0}}},
        "feeds": {"home": home},
    }
    return parse_recipe(declared, "a test")


POPULARITY, HYBRID = recipe(("popular",)), recipe(("item_item", "content", "popular"))
LEARNED = recipe(("item_item", "content", "popular"), "click_model")


@pytest.fixture(scope="module")
def systems() -> Mapping[str, list[Week]]:
    recipes = {"popularity": POPULARITY, "hybrid": HYBRID, "learned": LEARNED}
    return {name: simulate(each, WORLD, weeks=WEEKS, seed=0) for name, each in recipes.items()}


def lead(better: Week, worse: Week) -> float:
    """The lower bound of how many more clicks were to be expected of a request."""
    columns, rng = ({"": better.expected}, {"": worse.expected}), np.random.default_rng(0)
    return paired_differences(*columns, rng, users=better.users)[""].low


def test_engagement_rises_from_popularity_to_a_hybrid_to_what_learns(systems: Mapping[str, list[Week]]) -> None:
    popularity, hybrid, learned = (weeks[-1] for weeks in systems.values())
    assert lead(hybrid, popularity) > 0
    assert lead(learned, hybrid) > 0
    assert learned.ndcg.mean() > hybrid.ndcg.mean() > popularity.ndcg.mean()
    assert systems["learned"][-1].expected.mean() > systems["learned"][0].expected.mean() + 0.2


def test_a_learned_ranker_ranks_from_the_second_week_on(systems: Mapping[str, list[Week]]) -> None:
    assert [week.ranked_by for week in systems["learned"]] == ["weighted", "click_model", "click_model"]
    assert {week.ranked_by for week in systems["hybrid"]} == {"weighted"}
    np.testing.assert_array_equal(systems["learned"][0].shown.items, systems["hybrid"][0].shown.items)


def test_all_systems_get_the_same_requests(systems: Mapping[str, list[Week]]) -> None:
    for weeks in zip(*systems.values(), strict=True):
        assert len({tuple(week.users.tolist()) for week in weeks}) == 1
        assert np.bincount(weeks[0].users).tolist() == [WORLD.requests] * WORLD.users


def test_figures_are_those_of_what_was_shown(systems: Mapping[str, list[Week]]) -> None:
    truth, week = make_truth(WORLD, WEEKS, 0), systems["hybrid"][1]
    page = week.shown.requests == 17
    assert week.shown.places[page].tolist() == list(range(WORLD.page))
    wanted = truth.wanted[week.users[17], week.shown.items[page]]
    assert week.expected[17] == pytest.approx((wanted / (1 + np.arange(6))).sum())
    assert week.clicks[17] == week.shown.clicked[page].sum()
    there = np.flatnonzero(truth.created <= truth.moments[1, 17])
    best = np.sort(truth.wanted[week.users[17], there])[::-1][:6]
    discounts = 1 / np.log2(np.arange(6) + 2)
    assert week.ndcg[17] == pytest.approx(wanted @ discounts / (best @ discounts))
    assert week.shown.items.max() >= WORLD.items, "what came in the meantime is shown"


def test_what_is_wanted_is_clicked_where_it_is_looked_at(systems: Mapping[str, list[Week]]) -> None:
    truth, weeks = make_truth(WORLD, WEEKS, 0), [week for each in systems.values() for week in each]
    for place in range(WORLD.page):
        clicked, expected = 0.0, 0.0
        for week in weeks:
            there = week.shown.places == place
            users = week.users[week.shown.requests[there]]
            clicked += week.shown.clicked[there].sum()
            expected += truth.wanted[users, week.shown.items[there]].sum() / (1 + place)
        assert clicked == pytest.approx(expected, abs=4 * expected**0.5)


def test_the_same_seed_makes_the_same_weeks_and_another_one_others() -> None:
    one, same, other = (simulate(HYBRID, WORLD, weeks=1, seed=seed)[0].shown for seed in (0, 0, 1))
    for name in ("items", "clicked", "propensities", "features"):
        np.testing.assert_array_equal(getattr(one, name), getattr(same, name))
    assert not np.array_equal(one.items, other.items)


def test_pages_are_learned_from_with_clicks_weighed_by_place(systems: Mapping[str, list[Week]]) -> None:
    shown = Shown.joined([week.shown for week in systems["hybrid"][:2]])
    assert len(np.unique(shown.requests)) == 2 * WORLD.users * WORLD.requests
    curve = 1 / (1 + np.arange(6))
    data = learned_from(shown, "click", Examination(curve, curve, curve, 6))
    assert len(data) == len(np.unique(shown.requests))
    expected = np.where(shown.clicked, 1 + shown.places, 1)
    assert data.weights == pytest.approx(expected)
    assert (learned_from(shown, "click", None).weights == 1).all()


def test_a_feed_that_is_none_is_named() -> None:
    with pytest.raises(NotFoundError, match='no feed "shelf" in simulated; its feeds: home'):
        simulate(HYBRID, WORLD, weeks=1, feed="shelf")


def test_without_swaps_clicks_count_the_same() -> None:
    plain = replace(WORLD, users=10, items=50)
    home = {"retrieve": {"popular": {}}, "rank": {"weighted": {"weights": {"popular": 1.0}}}}
    items = {"fields": {"title": "text"}}
    declared = {"app": "plain", "items": items, "events": {"click": {}}, "feeds": {"home": home}}
    week = simulate(parse_recipe(declared, "a test"), plain, weeks=1)[0]
    assert week.examination.places.tolist() == [1]
    assert (week.shown.propensities == 1).all()
