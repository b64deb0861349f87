"""What a history weighs."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from homefeed.catalog import Resources
from homefeed.taste import decayed, deeds_of, weighted_seeds
from homefeed.testing import toy_world
from homefeed.types import DAY, NO_HISTORY, History, Query, UserState

NOW = 20_000 * DAY


def query(events: list[tuple[int, float, float]], anchor: int | None = None) -> Query:
    """Events as (item, strength, days ago), oldest first."""
    items, strengths, days = zip(*events, strict=True) if events else ((), (), ())
    history = History(
        np.array(items, np.int32),
        np.zeros(len(events), np.int32),
        np.zeros(len(events), np.float32),
        np.array(strengths, np.float32),
        np.array([NOW - int(day * DAY) for day in days], np.int64),
    )
    return Query("app", "feed", UserState("u", history), NOW, 10, anchor)


def taste(asked: Query, events: int = 50, half_life: float = 10.0) -> dict[int, float]:
    items, weights = weighted_seeds(asked, events, half_life)
    assert items.dtype == np.int32
    assert weights.dtype == np.float32
    assert len(set(items.tolist())) == len(items) == len(weights)
    return dict(zip(items.tolist(), weights.tolist(), strict=True))


def test_strength_halves_between_an_event_and_the_latest() -> None:
    assert taste(query([(3, 1.0, 120), (5, 0.5, 110), (7, 1.0, 100)])) == pytest.approx({3: 0.25, 5: 0.25, 7: 1.0})


def test_an_anchor_is_all_the_taste_there_is() -> None:
    assert taste(query([(3, 1.0, 1)], anchor=9)) == {9: 1.0}


def test_no_history_no_taste() -> None:
    assert taste(query([])) == {}


def test_an_item_weighs_as_much_as_its_weightiest_event() -> None:
    assert taste(query([(3, 1.0, 10), (3, 0.75, 0), (5, 0.25, 0)])) == pytest.approx({3: 0.75, 5: 0.25})


def test_dislikes_weigh_against_and_nothing_weighs_nothing() -> None:
    assert taste(query([(3, -1.0, 10), (5, 0.0, 0)])) == pytest.approx({3: -0.5})


def test_only_the_latest_events_count() -> None:
    assert taste(query([(3, 1.0, 2), (5, 1.0, 1), (7, 1.0, 0)]), events=2) == pytest.approx({5: 2**-0.1, 7: 1.0})


def test_an_event_to_come_does_not_age_the_others_away() -> None:
    assert taste(query([(3, 1.0, 10), (5, 1.0, -100_000)])) == pytest.approx({3: 0.5, 5: 1.0})


Events = list[tuple[int, float, float]]

ONE_ITEM: dict[str, tuple[Events, dict[int, float]]] = {
    "liked, then hidden": ([(3, 1.0, 10), (3, -0.5, 0)], {3: -0.5}),
    "liked, then hidden, long ago": ([(3, 1.0, 20), (3, -1.0, 10), (5, 1.0, 0)], {3: -0.5, 5: 1.0}),
    "hidden, then glanced at": ([(3, -1.0, 10), (3, 0.25, 0)], {3: -0.5}),
    "liked, then a little disliked, then glanced at": (
        [(3, 1.0, 2), (3, -0.5, 1), (3, 0.25, 0)],
        {3: -0.46651649},
    ),
    "hidden, then liked": ([(3, -1.0, 10), (3, 1.0, 0)], {3: 1.0}),
    "hidden and liked at once": ([(3, -1.0, 0), (3, 1.0, 0)], {3: 1.0}),
    "liked and hidden at once": ([(3, 1.0, 0), (3, -1.0, 0)], {3: -1.0}),
    "liked, hidden, liked again": ([(3, 1.0, 20), (3, -1.0, 10), (3, 0.5, 0)], {3: 0.5}),
    "disliked much, then little": ([(3, -1.0, 0), (3, -0.25, 0)], {3: -1.0}),
    "disliked much, then little, then liked a little": ([(3, -1.0, 0), (3, -0.25, 0), (3, 0.5, 0)], {3: -1.0}),
    "hidden, and an event that says nothing": ([(3, -1.0, 0), (3, 0.0, 0)], {3: -1.0}),
    "another item hidden": ([(3, 1.0, 0), (5, -1.0, 0)], {3: 1.0, 5: -1.0}),
}


@pytest.mark.parametrize("name", ONE_ITEM)
def test_a_dislike_is_the_last_word_until_outweighed(name: str) -> None:
    events, expected = ONE_ITEM[name]
    assert taste(query(events)) == pytest.approx(expected)


def weight_by_rule(weights: list[float]) -> float:
    """What one item's events weigh together, oldest first: the rule spelled out."""
    dislikes = [place for place, weight in enumerate(weights) if weight < 0]
    if dislikes and max(weights[dislikes[-1] + 1 :], default=0.0) < -weights[dislikes[-1]]:
        return min(weights)
    return max(reversed(weights), key=abs)


@given(
    st.lists(
        # Whole half-lives: powers of two are equal in any precision, so that ties are ties.
        st.tuples(st.integers(0, 3), st.sampled_from([-1, -0.5, 0, 0.25, 1]), st.sampled_from([0, 10, 20, 30])),
        max_size=12,
    ),
    st.integers(1, 14),
)
def test_tastes_by_brute_force(events: Events, count: int) -> None:
    events.sort(key=lambda event: -event[2])
    latest = events[-count:]
    by_item: dict[int, list[float]] = {}
    for item, strength, days in latest:
        by_item.setdefault(item, []).append(strength * 2.0 ** ((latest[-1][2] - days) / 10))
    expected = {item: weight_by_rule(of_item) for item, of_item in by_item.items()}
    found = taste(query(events), events=count)
    assert found == pytest.approx({item: weight for item, weight in expected.items() if weight}, rel=1e-5)


@given(st.lists(st.tuples(st.integers(0, 4), st.floats(0, 1, width=16), st.floats(0, 100, width=16)), max_size=12))
def test_without_dislikes_the_weightiest_event_counts(events: Events) -> None:
    events.sort(key=lambda event: -event[2])
    expected: dict[int, float] = {}
    for item, strength, days in events:
        expected[item] = max(expected.get(item, 0.0), strength * 2.0 ** ((events[-1][2] - days) / 10))
    assert taste(query(events)) == pytest.approx({k: v for k, v in expected.items() if v}, rel=1e-5)


def test_every_event_decays_by_itself() -> None:
    asked = query([(3, 1.0, 20), (3, -0.5, 10), (5, 0.5, 0)])
    assert decayed(asked.user.history, NOW, 10.0).tolist() == pytest.approx([0.25, -0.25, 0.5])
    assert decayed(NO_HISTORY, NOW, 10.0).shape == (0,)


VERBS = {"view": "looked at", "save": "saved", "like": "liked"}


def resources(verbs: dict[str, str]) -> Resources:
    world = toy_world()
    return Resources(world.catalog, world.counters, {}, verbs)


def deed(types: list[int], strengths: list[float], *, known: bool = True) -> tuple[str, int]:
    """What is said of item 3 after events of it of those types and strengths, beside one of another."""
    history = query([(5, 1.0, 0), *((3, strength, 0) for strength in strengths)]).user.history
    history = replace(history, types=np.array([0, *types], np.int32))
    return deeds_of(history, np.array([3], np.int32), resources(VERBS if known else {}))[0]


def test_the_verb_is_that_of_the_strongest_event_and_counts_its_likes() -> None:
    assert deed([0, 1, 0], [0.1, 0.8, 0.1]) == ("saved", 1)
    assert deed([2, 1, 0], [1.0, 0.8, 0.1]) == ("liked", 1)
    assert deed([1, 0, 1, 1], [0.2, 0.1, 0.8, 0.1]) == ("saved", 3)
    assert deed([1, 1, 1], [-1.0, 0.0, 0.8]) == ("saved", 1)


def test_of_equally_strong_events_the_latest_names_the_verb() -> None:
    assert deed([2, 1], [1.0, 1.0]) == ("saved", 1)
    assert deed([1, 2, 0], [1.0, 1.0, -1.0]) == ("liked", 1)


def test_where_nobody_knows_the_verb_they_chose_as_often_as_nothing_spoke_against_it() -> None:
    assert deed([2], [1.0], known=False) == ("chose", 1)
    assert deed([2, 0, 1], [1.0, -1.0, 0.5], known=False) == ("chose", 2)
    assert deed([-1], [1.0]) == ("chose", 1)
    assert deed([3], [1.0]) == ("chose", 1)
    every = np.array([3, 5, -1], np.int32)
    looked = [("chose", 0), ("looked at", 1), ("chose", 0)]
    assert deeds_of(query([(5, 1.0, 0)]).user.history, every, resources(VERBS)) == looked
    assert deeds_of(query([]).user.history, every, resources(VERBS)) == [("chose", 0)] * 3


def placed(asked: Query, exponent: float, events: int = 50) -> dict[int, float]:
    items, weights = weighted_seeds(asked, events, 10.0, exponent)
    assert weights.dtype == np.float32
    return dict(zip(items.tolist(), weights.tolist(), strict=True))


def test_with_a_place_exponent_the_latest_events_count_most() -> None:
    soon = 1e-6
    asked = query([(3, 1.0, 10), (5, -1.0, 2 * soon), (3, 0.5, soon), (7, 1.0, 0)])
    # The latest counts in full, the one before it by a half, then a third, and the first by a quarter; 3 by the
    # larger of a half of a quarter, as its first event is a half-life old, and a half of a half.
    assert placed(asked, 1.0) == pytest.approx({3: 0.25, 5: -1 / 3, 7: 1.0}, rel=1e-5)
    assert placed(asked, 0.5) == pytest.approx({3: 0.5 / 2**0.5, 5: -(3**-0.5), 7: 1.0}, rel=1e-5)
    assert placed(asked, 0.0) == taste(asked)


def test_events_of_one_moment_share_a_place() -> None:
    soon = 1e-6
    baskets = query([(3, 1.0, 2 * soon), (5, 1.0, 2 * soon), (7, 1.0, soon), (8, 1.0, 0), (9, 0.5, 0)])
    assert placed(baskets, 1.0) == pytest.approx({3: 1 / 3, 5: 1 / 3, 7: 1 / 2, 8: 1.0, 9: 0.5}, rel=1e-5)


def test_places_are_those_among_the_events_that_count() -> None:
    asked = query([(3, 1.0, 2e-6), (5, 1.0, 1e-6), (7, 1.0, 0)])
    assert placed(asked, 1.0, events=2) == pytest.approx({5: 0.5, 7: 1.0}, rel=1e-5)
    assert placed(replace(asked, anchor=9), 1.0) == {9: 1.0}
    assert placed(query([]), 1.0) == {}


def test_a_dislike_long_ago_is_taken_back_by_less_where_places_count() -> None:
    asked = query([(3, -1.0, 2e-6), (5, 1.0, 1e-6), (3, 0.5, 0)])
    assert placed(asked, 0.0) == pytest.approx({3: -1.0, 5: 1.0}, rel=1e-5)
    assert placed(asked, 1.0) == pytest.approx({3: 0.5, 5: 0.5}, rel=1e-5)


@given(
    st.lists(
        # Whole half-lives: powers of two are equal in any precision, so that ties are ties.
        st.tuples(st.integers(0, 3), st.sampled_from([-1, -0.5, 0, 0.25, 1]), st.sampled_from([0, 10, 20, 30])),
        max_size=12,
    ),
    st.integers(1, 14),
    st.sampled_from([0.3, 1.7]),
)
def test_tastes_with_places_by_brute_force(events: Events, count: int, exponent: float) -> None:
    events.sort(key=lambda event: -event[2])
    latest = events[-count:]
    by_item: dict[int, list[float]] = {}
    moments = sorted({days for _, _, days in latest})
    for item, strength, days in latest:
        weight = strength * 2.0 ** ((latest[-1][2] - days) / 10) * (moments.index(days) + 1) ** -exponent
        by_item.setdefault(item, []).append(weight)
    expected = {item: weight_by_rule(of_item) for item, of_item in by_item.items()}
    assert placed(query(events), exponent, count) == pytest.approx(
        {i: w for i, w in expected.items() if w}, rel=1e-5
    )
