"""Similarities by the formula of the trainer's docstring, computed pair by pair."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from homefeed.retrieve.item_item.model import ItemItemConfig, ItemItemModel
from homefeed.retrieve.item_item.trainer import ItemItemTrainer
from homefeed.testing import TrainerContract, toy_world
from homefeed.testing.world import NEIGHBOURS, NOW
from homefeed.types import Interactions, TrainingData

Events = list[tuple[int, int, float]]

USERS, ITEMS = 5, 6


class TestItemItemTrainer(TrainerContract):
    def make(self) -> ItemItemTrainer:
        return ItemItemTrainer(ItemItemConfig())


def data_of(events: Events, items: int = ITEMS) -> TrainingData:
    """Events as (user, item, strength)."""
    users, positions, strengths = zip(*events, strict=True) if events else ((), (), ())
    count = len(events)
    interactions = Interactions(
        np.array(users, np.int32),
        np.array(positions, np.int32),
        np.zeros(count, np.int32),
        np.zeros(count, np.float32),
        np.array(strengths, np.float32),
        np.full(count, NOW, np.int64),
    )
    return TrainingData(interactions, USERS, np.arange(items, dtype=np.int32), {}, NOW)


def neighbours(model: ItemItemModel, row: int) -> dict[int, float]:
    part = slice(model.indptr[row], model.indptr[row + 1])
    return dict(zip(model.indices[part].tolist(), model.weights[part].tolist(), strict=True))


def by_formula(events: Events, config: ItemItemConfig) -> np.ndarray:
    """(items, items) similarities."""
    r = np.zeros((USERS, ITEMS))
    for user, item, strength in events:
        r[user, item] = max(r[user, item], strength)
    of_user, of_item = r.sum(axis=1), r.sum(axis=0) ** config.item_exponent
    damped = np.where(of_user > 0, of_user, 1) ** -config.user_exponent
    together = np.einsum("u,ui,uj->ij", damped, r, r)
    np.fill_diagonal(together, 0)
    scale = np.outer(of_item, of_item) + config.shrinkage
    similar: np.ndarray = (
        np.divide(together, scale, where=together > 0, out=np.zeros_like(together)) ** config.power
    )
    return similar


strengths = st.sampled_from([-1.0, 0.0, 0.125, 0.5, 1.0, 3.0])
events_of = st.lists(st.tuples(st.integers(0, USERS - 1), st.integers(0, ITEMS - 1), strengths), max_size=25)


@settings(max_examples=60)
@given(
    events=events_of,
    user=st.sampled_from([0.0, 0.5, 1.0]),
    item=st.sampled_from([0.0, 0.4, 0.5]),
    power=st.sampled_from([0.5, 1.0]),
    shrinkage=st.sampled_from([0.0, 2.0]),
)
def test_similarities_are_those_of_the_formula(
    events: Events, user: float, item: float, power: float, shrinkage: float
) -> None:
    config = ItemItemConfig(user_exponent=user, item_exponent=item, power=power, shrinkage=shrinkage)
    model = ItemItemTrainer(config).fit(data_of(events))
    expected = by_formula(events, config)
    for row in range(ITEMS):
        found = neighbours(model, row)
        assert found == pytest.approx(
            {j: expected[row, j] for j in range(ITEMS) if expected[row, j] > 0}, rel=1e-5
        )
        assert list(found.values()) == sorted(found.values(), reverse=True)


def test_exponents_of_the_cosine_give_the_cosine() -> None:
    events = [(0, 0, 1.0), (0, 1, 1.0), (1, 0, 1.0), (2, 1, 1.0), (3, 1, 1.0)]
    config = ItemItemConfig(user_exponent=0, item_exponent=0.5, power=1, shrinkage=0)
    model = ItemItemTrainer(config).fit(data_of(events))
    assert neighbours(model, 0) == pytest.approx({1: 1 / np.sqrt(2 * 3)})


def test_a_pair_is_as_strong_as_its_strongest_event() -> None:
    once = ItemItemTrainer(ItemItemConfig()).fit(data_of([(0, 0, 1.0), (0, 1, 0.5)]))
    often = ItemItemTrainer(ItemItemConfig()).fit(data_of([(0, 1, 0.25), (0, 0, 1.0), (0, 1, 0.5), (0, 0, 0.125)]))
    assert neighbours(often, 0) == neighbours(once, 0) != {}


def test_dislikes_make_nothing_alike() -> None:
    model = ItemItemTrainer(ItemItemConfig()).fit(data_of([(0, 0, 1.0), (0, 1, -1.0), (1, 1, 0.0), (1, 0, 1.0)]))
    assert len(model.indices) == 0


def test_only_the_strongest_neighbours_are_kept() -> None:
    events = [(0, item, 1.0) for item in range(4)] + [(1, 0, 1.0), (1, 3, 1.0)]
    model = ItemItemTrainer(ItemItemConfig(neighbours=1)).fit(data_of(events))
    assert list(neighbours(model, 0)) == [3]
    assert list(neighbours(model, 3)) == [0]


def test_of_a_user_with_too_many_items_the_latest_count() -> None:
    data = data_of([(0, item, 1.0) for item in (3, 0, 1, 2, 3)] + [(1, 0, 1.0), (1, 1, 1.0)])
    data = replace(data, interactions=replace(data.interactions, times=NOW + np.arange(7)))
    model = ItemItemTrainer(ItemItemConfig(items_per_user=2)).fit(data)
    # User 0 played 3 again, and last: 3 and 2 count, 0 and 1 do not.
    assert [sorted(neighbours(model, row)) for row in range(4)] == [[1], [0], [3], [2]]


def test_items_beyond_one_block_find_each_other() -> None:
    events = [(user, item, 1.0) for user, item in [(0, 3), (0, 1_500), (0, 2_400), (1, 1_500), (1, 3)]]
    model = ItemItemTrainer(ItemItemConfig()).fit(data_of(events, items=2_500))
    assert list(neighbours(model, 1_500)) == [3, 2_400]
    assert list(neighbours(model, 2_400)) == [3, 1_500]
    assert neighbours(model, 3)[2_400] == pytest.approx(neighbours(model, 2_400)[3])
    assert len(model.indptr) == 2_501


def test_strengths_near_nothing_stay_finite() -> None:
    events = [(0, 0, 1e-40), (0, 1, 1e-40), (1, 1, 1.0), (1, 2, 1e-30)]
    model = ItemItemTrainer(ItemItemConfig(shrinkage=0, item_exponent=1, user_exponent=1)).fit(data_of(events))
    assert np.isfinite(model.weights).all()
    assert (model.weights > 0).all()


@pytest.mark.parametrize("item_id", NEIGHBOURS)
def test_the_neighbours_everyone_agrees_on(item_id: str) -> None:
    world = toy_world()
    model = world.resources.model("item_item", ItemItemModel)
    assert model is not None
    found = np.array(list(neighbours(model, world.position(item_id))), np.int32)
    assert world.ids(found) == NEIGHBOURS[item_id]
