"""The blend of the views by the formula of the trainer's docstring, computed densely by numpy."""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import assume, currently_in_test_context, given, settings
from hypothesis import strategies as st
from tests.retrieve.item_item.item_item_sample import (
    Dense,
    common_users,
    data_of,
    data_of_table,
    dense_gram,
    neighbours,
    random_table,
    tables,
    weights_of,
)
from threadpoolctl import threadpool_limits

from homefeed.retrieve.item_item import kernels
from homefeed.retrieve.item_item import trainer as trainer_module
from homefeed.retrieve.item_item.model import ItemItemConfig, ItemItemModel
from homefeed.retrieve.item_item.trainer import ItemItemTrainer, _usual_best
from homefeed.testing import TrainerContract, toy_world
from homefeed.testing.world import NEIGHBOURS, NOW


class TestItemItemTrainer(TrainerContract):
    def make(self) -> ItemItemTrainer:
        return ItemItemTrainer(ItemItemConfig())


def fit(table: Dense, **config: float) -> ItemItemModel:
    return ItemItemTrainer(ItemItemConfig.model_validate(config)).fit(data_of_table(table))


def views_of(table: Dense, config: ItemItemConfig) -> dict[str, Dense]:
    """Each view of all items, (items, items), of pairs that enough users share."""
    shared = common_users(table) >= config.min_users
    gram = dense_gram(table, config.user_exponent)
    own, gram = gram.diagonal(), gram * shared
    total = np.where(table.sum(axis=0) > 0, table.sum(axis=0), 1)
    of_users = np.where(table.sum(axis=1) > 0, table.sum(axis=1), 1)
    damped = gram / (np.outer(total, total) ** config.item_exponent + config.shrinkage)
    foreseen = np.zeros(gram.shape)
    for item in range(len(gram)):
        near = np.flatnonzero(shared[item])
        within = gram[np.ix_(near, near)] + np.diag(own[near] + config.penalty)
        foreseen[near, item] = np.linalg.solve(within, gram[near, item])
    _, values, directions = np.linalg.svd(table / np.sqrt(np.outer(of_users, total)), full_matrices=False)
    values, directions = values[: config.dimensions], directions[: config.dimensions]
    patterns = (directions.T * values) @ directions * np.sqrt(total[None, :] / total[:, None])
    return {"cosine": damped**config.power, "ridge": foreseen, "spectral": patterns * shared}


def blend_of(table: Dense, config: ItemItemConfig) -> Dense:
    """Every view weighed and divided by the standard deviation of the scores it gives to users it tells of."""
    table = table / table[table > 0].mean() if table.any() else table
    shared = common_users(table) >= config.min_users
    asked = table[(table[:, shared.any(axis=0)] > 0).any(axis=1)]
    blend = np.zeros(shared.shape)
    for name, view in views_of(table, config).items():
        if shared.any() and getattr(config, name):
            spread = (asked @ view).std()
            if currently_in_test_context():  # among drawn tables some leave nothing but rounding to divide by
                assume(spread > 0.01 * np.abs(asked @ view).max())
            blend += getattr(config, name) / spread * view
    total = table.sum(axis=0)
    blend /= np.where(total > 0, total, 1)[:, None] ** config.history_exponent
    return blend


@settings(max_examples=40)
@given(
    table=tables,
    cosine=st.sampled_from([0.0, 0.5]),
    ridge=st.sampled_from([0.0, 1.0]),
    shrinkage=st.sampled_from([0.0, 2.0]),
    penalty=st.sampled_from([1.0, 15.0]),
    least=st.sampled_from([1, 2]),
    history=st.sampled_from([0.0, 0.2]),
)
def test_weights_are_those_of_the_formula(
    table: Dense, cosine: float, ridge: float, shrinkage: float, penalty: float, least: int, history: float
) -> None:
    config = ItemItemConfig(
        cosine=cosine,
        ridge=ridge,
        spectral=0,
        cold_item_weight=0,
        shrinkage=shrinkage,
        penalty=penalty,
        min_users=least,
        history_exponent=history,
    )
    expected = blend_of(table, config)
    model = ItemItemTrainer(config).fit(data_of_table(table))
    np.testing.assert_allclose(weights_of(model), expected, rtol=1e-3, atol=1e-4 * np.abs(expected).max(initial=0))


@pytest.mark.parametrize("dimensions", [3, 10])
@pytest.mark.parametrize("weight", [0.0, 1.0])
def test_all_three_views_by_the_formula(dimensions: int, weight: float) -> None:
    rng = np.random.default_rng(8)
    group = np.repeat(np.arange(3), [30, 20, 10])
    table = np.where(rng.random((60, 10)) < np.where(group[:, None] == np.arange(10) % 3, 0.6, 0.03), 1.0, 0.0)
    config = ItemItemConfig(cosine=weight, ridge=weight, spectral=1.5, dimensions=dimensions)
    expected = blend_of(table, config)
    found = weights_of(ItemItemTrainer(config).fit(data_of_table(table)))
    np.testing.assert_allclose(found, expected, atol=2e-3 * np.abs(expected).max())


def test_exponents_of_the_cosine_give_the_cosine_up_to_a_factor() -> None:
    table = np.array([[1, 1, 0], [1, 0, 0], [1, 1, 1], [0, 1, 0], [0, 1, 0]], np.float64)
    exponents = {"user_exponent": 0, "item_exponent": 0.5, "power": 1, "shrinkage": 0, "history_exponent": 0}
    found = weights_of(fit(table, ridge=0, spectral=0, **exponents))
    cosine = np.array([[0, 2 / np.sqrt(12), 1 / np.sqrt(3)], [0, 0, 1 / np.sqrt(4)], [0, 0, 0]])
    np.testing.assert_allclose(found / found[0, 1], (cosine + cosine.T) / cosine[0, 1], rtol=1e-5)


@pytest.mark.parametrize("view", ["cosine", "ridge", "spectral"])
def test_a_single_view_is_that_view_up_to_a_factor_and_the_others_are_not_made(
    view: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> None:
        raise AssertionError("made for nothing")

    made = {"cosine": "damped_cosine", "ridge": "ridge", "spectral": "spectral"}
    for name in made.keys() - {view}:
        monkeypatch.setattr(trainer_module, made[name], refuse)
    table = random_table(1, users=30, items=8)
    weights = {name: float(name == view) for name in made} | {"history_exponent": 0, "power": 0.7}
    found = weights_of(fit(table, **weights))
    expected = views_of(table / table[table > 0].mean(), ItemItemConfig())[view]
    np.testing.assert_allclose(found / found.max(), expected / expected.max(), atol=2e-4)


def test_the_largest_by_size_are_kept_and_the_largest_come_first() -> None:
    table = random_table(2, users=25, items=12, density=0.5)
    everything, thinned = fit(table, penalty=1), fit(table, penalty=1, neighbours=4)
    assert (everything.weights < 0).any()
    for row in range(12):
        whole = neighbours(everything, row)
        assert list(whole.values()) == sorted(whole.values(), reverse=True)
        largest = sorted(whole, key=lambda other: -abs(whole[other]))[:4]
        assert neighbours(thinned, row) == {other: whole[other] for other in whole if other in largest}
        assert list(neighbours(thinned, row)) == [other for other in whole if other in largest]


@settings(max_examples=30)
@given(table=tables, least=st.integers(2, 3))
def test_no_pair_of_fewer_users_has_a_weight(table: Dense, least: int) -> None:
    found = weights_of(fit(table, min_users=least, penalty=0.5))
    assert not found[common_users(table) < least].any()


@settings(max_examples=20)
@given(seed=st.integers(0, 1_000), factor=st.sampled_from([2.0**-10, 0.1, 3.0, 2.0**10]))
def test_strengths_have_no_unit(seed: int, factor: float) -> None:
    table = random_table(seed, users=12, items=8)
    once, often = fit(table), fit(factor * table)
    np.testing.assert_allclose(
        weights_of(often), weights_of(once), rtol=1e-3, atol=1e-3 * np.abs(once.weights).max()
    )
    if np.log2(factor).is_integer():
        np.testing.assert_array_equal(often.indices, once.indices)
        np.testing.assert_array_equal(often.weights, once.weights)


@pytest.mark.parametrize("users", [1, 1_000])
def test_the_only_pair_there_is_is_found_among_any_number_of_users(users: int) -> None:
    table = np.zeros((users, 2 + users))
    table[0, :2] = 1
    table[np.arange(1, users), np.arange(3, 2 + users)] = 1  # everybody else had something nobody else had
    model = fit(table, cold_item_weight=0)
    assert list(neighbours(model, 0)) == [1]
    assert list(neighbours(model, 1)) == [0]
    assert len(model.weights) == 2


def test_two_items_that_everybody_had_are_neighbours() -> None:
    # All scores are the same: their deviation is nothing to divide by.
    model = fit(np.ones((4, 2)))
    assert neighbours(model, 0).keys() == {1}
    assert np.isfinite(model.weights).all()


def test_exact_copies_without_a_penalty_to_speak_of_do_not_stop_the_training() -> None:
    model = fit(np.ones((5, 4)), penalty=1e-9)
    assert len(model.weights) == 12
    assert np.isfinite(model.weights).all()


def test_strengths_near_nothing_stay_finite() -> None:
    events = [(0, 0, 1e-40), (0, 1, 1e-40), (1, 1, 1.0), (1, 2, 1e-30)]
    config = ItemItemConfig(shrinkage=0, item_exponent=1, user_exponent=1, spectral=0)
    model = ItemItemTrainer(config).fit(data_of(events, 2, 4))
    assert np.isfinite(model.weights).all()
    assert len(model.weights) >= 4


def test_dislikes_make_nothing_alike() -> None:
    events = [(0, 0, 1.0), (0, 1, -1.0), (1, 1, 0.0), (1, 0, 1.0)]
    assert len(ItemItemTrainer(ItemItemConfig()).fit(data_of(events, 3, 4)).indices) == 0


def test_of_a_user_with_too_many_items_the_latest_count() -> None:
    data = data_of([(0, item, 1.0) for item in (3, 0, 1, 2, 3)] + [(1, 0, 1.0), (1, 1, 1.0)], 2, 4)
    data = replace(data, interactions=replace(data.interactions, times=NOW + np.arange(7)))
    model = ItemItemTrainer(ItemItemConfig(max_items_per_user=2)).fit(data)
    # User 0 played 3 again, and last: 3 and 2 count, 0 and 1 do not.
    assert [sorted(neighbours(model, row)) for row in range(4)] == [[1], [0], [3], [2]]


def fingerprint(folder: Path) -> str:
    """Of the model of a table large enough for several threads to have something to do.

    BLAS sums in another order where it has other threads, and a test before may have set their number.
    """
    folder.mkdir()
    with threadpool_limits(1, "blas"):
        model = fit(
            random_table(5, users=120, items=600, density=0.05), neighbours=20, candidates=60, dimensions=16
        )
    model.save(folder)
    files = sorted(folder.iterdir())
    return hashlib.sha256(b"".join(file.read_bytes() for file in files)).hexdigest()


def test_however_many_threads_work_the_model_is_the_same(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    found = {fingerprint(tmp_path / "here")}
    for cores in (1, 3):
        monkeypatch.setattr(os, "sched_getaffinity", lambda _process, n=cores: set(range(n)), raising=False)
        found.add(fingerprint(tmp_path / f"of {cores}"))
    monkeypatch.setattr(kernels, "_ROWS_AT_ONCE", 7)
    found.add(fingerprint(tmp_path / "in small parts"))
    assert len(found) == 1


def test_another_process_makes_the_same_model(tmp_path: Path) -> None:
    program = (
        "import sys; from pathlib import Path; sys.path.insert(0, sys.argv[1]);"
        "from tests.retrieve.item_item.test_item_item_trainer import fingerprint;"
        "print(fingerprint(Path(sys.argv[2])))"
    )
    root = str(Path(__file__).parents[3])
    command = [sys.executable, "-c", program, root, str(tmp_path / "there")]
    environment = os.environ | {"PYTHONHASHSEED": "7"}
    told = subprocess.run(command, capture_output=True, text=True, check=True, env=environment)
    assert told.stdout.strip() == fingerprint(tmp_path / "here")


@pytest.mark.parametrize("item_id", NEIGHBOURS)
def test_the_neighbours_everyone_agrees_on(item_id: str) -> None:
    world = toy_world()
    model = world.resources.model("item_item", ItemItemModel)
    assert model is not None
    found = np.array(list(neighbours(model, world.position(item_id))), np.int32)
    assert world.ids(found) == NEIGHBOURS[item_id]


def test_the_usual_best_is_the_median_of_the_largest_of_every_row_that_has_any() -> None:
    starts, weights = np.array([0, 2, 2, 4, 5, 6]), np.array([1, 2, 0, 3, 0, 7], np.float32)
    assert _usual_best(starts, weights) == 3
    assert _usual_best(starts[:5], weights[:5]) == 2.5
    assert _usual_best(np.zeros(4, np.int64), weights[:0]) == 1
