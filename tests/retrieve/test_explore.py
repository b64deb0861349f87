"""Explore: who is in the pool, who is drawn, and with which probability."""

from __future__ import annotations

from collections import Counter
from itertools import combinations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats
from tests.places_sample import DECLARED, PARIS

from homefeed.catalog.exposures import ExposuresModel
from homefeed.catalog.windows import WINDOWS
from homefeed.protocols import Retriever
from homefeed.retrieve.explore import Explore
from homefeed.retrieve.sampling import draw_key, hash_uniform
from homefeed.testing import Play, RetrieverContract, World, make_world, toy_item, toy_world
from homefeed.testing.world import NOW
from homefeed.types import DAY, SECOND, Condition, Item, Query

HOUR = 3_600 * SECOND


def explore(world: World, **config: float | str) -> Explore:
    return Explore(Explore.Config.model_validate(config), world.resources)


def new_items(count: int) -> list[Item]:
    """Items i0, i1, ... created an hour apart, the last one now."""
    return [toy_item(n, f"i{n}", (count - 1 - n) / 24) for n in range(count)]


def new_world(count: int) -> World:
    """A world of nothing but new items."""
    return make_world(new_items(count), ())


def drawn(world: World, retriever: Explore, query: Query) -> set[str]:
    return set(world.ids(retriever.retrieve(query, 200)[0]))


class TestExplore(RetrieverContract):
    def make(self, world: World) -> Retriever:
        return explore(world)

    def requests(self, world: World) -> dict[str, Query]:
        return super().requests(world) | {
            "the second page": world.query("da", exclude=("d4",), recently_shown=("d4",)),
            "an hour on": world.query("da", now=NOW + HOUR),
        }


class TestExploreMore(RetrieverContract):
    def make(self, world: World) -> Retriever:
        return explore(world, max_age_days=100, max_events=4, slots=3)


def test_the_pool_is_what_is_new_and_hardly_known() -> None:
    world = toy_world()
    # Younger than 45 days: c1 (1 play), c2 (3), s4 and d4 (none); h1 is hidden, x1 has no date.
    every = explore(world, max_age_days=45, slots=9)
    assert drawn(world, every, world.query("da")) == {"c1", "c2", "s4", "d4"}
    assert drawn(world, explore(world, max_age_days=45, slots=9, max_events=3), world.query("da")) == {
        "c1",
        "s4",
        "d4",
    }
    assert drawn(world, explore(world, max_age_days=45, slots=9, max_events=1), world.query("da")) == {"s4", "d4"}
    assert drawn(world, explore(world), world.query("da")) == {"s4", "d4"}
    assert drawn(world, explore(world, max_age_days=1), world.query("da")) == {"d4"}
    assert drawn(world, explore(world), world.query("da", now=NOW - DAY)) == {"s4"}
    filtered = world.query("da", conditions=(Condition("genre", ":", "SciFi"),))
    assert drawn(world, explore(world), filtered) == {"s4"}


def test_the_window_includes_both_its_ends() -> None:
    ages = (0, 2, 2.000001, -0.000001)
    world = make_world([toy_item(n, f"i{n}", age) for n, age in enumerate(ages)], ())
    assert drawn(world, explore(world, slots=9), world.query("u")) == {"i0", "i1"}


def test_an_item_leaves_the_pool_with_its_last_event_to_go() -> None:
    world = make_world([toy_item(0, "i0", 1)], [Play(f"u{n}", "i0", 60, 0.5) for n in range(9)])
    retriever = explore(world)
    assert drawn(world, retriever, world.query("v")) == {"i0"}
    world.choose(world.positions("i0"))
    assert drawn(world, retriever, world.query("v")) == set()


@pytest.mark.parametrize(
    ("count", "slots", "propensity"), [(1, 2, 1), (2, 2, 1), (3, 2, 2 / 3), (8, 2, 1 / 4), (8, 1, 1 / 8)]
)
def test_the_score_is_the_probability(count: int, slots: int, propensity: float) -> None:
    world = new_world(count)
    positions, scores = explore(world, slots=slots).retrieve(world.query("u"), 200)
    assert len(positions) == min(slots, count)
    assert scores.tolist() == pytest.approx([propensity] * len(positions))


def test_no_new_items_nothing_drawn() -> None:
    world = make_world([toy_item(0, "i0", 3)], ())
    positions, scores = explore(world).retrieve(world.query("u"), 10)
    assert (positions.shape, scores.shape) == ((0,), (0,))


def test_items_are_drawn_as_often_as_their_propensity_says() -> None:
    world, slots, count, requests = new_world(7), 2, 7, 4_000
    retriever = explore(world, slots=slots)
    times: Counter[int] = Counter()
    pairs: Counter[tuple[int, ...]] = Counter()
    for number in range(requests):
        # A hundred users in each of forty periods.
        query = world.query(f"user {number % 100}", now=NOW + number // 100 * HOUR // 2)
        positions, scores = retriever.retrieve(query, 200)
        assert scores.tolist() == pytest.approx([slots / count] * slots)
        times.update(positions.tolist())
        pairs[tuple(sorted(positions.tolist()))] += 1
    # Two periods of half an hour share a draw, so half of the requests are independent.
    for position in range(count):
        assert stats.binomtest(times[position] // 2, requests // 2, slots / count).pvalue > 0.001
    # And every pair is as likely as every other.
    of_pairs = [pairs[pair] / 2 for pair in combinations(range(count), slots)]
    assert stats.chisquare(of_pairs).pvalue > 0.001


def test_a_period_has_one_draw_and_the_next_another() -> None:
    world = new_world(40)
    retriever = explore(world, draw_hours=2)
    start = NOW // (2 * HOUR) * (2 * HOUR) + 2 * HOUR
    within = [drawn(world, retriever, world.query("u", now=start + part)) for part in (0, 1, HOUR, 2 * HOUR - 1)]
    assert all(found == within[0] for found in within)
    others = [drawn(world, retriever, world.query("u", now=start + 2 * HOUR * n)) for n in range(1, 9)]
    assert sum(found != within[0] for found in others) >= 7


def test_users_and_seeds_have_draws_of_their_own() -> None:
    world = new_world(40)
    retriever = explore(world)
    draws = {frozenset(drawn(world, retriever, world.query(f"u{n}"))) for n in range(20)}
    assert len(draws) >= 18
    seeds = {frozenset(drawn(world, explore(world, seed=n), world.query("u"))) for n in range(20)}
    assert len(seeds) >= 18
    assert drawn(world, retriever, world.query()) == drawn(world, retriever, world.query())


def test_every_process_draws_alike_wherever_its_items_are() -> None:
    world = new_world(30)
    other = make_world(new_items(30)[::-1], ())
    for n in range(10):
        query, there = world.query(f"u{n}"), other.query(f"u{n}")
        assert drawn(world, explore(world), query) == drawn(other, explore(other), there)


def test_what_earlier_pages_have_shown_changes_no_draw() -> None:
    world = new_world(12)
    retriever = explore(world, slots=4)
    for n in range(20):
        first = retriever.retrieve(world.query(f"u{n}"), 200)
        shown = world.ids(first[0])
        # Two of those drawn were on the page, and others as new that were not.
        rest = [f"i{place}" for place in range(12) if f"i{place}" not in shown][:3]
        query = world.query(f"u{n}", exclude=(*shown[:2], *rest))
        positions, scores = retriever.retrieve(query, 200)
        assert world.ids(positions) == shown[2:]
        assert scores.tolist() == first[1].tolist()[2:]


def test_an_item_removed_meanwhile_is_drawn_no_more_though_excluded() -> None:
    world = new_world(2)
    world.catalog.apply([Item("i0", 7, {}, NOW, hidden=True)])
    positions, scores = explore(world, slots=1).retrieve(world.query("u", exclude=("i0",)), 200)
    assert (world.ids(positions), scores.tolist()) == (("i1",), [1.0])


def test_one_item_more_changes_at_most_one_of_the_drawn() -> None:
    world = new_world(12)
    retriever = explore(world, slots=4)
    before = {n: drawn(world, retriever, world.query(f"u{n}")) for n in range(40)}
    world.catalog.apply([toy_item(12, "i12", 0)])
    retriever.refresh()
    after = {n: drawn(world, retriever, world.query(f"u{n}")) for n in range(40)}
    for n in range(40):
        assert after[n] - before[n] <= {"i12"}
        assert len(after[n]) == 4
    assert any("i12" in found for found in after.values())


def test_a_new_item_can_be_drawn_once_refreshed() -> None:
    world = new_world(1)
    retriever = explore(world)
    assert drawn(world, retriever, world.query("u")) == {"i0"}
    world.catalog.apply([toy_item(1, "i1", 0)])
    retriever.refresh()
    assert drawn(world, retriever, world.query("u")) == {"i0", "i1"}


def test_the_reason_is_for_what_is_new_and_hardly_known() -> None:
    world = toy_world()
    asked = world.positions("d4", "s4", "c2", "d1", "x1")
    words = Explore.Config().reason
    assert explore(world).reasons(world.query("da"), asked) == [words, words, None, None, None]
    known = explore(world, max_age_days=45, max_events=3, reason="Fresh!")
    assert known.reasons(world.query("da"), asked) == ["Fresh!", "Fresh!", None, None, None]
    assert explore(world).reasons(world.query("da", now=NOW - DAY), asked) == [None, words, None, None, None]


@given(seed=st.integers(0, 2**32 - 1), slots=st.integers(1, 12))
def test_the_draw_by_brute_force(seed: int, slots: int) -> None:
    rng = np.random.default_rng(seed)
    count = int(rng.integers(1, 60))
    world = new_world(count)
    query = world.query(f"u{seed}", exclude=tuple(f"i{n}" for n in rng.permutation(count)[: rng.integers(0, 9)]))
    world.choose(rng.integers(0, count, 200).astype(np.int32))
    retriever = explore(world, slots=slots, max_age_days=1.5, max_events=4)
    age = np.arange(count)[::-1] / 24
    # What earlier pages have shown stays in the pool.
    pool = np.flatnonzero((age <= 1.5) & (world.counters.events < 4) & world.catalog.available)
    numbers = hash_uniform(draw_key(query, 1.0, 0), world.catalog.numbers[pool])
    expected = [p for p in pool[np.argsort(numbers)][:slots].tolist() if query.eligible[p]]
    positions, scores = retriever.retrieve(query, 200)
    assert positions.tolist() == expected
    assert scores.tolist() == pytest.approx([min(1, slots / max(len(pool), 1))] * len(expected))


def test_what_was_shown_enough_leaves_the_pool() -> None:
    world = toy_world()
    d4, s4 = (int(world.catalog.numbers[world.position(name)]) for name in ("d4", "s4"))
    expected = np.zeros((max(d4, s4) + 1, len(WINDOWS)))
    expected[d4] = 0.6
    world.resources.exposures.model = ExposuresModel(expected=expected, chosen=np.zeros_like(expected))
    config = Explore.Config(slots=4, max_age_days=2, max_expected=0.5)
    assert config.counts_exposures
    found = Explore(config, world.resources).retrieve(world.query("da"), 10)[0]
    assert world.ids(found) == ("s4",)
    others = Explore(Explore.Config(slots=4, max_age_days=2), world.resources).retrieve(world.query("da"), 10)[0]
    assert sorted(world.ids(others)) == ["d4", "s4"]


def test_what_is_far_is_not_of_the_pool() -> None:
    items = [
        toy_item(0, "here", 0.5, location=PARIS.to_json()),
        toy_item(1, "far", 0.5, location=[0, 0]),
        toy_item(2, "nowhere", 0.5),
    ]
    world = make_world(items, (), declared=DECLARED)
    explore = Explore(Explore.Config(slots=4, max_km=50), world.resources)
    assert world.ids(explore.retrieve(world.query(place=PARIS), 10)[0]) == ("here",)
    assert len(explore.retrieve(world.query(), 10)[0]) == 3
