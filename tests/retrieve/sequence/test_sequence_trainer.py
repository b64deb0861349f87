"""The blend of the views by the formula of the trainer's docstring, computed densely."""

from __future__ import annotations

import numpy as np
import pytest
from tests.retrieve.item_item.item_item_sample import neighbours, weights_of
from tests.retrieve.sequence.sequence_sample import Event, data_of, moments, orders_of

from homefeed.errors import HomefeedError
from homefeed.retrieve.sequence.model import SequenceConfig, SequenceModel
from homefeed.retrieve.sequence.trainer import SequenceTrainer
from homefeed.testing import TrainerContract

USERS, COUNT = 30, 8
TERMS = {"genre": [("a",), ("a", "b"), ("b",), ("b", "c"), ("c",), ("c", "d"), ("d",), ("d", "a")]}


class TestSequenceTrainer(TrainerContract):
    def make(self) -> SequenceTrainer:
        return SequenceTrainer(SequenceConfig())


def events_of(seed: int) -> list[Event]:
    """Every user goes through some of the items in an order of their own."""
    rng = np.random.default_rng(seed)
    return [
        (user, item, float(rng.uniform(0.5, 2)), float(day))
        for user in range(USERS)
        for day, item in enumerate(rng.permutation(COUNT)[: rng.integers(2, COUNT)].tolist())
    ]


def fit(events: list[Event], **config: object) -> SequenceModel:
    data = data_of(events, users=USERS, items=COUNT, terms=TERMS)
    return SequenceTrainer(SequenceConfig.model_validate(config)).fit(data)


def cosines_of_terms() -> np.ndarray:
    words = sorted({word for terms in TERMS["genre"] for word in terms})
    has = np.array([[word in terms for word in words] for terms in TERMS["genre"]], np.float64)
    vectors = has * (np.log((1 + COUNT) / (1 + has.sum(axis=0))) + 1)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    cosines: np.ndarray = vectors @ vectors.T
    np.fill_diagonal(cosines, 0)
    return cosines


@pytest.mark.parametrize(("together", "content"), [(0.0, 0.0), (0.8, 0.0), (0.0, 1.5), (0.8, 1.5)])
def test_weights_are_those_of_the_formula(together: float, content: float) -> None:
    events = events_of(4)
    orders = orders_of(events, USERS)
    before, after = moments(orders, COUNT, 25, 0.7, 1.0, 0.5)
    table = orders.matrix(COUNT).toarray().astype(np.float64)
    gram = table.T @ table
    assert (gram > 0).all()
    np.fill_diagonal(off := gram.copy(), 0)
    of_choices = np.zeros_like(gram)
    for item in range(COUNT):
        near = np.arange(COUNT) != item
        within = gram[np.ix_(near, near)] + 200 * np.eye(COUNT - 1)
        of_choices[near, item] = np.linalg.solve(within, off[near, item])
    views = {
        1.0: np.linalg.solve(before.T @ before + 20 * np.eye(COUNT), before.T @ after) * (off > 0),
        together: of_choices,
        content: cosines_of_terms(),
    }
    decay = np.arange(1, 26, dtype=np.float32) ** -0.7
    asked = orders.latest(np.arange(USERS), COUNT, decay.astype(np.float32)).toarray()
    expected = sum(weight / (asked @ view).std() * view for weight, view in views.items() if weight)
    found = weights_of(fit(events, together=together, content=content))
    np.testing.assert_allclose(found, expected, atol=2e-4 * np.abs(expected).max())


def test_what_nobody_chose_is_a_neighbour_of_what_has_its_words() -> None:
    events = [event for event in events_of(5) if event[1] != 1]
    terms = {"genre": [("rare",), ("rare", "b"), *TERMS["genre"][2:]]}
    data = data_of(events, users=USERS, items=COUNT, terms=terms)
    model = SequenceTrainer(SequenceConfig()).fit(data)
    assert model.derived.tolist() == [item == 1 for item in range(COUNT)]
    assert list(neighbours(model, 1)) == [0]
    assert neighbours(model, 0)[1] > 0
    without = SequenceTrainer(SequenceConfig(content=0)).fit(data)
    assert not neighbours(without, 1)
    assert 1 not in neighbours(without, 0)


def test_the_largest_by_size_are_kept_and_the_largest_come_first() -> None:
    everything, thinned = fit(events_of(6), content=0), fit(events_of(6), content=0, neighbours=3)
    for row in range(COUNT):
        kept = sorted(neighbours(everything, row).items(), key=lambda pair: -abs(pair[1]))[:3]
        assert neighbours(thinned, row) == pytest.approx(dict(kept))
        weights = list(neighbours(thinned, row).values())
        assert weights == sorted(weights, reverse=True)


def test_pairs_of_too_few_users_are_no_neighbours() -> None:
    events: list[Event] = [(user, item, 1.0, float(item)) for user in (0, 1) for item in (0, 1)] + [
        (2, 2, 1.0, 0.0),
        (2, 0, 1.0, 1.0),
    ]
    model = fit(events, min_users=2, content=0)
    assert {row: list(neighbours(model, row)) for row in range(3)} == {0: [1], 1: [0], 2: []}


def test_a_field_that_the_recipe_does_not_declare_is_refused() -> None:
    with pytest.raises(HomefeedError, match='sequence: no field "title"'):
        fit(events_of(4), fields={"title": 1.0})
