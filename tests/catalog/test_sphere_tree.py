"""The tree: every item once, in leaves whose boxes hold it."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from homefeed.catalog.sphere_tree import SphereTree
from homefeed.geo import unit_vectors


@given(st.integers(0, 300), st.integers(1, 300), st.integers(0, 2**32 - 1))
def test_every_item_with_a_place_has_one_row_and_its_boxes_hold_it(count: int, distinct: int, seed: int) -> None:
    rng = np.random.default_rng(seed)
    north, east = rng.uniform(-90, 90, distinct), rng.uniform(-180, 180, distinct)
    north[rng.random(distinct) < 0.2] = math.nan
    drawn = rng.integers(distinct, size=count)
    places = unit_vectors(north[drawn], east[drawn])
    tree = SphereTree.of(places)
    known = np.flatnonzero(~np.isnan(places[:, 0]))
    assert sorted(tree.positions[tree.positions >= 0].tolist()) == known.tolist()
    np.testing.assert_array_equal(tree.vectors[tree.rows[known]], places[known])
    assert (tree.positions[tree.rows[known]] == known).all()
    leaves = len(tree.boxes) // 2
    leaf = len(tree.positions) // leaves
    for node in range(1, 2 * leaves) if leaf else ():
        depth = node.bit_length() - 1
        rows = leaf * (leaves >> depth)
        inside = tree.vectors[(node - (1 << depth)) * rows :][:rows]
        assert (tree.boxes[node, :3] == inside.min(axis=0)).all()
        assert (tree.boxes[node, 3:] == inside.max(axis=0)).all()


@pytest.mark.parametrize("count", [0, 1, 32, 33, 64, 65, 1_000])
def test_leaves_are_equally_long_and_none_is_longer_than_32(count: int) -> None:
    places = unit_vectors(np.linspace(-90, 90, count), np.linspace(-180, 180, count))
    tree = SphereTree.of(places)
    leaves = len(tree.boxes) // 2
    assert len(tree.positions) % leaves == 0
    assert len(tree.positions) // leaves <= 32
    assert len(tree.positions) - count < leaves


def test_moved_are_those_elsewhere_now_and_no_more_those_that_came_back() -> None:
    places = unit_vectors(np.array([10.0, 20.0, math.nan, 40.0, 50.0]), np.zeros(5))
    tree = SphereTree.of(places)
    now = unit_vectors(np.array([10.0, 21.0, 30.0, math.nan, 50.0, 60.0, math.nan]), np.zeros(7))

    def moved(before: list[int], changed: list[int]) -> list[int]:
        found: list[int] = tree.moved(np.array(before, np.int32), np.array(changed, np.int32), now).tolist()
        return found

    assert moved([], [0, 1, 2, 3, 4, 5, 6]) == [1, 2, 3, 5]
    assert moved([0, 1, 4], [0, 3]) == [1, 3, 4]
    assert moved([3], [1, 5]) == [1, 3, 5]
    assert moved([1, 3], []) == [1, 3]
