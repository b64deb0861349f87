"""Counters: brought up event by event they say what a count of all events would."""

from __future__ import annotations

import random
from collections.abc import Iterable
from itertools import count

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from homefeed.catalog import CatalogView, Counters, SignalsModel
from homefeed.catalog.columns import CategoryColumn
from homefeed.testing import Play, World, make_world, toy_item, toy_world
from homefeed.testing.world import ITEMS, NOW, PLAYS, RECIPE
from homefeed.types import DAY, Item

HALF_LIFE = 2 * DAY
STRANGERS = count(1_000)


def counters(items: int = 3) -> Counters:
    catalog = CatalogView({"title": "text", "kind": "category"}, "title")
    catalog.apply(Item(f"i{n}", n, {"kind": "movie"}, None) for n in range(items))
    return Counters(catalog, HALF_LIFE, "kind", 100.0)


def add(to: Counters, events: Iterable[tuple[int, float, float]], user: int | None = None) -> None:
    """Events as (position, strength, days after NOW), of one user or each of another."""
    positions, strengths, days = zip(*events, strict=True)
    times = np.array([NOW + int(day * DAY) for day in days], np.int64)
    users = [next(STRANGERS) if user is None else user for _ in positions]
    to.add(np.array(users, np.int32), np.array(positions, np.int32), np.array(strengths, np.float32), times)


def trend(of: Counters, days: float) -> list[float]:
    now = NOW + int(days * DAY)
    left: list[float] = (of.trend * of.trend_at(now)).tolist()
    return left


def test_strength_halves_with_every_half_life() -> None:
    counted = counters()
    add(counted, [(0, 1.0, 0), (1, 0.5, 2), (0, 1.0, 4)])
    assert counted.events.tolist() == [2, 1, 0]
    assert counted.strength.tolist() == [2, 0.5, 0]
    assert trend(counted, 4) == pytest.approx([1.25, 0.25, 0])
    assert trend(counted, 6) == pytest.approx([0.625, 0.125, 0])


def test_dislikes_make_nothing_popular_and_take_no_strength() -> None:
    counted = counters()
    add(counted, [(0, 1.0, 0), (0, -1.0, 0), (1, -1.0, 0)])
    assert counted.events.tolist() == [1, 0, 0]
    assert counted.strength.tolist() == [1, 0, 0]
    assert trend(counted, 0) == [1, 0, 0]


def test_an_event_of_no_strength_is_an_event() -> None:
    counted = counters()
    add(counted, [(0, 0.0, 0), (0, 0.0, 1), (1, -0.5, 0)])
    assert counted.events.tolist() == [2, 0, 0]
    assert counted.strength.tolist() == [0, 0, 0]


def test_events_of_items_no_longer_here_are_left_out() -> None:
    counted = counters()
    before = counted.version
    add(counted, [(-1, 1.0, 0)])
    assert counted.version == before
    add(counted, [(-1, 1.0, 0), (2, 1.0, 0)])
    assert counted.events.tolist() == [0, 0, 1]
    assert counted.version > before


def test_an_event_that_comes_late_counts_by_its_own_time() -> None:
    counted = counters()
    add(counted, [(0, 1.0, 0)])
    add(counted, [(1, 1.0, -4)])
    assert trend(counted, 0) == pytest.approx([1, 0.25, 0])


@given(
    st.lists(
        st.tuples(st.integers(0, 2), st.floats(0, 1, width=16), st.floats(0, 4_000, width=16)),
        min_size=1,
        max_size=8,
    )
)
def test_moving_the_landmark_changes_no_trend(events: list[tuple[int, float, float]]) -> None:
    counted = counters()
    for event in sorted(events, key=lambda event: event[2]):
        add(counted, [event])
    last = max(day for _, _, day in events)
    expected = np.zeros(3)
    for position, strength, day in events:
        expected[position] += strength * 2.0 ** ((day - last) / 2)
    assert trend(counted, last) == pytest.approx(expected.tolist(), rel=1e-6, abs=1e-12)
    assert np.isfinite(counted.trend).all()


def test_times_far_from_the_landmark_stay_finite() -> None:
    counted = counters()
    add(counted, [(0, 1.0, 0)])
    for days in (-100_000, 100_000):
        assert np.isfinite(trend(counted, days)).all()
    add(counted, [(1, 1.0, 50_000), (2, 1.0, -50_000)])
    assert trend(counted, 50_000) == pytest.approx([0, 1, 0])


class TestOncePerUser:
    def test_what_one_user_repeats_counts_as_their_strongest_event(self) -> None:
        counted = counters()
        add(counted, [(0, 0.5, 0)] * 300, user=1)
        assert (counted.events[0], counted.strength[0], trend(counted, 0)[0]) == pytest.approx((1, 0.5, 0.5))
        add(counted, [(0, 0.75, 0), (0, 0.25, 0)], user=1)
        assert (counted.events[0], counted.strength[0], trend(counted, 0)[0]) == pytest.approx((1, 0.75, 0.75))
        add(counted, [(0, 0.5, 0), (1, 0.5, 0)], user=2)
        assert counted.events.tolist() == [2, 1, 0]
        assert counted.strength.tolist() == [1.25, 0.5, 0]

    def test_in_a_trend_that_event_counts_of_which_most_is_left(self) -> None:
        counted = counters()
        add(counted, [(0, 1.0, 0), (0, 0.75, 4)], user=1)
        assert counted.strength[0] == 1
        assert trend(counted, 4)[0] == pytest.approx(0.75), "not 1.0, of which a quarter is left"
        add(counted, [(0, 1.0, 2)], user=1)
        assert trend(counted, 4)[0] == pytest.approx(0.75)

    def test_without_it_every_event_counts(self) -> None:
        counted = Counters(counters().catalog, HALF_LIFE, "kind", 100.0, once_per_user=False)
        add(counted, [(0, 0.5, 0)] * 3, user=1)
        assert (counted.events[0], counted.strength[0], trend(counted, 0)[0]) == (3, 1.5, 1.5)

    def test_many_pairs_are_each_counted_once(self) -> None:
        """More than there is room for at first, and half of them again."""
        rng = np.random.default_rng(7)
        counted = counters(50)
        users, items = rng.integers(0, 200, 20_000), rng.integers(0, 50, 20_000)
        for rows in np.array_split(np.arange(20_000), 9):
            ones, times = np.ones(len(rows), np.float32), np.full(len(rows), NOW, np.int64)
            counted.add(users[rows].astype(np.int32), items[rows].astype(np.int32), ones, times)
        pairs = np.unique(np.stack([users, items]), axis=1)
        assert counted.events.tolist() == np.bincount(pairs[1], minlength=50).tolist()
        assert counted.strength.tolist() == counted.events.tolist()


Told = tuple[int, int, float, float]


@given(
    st.lists(
        st.tuples(
            st.integers(0, 3), st.integers(0, 2), st.sampled_from([-1, 0, 0.25, 0.5, 1]), st.integers(0, 20)
        ),
        min_size=1,
        max_size=30,
    ),
    st.randoms(use_true_random=False),
    st.sampled_from(["users", "events"]),
)
def test_in_whatever_order_and_from_whatever_training_on_the_counts_are_the_same(
    events: list[Told], order: random.Random, count: str
) -> None:
    """Live from nothing, from a training of some of the events on, and by a training of all: one and the same."""
    types = {"play": {"weight": 1.0, "full": 1.0}, "bad": {"weight": -1.0}}
    declared = {**RECIPE, "events": types, "signals": {"trending_half_life_days": 2, "count": count}}
    items = [toy_item(n, f"i{n}", 100, title=f"Title {n}") for n in range(3)]

    def world(some: list[Told]) -> World:
        plays = [
            Play(f"u{user}", f"i{item}", abs(strength), 30 - days, "bad" if strength < 0 else "play")
            for user, item, strength, days in some
        ]
        return make_world(items, plays, declared=declared)

    whole, cut = world(events), order.randint(0, len(events))
    early, late = events[:cut], events[cut:]
    order.shuffle(late)
    # Rows of users are in the order of their first event: each world has its own, so the rest goes by the first's.
    row_of = {user: row for row, user in enumerate(dict.fromkeys(user for user, *_ in early))}
    for user, *_ in late:
        row_of.setdefault(user, len(row_of))
    begun = world(early).counters
    for user, item, strength, days in late:
        add(begun, [(item, strength, days - 30)], user=row_of[user])
    now = (NOW - begun.landmark) / DAY
    assert begun.events.tolist() == whole.counters.events.tolist()
    assert begun.strength.tolist() == pytest.approx(whole.counters.strength.tolist())
    assert trend(begun, now) == pytest.approx(trend(whole.counters, now), rel=1e-9)


def test_counters_grow_with_the_catalogue() -> None:
    counted = counters(1)
    assert counted.events.tolist() == [0]
    counted.catalog.apply([Item("new", 77, {}, None)])
    assert [len(column) for column in (counted.events, counted.strength, counted.trend, counted.full)] == [2] * 4
    add(counted, [(1, 1.0, 0)])
    assert counted.events.tolist() == [0, 1]


def test_an_item_nobody_played_has_the_full_value_of_its_group() -> None:
    world = toy_world()
    counted = world.counters
    world.catalog.apply(
        [
            Item("short", 900, {"content_type": "microdrama"}, None),
            Item("other", 901, {"content_type": "radio"}, None),
            Item("plain", 902, {}, None),
        ]
    )
    assert counted.full[world.positions("short", "other", "plain")].tolist() == [120, 3600, 3600]


def test_items_of_a_group_that_comes_while_counters_grow_have_a_full_value(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Events come while a thread sorts the counters anew: groups are looked up of the items as they were."""
    world = toy_world()
    world.catalog.apply([Item("short", 900, {"content_type": "microdrama"}, None)])
    value = CategoryColumn.value

    def while_others_come(self: CategoryColumn, code: int) -> str:
        for new in range(3):
            self.set(int(world.positions("short")[0]), f"new {code} {new}")
        return value(self, code)

    monkeypatch.setattr(CategoryColumn, "value", while_others_come)
    assert world.counters.full[world.positions("short")].tolist() == [120]


def test_a_model_of_half_the_log_and_the_other_half_live_make_the_whole() -> None:
    whole = toy_world()
    early = sorted(PLAYS, key=lambda play: -play.days_ago)[:15]
    half = make_world(ITEMS, early)
    rest = whole.data.interactions.take(slice(15, None))
    half.counters.add(rest.users, rest.items, rest.strengths, rest.times)
    for name in ("events", "strength"):
        np.testing.assert_allclose(getattr(half.counters, name), getattr(whole.counters, name), err_msg=name)
    np.testing.assert_allclose(
        half.counters.trend * half.counters.trend_at(NOW), whole.counters.trend * whole.counters.trend_at(NOW)
    )
    items = np.arange(len(ITEMS), dtype=np.int32)
    recent = half.counters.recent_at(items, NOW)
    np.testing.assert_allclose(recent, whole.counters.recent_at(items, NOW))
    assert recent.max() > 0


def test_a_user_counts_once_in_the_last_hour_day_and_week_and_not_for_a_dislike() -> None:
    counted, day = counters(), 86_400_000_000
    users, items = np.array([7, 7, 8, 9], np.int32), np.array([1, 1, 1, 2], np.int32)
    strengths = np.array([1, 1, 1, -1], np.float32)
    counted.add(users, items, strengths, np.full(4, NOW - day))
    counted.add(users[:1], items[:1], strengths[:1], np.array([NOW]))
    recent = counted.recent_at(np.arange(3, dtype=np.int32), NOW)
    np.testing.assert_allclose(recent[1], 2 * np.exp([-24, -1, -1 / 7]))
    assert not recent[[0, 2]].any()


def test_a_model_of_items_that_are_gone_fills_only_those_here() -> None:
    signals = SignalsModel(
        numbers=np.array([50, 1], np.int32),
        events=np.array([9.0, 4.0]),
        strength=np.array([9.0, 2.0]),
        trend=np.array([9.0, 1.0]),
        full=np.array([9, 60], np.float32),
        group_full={"movie": 30.0},
        default_full=10.0,
        landmark=NOW,
        watermark=7,
    )
    counted = Counters.from_model(signals, counters(3).catalog, HALF_LIFE, "kind")
    assert counted.events.tolist() == [0, 4, 0]
    assert counted.trend.tolist() == [0, 1, 0]
    assert counted.full.tolist() == [30, 60, 30]
    assert (counted.landmark, counted.watermark) == (NOW, 7)


class TestDistinct:
    def told(self, to: Counters, *pairs: tuple[int, int], event_type: str = "report") -> None:
        """Users and items by their numbers."""
        users, items = zip(*pairs, strict=True)
        to.add_distinct(event_type, np.array(users, np.int32), np.array(items, np.int32))

    def test_a_user_counts_once_for_an_item(self) -> None:
        counted = counters()
        assert counted.distinct("report").tolist() == [0, 0, 0]
        self.told(counted, (7, 0), (7, 0), (8, 0), (7, 2))
        self.told(counted, (8, 0), (9, 0))
        assert counted.distinct("report").tolist() == [3, 0, 1]

    def test_each_event_type_by_itself(self) -> None:
        counted = counters()
        self.told(counted, (7, 0))
        self.told(counted, (7, 1), event_type="like")
        assert counted.distinct("report").tolist() == [1, 0, 0]
        assert counted.distinct("like").tolist() == [0, 1, 0]

    def test_items_that_are_not_here_do_not_count_and_new_ones_do(self) -> None:
        counted = counters(2)
        self.told(counted, (7, 1), (7, 50), (7, -1))
        counted.catalog.apply([Item("new", 60, {}, None), Item("i0", 0, {}, None, deleted=True)])
        self.told(counted, (7, 60), (7, 0))
        assert counted.distinct("report").tolist() == [0, 1, 1]

    def test_every_change_is_a_new_version(self) -> None:
        """By it parts know that what they keep is no longer so."""
        counted = counters()
        before = counted.version
        self.told(counted, (7, 0))
        assert counted.version > before

    def test_a_model_brings_its_pairs(self) -> None:
        pairs = np.array([[7, 0], [8, 0], [7, 2], [7, 90]], np.int32)
        nothing = np.zeros(0)
        signals = SignalsModel(
            numbers=np.zeros(0, np.int32), events=nothing, strength=nothing, trend=nothing,
            full=np.zeros(0, np.float32), group_full={}, default_full=10.0, landmark=NOW, watermark=7,
            distinct={"report": pairs},
        )  # fmt: skip
        counted = Counters.from_model(signals, counters(3).catalog, HALF_LIFE, None)
        assert counted.distinct("report").tolist() == [2, 0, 1]
        self.told(counted, (7, 0), (9, 2))
        assert counted.distinct("report").tolist() == [2, 0, 2]


def test_pairs_are_what_each_user_did_counted_or_live() -> None:
    counted = counters()
    add(counted, [(0, 0.5, 0), (2, 1.0, 1), (0, 1.0, 2), (1, -1.0, 2)], user=5)
    add(counted, [(2, 0.25, 0)], user=3)
    pairs = counted.pairs
    assert pairs is not None
    assert ((pairs.keys >> 32).tolist(), pairs.items.tolist()) == ([3, 5, 5], [2, 0, 2])
    assert pairs.strengths.tolist() == [0.25, 1.0, 1.0]
    later = Counters(counted.catalog, HALF_LIFE, "kind", 100.0, pairs=pairs)
    add(later, [(2, 0.5, 3)], user=3)
    add(later, [(1, 0.75, 3)], user=4)
    found = later.pairs
    assert found is not None
    assert ((found.keys >> 32).tolist(), found.items.tolist()) == ([3, 4, 5, 5], [2, 1, 0, 2])
    assert found.strengths.tolist() == [0.5, 0.75, 1.0, 1.0]
    assert Counters(counted.catalog, HALF_LIFE, None, 100.0, once_per_user=False).pairs is None
