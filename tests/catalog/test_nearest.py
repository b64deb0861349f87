"""What is near a place: the same as by measuring the way to every item, wherever the place and the items are."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from homefeed.catalog.nearest import nearest, within
from homefeed.catalog.sphere_tree import SphereTree
from homefeed.geo import Place, distances_between, unit_vectors

EDGES = [(90.0, 0.0), (90.0, 77.0), (-90.0, 0.0), (0.0, 180.0), (0.0, -180.0), (12.5, 179.999), (12.5, -179.999)]
spots = st.tuples(st.floats(-90, 90), st.floats(-180, 180)) | st.sampled_from(EDGES)


@dataclass(frozen=True)
class Case:
    """Where items were when the tree was built, where they are now, and what is eligible."""

    place: Place
    tree: SphereTree
    moved: np.ndarray
    places: np.ndarray
    eligible: np.ndarray

    def nearest(self, k: int, max_km: float = math.inf) -> tuple[list[int], list[float]]:
        positions, kms = nearest(
            self.place.unit_vector, *self.tree[:3], self.moved, self.places, self.eligible, k, max_km
        )
        return positions.tolist(), kms.tolist()

    def within(self, km: float) -> list[int]:
        return sorted(within(self.place.unit_vector, *self.tree[:3], self.moved, self.places, km).tolist())

    def all_by_distance(self, max_km: float = math.inf) -> tuple[list[int], list[float]]:
        kms = distances_between(self.place, self.places)
        order = [n for n in np.lexsort((np.arange(len(kms)), kms)).tolist() if kms[n] <= max_km]
        return order, kms.tolist()

    def expected(self, k: int, max_km: float = math.inf) -> tuple[list[int], list[float]]:
        order, kms = self.all_by_distance(max_km)
        found = [n for n in order if self.eligible[n]][:k]
        return found, [kms[n] for n in found]


def case(place: Place, items: Any, moved: Any = (), eligible: Any = None) -> Case:
    """`items` (n, 2) are latitudes and longitudes, `moved` where some are now, by position."""
    before = unit_vectors(*np.array(items, np.float64).reshape(-1, 2).T)
    now = before.copy()
    positions = np.array(sorted(dict(moved)), np.int32)
    for position, spot in dict(moved).items():
        now[position] = unit_vectors(*np.array([spot], np.float64).T)[0]
    mask = np.ones(len(now), np.bool_) if eligible is None else np.array(eligible, np.bool_)
    return Case(place, SphereTree.of(before), positions, now, mask)


@st.composite
def cases(draw: st.DrawFn) -> Case:
    """Few items or many, in one spot or everywhere, some nowhere, some moved; seen from one or from elsewhere."""
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    count = draw(st.integers(0, 60) | st.sampled_from([300, 2_000]))
    some = np.array(draw(st.lists(spots, min_size=1, max_size=20)))
    items = some[rng.integers(len(some), size=count)]
    items += rng.normal(0, draw(st.sampled_from([0.0, 1e-7, 0.01, 20.0])), (count, 2))
    items = np.column_stack([np.clip(items[:, 0], -90, 90), (items[:, 1] + 180) % 360 - 180])
    items[rng.random(count) < draw(st.sampled_from([0.0, 0.3, 1.0]))] = math.nan
    moving = np.flatnonzero(rng.random(count) < draw(st.sampled_from([0.0, 0.2]))).tolist()
    moved = {n: some[rng.integers(len(some))] if rng.random() < 0.8 else (math.nan, math.nan) for n in moving}
    eligible = rng.random(count) < draw(st.sampled_from([0.0, 0.001, 0.05, 0.5, 1.0]))
    return case(
        Place(*draw(st.sampled_from([tuple(spot) for spot in some.tolist()]) | spots)), items, moved, eligible
    )


@settings(max_examples=60, deadline=None)
@given(cases(), st.sampled_from([0, 1, 3, 40, 10_000]), st.sampled_from([math.inf, 1e-6, 5.0, 3_000.0, 20_000.0]))
def test_the_nearest_are_those_of_measuring_the_way_to_all(asked: Case, k: int, max_km: float) -> None:
    assert asked.nearest(k, max_km) == asked.expected(k, max_km)


@settings(max_examples=40, deadline=None)
@given(cases(), st.floats(1e-6, 20_100))
def test_within_is_what_is_not_farther_by_the_same_distances(asked: Case, km: float) -> None:
    assert asked.within(km) == sorted(asked.all_by_distance(km)[0])
    some, kms = asked.expected(3)
    if some and kms[-1] > 0:
        assert some[-1] in asked.within(kms[-1]), "the edge is within"
        assert asked.nearest(3, kms[-1])[0] == some


def test_across_the_antimeridian_and_over_a_pole() -> None:
    items = [(0, 179.9), (0, -179.8), (0, 170), (89.9, 0), (89.8, 180), (-89, 10)]
    assert case(Place(0, -179.9), items).nearest(2)[0] == [1, 0]
    assert case(Place(89.97, 180), items).nearest(2)[0] == [3, 4]
    assert case(Place(-90, 0), items).nearest(1)[0] == [5]
    # On the other side of the pole is nearer than a third of the way round it.
    assert case(Place(89, 0), [(89, 180), (86.9, 0), (86, 0)]).nearest(3)[0] == [0, 1, 2]


def test_the_ellipsoid_decides_and_not_the_sphere() -> None:
    # One degree to the north of the equator is 110.6 km, one to the east 111.3.
    asked = case(Place(0, 0), [(0, 1), (1.003, 0)])
    assert asked.nearest(1)[0] == [1]
    assert asked.nearest(2)[1] == pytest.approx([110.906, 111.319], abs=0.01)


def test_of_one_point_many_times_the_first_are_given() -> None:
    asked = case(Place(48, 2), [(48, 2)] * 3_000, eligible=[n % 2 for n in range(3_000)])
    assert asked.nearest(4) == ([1, 3, 5, 7], [0.0] * 4)
    elsewhere = case(Place(47, 2), [(48, 2)] * 3_000)
    assert elsewhere.nearest(3)[0] == [0, 1, 2]
    assert len(elsewhere.within(112)) == 3_000


def test_one_item_and_none() -> None:
    assert case(Place(1, 1), [(2, 2)]).nearest(5)[0] == [0]
    assert case(Place(1, 1), [(math.nan, math.nan)]).nearest(5) == ([], [])
    assert case(Place(1, 1), []).nearest(5) == ([], [])
    assert case(Place(1, 1), []).within(20_100) == []


def test_a_needle_is_found_in_a_haystack() -> None:
    rng = np.random.default_rng(3)
    items = np.column_stack([rng.normal(48, 0.5, 20_000), rng.normal(2, 0.5, 20_000)])
    items[7_777] = -40, 170
    alone = np.arange(20_000) == 7_777
    assert case(Place(48, 2), items, eligible=alone).nearest(1)[0] == [7_777]
    moved = case(Place(48, 2), items, {7_777: (-41, 170), 5: (48, 2)}, alone)
    assert moved.nearest(2)[0] == [7_777]


def test_a_mask_that_is_shorter_than_the_items_hides_the_later_ones() -> None:
    asked = case(Place(0, 0), [(0, 1), (0, 0.5), (0, 0.1)], {1: (0, 2)}, [True, True])
    assert asked.nearest(5)[0] == [0, 1]
