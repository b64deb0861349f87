"""ALS as it is trained: against the loss it minimises, and against `implicit` itself."""

from __future__ import annotations

import sys

import numpy as np
import pytest
from tests.retrieve.events_sample import Events, data_of
from threadpoolctl import threadpool_limits

from homefeed.errors import HomefeedError
from homefeed.retrieve.als.model import AlsConfig, AlsModel
from homefeed.retrieve.als.trainer import AlsTrainer, confidences
from homefeed.testing import TrainerContract
from homefeed.types import TrainingData


class TestAlsTrainer(TrainerContract):
    def make(self) -> AlsTrainer:
        return AlsTrainer(AlsConfig())


def drawn(seed: int = 0, count: int = 3_000, users: int = 300, items: int = 200) -> TrainingData:
    rng = np.random.default_rng(seed)
    columns = rng.integers(users, size=count), rng.integers(items, size=count), rng.uniform(-0.2, 1, count)
    return data_of(list(zip(*(column.tolist() for column in columns), strict=True)), users, items)


def dense(data: TrainingData, alpha: float) -> tuple[list[list[float]], list[int]]:
    matrix, items = confidences(data, alpha)
    return matrix.toarray().tolist(), items.tolist()


def test_confidences_by_hand() -> None:
    events = [
        (0, 1, 0.5),
        (0, 1, 0.25),  # weaker: the stronger stays
        (0, 3, 1.0),
        (2, 1, 1.0),
        (2, 3, -0.5),  # sure of a dislike
        (2, 3, 0.0),  # says nothing
        (2, 4, -1.0),  # nobody likes 4
        (4, 3, -1.0),  # 4 likes nothing
    ]
    assert dense(data_of(events), alpha=10) == ([[6, 11], [11, -6]], [1, 3])


def test_of_opinions_of_one_strength_the_later_counts() -> None:
    stays = [(0, 0, 1.0), (0, 1, 1.0), (1, 1, 1.0)]
    assert dense(data_of([*stays, (1, 1, -1.0)]), alpha=1) == ([[2, 2]], [0, 1])
    assert dense(data_of([(1, 1, -1.0), *stays]), alpha=1) == ([[2, 2], [0, 2]], [0, 1])


def fitted_by_number(config: AlsConfig, data: TrainingData) -> AlsModel:
    """Vectors in the order of `confidences`."""
    model = AlsTrainer(config).fit(data)
    order = np.argsort(model.numbers)
    return AlsModel(model.numbers[order], model.factors[order], model.gram, model.alpha)


def loss(model: AlsModel, data: TrainingData, config: AlsConfig) -> float:
    """Equation 3 of the paper, with the best users' vectors for the items' vectors."""
    matrix, _ = confidences(data, config.alpha)
    total = config.regularization * float((model.factors.astype(np.float64) ** 2).sum())
    for signed in matrix.toarray():
        weights = np.where(signed == 0, 0, np.sign(signed) * (np.abs(signed) - 1) / config.alpha)
        known = np.flatnonzero(weights)
        x = model.fold_in(known.astype(np.int32), weights[known].astype(np.float32)).sum(axis=1).astype(np.float64)
        confidence = np.where(signed == 0, 1, np.abs(signed))
        error = (signed > 0) - model.factors @ x
        total += float(confidence @ error**2 + config.regularization * x @ x)
    return total


def test_the_loss_of_the_paper_falls_to_where_the_last_iterations_change_nothing() -> None:
    data = drawn(count=600, users=60, items=40)
    losses = []
    for iterations in (1, 5, 30, 31):
        config = AlsConfig(factors=4, regularization=2.0, alpha=3.0, iterations=iterations)
        losses.append(loss(fitted_by_number(config, data), data, config))
    assert losses[0] > losses[1] > losses[2]
    assert losses[3] == pytest.approx(losses[2], rel=1e-3)


def test_items_vectors_solve_their_own_equation() -> None:
    """At the end each item's vector is the best for the users' vectors, as each user's is for the items'."""
    data = drawn(count=600, users=60, items=40)
    config = AlsConfig(factors=4, regularization=2.0, alpha=3.0, iterations=200)
    model = fitted_by_number(config, data)
    matrix, _ = confidences(data, config.alpha)
    signed = matrix.toarray()
    weights = np.sign(signed) * np.maximum(np.abs(signed) - 1, 0) / config.alpha
    users = np.stack(
        [model.fold_in(np.arange(len(row), dtype=np.int32), row.astype(np.float32)).sum(axis=1) for row in weights]
    )
    other = AlsModel(
        np.arange(len(users), dtype=np.int32),
        users,
        users.astype(np.float64).T @ users + config.regularization * np.eye(config.factors),
        config.alpha,
    )
    items = np.stack(
        [
            other.fold_in(np.arange(len(row), dtype=np.int32), row.astype(np.float32)).sum(axis=1)
            for row in weights.T
        ]
    )
    np.testing.assert_allclose(items, model.factors, atol=2e-3)


def test_a_user_folded_in_is_the_one_that_implicit_would_solve() -> None:
    from implicit.cpu.als import AlternatingLeastSquares

    data = drawn()
    config = AlsConfig(factors=16)
    model = fitted_by_number(config, data)
    matrix, items = confidences(data, config.alpha)
    with threadpool_limits(1, "blas"):
        als = AlternatingLeastSquares(factors=16, regularization=config.regularization)
        als.item_factors = np.array(model.factors)
        for user in range(20):
            row = matrix[user]
            expected = als.recalculate_user(0, row)
            weights = (np.sign(row.data) * (np.abs(row.data) - 1) / config.alpha).astype(np.float32)
            found = model.fold_in(row.indices, weights).sum(axis=1)
            np.testing.assert_allclose(found, expected, atol=1e-4)
    assert model.numbers.tolist() == (items + 100).tolist()


def test_the_gram_matrix_is_that_of_the_vectors() -> None:
    model = AlsTrainer(AlsConfig(factors=5, regularization=0.25)).fit(drawn(count=300))
    wide = model.factors.astype(np.float64)
    np.testing.assert_allclose(model.gram, wide.T @ wide + 0.25 * np.eye(5))


def test_the_longest_vectors_stand_first() -> None:
    model = AlsTrainer(AlsConfig(factors=5)).fit(drawn())
    lengths = np.linalg.norm(model.factors, axis=1)
    assert (lengths[:-1] >= lengths[1:]).all()
    assert len(set(model.numbers.tolist())) == len(model.numbers) == 200


def test_threads_change_no_bit(monkeypatch: pytest.MonkeyPatch) -> None:
    """`implicit` shares rows between as many threads as there are cores, which differ between machines."""
    from implicit.cpu import als

    original = als.AlternatingLeastSquares

    def fitted(threads: int) -> bytes:
        def make(**settings: object) -> object:
            return original(**(settings | {"num_threads": threads}))

        monkeypatch.setattr(als, "AlternatingLeastSquares", make)
        return AlsTrainer(AlsConfig(factors=16)).fit(drawn()).factors.tobytes()

    assert fitted(1) == fitted(2) == fitted(7)


def test_another_seed_starts_elsewhere() -> None:
    events = [(user, item, 1.0) for user, item in [(0, 0), (0, 1), (1, 1), (1, 2), (2, 0), (2, 2)]]
    one, other = (AlsTrainer(AlsConfig(factors=3)).fit(data_of(events, seed=seed)) for seed in (0, 1))
    assert not np.array_equal(one.factors, other.factors)


@pytest.mark.parametrize("events", [[], [(0, 0, 0.0)], [(0, 0, -1.0), (1, 0, -1.0)]])
def test_where_nobody_likes_anything_there_is_nothing(events: Events) -> None:
    model = AlsTrainer(AlsConfig(factors=3)).fit(data_of(events))
    assert model.numbers.shape == (0,)
    assert model.factors.shape == (0, 3)


@pytest.mark.parametrize("regularization", [1.0, 5.0])
def test_a_single_like_by_hand(regularization: float) -> None:
    # At the end |x|^2 = |y|^2 = v and x = c y / (c v + lambda), so c v + lambda = c: v = 1 - lambda / c, c = 11.
    config = AlsConfig(factors=8, regularization=regularization, alpha=10, iterations=100)
    model = AlsTrainer(config).fit(data_of([(3, 2, 1.0)]))
    assert model.numbers.tolist() == [102]
    score = model.factors @ model.fold_in(np.zeros(1, np.int32), np.ones(1, np.float32))
    assert score.item() == pytest.approx(1 - regularization / 11, rel=1e-3)


def test_without_implicit_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in sys.modules if name.split(".")[0] == "implicit"]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "implicit", None)
    with pytest.raises(HomefeedError, match=r"pip install 'homefeed\[als\]'"):
        AlsTrainer(AlsConfig()).fit(data_of([(0, 0, 1.0)]))


def test_weights_beyond_all_bounds_say_so() -> None:
    events = [(user, item, 1e25) for user in range(5) for item in range(6)]
    with pytest.raises(HomefeedError, match="lower alpha"):
        AlsTrainer(AlsConfig()).fit(data_of(events))
