"""The LightGCN model: on disk, and users' vectors against the paper's equations written out."""

from __future__ import annotations

import numpy as np
import pytest

from homefeed.retrieve.lightgcn.model import LightgcnConfig, LightgcnModel
from homefeed.testing import ModelContract, World

NUMBERS = np.array([7, 3], np.int32)


class TestLightgcnModel(ModelContract):
    def make(self, world: World) -> LightgcnModel:
        count = len(world.data.numbers)
        vectors = np.random.default_rng(0).standard_normal((count, 3)).astype(np.float32)
        return LightgcnModel(world.data.numbers, vectors, 2 * vectors, np.ones(count, np.float32))


def model_of(passed: list[list[float]], degrees: list[float]) -> LightgcnModel:
    vectors = np.array(passed, np.float32)
    return LightgcnModel(NUMBERS, vectors, vectors, np.array(degrees, np.float32))


def test_a_user_is_what_their_items_pass_on_over_the_roots_of_the_degrees() -> None:
    model = model_of([[4, 0], [0, 9]], [16, 9])
    # d(u) = 1 + 3: 1 / sqrt(4 * 16) (4, 0) and 3 / sqrt(4 * 9) (0, 9)
    shares = model.fold_in(np.array([0, 1], np.int32), np.array([1, 3], np.float32))
    assert shares.tolist() == [[0.5, 0], [0, 4.5]]
    assert shares.dtype == np.float32


def test_what_is_disliked_counts_against_what_is_like_it() -> None:
    model = model_of([[4, 0], [0, 9]], [16, 9])
    shares = model.fold_in(np.array([0, 1], np.int32), np.array([1, -3], np.float32))
    assert shares.tolist() == [[0.5, 0], [0, -4.5]]


def test_an_item_that_hardly_anybody_chose_is_not_blown_up() -> None:
    model = model_of([[4, 0], [0, 9]], [0.01, 9])
    # d(i) counts as 1, the weight, not as 0.01
    assert model.fold_in(np.array([0], np.int32), np.ones(1, np.float32)).tolist() == [[4], [0]]


def test_of_nothing_known_the_vector_is_nothing() -> None:
    nothing = np.empty(0, np.int32), np.empty(0, np.float32)
    assert model_of([[4, 0], [0, 9]], [16, 9]).fold_in(*nothing).shape == (2, 0)


def test_of_two_partitions_the_longest_stand_first() -> None:
    one, two = (model_of([[length, 0], [1, 0]], [length, 1]) for length in (3, 5))
    other = LightgcnModel(two.numbers + 10, two.vectors, two.passed, two.degrees)
    joined = LightgcnModel.joined({"a": one, "b": other}, NUMBERS)
    assert joined.numbers.tolist() == [17, 7, 3, 13]
    assert (joined.partitions, joined.partition.tolist()) == (("a", "b"), [1, 0, 0, 1])
    assert joined.degrees.tolist() == [5, 3, 1, 1]
    joined.check()


@pytest.mark.parametrize(
    "config",
    [{"factors": 0}, {"layers": 0}, {"layers": 9}, {"learning_rate": 0}, {"epochs": 0}, {"device": "tpu"}],
)
def test_settings_that_make_no_sense_are_refused(config: dict[str, object]) -> None:
    with pytest.raises(ValueError, match=next(iter(config))):
        LightgcnConfig.model_validate(config)
