"""Neighbour lists as they serve a catalogue, and on disk."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from homefeed.catalog import Resources
from homefeed.retrieve.neighbours import NeighbourLists, ServedLists, named
from homefeed.testing import ModelContract, World, toy_world
from homefeed.testing.requests import toy_history


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


def served(positions: list[int], size: int, *layers: NeighbourLists) -> ServedLists:
    return ServedLists(np.array(positions, np.int32), size, *layers)


def gathered(lists: ServedLists, taste: dict[int, float]) -> list[tuple[int, int, float]]:
    items, weights = np.array(list(taste), np.int32), np.array(list(taste.values()), np.float32)
    return list(zip(*(column.tolist() for column in lists.gather(items, weights)), strict=True))


def best(lists: ServedLists, taste: dict[int, float], eligible: list[bool], k: int = 9) -> dict[int, float]:
    items, weights = np.array(list(taste), np.int32), np.array(list(taste.values()), np.float32)
    positions, scores = lists.best(lists.gather(items, weights), np.array(eligible, np.bool_), k)
    return dict(zip(positions.tolist(), scores.tolist(), strict=True))


def test_rows_and_positions_lead_to_each_other_and_nowhere_where_there_is_none() -> None:
    lists = served([4, -1, 0, 2], 5, LISTS)
    asked = np.array([0, 1, 2, 3, 4, 5, 900, -1], np.int32)
    assert lists.rows_of(asked).tolist() == [2, -1, 3, -1, 0, -1, -1, -1]
    assert served([], 0, lists_of()).rows_of(np.array([0, -1], np.int32)).tolist() == [-1, -1]


def test_neighbours_are_gathered_with_what_they_add_and_dislikes_are_not_named() -> None:
    lists = served([4, -1, 0, 2], 5, LISTS)
    assert gathered(lists, {0: 2.0, 4: -1.0, 9: 1.0}) == [(0, 0, 0.5), (0, 3, -1.0), (-1, 1, -0.5), (-1, 2, -0.25)]
    assert gathered(lists, {}) == []
    assert gathered(lists, {2: 1.0}) == []


def test_the_best_are_summed_eligible_here_and_gain_something() -> None:
    lists = served([4, 1, 0, 2], 5, LISTS)
    everything = [True] * 5
    assert best(lists, {1: 1.0, 0: 2.0}, everything) == {4: 1.0}
    assert best(lists, {4: 1.0, 0: 1.0}, everything) == {1: 0.5, 0: 0.25, 4: 0.25}
    assert best(lists, {4: 1.0, 0: 1.0}, everything, k=1) == {1: 0.5}
    assert best(lists, {4: 1.0}, [True, False, True, True, True]) == {0: 0.25}
    # A mask of a time when the catalogue was smaller.
    assert best(lists, {4: 1.0}, [True]) == {0: 0.25}
    assert best(served([4, -1, 0, 2], 5, LISTS), {4: 1.0}, everything) == {0: 0.25}


def test_the_contributor_is_the_nameable_one_that_added_most() -> None:
    lists = served([4, 1, 0, 2], 5, LISTS)
    items, weights = np.array([1, 0], np.int32), np.array([0.4, 1.0], np.float32)
    gains, asked = lists.gather(items, weights), np.array([4, 2, 9], np.int32)
    assert lists.contributors(gains, np.ones(5, np.bool_), asked).tolist() == [0, -1, -1]
    assert lists.contributors(gains, np.arange(5) == 1, asked).tolist() == [1, -1, -1]
    assert lists.contributors(gains, np.zeros(5, np.bool_), asked).tolist() == [-1, -1, -1]


def test_layers_add_neighbours_and_rows_behind_those_of_the_first() -> None:
    more = lists_of({}, {4: 1.0}, {}, {4: 2.0}, {1: 1.0, 0: 3.0})
    lists = served([0, 1, 2, 3, 7], 8, LISTS, more)
    assert gathered(lists, {1: 1.0, 7: 0.5}) == [(1, 0, 0.5), (1, 4, 1.0), (7, 1, 0.5), (7, 0, 1.5)]
    assert best(lists, {1: 1.0, 3: 1.0}, [True] * 8) == {7: 3.0, 0: 0.5}


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


def test_templates_are_told_once_an_item_and_not_of_none() -> None:
    world = toy_world()
    resources = Resources(world.catalog, world.counters, {}, {"play": "watched"})
    query = world.query("u", history=toy_history(world, {"d1": 1.0}))
    items = np.array([world.position("d1"), -1, world.position("s1")], np.int32)
    said = ["watched Harbour Lights", None, "chose Star Harvest"]
    assert named("{verb} {title}", query, items, resources) == said
