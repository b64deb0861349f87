"""Neighbour lists as they serve a catalogue, and on disk."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from homefeed.retrieve import neighbours as module
from homefeed.retrieve.arrays import marked
from homefeed.retrieve.neighbours import NeighbourLists, ServedLists
from homefeed.testing import ModelContract, World
from homefeed.types import Floats, Mask, Positions


def lists_of(*rows: dict[int, float]) -> NeighbourLists:
    """Lists of these neighbours. The number of a row is 10 times its place."""
    return NeighbourLists(
        np.arange(len(rows), dtype=np.int32) * 10,
        np.cumsum([0, *map(len, rows)]),
        np.array([other for row in rows for other in row], np.int32),
        np.array([weight for row in rows for weight in row.values()], np.float32),
    )


LISTS = lists_of({1: 0.5, 2: 0.25}, {0: 0.5}, {0: 0.25, 3: -0.5}, {})


class TestNeighbourLists(ModelContract):
    def make(self, world: World) -> NeighbourLists:
        return LISTS


def served(positions: list[int], size: int, *lists: NeighbourLists) -> ServedLists:
    return ServedLists(np.array(positions, np.int32), size, *lists)


def seeds_of(weights: dict[int, float]) -> tuple[Positions, Floats]:
    return np.array(list(weights), np.int32), np.array(list(weights.values()), np.float32)


def best(lists: ServedLists, seeds: dict[int, float], eligible: list[bool], k: int = 9) -> dict[int, float]:
    positions, scores = lists.best(seeds_of(seeds), np.array(eligible, np.bool_), k)
    return dict(zip(positions.tolist(), scores.tolist(), strict=True))


def test_the_best_are_summed_eligible_here_and_gain_something() -> None:
    lists = served([4, 1, 0, 2], 5, LISTS)
    everything = [True] * 5
    assert best(lists, {0: 2.0, 1: 1.0}, everything) == {4: 1.0}
    assert best(lists, {0: 1.0, 4: 1.0}, everything) == {4: 0.25, 1: 0.5, 0: 0.25}
    assert best(lists, {0: 1.0, 4: 1.0}, everything, k=1) == {1: 0.5}
    assert best(lists, {4: 1.0}, [True, False, True, True, True]) == {0: 0.25}
    # Items that came since the lists were made.
    assert best(lists, {4: 1.0}, [True, False, True, True, True, True, True]) == {0: 0.25}
    assert best(served([4, -1, 0, 2], 5, LISTS), {4: 1.0}, everything) == {0: 0.25}


def test_seeds_that_lists_do_not_know_add_nothing() -> None:
    lists = served([4, -1, 0, 2], 5, LISTS)
    everything = [True] * 9
    assert best(lists, {}, everything) == {}
    assert best(lists, {1: 1.0, 2: 1.0, 7: 1.0, 900: 1.0}, everything) == {}


def test_a_seed_adds_its_weight_times_that_of_the_neighbour_and_to_itself_that_of_the_nearest() -> None:
    lists = served([4, 1, 0, 2], 5, LISTS)
    seeds, wanted = seeds_of({0: 1.0, 1: 0.5, 2: 1.0, 7: 1.0}), np.array([4, 2, 9, 0, 1], np.int32)
    assert lists.contributions(seeds, wanted).tolist() == [
        [0.25, -0.5, 0, 0.25, 0],
        [0.25, 0, 0, 0, 0.25],
        [0, 0, 0, 0, 0],
        [0, 0, 0, 0, 0],
    ]
    assert lists.contributions(seeds_of({}), wanted).shape == (0, 5)


def test_lists_of_later_items_add_neighbours_and_rows_behind_those_of_the_first() -> None:
    more = lists_of({}, {4: 1.0}, {}, {4: 2.0}, {0: 3.0, 1: 1.0})
    lists = served([0, 1, 2, 3, 7], 8, LISTS, more)
    assert best(lists, {1: 1.0, 3: 1.0}, [True] * 8) == {7: 3.0, 0: 0.5}
    assert best(lists, {7: 0.5}, [True] * 8) == {0: 1.5, 1: 0.5}
    assert lists.contributions(seeds_of({1: 1.0, 7: 0.5}), np.arange(8, dtype=np.int32)).tolist() == [
        [0.5, 1, 0, 0, 0, 0, 0, 1],
        [1.5, 0.5, 0, 0, 0, 0, 0, 1.5],
    ]


@dataclass(frozen=True)
class Case:
    """Random lists over a catalogue whose rows and positions differ, and a request of them."""

    lists: ServedLists
    every: list[tuple[int, int, np.float32]]
    nearest: dict[int, float]
    seeds: tuple[Positions, Floats]
    eligible: Mask


def case_of(seed: int, ties: bool) -> Case:
    rng = np.random.default_rng(seed)
    rows, size = int(rng.integers(1, 60)), int(rng.integers(60, 80))
    positions = np.where(rng.random(rows) < 0.9, rng.permutation(size)[:rows], -1).astype(np.int32)

    def random_lists(count: int) -> NeighbourLists:
        weights = [0.25, 0.5, -0.25] if ties else rng.normal(size=50).tolist()
        return lists_of(
            *(
                {int(o): float(rng.choice(weights)) for o in rng.permutation(rows)[: rng.integers(0, 9)]}
                for _ in range(count)
            )
        )

    own, more = random_lists(int(rng.integers(1, rows + 1))), random_lists(rows)
    items = np.sort(rng.permutation(size + 5)[: rng.integers(0, 12)]).astype(np.int32)
    weights = rng.choice([1, 0.5, -0.5], len(items)).astype(np.float32)
    every = [
        (int(item), int(positions[other]), np.float32(weight) * gain)
        for lists in (own, more)
        for item, gain in zip(items.tolist(), weights, strict=True)
        for row in np.flatnonzero(positions == item)[:1].tolist()
        if row < len(lists.indptr) - 1
        for other, weight in neighbours_of(lists, row)
        if positions[other] >= 0
    ]
    nearest: dict[int, float] = {}
    for lists in (own, more):
        for row in range(len(lists.indptr) - 1):
            first = max((weight for _, weight in neighbours_of(lists, row)[:1]), default=0.0)
            nearest[int(positions[row])] = max(nearest.get(int(positions[row]), 0.0), first)
    served = ServedLists(positions, size, own, more)
    return Case(served, every, nearest, (items, weights), rng.random(size) < 0.8)


def neighbours_of(lists: NeighbourLists, row: int) -> list[tuple[int, float]]:
    part = slice(lists.indptr[row], lists.indptr[row + 1])
    return list(zip(lists.indices[part].tolist(), lists.weights[part].tolist(), strict=True))


@given(st.integers(0, 2**32 - 1), st.booleans(), st.sampled_from([1, 3, 100]))
def test_the_best_by_brute_force(seed: int, ties: bool, k: int) -> None:
    case = case_of(seed, ties)
    sums: dict[int, np.float32] = {}
    for _, position, gain in case.every:
        if case.eligible[position]:
            # Of equals that one comes first whose last gain was added first.
            sums[position] = sums.pop(position, np.float32(0)) + gain
    ranked = sorted(((p, s) for p, s in sums.items() if s > 0), key=lambda found: -found[1])[:k]
    positions, scores = case.lists.best(case.seeds, case.eligible, k)
    assert list(zip(positions.tolist(), scores.tolist(), strict=True)) == [(p, float(s)) for p, s in ranked]
    # What a request leaves behind is nothing that the next one finds.
    again = case.lists.best(case.seeds, case.eligible, k)
    assert again[0].tolist() == positions.tolist()


@given(st.integers(0, 2**32 - 1), st.booleans())
def test_contributions_by_brute_force(seed: int, ties: bool) -> None:
    case = case_of(seed, ties)
    wanted = np.random.default_rng(seed).permutation(90)[:20].astype(np.int32)
    expected = {(item, other): 0.0 for item in case.seeds[0].tolist() for other in wanted.tolist()}
    for item, other, gain in case.every:
        if (item, other) in expected:
            expected[item, other] += float(gain)
    for item, weight in zip(*(column.tolist() for column in case.seeds), strict=True):
        if (item, item) in expected:
            expected[item, item] = weight * case.nearest.get(item, 0.0)
    found = case.lists.contributions(case.seeds, wanted)
    assert found.shape == (len(case.seeds[0]), len(wanted))
    assert found.ravel().tolist() == pytest.approx(list(expected.values()), rel=1e-6)


def test_a_file_that_is_lacking_is_named(tmp_path: Path) -> None:
    LISTS.save(tmp_path)
    (tmp_path / "weights.npy").unlink()
    with pytest.raises(FileNotFoundError, match="weights"):
        NeighbourLists.load(tmp_path)


def test_serving_loads_no_library_of_training() -> None:
    parts = "association", "similar", "item_item"
    loaded = f"import sys, {', '.join(f'homefeed.retrieve.{part}' for part in parts)}; print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", loaded], capture_output=True, text=True, check=True)
    assert not {"mlxtend", "pandas", "sparse_dot_topn"} & set(done.stdout.split())


def test_what_a_row_adds_goes_to_each_place_that_wants_it_and_no_further() -> None:
    lists = np.array([0, 2, 3]), np.array([1, 2, 0], np.int32), np.array([0.5, 0.25, 9], np.float32)
    wanted, added = np.array([2, 1, 2, 7], np.int32), np.ones(4)
    # Not compiled, as compiled code does not check where it reads and writes.
    python = module._add_to_wanted.py_func  # type: ignore[attr-defined]
    for row, expected in ((0, [1.5, 2, 1.5, 1]), (2, [1.5, 2, 1.5, 1]), (-1, [1.5, 2, 1.5, 1])):
        python(row, 2.0, lists, wanted, marked(wanted), added)
        assert added.tolist() == expected
