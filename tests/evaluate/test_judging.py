"""What lists are worth, and what items are compared by."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from homefeed.evaluate.judging import (
    CURVE,
    MAIN,
    METRICS,
    PER_USER,
    TESTED,
    figures_of,
    item_vectors,
    judge_lists,
    popularity_of,
    recall_curves,
    values_of,
)
from homefeed.evaluate.setting import Setting, set_up
from homefeed.testing import World, make_world, toy_world
from homefeed.testing.world import ITEMS, PLAYS, RECIPE
from homefeed.types import Positions

TARGETS = [np.array([1, 2], np.int32), np.array([5], np.int32)]
LISTS = {
    "good": [np.array([1, 2, 3], np.int32), np.array([5, 0], np.int32)],
    "poor": [np.array([9, 1], np.int32), np.array([], np.int32)],
}


def _setting(world: World) -> Setting:
    return set_up(world.recipe, world.catalog, world.data, world.data.interactions, world.data.now)


def test_every_measure_has_a_value_for_every_user() -> None:
    popularity, vectors = np.full(12, 0.5), np.eye(12, dtype=np.float32)
    values = values_of(LISTS, judge_lists(LISTS, TARGETS), popularity, vectors)
    for row in values.values():
        assert list(row) == [*METRICS, "novelty@20", "diversity@20"]
        assert all(len(column) == 2 for column in row.values())
    assert values["good"]["recall@20"].tolist() == values["good"]["ndcg@10"].tolist() == [1, 1]
    assert values["poor"]["recall@20"].tolist() == [0.5, 0]
    assert values["poor"]["map@10"].tolist() == [0.25, 0]
    assert values["good"]["novelty@20"].tolist() == [1, 1]
    assert values["poor"]["diversity@20"].tolist() == [1, 0]


def test_figures_are_of_the_whole_system() -> None:
    figures = figures_of(LISTS, np.ones(10, np.bool_))
    assert figures["good"]["coverage@20"] == 5 / 10
    assert figures["poor"]["coverage@20"] == 2 / 10
    assert 0 < figures["good"]["gini@20"] < figures["poor"]["gini@20"] < 1


def test_recall_at_every_depth() -> None:
    curves = recall_curves(judge_lists(LISTS, TARGETS))
    assert curves["good"][:2] == (0.75, 1.0)
    assert curves["poor"][:3] == (0.0, 0.25, 0.25)
    assert all(len(curve) == len(CURVE) for curve in curves.values())


@pytest.mark.parametrize("depth", [1, 2, 3, 5, 7, 10, 15, 20, 30, 50, 70, 100])
def test_what_stands_at_a_depth_is_recalled_from_there_on(depth: int) -> None:
    ranked, target = np.arange(100, dtype=np.int32), np.array([depth - 1], np.int32)
    [curve] = recall_curves(judge_lists({"system": [ranked]}, [target])).values()
    assert curve == tuple(float(k >= depth) for k in CURVE)
    assert depth in CURVE


def test_accuracy_is_of_ten_and_of_twenty() -> None:
    ranked, popularity, vectors = np.arange(20, dtype=np.int32), np.full(20, 0.5), np.eye(20, dtype=np.float32)
    lists, targets = {"system": [ranked] * 2}, [np.array([9], np.int32), np.array([19], np.int32)]
    [values] = values_of(lists, judge_lists(lists, targets), popularity, vectors).values()
    assert values["recall@10"].tolist() == values["hit_rate@10"].tolist() == [1, 0]
    assert values["recall@20"].tolist() == values["hit_rate@20"].tolist() == [1, 1]
    assert values["mrr@10"].tolist() == pytest.approx([1 / 10, 0])
    assert values["map@20"].tolist() == pytest.approx([1 / 10, 1 / 20])
    assert values["ndcg@20"].tolist() == pytest.approx([1 / np.log2(11), 1 / np.log2(21)])


def test_what_is_shown_and_tested_is_measured() -> None:
    assert set(TESTED) | set(PER_USER) <= set(METRICS)
    assert set(MAIN) <= {*METRICS, "coverage@20"}


def test_popularity_is_the_share_of_users_of_the_past() -> None:
    world = toy_world()
    shares = popularity_of(world.data.interactions, world.catalog.size)
    users = len(np.unique(world.data.interactions.users))
    [d1, x1] = world.positions("d1", "x1").tolist()
    assert shares[d1] == pytest.approx(6 / (users + 1)), "five had it, and one more user has all"
    assert shares[x1] == pytest.approx(1 / (users + 1))


def _likeness(world: World, vectors: np.ndarray, one: str, other: str) -> float:
    return float(vectors[world.position(one)] @ vectors[world.position(other)])


def test_items_are_compared_by_the_content_model() -> None:
    world = toy_world()
    setting = _setting(world)
    vectors = item_vectors(setting, world.data)
    model = setting.models["content"]
    np.testing.assert_array_equal(vectors, model.vectors)  # type: ignore[attr-defined]


def test_an_app_without_a_content_model_compares_by_the_words_of_all_fields() -> None:
    feeds = {"popular": RECIPE["feeds"]["popular"]}
    declared = {**{k: v for k, v in RECIPE.items() if k != "models"}, "feeds": feeds}
    world = make_world(ITEMS, PLAYS, declared=declared)
    vectors = item_vectors(_setting(world), world.data)
    assert vectors.shape[0] == world.catalog.size
    lengths = np.linalg.norm(vectors, axis=1)
    assert np.allclose(lengths[world.positions("d1", "s1")], 1, atol=1e-5)
    assert lengths[world.position("x1")] == 0, "nothing is known of it"
    assert _likeness(world, vectors, "d1", "d4") > _likeness(world, vectors, "d1", "s1")


def test_vectors_are_of_the_catalogue_as_it_is_now() -> None:
    world = toy_world()
    setting = _setting(world)
    world.catalog.apply([replace(ITEMS[0], item_id="later", number=999)])
    vectors = item_vectors(setting, world.data)
    assert len(vectors) == world.catalog.size == len(ITEMS) + 1
    assert not vectors[-1].any()


def test_lists_of_a_system_that_found_nothing_are_judged() -> None:
    nothing: dict[str, list[Positions]] = {"none": [np.empty(0, np.int32)] * 2}
    values = values_of(nothing, judge_lists(nothing, TARGETS), np.full(12, 0.5), np.eye(12, dtype=np.float32))
    assert all(not column.any() for column in values["none"].values())
