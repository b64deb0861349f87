"""What counts as having had enough of something."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from homefeed.policy.consumption_limit import ConsumptionLimit
from homefeed.protocols import Filter
from homefeed.testing import FilterContract, World, toy_world
from homefeed.testing.world import ITEMS, NOW
from homefeed.types import History

WORLD = toy_world()


def consumption_limit(world: World, **config: float) -> ConsumptionLimit:
    return ConsumptionLimit(ConsumptionLimit.Config.model_validate(config), world.resources)


def watched(world: World, *plays: tuple[str, float]) -> History:
    """Plays of an item for so many seconds."""
    count = len(plays)
    return History(
        world.positions(*(item_id for item_id, _ in plays)),
        np.zeros(count, np.int32),
        np.array([seconds for _, seconds in plays], np.float32),
        np.ones(count, np.float32),
        NOW - np.arange(count, 0, -1, dtype=np.int64),
    )


def gone(world: World, *plays: tuple[str, float], **config: float) -> set[str]:
    """What the filter takes out for someone with those plays."""
    mask = consumption_limit(world, **config).filter(world.query("u", history=watched(world, *plays)))
    return set(world.ids(np.flatnonzero(~mask).astype(np.int32)))


class TestConsumptionLimit(FilterContract):
    def make(self, world: World) -> Filter:
        return consumption_limit(world)


@pytest.mark.parametrize(
    ("item_id", "seconds", "enough"),
    [
        # A typical full watch of d1 is 3,600 s: half of it and 1,800 s are the same.
        ("d1", 1799, False),
        ("d1", 1800, True),
        ("d1", 3600, True),
        # Of the microdrama c1 it is 120 s.
        ("c1", 59, False),
        ("c1", 60, True),
        ("c1", 0, False),
    ],
)
def test_half_a_typical_full_watch(item_id: str, seconds: float, enough: bool) -> None:
    assert gone(WORLD, (item_id, seconds)) == ({item_id} if enough else set())


def test_or_1800_seconds_whichever_is_first() -> None:
    world = toy_world()
    world.counters.full[world.position("d1")] = 9_000
    assert gone(world, ("d1", 1799)) == set()
    assert gone(world, ("d1", 1800)) == {"d1"}
    assert gone(world, ("d1", 1800), value=1e9) == set()
    assert gone(world, ("d1", 4500), value=1e9) == {"d1"}


def test_several_plays_add_up() -> None:
    assert gone(WORLD, ("d1", 900), ("c1", 30), ("d1", 899)) == set()
    assert gone(WORLD, ("d1", 900), ("c1", 30), ("d1", 900), ("c1", 30)) == {"d1", "c1"}


def test_both_thresholds_can_be_set() -> None:
    assert gone(WORLD, ("d1", 360), ("c1", 11), share=0.1) == {"d1"}
    assert gone(WORLD, ("d1", 60), ("c1", 59), value=60) == {"d1"}
    assert gone(WORLD, ("d1", 1e9), ("c1", 120), share=1.0, value=1e9) == {"d1", "c1"}


def test_a_like_without_a_value_leaves_the_item_alone() -> None:
    assert gone(WORLD, ("d1", math.nan)) == set()
    assert gone(WORLD, ("d1", math.nan), ("d1", 1800)) == {"d1"}


def test_a_title_nobody_else_watched_goes_by_what_its_kind_takes() -> None:
    # s4 is a movie, and movies typically take 3,600 s.
    assert gone(WORLD, ("s4", 1799), ("x1", 1799)) == set()
    assert gone(WORLD, ("s4", 1800), ("x1", 1800)) == {"s4", "x1"}


def test_newcomers_have_had_enough_of_nothing() -> None:
    assert consumption_limit(WORLD).filter(WORLD.query()).all()


@given(
    st.lists(
        st.tuples(
            st.sampled_from([item.item_id for item in ITEMS]), st.sampled_from([0.0, 20.0, 60.0, 900.0, 1800.0])
        ),
        max_size=20,
    )
)
def test_sums_by_brute_force(plays: list[tuple[str, float]]) -> None:
    expected = set()
    for item in ITEMS:
        total = sum(seconds for item_id, seconds in plays if item_id == item.item_id)
        full = float(WORLD.counters.full[WORLD.position(item.item_id)])
        if total >= min(0.5 * full, 1800):
            expected.add(item.item_id)
    assert gone(WORLD, *plays) == expected
